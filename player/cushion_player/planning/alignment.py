"""One timeline for media playlists that each begin somewhere else (HLS). Pure.

Playlists of a live presentation are fetched one after the other and each counts time from its own first segment. What
ties them together, best first: both begin at the presentation's beginning; program date time; the start of a
discontinuity both know; equal media sequence numbers (RFC 8216bis 6.2.4 promises none of the last, but servers that
write no dates keep to it, and players of the web rely on that).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from cushion_player.model import US_PER_S, Representation, Segment


class Tie(StrEnum):
    """By what two playlists were aligned."""

    BEGINNING = "beginning"
    PROGRAM_DATE_TIME = "program-date-time"
    DISCONTINUITY = "discontinuity"
    MEDIA_SEQUENCE = "media-sequence"


class Alignment(NamedTuple):
    """What to add to the other's times, in seconds, and why that is right."""

    shift: Fraction
    tie: Tie


def align(reference: Representation, other: Representation) -> Alignment | None:
    """How `other` lies on the timeline of `reference`; None when nothing ties them together."""
    if not reference.segments or not other.segments:
        return None
    if _begins_at_beginning(reference) and _begins_at_beginning(other):
        return Alignment(_start(reference, reference.segments[0]) - _start(other, other.segments[0]), Tie.BEGINNING)
    for find, tie in (
        (_by_program_time, Tie.PROGRAM_DATE_TIME),
        (_by_discontinuity, Tie.DISCONTINUITY),
        (_by_number, Tie.MEDIA_SEQUENCE),
    ):
        shift = find(reference, other)
        if shift is not None:
            return Alignment(shift, tie)
    return None


def _start(representation: Representation, segment: Segment) -> Fraction:
    return Fraction(segment.start, representation.timescale)


def _begins_at_beginning(representation: Representation) -> bool:
    """Nothing was taken off its head: it says so, or it has ended and counts from 0."""
    playlist = representation.playlist
    if playlist is None:
        return False
    return playlist.playlist_type in ("EVENT", "VOD") or (playlist.has_ended and playlist.media_sequence == 0)


def _by_program_time(reference: Representation, other: Representation) -> Fraction | None:
    """By dates within one discontinuity sequence: the clock may jump between two."""
    for ours in _firsts(reference.segments).values():
        theirs = _firsts(other.segments).get(ours.discontinuity)
        if theirs is not None and ours.program_time_us is not None and theirs.program_time_us is not None:
            later = Fraction(theirs.program_time_us - ours.program_time_us, US_PER_S)
            return _start(reference, ours) + later - _start(other, theirs)
    return None


def _by_discontinuity(reference: Representation, other: Representation) -> Fraction | None:
    """By a discontinuity whose very beginning both list, so not by what either begins with."""
    ours, theirs = _firsts(reference.segments), _firsts(other.segments)
    for number in list(ours)[1:]:
        if number in list(theirs)[1:]:
            return _start(reference, ours[number]) - _start(other, theirs[number])
    return None


def _by_number(reference: Representation, other: Representation) -> Fraction | None:
    """By the first media sequence number both list."""
    first = max(reference.segments[0].number, other.segments[0].number)
    ours, theirs = first - reference.segments[0].number, first - other.segments[0].number
    if ours >= len(reference.segments) or theirs >= len(other.segments):
        return None
    return _start(reference, reference.segments[ours]) - _start(other, other.segments[theirs])


def _firsts(segments: Sequence[Segment]) -> dict[int, Segment]:
    """The first segment of each discontinuity sequence number, in order."""
    firsts: dict[int, Segment] = {}
    for segment in segments:
        firsts.setdefault(segment.discontinuity, segment)
    return firsts
