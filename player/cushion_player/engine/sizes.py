"""The sizes of coming segments in the shape that a rule wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cushion_player.timeline import Track


class SizesAhead:
    """Sizes of one track, reckoned once a stretch while the track does not grow."""

    def __init__(self) -> None:
        self._by_stretch: dict[int, NDArray[np.int64]] = {}

    def forget(self) -> None:
        """The track has changed."""
        self._by_stretch.clear()

    def of(self, track: Track, first: int, count: int, *, may_grow: bool) -> NDArray[np.int64]:
        """(n, n_rungs) int64: sizes in bits from segment `first` on in its stretch, 1 <= n <= max(1, count)."""
        number, count = track.stretch_number(first), max(1, count)
        start, stop = _bounds(track, number)
        if may_grow:  # the few there are, not a matrix that is void after the next refresh
            return _rows(track, number, first, min(first + count, stop))
        matrix = self._by_stretch.get(number)
        if matrix is None:
            matrix = self._by_stretch[number] = _rows(track, number, start, stop)
        return matrix[first - start : first - start + count]


def _bounds(track: Track, number: int) -> tuple[int, int]:
    """The first segment of a stretch that is listed, and the one behind its last."""
    stretches = track.stretches
    stop = stretches[number + 1].first_index if number + 1 < len(stretches) else track.stop_index
    return max(stretches[number].first_index, track.first_index), stop


def _rows(track: Track, number: int, first: int, stop: int) -> NDArray[np.int64]:
    rungs = range(len(track.stretches[number].rungs))
    return np.array(
        [[track.size_bytes(index, rung) * 8 for rung in rungs] for index in range(first, stop)], dtype=np.int64
    )
