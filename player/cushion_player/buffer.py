"""What has been received on one track and is still of use: contiguous segments around the playback position."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ABSENT: Final = -1
"""The rung of a segment that is passed over because there is nothing to fetch; it holds no bytes."""


@dataclass(frozen=True, slots=True)
class BufferedSegment:
    """A received segment, or one that is ABSENT. `request_id` is how the driver knows its bytes."""

    index: int
    rung: int
    start_us: int
    end_us: int
    size_bytes: int
    request_id: int


class TrackBuffer:
    """Contiguous received segments, oldest first. Every change keeps `size_bytes` equal to their sum."""

    def __init__(self) -> None:
        self._segments: list[BufferedSegment] = []
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._segments)

    def __iter__(self) -> Iterator[BufferedSegment]:
        return iter(self._segments)

    def append(self, segment: BufferedSegment) -> None:
        """Add the segment that follows the last one."""
        assert not self._segments or segment.index == self._segments[-1].index + 1, "segments are contiguous"
        self._segments.append(segment)
        self._size_bytes += segment.size_bytes

    def end_us(self) -> int | None:
        """Where the received media ends, None when there is none."""
        return self._segments[-1].end_us if self._segments else None

    def last(self) -> BufferedSegment | None:
        """The last segment, None when there is none."""
        return self._segments[-1] if self._segments else None

    def ahead_us(self, position_us: int) -> int:
        """How long playback can go on from `position_us`; a track that starts later is waited for in silence."""
        return max(0, self._segments[-1].end_us - position_us) if self._segments else 0

    def covering(self, position_us: int) -> BufferedSegment | None:
        """The segment that plays at `position_us`; the last one also at its very end."""
        at = bisect_right(self._segments, position_us, key=lambda segment: segment.start_us) - 1
        if at < 0 or position_us > self._segments[at].end_us:
            return None
        return self._segments[at]

    def trim_before(self, position_us: int) -> list[BufferedSegment]:
        """Remove the segments that end at or before `position_us`, and return them."""
        count = 0
        while count < len(self._segments) and self._segments[count].end_us <= position_us:
            count += 1
        return self._remove(0, count)

    def replace(self, segment: BufferedSegment) -> BufferedSegment | None:
        """Put `segment` in the place of the one with its index, and return that; None when there is none any more."""
        at = segment.index - self._segments[0].index if self._segments else -1
        if not 0 <= at < len(self._segments):
            return None
        old, self._segments[at] = self._segments[at], segment
        self._size_bytes += segment.size_bytes - old.size_bytes
        return old

    def drop_from(self, index: int) -> list[BufferedSegment]:
        """Remove segment `index` and all after it, and return them."""
        first = next((at for at, each in enumerate(self._segments) if each.index >= index), len(self._segments))
        return self._remove(first, len(self._segments))

    def drop_before(self, index: int) -> list[BufferedSegment]:
        """Remove all segments before `index`, and return them."""
        stop = next((at for at, each in enumerate(self._segments) if each.index >= index), len(self._segments))
        return self._remove(0, stop)

    def clear(self) -> list[BufferedSegment]:
        """Remove everything, and return it."""
        return self._remove(0, len(self._segments))

    def _remove(self, first: int, last: int) -> list[BufferedSegment]:
        removed = self._segments[first:last]
        del self._segments[first:last]
        self._size_bytes -= sum(segment.size_bytes for segment in removed)
        return removed
