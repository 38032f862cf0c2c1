"""Draws the pictures of the reference film, straight into planar YUV 4:2:0 (BT.709, limited range).

What stands still is drawn once a size; a frame is a copy of it and a few small patches.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cushion_player.media.film_code import CODE_AREA, FLASH_AREA, Area, code_bits
from cushion_player.media.film_font import ADVANCE_DOTS, GLYPH_ROWS, glyph, text_mask

Plane = NDArray[np.uint8]

_BARS_AREA: Final = Area(0.03, 0.195, 0.50, 0.50)
_RAMP_AREA: Final = Area(0.03, 0.50, 0.50, 0.575)
_TEXTURE_AREA: Final = Area(0.53, 0.195, 0.97, 0.575)
_LANE_AREA: Final = Area(0.03, 0.62, 0.74, 0.755)
_CLOCK_AREA: Final = Area(0.03, 0.79, 0.74, 0.955)

_WHITE: Final = 235
_BLACK: Final = 16
_GROUND: Final = (34, 132, 124)
_PANEL: Final = (24, 131, 126)
_FLASH_OFF: Final = 30
_INK_DIM: Final = 150

# 75 % bars: white, yellow, cyan, green, magenta, red, blue, black.
_BARS_RGB: Final = ((1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0))
_BALLS_RGB: Final = ((1.0, 0.45, 0.2), (0.25, 0.8, 1.0), (0.65, 0.9, 0.3))

_GRAIN_LEVELS: Final = 30
"""Largest departure of the grain from the texture."""
_GRAIN_MIX: Final = ((1, 1.5), (2, 4.5), (4, 6.5))
"""Size in 720ths of the height, and deviation in levels, of the grain's layers. Found by encoding: x264 veryfast at
CRF 23 costs 2.3 Mb/s at 720p30, 1.1 at 480p, 0.6 at 360p and 0.2 at 240p, so that a ladder has distinct bitrates."""
_TEXTURE_SPEED: Final = (0.11, 0.05)
"""Panel widths and heights the texture drifts a second."""


class FilmPainter:
    """Draws frames of one size.

    nominal_fps: frames a timecode second has (30 for 30000/1001). `paint` is deterministic in these and
    the frame number.
    """

    def __init__(self, width_px: int, height_px: int, nominal_fps: int, seed: int, caption: str) -> None:
        self._width, self._height = width_px, height_px
        self._fps = nominal_fps
        self._seed = seed
        self._flash_frames = max(1, round(nominal_fps * 0.1))
        rng = np.random.default_rng(seed)
        self._texture, self._grain = _texture_and_grain(*_size(_TEXTURE_AREA.box_px(width_px, height_px)), rng)
        self._still = self._paint_still(caption)

    def paint(self, frame: int) -> Plane:
        """The picture, (H × 3 / 2, W) uint8: luma over the two chroma planes, as PyAV's yuv420p arrays are."""
        picture = self._still.copy()
        luma, cb, cr = _planes(picture, self._width, self._height)
        self._paint_code(luma, frame)
        self._paint_texture(luma, frame)
        self._paint_lane(luma, cb, cr, frame)
        self._paint_clock(luma, frame)
        if frame % self._fps < self._flash_frames:
            left, top, right, bottom = FLASH_AREA.box_px(self._width, self._height)
            luma[top:bottom, left:right] = _WHITE
            cb[top // 2 : bottom // 2, left // 2 : right // 2] = 128
            cr[top // 2 : bottom // 2, left // 2 : right // 2] = 128
        return picture

    # ---------------------------------------------------------------- still parts

    def _paint_still(self, caption: str) -> Plane:
        picture = np.empty((self._height * 3 // 2, self._width), dtype=np.uint8)
        luma, cb, cr = _planes(picture, self._width, self._height)
        luma[:], cb[:], cr[:] = _GROUND
        for area in (_LANE_AREA, _CLOCK_AREA):
            self._fill(picture, area, _PANEL)
        self._fill(picture, _TEXTURE_AREA, (128, 128, 128))
        left, top, right, bottom = (edge // 2 for edge in _TEXTURE_AREA.box_px(self._width, self._height))
        cb[top:bottom, left:right] = np.linspace(150, 112, right - left, dtype=np.uint8)
        cr[top:bottom, left:right] = np.linspace(112, 146, bottom - top, dtype=np.uint8)[:, None]
        self._fill(picture, FLASH_AREA, (_FLASH_OFF, 128, 128))
        for index, rgb in enumerate(_BARS_RGB):
            step = (_BARS_AREA.right - _BARS_AREA.left) / len(_BARS_RGB)
            edge = _BARS_AREA.left + index * step
            self._fill(picture, Area(edge, _BARS_AREA.top, edge + step, _BARS_AREA.bottom), _yuv(rgb, 0.75))
        self._fill(picture, _RAMP_AREA, (_BLACK, 128, 128))
        left, top, right, bottom = _RAMP_AREA.box_px(self._width, self._height)
        luma[top:bottom, left:right] = np.linspace(_BLACK, _WHITE, max(right - left, 1), dtype=np.uint8)
        self._label(luma, FLASH_AREA, "FLASH+BEEP")
        self._caption(luma, caption)
        return picture

    def _fill(self, picture: Plane, area: Area, colour: tuple[int, int, int]) -> None:
        left, top, right, bottom = area.box_px(self._width, self._height)
        luma, cb, cr = _planes(picture, self._width, self._height)
        luma[top:bottom, left:right] = colour[0]
        cb[top // 2 : bottom // 2, left // 2 : right // 2] = colour[1]
        cr[top // 2 : bottom // 2, left // 2 : right // 2] = colour[2]

    def _label(self, luma: Plane, area: Area, text: str) -> None:
        left, top, right, bottom = area.box_px(self._width, self._height)
        dot = int((right - left) * 0.8 / (len(text) * ADVANCE_DOTS))
        if dot < 1:
            return
        mask = text_mask(text, dot)
        _ink(luma, (left + right - mask.shape[1] + dot) // 2, (top + bottom - mask.shape[0]) // 2, mask, 78)

    def _caption(self, luma: Plane, caption: str) -> None:
        dot = self._caption_dot()
        if dot < 1:
            return
        left, _, _, bottom = _CLOCK_AREA.box_px(self._width, self._height)
        margin = max(2, self._width // 100)
        mask = text_mask(caption, dot)
        _ink(luma, left + margin, bottom - margin // 2 - mask.shape[0], mask, _INK_DIM)

    def _caption_dot(self) -> int:
        return self._height // 360

    # ---------------------------------------------------------------- moving parts

    def _paint_code(self, luma: Plane, frame: int) -> None:
        left, top, right, bottom = CODE_AREA.box_px(self._width, self._height)
        bits = code_bits(frame)
        rows = np.arange(bottom - top) * bits.shape[0] // max(bottom - top, 1)
        columns = np.arange(right - left) * bits.shape[1] // max(right - left, 1)
        luma[top:bottom, left:right] = np.where(bits, _WHITE, _BLACK).astype(np.uint8)[np.ix_(rows, columns)]

    def _paint_texture(self, luma: Plane, frame: int) -> None:
        left, top, right, bottom = _TEXTURE_AREA.box_px(self._width, self._height)
        width, height = right - left, bottom - top
        time_s = frame / self._fps
        x = int(time_s * _TEXTURE_SPEED[0] * width) % width
        y = int(time_s * _TEXTURE_SPEED[1] * height) % height
        mixed = _mix(self._seed, frame)
        grain_x, grain_y = mixed % width, (mixed >> 20) % height
        np.add(
            self._texture[y : y + height, x : x + width],
            self._grain[grain_y : grain_y + height, grain_x : grain_x + width],
            out=luma[top:bottom, left:right],
        )

    def _paint_lane(self, luma: Plane, cb: Plane, cr: Plane, frame: int) -> None:
        left, top, right, bottom = _LANE_AREA.box_px(self._width, self._height)
        radius = (bottom - top) * 0.2
        time_s = frame / self._fps
        middle = (top + bottom) / 2
        travel, rise = right - left - 2 * radius - 4, bottom - top - 2 * radius - 4
        swing = 0.5 - 0.5 * math.cos(time_s * math.tau / 4.0)
        saw = abs((time_s / 2.5) % 2.0 - 1.0)
        drift = 0.5 - 0.5 * math.cos(time_s * math.tau / 7.0)
        bounce = abs(math.sin(time_s * math.tau / 1.6))
        places = (
            (left + 2 + radius + travel * swing, middle),
            (left + 2 + radius + travel * saw, bottom - 2 - radius - rise * bounce),
            (left + 2 + radius + travel * drift, middle + rise / 2 * math.sin(time_s * math.tau / 2.0)),
        )
        for (x, y), rgb in zip(places, _BALLS_RGB, strict=True):
            colour = _yuv(rgb, 0.85)
            _ball(luma, x, y, radius, colour[0])
            _ball(cb, x / 2, y / 2, radius / 2, colour[1])
            _ball(cr, x / 2, y / 2, radius / 2, colour[2])

    def _paint_clock(self, luma: Plane, frame: int) -> None:
        left, top, right, bottom = _CLOCK_AREA.box_px(self._width, self._height)
        margin = max(2, self._width // 100)
        caption_px = self._caption_dot() * GLYPH_ROWS
        room = bottom - top - 2 * margin - caption_px
        timecode, number = self.timecode(frame), f"F{frame:07d}"
        dot = max(1, min(room // GLYPH_ROWS, (right - left - 2 * margin) * 2 // 3 // (len(timecode) * ADVANCE_DOTS)))
        _write(luma, left + margin, top + margin, timecode, dot, _WHITE)
        small = max(1, dot * 2 // 3)
        x = right - margin - len(number) * ADVANCE_DOTS * small
        _write(luma, x, top + margin + (dot - small) * GLYPH_ROWS, number, small, 190)

    def timecode(self, frame: int) -> str:
        """HH:MM:SS:FF, counted in nominal frames (non-drop)."""
        seconds, frames = divmod(frame, self._fps)
        return f"{seconds // 3600 % 100:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:02d}"


# -------------------------------------------------------------------- drawing on planes


def _planes(picture: Plane, width: int, height: int) -> tuple[Plane, Plane, Plane]:
    quarter = width * height // 4
    chroma = picture[height:].reshape(-1)
    shape = (height // 2, width // 2)
    return picture[:height], chroma[:quarter].reshape(shape), chroma[quarter:].reshape(shape)


def _size(box: tuple[int, int, int, int]) -> tuple[int, int]:
    left, top, right, bottom = box
    return right - left, bottom - top


def _yuv(rgb: tuple[float, float, float], gain: float) -> tuple[int, int, int]:
    """BT.709 limited range of an R'G'B' colour."""
    red, green, blue = (part * gain for part in rgb)
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        round(16 + 219 * y),
        round(128 + 224 * (blue - y) / 1.8556),
        round(128 + 224 * (red - y) / 1.5748),
    )


def _ball(plane: Plane, x: float, y: float, radius: float, level: int) -> None:
    """A disc with soft edges, placed to parts of a pixel."""
    height, width = plane.shape
    left, right = max(0, int(x - radius - 1)), min(width, int(x + radius + 3))
    top, bottom = max(0, int(y - radius - 1)), min(height, int(y + radius + 3))
    dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)
    dy = np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y)
    distance = np.sqrt(dx[None, :] ** 2 + dy[:, None] ** 2)
    cover = np.clip(radius + 0.5 - distance, 0.0, 1.0)
    patch = plane[top:bottom, left:right]
    patch[:] = (patch + cover * (level - patch.astype(np.float32)) + 0.5).astype(np.uint8)


def _ink(luma: Plane, x: int, y: int, mask: NDArray[np.bool_], level: int) -> None:
    """Draw a mask, cut at the edges of the picture."""
    height, width = luma.shape
    x, y = max(x, 0), max(y, 0)
    patch = luma[y : min(y + mask.shape[0], height), x : min(x + mask.shape[1], width)]
    patch[mask[: patch.shape[0], : patch.shape[1]]] = level


def _write(luma: Plane, x: int, y: int, text: str, dot: int, level: int) -> None:
    for index, character in enumerate(text):
        _ink(luma, x + index * ADVANCE_DOTS * dot, y, glyph(character, dot), level)


def _mix(seed: int, frame: int) -> int:
    """A well-stirred 64-bit number of (seed, frame). Source: splitmix64 (Steele et al., 2014)."""
    word = (seed * 0x9E3779B97F4A7C15 + (frame + 1) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return word ^ (word >> 31)


def _texture_and_grain(width: int, height: int, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """A cloudy pattern and white grain, each twice the panel each way and repeating with the panel's period.

    The grain holds two's-complement departures: added to the texture in uint8 they never wrap, because the texture
    keeps `_GRAIN_LEVELS` away from both ends.
    """
    pattern = np.zeros((height, width))
    for cells, weight in ((4, 1.0), (9, 0.6), (21, 0.4), (48, 0.25)):
        grid = rng.standard_normal((max(2, cells * height // max(width, 1) + 1), cells))
        pattern += weight * _stretch(grid, height, width)
    low, high = float(pattern.min()), float(pattern.max())
    span = (pattern - low) / max(high - low, 1e-9)
    texture = (40 + _GRAIN_LEVELS + span * (200 - 2 * _GRAIN_LEVELS - 40)).astype(np.uint8)
    noise = np.zeros((height, width))
    for dot, deviation in _GRAIN_MIX:
        dot_px = max(1, round(dot * height / (720 * (_TEXTURE_AREA.bottom - _TEXTURE_AREA.top))))
        coarse = rng.standard_normal((-(-height // dot_px), -(-width // dot_px)))
        noise += deviation * np.kron(coarse, np.ones((dot_px, dot_px)))[:height, :width]
    grain = np.clip(np.rint(noise), -_GRAIN_LEVELS, _GRAIN_LEVELS).astype(np.int8).view(np.uint8)
    return np.tile(texture, (2, 2)), np.tile(grain, (2, 2))


def _stretch(grid: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Enlarge a small grid smoothly, wrapping at the edges."""
    rows, row_part = _steps(grid.shape[0], height)
    columns, column_part = _steps(grid.shape[1], width)
    down = (rows + 1) % grid.shape[0]
    along = (columns + 1) % grid.shape[1]
    upper = grid[np.ix_(rows, columns)] * (1 - column_part) + grid[np.ix_(rows, along)] * column_part
    lower = grid[np.ix_(down, columns)] * (1 - column_part) + grid[np.ix_(down, along)] * column_part
    return np.asarray(upper * (1 - row_part[:, None]) + lower * row_part[:, None], dtype=np.float64)


def _steps(cells: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    place = np.arange(size) * cells / max(size, 1)
    whole = place.astype(np.int64)
    part = place - whole
    return whole, part * part * (3 - 2 * part)
