"""Low latency: the segment that a playlist lists in parts as it is being made (RFC 8216bis 4.4.4.9, 4.4.5.3). Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from cushion_player.manifest.hls import representations_of
from cushion_player.manifest.hls_segments import HlsSegments
from cushion_player.model import Address, Chunk, Container, HintKind, Presentation, Representation, Segment


class Parts(NamedTuple):
    """What is known of the parts of one segment.

    is_whole: the segment is there, so there are no more than these. hint: where the next one, or the first one of the
    next segment, will be; None when nobody says. address: of the whole segment, once it is there.
    """

    chunks: tuple[Chunk, ...] = ()
    is_whole: bool = False
    hint: Address | None = None
    address: Address | None = None


def comes_in_parts(item: Representation) -> bool:
    """Whether segments can be played in parts: fragments of MP4 in the clear, from a server that holds reloads back."""
    info = item.playlist
    return (
        info is not None
        and info.part_target is not None
        and info.server_control.can_block_reload
        and not info.has_ended
        and item.container is Container.MP4
        and bool(item.segments)
        and not item.segments[-1].keys
    )


def open_segment(item: Representation) -> Segment | None:
    """The segment after the last one, of which parts are listed; None where none are.

    Before its first part nobody knows whether it continues the one before it. It is taken to last as long as that one,
    which most do.
    """
    segments, info = item.segments, item.playlist
    if not isinstance(segments, HlsSegments) or info is None or not info.partial or not comes_in_parts(item):
        return None
    return segments.following(max(segments[-1].duration, sum(part.duration for part in info.partial)))


def parts_end(item: Representation) -> Fraction:
    """Where what is listed ends, parts included: seconds of the period."""
    ticks = item.segments[-1].end if item.segments else 0
    if item.playlist is not None and comes_in_parts(item):
        ticks += sum(part.duration for part in item.playlist.partial)
    return Fraction(ticks, item.timescale)


def representation_of(presentation: Presentation, identity: str) -> Representation:
    """The newest version of a representation."""
    return next(item for item in representations_of(presentation) if item.id == identity)


def parts_of(item: Representation, number: int) -> Parts:
    """What the newest playlist says of the parts of segment `number`."""
    segments, info = item.segments, item.playlist
    if not segments or info is None:
        return Parts()
    last = segments[-1].number
    if number > last:
        return Parts(info.partial, hint=hint_of(item)) if number == last + 1 else Parts()
    at = number - segments[0].number
    if at < 0:
        return Parts(is_whole=True)
    found = segments[at]
    hint = hint_of(item) if number == last and not info.partial else None
    return Parts(found.chunks, is_whole=True, hint=hint, address=found.address)


def hint_of(item: Representation) -> Address | None:
    """Where the next part will be; not one without an end, which would bring more than the next part."""
    for hint in item.playlist.preload_hints if item.playlist is not None else ():
        if hint.kind is HintKind.PART:
            if hint.first_byte == 0 and hint.last_byte is None:
                return Address(hint.url)
            return None if hint.last_byte is None else Address(hint.url, (hint.first_byte, hint.last_byte))
    return None
