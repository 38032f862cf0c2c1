"""One picture out of a piece of media: for thumbnails where a title has none but its key frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain

import av
import numpy as np

from cushion_player.errors import DecodeError
from cushion_player.media.decode import TrackDecoder
from cushion_player.media.pixels import PixelConverter
from cushion_player.outputs import MediaFormat, VideoFrame
from cushion_player.timeline import TrackKind


def first_picture(media_format: MediaFormat, data: bytes) -> VideoFrame:
    """The first picture that can be decoded of a segment, or of the beginning of one.

    Raises DecodeError when there is none, UnsupportedCodec, KeyUnavailable.
    """
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(media_format)
    native = next(chain(decoder.decode(data, 0, 0), decoder.drain()), None)
    if not isinstance(native, av.VideoFrame):
        raise DecodeError(f"{len(data)} bytes of media hold no picture that can be decoded")
    look = decoder.look_of(native)
    return VideoFrame(native.pts or 0, 0, native.width, native.height, media_format.rung, native, look)


def still_png(media_format: MediaFormat, data: bytes, height_px: int) -> bytes:
    """That picture as a PNG of square pixels, upright, at most so high. Raises as `first_picture` does."""
    frame = first_picture(media_format, data)
    full_width_px, full_height_px = frame.shape_px
    share = min(1.0, height_px / full_height_px)
    width_px, height_px = max(1, round(full_width_px * share)), max(1, round(full_height_px * share))
    pixels = PixelConverter().to_bgra(frame, width_px, height_px)
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height = width_px, height_px
    encoder.pix_fmt = "rgb24"
    encoder.time_base = Fraction(1, 1)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:, :, 2::-1]), format="rgb24")
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
