"""What machines read in the reference film: where the bar code and the flash sit, and how to read them back.

Places are fractions of the picture, so they are found in any size and in a screenshot's video rectangle.
The code is two rows of twenty blocks: a white one, eighteen bits, a black one. The 36 bits are the frame number
(24 bits) and the low 12 bits of the CRC-32 of its three bytes, highest bit first.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in fractions of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def box_px(self, width_px: int, height_px: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels; even numbers, so that it is whole in 4:2:0 chroma too."""

        def even(value: float) -> int:
            return round(value / 2) * 2

        return (
            even(self.left * width_px),
            even(self.top * height_px),
            even(self.right * width_px),
            even(self.bottom * height_px),
        )


CODE_AREA: Final = Area(0.03, 0.035, 0.97, 0.155)
FLASH_AREA: Final = Area(0.77, 0.62, 0.97, 0.955)

CODE_ROWS: Final = 2
CODE_COLUMNS: Final = 20
FRAME_BITS: Final = 24
CHECK_BITS: Final = 12
MAX_FRAMES: Final = 1 << FRAME_BITS

_MIN_CONTRAST: Final = 60.0
"""Least difference, in levels, between the white and the black reference blocks."""
_MARGIN: Final = 0.15
"""A block whose level lies this near to the threshold, as a part of the contrast, cannot be trusted."""
_FLASH_LEVEL: Final = 140.0


def code_bits(frame: int) -> NDArray[np.bool_]:
    """The blocks for a frame number, (2, 20) bool, True for white."""
    if not 0 <= frame < MAX_FRAMES:
        raise ValueError(f"frame number {frame} does not fit in {FRAME_BITS} bits")
    word = frame << CHECK_BITS | _check(frame)
    n_bits = FRAME_BITS + CHECK_BITS
    bits = np.array([bool(word >> (n_bits - 1 - i) & 1) for i in range(n_bits)]).reshape(CODE_ROWS, -1)
    return np.pad(bits, ((0, 0), (1, 1)), constant_values=((False, False), (True, False)))


def read_frame_code(picture: NDArray[np.uint8]) -> int | None:
    """The frame number in a picture; None when there is no code, or it is damaged.

    picture: (H, W) luma, or (H, W, 3) or (H, W, 4) RGB or BGR with or without alpha; uint8; exactly the film's
    rectangle.
    """
    levels = _block_levels(_grey(picture, CODE_AREA))
    white, black = float(levels[:, 0].mean()), float(levels[:, -1].mean())
    contrast = white - black
    if contrast < _MIN_CONTRAST:
        return None
    scaled = (levels[:, 1:-1].ravel() - black) / contrast - 0.5
    if float(np.abs(scaled).min()) < _MARGIN:
        return None
    word = 0
    for is_white in scaled > 0:
        word = word << 1 | int(is_white)
    frame = word >> CHECK_BITS
    return frame if word & ((1 << CHECK_BITS) - 1) == _check(frame) else None


def is_flash(picture: NDArray[np.uint8]) -> bool:
    """Whether the flash is lit. picture: as for `read_frame_code`."""
    grey = _grey(picture, FLASH_AREA)
    height, width = grey.shape
    core = grey[height // 4 : max(height * 3 // 4, height // 4 + 1), width // 4 : max(width * 3 // 4, width // 4 + 1)]
    return bool(core.mean() > _FLASH_LEVEL)


def beep_onsets(pcm: NDArray[np.float32], rate_hz: int) -> list[float]:
    """Times in seconds at which a beep begins: the first sample above a quarter of the peak after 100 ms below it.

    pcm: (n,) or (n, channels) float samples; a peak under -40 dBFS counts as silence.
    """
    level = np.abs(pcm if pcm.ndim == 1 else pcm.max(axis=1))
    peak = float(level.max(initial=0.0))
    if peak < 0.01:
        return []
    loud = np.flatnonzero(level > peak / 4)
    first_of_each = np.concatenate([[True], np.diff(loud) > rate_hz // 10])
    return [int(index) / rate_hz for index in loud[first_of_each]]


def _check(frame: int) -> int:
    return zlib.crc32(frame.to_bytes(FRAME_BITS // 8, "big")) & ((1 << CHECK_BITS) - 1)


def _grey(picture: NDArray[np.uint8], area: Area) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    left, top = int(area.left * width), int(area.top * height)
    right, bottom = max(left + 1, round(area.right * width)), max(top + 1, round(area.bottom * height))
    part = picture[top:bottom, left:right]
    if part.ndim == 3:
        return np.asarray(part[:, :, :3].mean(axis=2), dtype=np.float32)
    return part.astype(np.float32)


def _block_levels(code: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean level of the middle of each block, (2, 20)."""
    height, width = code.shape
    levels = np.zeros((CODE_ROWS, CODE_COLUMNS), dtype=np.float32)
    for row in range(CODE_ROWS):
        top, bottom = _middle(row, height / CODE_ROWS)
        for column in range(CODE_COLUMNS):
            left, right = _middle(column, width / CODE_COLUMNS)
            levels[row, column] = code[top:bottom, left:right].mean() if code.size else 0.0
    return levels


def _middle(index: int, step: float) -> tuple[int, int]:
    first = min(int((index + 0.3) * step), int((index + 1) * step) - 1)
    first = max(first, 0)
    return first, max(first + 1, int((index + 0.7) * step))
