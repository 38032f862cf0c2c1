"""Encode one chunk of the frame grid at every rung, from a single decode of the source.

A chunk is encoded with capped CRF, never a target rate: then its joins are as good as its middle. One thread an
encoder, because bytes depend on the thread count.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Final

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from cushion_servers.errors import PackagingError
from cushion_servers.store import ObjectStore
from cushion_servers.transcode.facts import Rung, Source, TrackRecord
from cushion_servers.transcode.fragments import MuxedParts, read_init, split_muxed
from cushion_servers.transcode.grid import StopCheck, grid_frames
from cushion_servers.transcode.package import open_muxer, store_video

PRESET: Final = "veryfast"
_BT709, _SMPTE170M, _UNSPECIFIED = 1, 6, 2  # ISO/IEC 23091-2 code points
_HD_FROM_PX: Final = 720


class _RungEncoder:
    """One x264 and one muxer: scaled frames in, a chunk's fragments out."""

    def __init__(self, rung: Rung, fps: Fraction, segment_frames: int, first_frame: int, colour: tuple[int, int, int]):
        self._rung, self._fps, self._next = rung, fps, first_frame
        self._time_base = Fraction(1, fps.numerator)
        self._buffer = io.BytesIO()
        self._muxer = open_muxer(self._buffer, first_frame // segment_frames)
        self._scaler = VideoReformatter()
        options = {
            "preset": PRESET,
            "crf": str(rung.crf),
            "maxrate": str(rung.maxrate_bps),
            "bufsize": str(rung.bufsize_bits),
            "g": str(segment_frames),
            "keyint_min": str(segment_frames),
            "sc_threshold": "0",
            "x264-params": "open-gop=0:scenecut=0",
        }
        self._stream = self._muxer.add_stream("libx264", rate=fps, options=options)
        self._stream.width, self._stream.height = rung.width_px, rung.height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._time_base
        context = self._stream.codec_context
        context.time_base, context.thread_count = self._time_base, 1
        context.color_range = ColorRange.MPEG
        context.colorspace, context.color_primaries, context.color_trc = colour

    def add(self, frame: VideoFrame) -> None:
        picture = self._scaler.reformat(
            frame,
            self._rung.width_px,
            self._rung.height_px,
            "yuv420p",
            interpolation="BICUBIC",
            src_color_range=frame.color_range or ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        # Where there is nothing to scale this is the decoder's own frame; every rung stamps it before it reads it.
        picture.pts, picture.time_base = self._next * self._fps.denominator, self._time_base
        picture.pict_type = 0
        self._muxer.mux(self._stream.encode(picture))
        self._next += 1

    def finish(self) -> MuxedParts:
        self._muxer.mux(self._stream.encode(None))
        self._muxer.close()
        return split_muxed(self._buffer.getvalue())

    def close(self) -> None:
        self._muxer.close()


def encode_chunk(
    source: Source,
    rungs: list[Rung],
    *,
    first_frame: int,
    frame_count: int,
    segment_frames: int,
    store: ObjectStore,
    should_stop: StopCheck,
) -> list[TrackRecord]:
    """Encode and store frames first_frame … of the grid at every rung; one TrackRecord a rung.

    `first_frame` is a multiple of `segment_frames`; only the last chunk of a title may end within a segment.
    Raises IngestError, PackagingError, StoreError or StepCancelled; what was stored by then is harmless.
    """
    fps = source.info.fps
    encoders = list[_RungEncoder]()
    try:
        for frame in grid_frames(source, first_frame, frame_count, should_stop):
            if not encoders:
                colour = _colour(frame)
                encoders.extend(_RungEncoder(rung, fps, segment_frames, first_frame, colour) for rung in rungs)
            for encoder in encoders:
                encoder.add(frame)
        muxed = [encoder.finish() for encoder in encoders]
    finally:
        for encoder in encoders:
            encoder.close()
    frames = [min(segment_frames, frame_count - at) for at in range(0, frame_count, segment_frames)]
    records = list[TrackRecord]()
    for rung, parts in zip(rungs, muxed, strict=True):
        ticks, rest = divmod(read_init(parts.init).timescale * fps.denominator, fps.numerator)
        if rest:
            raise PackagingError(f"video-{rung.name}: a frame is not a whole number of ticks.")
        records.append(
            store_video(
                store, f"video-{rung.name}", parts, first_frame=first_frame, frames=frames, ticks_per_frame=ticks
            )
        )
    return records


def _colour(frame: VideoFrame) -> tuple[int, int, int]:
    """(matrix, primaries, transfer) to declare on every rung: the source's, else what players assume for its size.

    Undeclared, a player would assume BT.709 for the large rungs and BT.601 for the small ones, and shift colours at
    each switch.
    """
    assumed = _BT709 if frame.height >= _HD_FROM_PX else _SMPTE170M
    declared = (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc))
    matrix, primaries, transfer = (assumed if value == _UNSPECIFIED else value for value in declared)
    return matrix, primaries, transfer
