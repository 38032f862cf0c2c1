"""Which video qualities a source gets: never upscaled, bitrates ascending distinctly, capped CRF."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

from cushion_servers.transcode.facts import Rung

# Shorter side -> maxrate of a 16:9 picture at up to 30 fps. The caps keep neighbours a factor of about two apart,
# which is what buffer-based rules step over comfortably.
_MAXRATES_BPS: Final = {144: 150_000, 240: 300_000, 360: 700_000, 540: 1_400_000, 720: 2_800_000, 1080: 5_000_000}
_TOP_PX: Final = 1080
_TINY_BELOW_PX: Final = 360
"""Sources smaller than this also get the smallest standard size."""
_CLEARLY_SMALLER: Final = 0.8
"""A lower rung must be at most this share of the source's size, else it would be the same picture twice."""
_CRF: Final = 23
_HIGH_FRAME_RATE: Final = 1.4
"""More frames a second need more bits, but not twice as many."""


def plan_ladder(width_px: int, height_px: int, fps: float) -> list[Rung]:
    """The rungs of a source of this size (square pixels), ascending; at least one.

    A source whose shorter side is 720 or more gets at least four.
    """
    short_px = min(width_px, height_px)
    top = min(short_px, _TOP_PX)
    smallest = 144 if top < _TINY_BELOW_PX else 240
    sizes = [size for size in _MAXRATES_BPS if smallest <= size <= top * _CLEARLY_SMALLER] + [top]
    rungs = [_rung(size, size / short_px, width_px, height_px, fps) for size in sizes]
    assert all(low.maxrate_bps < high.maxrate_bps for low, high in pairwise(rungs))
    return rungs


def _rung(size: int, scale: float, width_px: int, height_px: int, fps: float) -> Rung:
    width, height = _even(width_px * scale, width_px), _even(height_px * scale, height_px)
    maxrate = round(_maxrate_for_pixels(width * height) * (_HIGH_FRAME_RATE if fps > 31 else 1.0), -3)
    return Rung(
        name=f"{size}p", width_px=width, height_px=height, crf=_CRF, maxrate_bps=int(maxrate), bufsize_bits=int(maxrate)
    )


def _even(length: float, limit_px: int) -> int:
    """The nearest even length that is not above the source's."""
    return max(2, 2 * min(round(length / 2), limit_px // 2))


def _maxrate_for_pixels(pixels: int) -> float:
    """The cap for a picture of this many pixels: the table, read off on a log-log line between its entries."""
    points = [(math.log(size * size * 16 / 9), math.log(rate)) for size, rate in _MAXRATES_BPS.items()]
    x = math.log(pixels)
    (x0, y0), (x1, y1) = next(((a, b) for a, b in pairwise(points) if x <= b[0]), (points[-2], points[-1]))
    return math.exp(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
