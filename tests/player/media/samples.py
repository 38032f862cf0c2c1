"""Two seconds of the reference film in any codec and container, made on the spot."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

import av
import numpy as np
from av.container import OutputContainer

from cushion_player.media.film import FilmSpec, film_audio, film_frame, read_frame_code
from cushion_player.media.pixels import luma
from cushion_player.outputs import VideoFrame
from tests.player.media.film_ladder import package

SPEC = FilmSpec(width_px=426, height_px=240, seconds=2.0)
Packet: TypeAlias = "av.Packet[Any]"
Stream = av.VideoStream | av.AudioStream

VIDEO_OPTIONS = {
    "libx264": {"preset": "veryfast", "bf": "2", "sc_threshold": "0", "flags": "+cgop"},
    "libx265": {"preset": "ultrafast", "x265-params": "keyint=30:min-keyint=30:scenecut=0:open-gop=0:log-level=none"},
    "libsvtav1": {"preset": "12", "svtav1-params": "keyint=30:rtc=0"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}
SAMPLE_FORMATS = {"libmp3lame": "fltp", "libopus": "flt", "flac": "s16", "aac": "fltp", "ac3": "fltp", "eac3": "fltp"}


@dataclass(frozen=True)
class Encoded:
    """Packets of one stream, and the encoder that stands for them when they are muxed."""

    encoder: Stream
    packets: list[Packet]


@cache
def encode_video(codec: str, spec: FilmSpec = SPEC, gop_frames: int = 0) -> Encoded:
    """A key frame every so many frames, every second unless told."""
    container = av.open(io.BytesIO(), "w", format="matroska")
    encoder = container.add_stream(codec, rate=spec.frame_rate, options=VIDEO_OPTIONS[codec])
    assert isinstance(encoder, av.VideoStream)
    encoder.width, encoder.height, encoder.pix_fmt = spec.width_px, spec.height_px, "yuv420p"
    encoder.gop_size = gop_frames or spec.nominal_fps
    encoder.codec_context.time_base = 1 / spec.frame_rate
    container.start_encoding()  # writes the size into the stream's parameters
    packets: list[Packet] = []
    for number in range(spec.n_frames):
        frame = film_frame(spec, number)
        frame.pts, frame.time_base = number, 1 / spec.frame_rate
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return Encoded(encoder, packets)


@cache
def encode_audio(codec: str, rate_hz: int = 48_000, layout: str = "stereo", spec: FilmSpec = SPEC) -> Encoded:
    with av.open(io.BytesIO(), "w", format="matroska") as container:
        return _encode_sound(container, codec, rate_hz, layout, spec)


def _encode_sound(container: OutputContainer, codec: str, rate_hz: int, layout: str, spec: FilmSpec) -> Encoded:
    encoder = container.add_stream(codec, rate=rate_hz, layout=layout)
    assert isinstance(encoder, av.AudioStream)
    encoder.codec_context.format = av.AudioFormat(SAMPLE_FORMATS[codec])
    encoder.codec_context.open()
    size = encoder.codec_context.frame_size or 1024
    sound = np.ascontiguousarray(film_audio(spec).T)
    source = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
    source.sample_rate, source.pts, source.time_base = 48_000, 0, Fraction(1, 48_000)
    resampler = av.AudioResampler(SAMPLE_FORMATS[codec], layout, rate_hz, frame_size=size)
    packets: list[Packet] = []
    for frame in [*resampler.resample(source), *resampler.resample(None), None]:
        encoded = [packet for packet in encoder.encode(frame) if packet.size]
        packets += [copy_packet(packet, Fraction(0)) for packet in encoded]
        container.mux(encoded)
    return Encoded(encoder, packets)


def mux(
    container_format: str,
    streams: Sequence[tuple[Encoded, Sequence[Packet]]],
    shift_s: Fraction = Fraction(0),
    **options: str,
) -> bytes:
    """The packets in a container of their own, `shift_s` later than they were encoded."""
    file = io.BytesIO()
    with av.open(file, "w", format=container_format, options=options) as container:
        ordered: list[tuple[Fraction, Packet, Stream]] = []
        for encoded, packets in streams:
            stream = container.add_stream_from_template(encoded.encoder)
            stream.codec_context.extradata = encoded.encoder.codec_context.extradata
            for packet in packets:
                copy = copy_packet(packet, shift_s)
                assert copy.dts is not None
                ordered.append((copy.dts * copy.time_base, copy, stream))
        for _, packet, stream in sorted(ordered, key=lambda entry: entry[0]):
            packet.stream = stream
            container.mux(packet)
    return file.getvalue()


def webm(codec: str) -> tuple[bytes, list[bytes]]:
    """An initialisation segment and a cluster a second, encoded straight into the container."""
    file = io.BytesIO()
    options = {"cluster_time_limit": "1000", "cluster_size_limit": "100000000"}
    encoded = encode_video(codec) if codec in VIDEO_OPTIONS else None
    with av.open(file, "w", format="webm", options=options) as container:
        if encoded is not None:
            stream = container.add_stream_from_template(encoded.encoder)
            stream.codec_context.extradata = encoded.encoder.codec_context.extradata
            for packet in encoded.packets:
                copy = copy_packet(packet, Fraction(0))
                copy.stream = stream
                container.mux(copy)
        else:
            _encode_sound(container, codec, 48_000, "stereo", SPEC)
    data = file.getvalue()
    starts = [match.start() for match in re.finditer(b"\x1f\x43\xb6\x75", data)]
    end = data.rfind(b"\x1c\x53\xbb\x6b")
    return data[: starts[0]], [data[start:stop] for start, stop in pairwise([*starts, end])]


def by_second(packets: Sequence[Packet]) -> list[list[Packet]]:
    """Packets of each second, in decode order; video must have a key frame at each."""
    parts: list[list[Packet]] = []
    is_video = any(not packet.is_keyframe for packet in packets)
    for packet in packets:
        assert packet.pts is not None
        second = max(0, int(packet.pts * packet.time_base))
        if not parts or (packet.is_keyframe if is_video else second >= len(parts)):
            parts.append([])
        parts[-1].append(packet)
    return parts


def by_key_frame(packets: Sequence[Packet]) -> list[list[Packet]]:
    """Packets of each group of pictures, in decode order."""
    parts: list[list[Packet]] = []
    for packet in packets:
        if packet.is_keyframe:
            parts.append([])
        parts[-1].append(packet)
    return parts


def ts_segments(
    *streams: Encoded, shift_s: Fraction = Fraction(0), options: dict[str, str] | None = None
) -> list[bytes]:
    """A transport stream a second, with every stream in it."""
    parts = [by_second(encoded.packets) for encoded in streams]
    count = len(parts[0])
    return [
        mux(
            "mpegts",
            [(encoded, part[index]) for encoded, part in zip(streams, parts, strict=True) if index < len(part)],
            shift_s,
            mpegts_copyts="1",
            **(options or {}),
        )
        for index in range(count)
    ]


def fragmented(encoded: Encoded) -> tuple[bytes, list[bytes]]:
    """An initialisation segment, and a segment a second."""
    parts = [[copy_packet(packet, Fraction(0)) for packet in part] for part in by_second(encoded.packets)]
    return package(encoded.encoder, parts)


def copy_packet(packet: Packet, shift_s: Fraction) -> Packet:
    """The same coded frame, `shift_s` later, of no stream yet."""
    copy: Packet = av.Packet(bytes(packet))
    assert packet.pts is not None
    assert packet.dts is not None
    copy.time_base = packet.time_base
    shift = int(shift_s / packet.time_base)
    copy.pts, copy.dts, copy.duration = packet.pts + shift, packet.dts + shift, packet.duration or 0
    copy.is_keyframe = packet.is_keyframe
    return copy


def code_of(frame: object) -> int | None:
    """The film's number of a decoded picture."""
    assert isinstance(frame, av.VideoFrame)
    return read_frame_code(luma(VideoFrame(0, 0, frame.width, frame.height, 0, frame)))


def timestamp_tag(ticks: int, extra: bytes = b"") -> bytes:
    """The ID3 tag of packed audio (RFC 8216bis, 3.1.4)."""
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    frame = owner + ticks.to_bytes(8, "big")
    body = extra + b"PRIV" + len(frame).to_bytes(4, "big") + b"\0\0" + frame
    size = len(body)
    return b"ID3\4\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + body
