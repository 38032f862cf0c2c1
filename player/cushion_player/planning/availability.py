"""What of a presentation is there at a moment: segments, the window to seek in, the live edge, where to join. Pure.

`now` is always seconds since 1970 UTC, as the source of time says; positions are seconds on the presentation timeline.
DASH counts with the clock (ISO/IEC 23009-1 5.3.9.5.3, DASH-IF IOP 4.3); HLS has what its playlists list (RFC 8216bis
6.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from cushion_player.model import ContentKind, Period, Presentation, Representation, segment_index_at
from cushion_player.planning.lookup import segment, span_of

HOLD_BACK_TARGETS = 3
"""HLS clients stay this many target durations behind the end when nothing is said (RFC 8216bis 4.4.3.8)."""
_PLAYED = (ContentKind.VIDEO, ContentKind.AUDIO)


class Available(NamedTuple):
    """Segments that may be asked for: `first` to `stop` - 1. Nothing when they are equal."""

    first: int
    stop: int


class Window(NamedTuple):
    """The stretch that may be played. `end` is the live edge; in a presentation that has ended, its end."""

    start: Fraction
    end: Fraction


def available_segments(
    presentation: Presentation, period: Period, representation: Representation, now: Fraction
) -> Available:
    """Which of a representation's segments may be asked for.

    In a dynamic MPD a segment is there from availabilityStartTime + its end - availabilityTimeOffset until its
    duration and timeShiftBufferDepth have passed after that (5.3.9.5.3); listed ones follow the same rule.
    """
    listed = len(representation.segments)
    pattern = representation.pattern
    start = presentation.live.availability_start
    if not _follows_clock(presentation) or start is None:
        return Available(0, pattern.limit or 0) if pattern is not None else Available(0, listed)
    if presentation.live.availability_end is not None and now > presentation.live.availability_end:
        return Available(0, 0)
    elapsed = now - start - period.start
    offset = representation.availability_time_offset
    depth = presentation.live.time_shift_buffer_depth
    has_end = pattern is None or pattern.limit is not None
    horizon = None if offset is None and has_end else elapsed + (offset or 0)
    stop = _stop(representation, period, horizon)
    first = 0 if depth is None else _first(representation, elapsed - depth, stop)
    return Available(first, stop)


def _follows_clock(presentation: Presentation) -> bool:
    return presentation.kind == "dash" and presentation.is_live


def _stop(representation: Representation, period: Period, horizon: Fraction | None) -> int:
    """How many segments end by `horizon` (seconds from the period's start; None: all of them)."""
    timescale = representation.timescale
    pattern = representation.pattern
    if pattern is None:
        if horizon is None:
            return len(representation.segments)
        ticks = floor(horizon * timescale)
        index = segment_index_at(representation.segments, ticks)
        return index + 1 if index >= 0 and representation.segments[index].end <= ticks else max(0, index)
    if horizon is None:
        return pattern.limit or 0
    if period.duration is not None and horizon >= period.duration and pattern.limit is not None:
        return pattern.limit  # its last segment ends with the period, before its nominal end
    stop = max(0, (floor(horizon * timescale) - pattern.start) // pattern.duration)
    return stop if pattern.limit is None else min(stop, pattern.limit)


def _first(representation: Representation, oldest: Fraction, stop: int) -> int:
    """The first segment of `stop` whose end plus its duration is not before `oldest` (seconds into the period)."""
    ticks = ceil(oldest * representation.timescale)
    if representation.pattern is not None:
        behind = ticks - representation.pattern.start
        return min(stop, max(0, -(-behind // representation.pattern.duration) - 2))
    low, high = 0, stop
    while low < high:
        middle = (low + high) // 2
        found = representation.segments[middle]
        if found.end + found.duration < ticks:
            low = middle + 1
        else:
            high = middle
    return low


def available_at(presentation: Presentation, period: Period, representation: Representation, index: int) -> Fraction:
    """From when on a segment may be asked for, seconds since 1970 UTC; 0 where it already may."""
    start = presentation.live.availability_start
    offset = representation.availability_time_offset
    if not _follows_clock(presentation) or start is None or offset is None:
        return Fraction(0)
    return start + period.start + Fraction(segment(representation, index).end, representation.timescale) - offset


def window_at(presentation: Presentation, now: Fraction) -> Window | None:
    """The stretch that every video and audio representation can play now; None when nothing is there yet.

    It starts no earlier than the time-shift buffer, even where an older segment is still kept (DASH-IF IOP 4.3.2.1).
    """
    last = presentation.periods[-1]
    if not presentation.is_live and last.duration is not None:
        return Window(presentation.periods[0].start, last.start + last.duration)
    windows = [found for period in presentation.periods if (found := _period_window(presentation, period, now))]
    if not windows:
        return None
    start, end = windows[0].start, windows[-1].end
    depth, origin = presentation.live.time_shift_buffer_depth, presentation.live.availability_start
    if _follows_clock(presentation) and depth is not None and origin is not None:
        start = max(start, now - origin - depth)
    return Window(min(start, end), end)


def _period_window(presentation: Presentation, period: Period, now: Fraction) -> Window | None:
    """What all of a period's video and audio representations have in common; those without segments do not count."""
    starts: list[Fraction] = []
    ends: list[Fraction] = []
    for adaptation_set in period.adaptation_sets:
        for item in adaptation_set.representations if adaptation_set.kind in _PLAYED else ():
            first, stop = available_segments(presentation, period, item, now)
            if first < stop:
                starts.append(span_of(period, item, first)[0])
                ends.append(span_of(period, item, stop - 1)[1])
    return Window(max(starts), min(ends)) if starts and max(starts) < min(ends) else None


def presentation_delay(presentation: Presentation) -> Fraction:
    """How far behind the live edge the service wants playback to be, seconds.

    What a service description targets, else suggestedPresentationDelay, else the playlist's PART-HOLD-BACK or
    HOLD-BACK, else three times the longest segment (HLS's rule, which DASH leaves to the player).
    """
    for description in presentation.service_descriptions:
        if description.latency.target_ms is not None:
            return Fraction(description.latency.target_ms, 1000)
    if presentation.live.suggested_presentation_delay is not None:
        return presentation.live.suggested_presentation_delay
    longest = presentation.live.max_segment_duration or presentation.live.target_duration or Fraction(0)
    for representation in _played(presentation):
        playlist = representation.playlist
        if playlist is not None:
            control = playlist.server_control
            said = control.part_hold_back if playlist.part_target is not None else None
            return said or control.hold_back or HOLD_BACK_TARGETS * playlist.target_duration
        if not longest and (representation.pattern is not None or representation.segments):
            duration = representation.pattern or representation.segments[-1]
            longest = Fraction(duration.duration, representation.timescale)
    return HOLD_BACK_TARGETS * longest


def _played(presentation: Presentation) -> Iterator[Representation]:
    for adaptation_set in presentation.periods[-1].adaptation_sets:
        if adaptation_set.kind in _PLAYED:
            yield from adaptation_set.representations


def join_position(presentation: Presentation, now: Fraction) -> Fraction | None:
    """Where playback begins when nothing else is asked for; None when nothing is there yet.

    EXT-X-START where it is said; in a live presentation its delay behind the clock (DASH) or the listed end (HLS);
    else the beginning. Always within the window.
    """
    window = window_at(presentation, now)
    if window is None:
        return None
    if presentation.start is not None:
        offset = presentation.start.offset
        wanted = window.start + offset if offset >= 0 else window.end + offset
    elif not presentation.is_live:
        wanted = window.start
    elif _follows_clock(presentation) and presentation.live.availability_start is not None:
        wanted = now - presentation.live.availability_start - presentation_delay(presentation)
    else:
        wanted = window.end - presentation_delay(presentation)
    return min(max(wanted, window.start), window.end)
