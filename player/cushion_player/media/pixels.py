"""Decoded frames to packed pixels, for renderers that paint rasters and for screenshots."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from cushion_player.outputs import VideoFrame

_HD_HEIGHT_PX = 576
"""Untagged video higher than this is BT.709, else BT.601: what other players assume (mpv, VLC)."""
_SPACES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.SMPTE170M,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""Matrix coefficients by their number in H.273, which frames carry, to swscale's own numbers. What is not here
counts as untagged: a picture with colours a little off is better than none."""


class PixelConverter:
    """Scales and converts with swscale, by the frame's colour tags; keeps its tables from frame to frame.

    Not thread-safe: one converter a painting thread.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_bgra(self, frame: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """(height, width, 4) uint8 BGRA, full range, alpha 255: the bytes of a QImage Format_RGB32.

        A view into FFmpeg's memory, valid as long as the array lives; rows may lie further apart than 4 × width.
        """
        native = frame.native
        assert isinstance(native, av.VideoFrame)
        space = _SPACES.get(native.colorspace) or _guess(native.height)
        picture = self._reformatter.reformat(
            native,
            width=width_px,
            height=height_px,
            format="bgra",
            src_colorspace=space,
            interpolation="BILINEAR",
            dst_color_range=ColorRange.JPEG,
        )
        plane = picture.planes[0]
        rows = np.frombuffer(memoryview(plane), dtype=np.uint8)[: plane.line_size * height_px]
        return rows.reshape(height_px, plane.line_size)[:, : width_px * 4].reshape(height_px, width_px, 4)


def frame_to_bgra(frame: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """One frame, for a screenshot: see PixelConverter.to_bgra."""
    return PixelConverter().to_bgra(frame, width_px, height_px)


def luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """(H, W) uint8: the luma of an 8-bit planar frame, without a copy; enough to read the film's code."""
    native = frame.native
    assert isinstance(native, av.VideoFrame)
    plane = native.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8)[: plane.line_size * native.height]
    return rows.reshape(native.height, plane.line_size)[:, : native.width]


def _guess(height_px: int) -> Colorspace:
    return Colorspace.ITU709 if height_px > _HD_HEIGHT_PX else Colorspace.SMPTE170M
