"""Where media time lies on the timeline when the manifest does not say (HLS): found out once a discontinuity."""

from __future__ import annotations

from typing import Final

from cushion_player.errors import MediaError
from cushion_player.media.demux import start_us
from cushion_player.outputs import MediaFormat, MediaSegment
from cushion_player.timeline import TrackKind

_SNAP_US: Final = 100_000
"""Media time this near to the expected offset has that offset: what differs is encoder delay and rounding."""
_MAX_KEPT: Final = 1_000
"""Discontinuities remembered; a channel that runs for weeks has no end of them."""


class MediaTimes:
    """Offsets (media time minus timeline time) by discontinuity, the same for all tracks."""

    def __init__(self) -> None:
        self._offsets: dict[int, int] = {}
        self._settled: set[int] = set()

    def unsettle(self) -> None:
        """After a jump the next segment of each discontinuity is looked at again."""
        self._settled.clear()

    def known_us(self, discontinuity: int) -> int | None:
        """What the segments of a discontinuity have shown so far."""
        return self._offsets.get(discontinuity)

    def offset_us(self, kind: TrackKind, media_format: MediaFormat, segment: MediaSegment) -> int:
        """The offset for a segment: what its manifest says, else what the first of its discontinuity showed.

        It stays what it was (0 in the first one) while segments agree with it to 100 ms.
        """
        if segment.offset_us is not None:
            return segment.offset_us
        number = media_format.discontinuity
        known = self._offsets.get(number)
        expected = known if known is not None else (0 if not self._offsets else None)
        if number in self._settled:
            assert known is not None
            return known
        try:
            first = start_us(kind, media_format, segment.data)
        except MediaError:
            first = None  # the decoder's thread will say what is wrong with it
        if first is None:
            return expected or 0
        found = first - segment.start_us
        if expected is None or abs(found - expected) > _SNAP_US:
            expected = found
        self._offsets[number] = expected
        self._settled.add(number)
        while len(self._offsets) > _MAX_KEPT:
            dropped = next(iter(self._offsets))
            del self._offsets[dropped]
            self._settled.discard(dropped)
        return expected
