"""Small fragmented MP4s made by PyAV, for the tests of the readers: what a packager makes, in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import NamedTuple, Union

import av
import numpy as np

_Stream = av.VideoStream | av.AudioStream
_Packet = Union["av.Packet[av.VideoStream]", "av.Packet[av.AudioStream]"]
_ENCODER_OPTIONS = {
    "libx264": {"preset": "ultrafast", "bf": "2", "sc_threshold": "0", "x264-params": "open-gop=0:b-adapt=0"},
    "libx265": {"preset": "ultrafast", "x265-params": "keyint=60:min-keyint=60:log-level=none:open-gop=0"},
    "libsvtav1": {"preset": "12", "svtav1-params": "keyint=60"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
}
MOVFLAGS = "+dash+delay_moov+frag_keyframe+default_base_moof+frag_discont+skip_trailer"


class MadePacket(NamedTuple):
    """What the encoder said of a packet; times in its time base."""

    dts: int
    pts: int
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class MadeTrack:
    """A track as an init segment and its media segments, and the encoder's packets to compare with."""

    init: bytes
    segments: tuple[bytes, ...]
    extradata: bytes
    packets: tuple[tuple[MadePacket, ...], ...]
    """Per segment, in decode order."""
    time_base: Fraction


@cache
def make_video(codec: str = "libx264", segments: int = 3, frames: int = 60) -> MadeTrack:
    """`segments` segments of `frames` frames of 96×64 at 30 frames a second, with B-frames where the codec has them."""
    width, height = 96, 64
    stream = av.open(io.BytesIO(), "w", format="mp4").add_stream(codec, rate=30)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.gop_size = frames
    stream.options = dict(_ENCODER_OPTIONS[codec])
    rows = np.arange(height * 3 // 2, dtype=np.uint8)[:, None]
    packets: list[_Packet] = []
    for index in range(segments * frames):
        plane = np.broadcast_to(rows + np.uint8(index % 150), (height * 3 // 2, width))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="yuv420p")
        frame.pts = index
        frame.time_base = Fraction(1, 30)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return _package(stream, packets, frames, segments)


@cache
def make_audio(codec: str = "aac", segments: int = 3, seconds: int = 2) -> MadeTrack:
    """`segments` segments of about `seconds` seconds of a 440 Hz tone, 48 kHz stereo."""
    stream = av.open(io.BytesIO(), "w", format="mp4").add_stream(codec, rate=48000)
    assert isinstance(stream, av.AudioStream)
    sample_format = {"libopus": "flt", "flac": "s16"}.get(codec, "fltp")
    stream.format, stream.layout = av.AudioFormat(sample_format), av.AudioLayout("stereo")
    stream.codec_context.open()
    size = stream.codec_context.frame_size or 1024
    per_segment = seconds * 48000 // size
    packets: list[_Packet] = []
    for index in range(segments * per_segment):
        wave = np.sin(2 * np.pi * 440 * np.arange(index * size, (index + 1) * size) / 48000) * 0.25
        planes = np.tile(wave, (2, 1)) if sample_format == "fltp" else np.repeat(wave, 2)[None, :]
        samples = (planes * 32767).astype(np.int16) if sample_format == "s16" else planes.astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format=sample_format, layout="stereo")
        frame.sample_rate = 48000
        frame.pts = index * size
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return _package(stream, packets, per_segment, segments)


def _package(stream: _Stream, packets: list[_Packet], per_segment: int, segments: int) -> MadeTrack:
    init = b""
    bodies: list[bytes] = []
    listing: list[tuple[MadePacket, ...]] = []
    for number in range(segments):
        last = None if number == segments - 1 else (number + 1) * per_segment
        chunk = packets[number * per_segment : last]
        listing.append(tuple(MadePacket(packet.dts or 0, packet.pts or 0, packet.is_keyframe) for packet in chunk))
        made = _mux(stream, chunk, number)
        boxes = _top_level(made)
        init = init or b"".join(body for kind, body in boxes if kind in (b"ftyp", b"moov"))
        bodies.append(b"".join(body for kind, body in boxes if kind in (b"moof", b"mdat")))
    time_base = packets[0].time_base
    assert time_base is not None
    return MadeTrack(init, tuple(bodies), bytes(stream.codec_context.extradata or b""), tuple(listing), time_base)


def _mux(stream: _Stream, packets: list[_Packet], number: int) -> bytes:
    buffer = io.BytesIO()
    options = {"movflags": MOVFLAGS, "fragment_index": str(number + 1)}
    with av.open(buffer, "w", format="mp4", options=options) as container:
        target = container.add_stream_from_template(stream)
        target.codec_context.extradata = stream.codec_context.extradata
        if isinstance(target, av.VideoStream) and isinstance(stream, av.VideoStream):
            target.width, target.height = stream.width, stream.height
        for packet in packets:
            copy = av.Packet(bytes(packet))
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.is_keyframe = packet.is_keyframe
            copy.time_base = packet.time_base
            copy.stream = target
            container.mux(copy)
    return buffer.getvalue()


def _top_level(data: bytes) -> list[tuple[bytes, bytes]]:
    boxes: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        boxes.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    return boxes
