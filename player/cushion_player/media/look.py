"""What a decoded frame says about showing it: shape of its pixels, turning, how its light is coded."""

from __future__ import annotations

from struct import Struct
from typing import Final

import av
from av.sidedata.sidedata import SideData

from cushion_player.media.codec_context import Context
from cushion_player.media.demux import CodecConfig
from cushion_player.outputs import PLAIN_LOOK, DynamicRange, FrameLook

_RANGES: Final = {16: DynamicRange.PQ, 18: DynamicRange.HLG}
"""Transfer characteristics by their number in H.273; all others are for ordinary screens."""
_LIGHT_LEVEL: Final = Struct("=II")
_QUARTER_DEG: Final = 90


class Looks:
    """Makes the look of each frame, the same object as long as nothing changes."""

    def __init__(self) -> None:
        self._last = PLAIN_LOOK

    def of(self, frame: av.VideoFrame, config: CodecConfig | None, context: Context | None) -> FrameLook:
        """The container's word on shape and turning counts; where it has none, the stream's."""
        aspect = (config.pixel_width, config.pixel_height) if config is not None else (1, 1)
        turned_deg = config.rotation_deg if config is not None else 0
        if aspect == (1, 1) and isinstance(context, av.VideoCodecContext):
            ratio = context.sample_aspect_ratio
            aspect = (ratio.numerator, ratio.denominator) if ratio else aspect
        dynamic_range = _RANGES.get(frame.color_trc, DynamicRange.SDR)
        peak_nits = _peak_nits(frame) if dynamic_range is DynamicRange.PQ else 0
        look = FrameLook(aspect, turned_deg or rotation_deg(frame), dynamic_range, peak_nits)
        if look != self._last:
            self._last = look
        return self._last


def rotation_deg(frame: av.VideoFrame) -> int:
    """How far a frame's own side data turn it, clockwise; PyAV counts the display matrix the other way round."""
    return -round(frame.rotation / _QUARTER_DEG) * _QUARTER_DEG % 360


def _peak_nits(frame: av.VideoFrame) -> int:
    """The brightest pixel of the content (MaxCLL of CTA-861.3); 0 where it is not told."""
    found: object = frame.side_data.get("CONTENT_LIGHT_LEVEL")
    if not isinstance(found, SideData) or found.buffer_size < _LIGHT_LEVEL.size:
        return 0
    brightest, _ = _LIGHT_LEVEL.unpack_from(bytes(found))
    return int(brightest)
