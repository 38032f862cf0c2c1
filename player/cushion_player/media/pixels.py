"""Decoded frames to packed pixels, for renderers that paint rasters and for screenshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from cushion_player.outputs import DynamicRange, FrameLook, VideoFrame

if TYPE_CHECKING:
    from cushion_player.media.tone import ToneMapper

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

    Light coded for bright screens is brought down to what an ordinary one shows; turned pictures come out upright.
    Not thread-safe: one converter a painting thread.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._finisher = VideoReformatter()
        self._tones: ToneMapper | None = None

    def to_bgra(self, frame: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """(height, width, 4) uint8 BGRA, full range, alpha 255: the bytes of a QImage Format_RGB32.

        A view into FFmpeg's memory (a copy when the frame is to be turned), valid as long as the array lives; rows may
        lie further apart than 4 × width.
        """
        turns = frame.look.rotation_deg // 90 % 4
        across_px, down_px = (height_px, width_px) if turns % 2 else (width_px, height_px)
        pixels = self._upright_bgra(frame, across_px, down_px)
        return np.ascontiguousarray(np.rot90(pixels, -turns)) if turns else pixels

    def _upright_bgra(self, frame: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
        native = frame.native
        assert isinstance(native, av.VideoFrame)
        is_bright = frame.look.dynamic_range is not DynamicRange.SDR
        picture = self._reformatter.reformat(
            native,
            width=width_px,
            height=height_px,
            format="gbrp10le" if is_bright else "bgra",
            src_colorspace=_SPACES.get(native.colorspace) or _guess(native, frame.look),
            interpolation="BILINEAR",
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        if is_bright:
            picture = self._finisher.reformat(self._tone_mapper(frame.look).map(picture), format="bgra", threads=1)
        plane = picture.planes[0]
        rows = np.frombuffer(memoryview(plane), dtype=np.uint8)[: plane.line_size * height_px]
        return rows.reshape(height_px, plane.line_size)[:, : width_px * 4].reshape(height_px, width_px, 4)

    def _tone_mapper(self, look: FrameLook) -> ToneMapper:
        wanted = look.dynamic_range, look.peak_nits
        if self._tones is None or self._tones.made_for != wanted:
            from cushion_player.media.tone import ToneMapper

            self._tones = ToneMapper(*wanted)
        return self._tones


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


def _guess(native: av.VideoFrame, look: FrameLook) -> Colorspace:
    if look.dynamic_range is not DynamicRange.SDR:
        return Colorspace.BT2020
    return Colorspace.ITU709 if native.height > _HD_HEIGHT_PX else Colorspace.SMPTE170M
