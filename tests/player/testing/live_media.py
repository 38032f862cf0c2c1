"""Some seconds of real video and sound to repeat for ever: H.264 and AAC in chunks, with common boundaries."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import av
import numpy as np

from cushion_player.boxes import read_init
from cushion_player.testing.live import LiveAsset, LiveRung, LiveTrack
from tests.player.boxes_media import _package

FRAME_RATE, SAMPLE_RATE_HZ, AAC_FRAME = 30, 48_000, 1024
SEGMENT_FRAMES, SEGMENT_SOUNDS = 48, 75
"""1.6 s: the least time in which both are whole numbers."""
N_SEGMENTS, N_CHUNKS = 4, 3


@cache
def real_asset(heights_px: Sequence[int] = (64, 96)) -> LiveAsset:
    """6.4 s of a moving gradient and a tone."""
    video = [_video(height) for height in heights_px]
    scale = read_init(video[0].init).timescale
    tracks = (
        LiveTrack(
            "video",
            scale,
            (SEGMENT_FRAMES * scale // FRAME_RATE,) * N_SEGMENTS,
            tuple(video),
            chunk_ticks=SEGMENT_FRAMES // N_CHUNKS * scale // FRAME_RATE,
        ),
        LiveTrack(
            "audio",
            SAMPLE_RATE_HZ,
            (SEGMENT_SOUNDS * AAC_FRAME,) * N_SEGMENTS,
            (_audio(),),
            "en",
            chunk_ticks=SEGMENT_SOUNDS // N_CHUNKS * AAC_FRAME,
        ),
    )
    return LiveAsset(tracks)


def _video(height_px: int) -> LiveRung:
    width_px = height_px * 3 // 2
    stream = av.open(io.BytesIO(), "w", format="mp4").add_stream("libx264", rate=FRAME_RATE)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
    stream.codec_context.gop_size = SEGMENT_FRAMES
    stream.options = {"preset": "ultrafast", "bf": "0", "sc_threshold": "0", "profile": "baseline"}
    rows = np.arange(height_px * 3 // 2, dtype=np.uint8)[:, None]
    packets = []
    for index in range(N_SEGMENTS * SEGMENT_FRAMES):
        plane = np.broadcast_to(rows + np.uint8(index), (height_px * 3 // 2, width_px))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="yuv420p")
        frame.pts = index
        packets += stream.encode(frame)
    packets += stream.encode(None)
    made = _package(stream, packets, SEGMENT_FRAMES // N_CHUNKS, N_SEGMENTS * N_CHUNKS)
    codecs = read_init(made.init).codec_string
    return LiveRung.packaged(made.init, _segments(made.segments), height_px * 1000, codecs, width_px, height_px)


def _audio() -> LiveRung:
    stream = av.open(io.BytesIO(), "w", format="mp4").add_stream("aac", rate=SAMPLE_RATE_HZ)
    assert isinstance(stream, av.AudioStream)
    stream.format, stream.layout = av.AudioFormat("fltp"), av.AudioLayout("stereo")
    stream.codec_context.open()
    packets = []
    for index in range(N_SEGMENTS * SEGMENT_SOUNDS + 2):
        wave = np.sin(2 * np.pi * 440 * np.arange(index * AAC_FRAME, (index + 1) * AAC_FRAME) / SAMPLE_RATE_HZ) * 0.25
        frame = av.AudioFrame.from_ndarray(np.tile(wave, (2, 1)).astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, index * AAC_FRAME
        packets += stream.encode(frame)
    packets = packets[1 : 1 + N_SEGMENTS * SEGMENT_SOUNDS]  # the first is priming
    for packet in packets:
        packet.pts = packet.dts = packet.pts or 0
    made = _package(stream, packets, SEGMENT_SOUNDS // N_CHUNKS, N_SEGMENTS * N_CHUNKS)
    return LiveRung.packaged(made.init, _segments(made.segments), 128_000, "mp4a.40.2")


def _segments(chunks: Sequence[bytes]) -> list[bytes]:
    return [b"".join(chunks[at : at + N_CHUNKS]) for at in range(0, len(chunks), N_CHUNKS)]
