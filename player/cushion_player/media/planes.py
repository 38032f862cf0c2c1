"""The planes of a decoded picture as they are, for renderers that convert on the graphics card."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from cushion_player.outputs import DynamicRange, VideoFrame

_HD_HEIGHT_PX: Final = 576
_FULL_RANGE: Final = 2


class Matrix(StrEnum):
    """How luma and chroma make colours (H.273 matrix coefficients)."""

    BT601 = "bt601"
    BT709 = "bt709"
    BT2020 = "bt2020"


class PlaneLayout(StrEnum):
    """How samples lie in planes; 10 bit ones in the low bits of 16 (I420P10) or the high ones (P010)."""

    I420 = "yuv420p"
    I420P10 = "yuv420p10le"
    NV12 = "nv12"
    P010 = "p010le"


@dataclass(frozen=True, slots=True)
class Planes:
    """rows: of each plane, (height, bytes) uint8, views into the decoder's memory that keep it alive."""

    layout: PlaneLayout
    matrix: Matrix
    is_full_range: bool
    rows: tuple[NDArray[np.uint8], ...]


_MATRICES: Final = {1: Matrix.BT709, 5: Matrix.BT601, 6: Matrix.BT601, 9: Matrix.BT2020, 10: Matrix.BT2020}
_LAYOUTS: Final = {layout.value: layout for layout in PlaneLayout} | {"yuvj420p": PlaneLayout.I420}


def planes_of(frame: VideoFrame) -> Planes | None:
    """None for pictures of another layout: convert those with `pixels`."""
    native = frame.native
    assert isinstance(native, av.VideoFrame)
    layout = _LAYOUTS.get(native.format.name)
    if layout is None:
        return None
    wide = 1 if layout in (PlaneLayout.I420, PlaneLayout.NV12) else 2
    is_full_range = native.color_range == _FULL_RANGE or native.format.name == "yuvj420p"
    rows: list[NDArray[np.uint8]] = []
    for index, plane in enumerate(native.planes):
        down = native.height if index == 0 else (native.height + 1) // 2
        across = native.width if index == 0 else (native.width + 1) // 2
        if index == 1 and layout in (PlaneLayout.NV12, PlaneLayout.P010):
            across *= 2
        flat = np.frombuffer(memoryview(plane), dtype=np.uint8)[: plane.line_size * down]
        rows.append(flat.reshape(down, plane.line_size)[:, : across * wide])
    return Planes(layout, _MATRICES.get(native.colorspace) or _guess(frame), is_full_range, tuple(rows))


def _guess(frame: VideoFrame) -> Matrix:
    """Of untagged pictures, as other players assume it."""
    if frame.look.dynamic_range is not DynamicRange.SDR:
        return Matrix.BT2020
    return Matrix.BT709 if frame.height_px > _HD_HEIGHT_PX else Matrix.BT601
