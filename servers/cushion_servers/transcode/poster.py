"""A title's poster: one frame as a JPEG."""

from __future__ import annotations

from typing import Final

from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, VideoReformatter

from cushion_servers.errors import PackagingError
from cushion_servers.store import ObjectStore, content_name
from cushion_servers.transcode.facts import Source, StoredObject
from cushion_servers.transcode.grid import StopCheck, grid_frames

_SHORT_SIDE_PX: Final = 360
_AT_SHARE: Final = 0.3
"""How far into the source: far enough to be past a title card and a fade."""


def make_poster(source: Source, store: ObjectStore, should_stop: StopCheck) -> StoredObject:
    """Store a JPEG of a frame at 30 % of the source, at most 360 px on its shorter side."""
    slot = int(source.info.frame_count * _AT_SHARE)
    frame = next(grid_frames(source, slot, 1, should_stop))
    width, height = source.info.width_px, source.info.height_px
    scale = min(1.0, _SHORT_SIDE_PX / min(width, height))
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = (max(2, 2 * int(length * scale / 2)) for length in (width, height))
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuvj420p", 1 / source.info.fps, 1
    encoder.color_range = ColorRange.JPEG
    encoder.options = {"qmin": "3", "qmax": "5"}
    picture = VideoReformatter().reformat(
        frame,
        encoder.width,
        encoder.height,
        "yuvj420p",
        src_color_range=frame.color_range or ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    picture.pts = 0
    packets = encoder.encode(picture) + encoder.encode(None)
    if not packets:
        raise PackagingError("The poster could not be encoded.")
    data = b"".join(bytes(packet) for packet in packets)
    name = content_name(data, ".jpg")
    store.put_if_absent(name, data)
    return StoredObject(name=name, size_bytes=len(data))
