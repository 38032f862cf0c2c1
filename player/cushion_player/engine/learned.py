"""What the rungs of a ladder really take, learned from the segments that came.

Where a manifest names no sizes, its bitrates are all there is, and they promise more than they tell: of HLS, BANDWIDTH
is a peak with the dearest sound counted in. Taken at their word, they leave a part of the link unused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cushion_player.timeline import Track, TrackRung

DOUBT_SEGMENTS = 2.0
"""A declared bitrate counts as much, at first, as so many segments that came."""
MEMORY = 0.95
"""What a segment counts when the next of its rung has come: the last twenty or so say how the scenes are now."""
STEP = 0.1
"""A smaller departure from what the rule was told is not told: each new ladder lets the rule begin anew."""
FLOOR, CEILING = 0.25, 2.0
"""Of a declared bitrate: further off, something else is wrong."""

Rungs = tuple[TrackRung, ...]


class _Rung:
    """Received bytes beside declared ones."""

    def __init__(self) -> None:
        self.is_seen = False
        self._received = self._declared = DOUBT_SEGMENTS

    def add(self, received_bytes: int, declared_bytes: int) -> None:
        self.is_seen = True
        self._received = MEMORY * self._received + received_bytes / declared_bytes
        self._declared = MEMORY * self._declared + 1.0

    def factor(self) -> float:
        return min(max(self._received / self._declared, FLOOR), CEILING)


class LearnedBitrates:
    """Of the main track. Where sizes are known, it leaves everything as it is."""

    def __init__(self) -> None:
        self._seen: dict[Rungs, list[_Rung]] = {}
        self._factors: dict[Rungs, tuple[float, ...]] = {}

    def add(self, track: Track, index: int, rung: int, received_bytes: int) -> None:
        """A whole segment has come."""
        if track.sizes_exact or received_bytes <= 0:
            return
        rungs = track.stretch_of(index).rungs
        seen = self._seen.setdefault(rungs, [_Rung() for _ in rungs])
        seen[rung].add(received_bytes, track.size_bytes(index, rung))
        used = self.factors(rungs)
        told = tuple(
            now if abs(now / before - 1.0) > STEP else before for now, before in zip(_factors(seen), used, strict=True)
        )
        if told != used:
            self._factors[rungs] = told

    def factors(self, rungs: Rungs) -> tuple[float, ...]:
        """By rung, what a segment takes of what is declared, as the rule is told."""
        return self._factors.get(rungs) or (1.0,) * len(rungs)

    def ladder(self, rungs: Rungs) -> tuple[int, ...]:
        """Bitrates for the rule, ascending as the declared ones do."""
        bitrates: list[int] = []
        for rung, factor in zip(rungs, self.factors(rungs), strict=True):
            bitrates.append(max(round(rung.bitrate_bps * factor), bitrates[-1] if bitrates else 1))
        return tuple(bitrates)

    def sizes(self, rungs: Rungs, nominal_bits: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n, n_rungs) int64: what segments will take, from what they should."""
        if rungs not in self._factors:
            return nominal_bits
        scaled: NDArray[np.int64] = (nominal_bits * np.array(self.factors(rungs))).astype(np.int64)
        return scaled

    def size_bytes(self, track: Track, index: int, rung: int) -> int:
        """The same of one segment."""
        factor = self.factors(track.stretch_of(index).rungs)[rung]
        return max(1, round(track.size_bytes(index, rung) * factor))


def _factors(seen: list[_Rung]) -> list[float]:
    """A rung that never came is like the nearest that did, the lower of two."""
    known = [number for number, rung in enumerate(seen) if rung.is_seen]
    nearest = [min(known, key=lambda number: (abs(number - rung), number)) for rung in range(len(seen))]
    return [seen[number].factor() for number in nearest]
