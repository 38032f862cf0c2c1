"""A short reference film as a ladder of fragmented MP4 segments."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from cushion_player.media.film import FilmSpec, film_audio, film_frame

SEGMENT_US = 1_000_000
SHORT_FILM = FilmSpec(width_px=854, height_px=480, seconds=6.0)
_MOVFLAGS = "+dash+delay_moov+frag_keyframe+default_base_moof+frag_discont+skip_trailer"
_SIZES = ((426, 240), (640, 360), (854, 480))


@dataclass(frozen=True)
class FilmLadder:
    """Segments of one second. inits and segments are indexed [rung] and [rung][index]."""

    spec: FilmSpec
    inits: list[bytes]
    segments: list[list[bytes]]
    audio_init: bytes
    audio_segments: list[bytes]

    @property
    def n_segments(self) -> int:
        return len(self.segments[0])


@cache
def make_ladder(spec: FilmSpec) -> FilmLadder:
    rungs = [_video_rung(spec, width, height) for width, height in _SIZES]
    audio_init, audio_segments = _audio(spec)
    return FilmLadder(spec, [rung[0] for rung in rungs], [rung[1] for rung in rungs], audio_init, audio_segments)


def _video_rung(spec: FilmSpec, width: int, height: int) -> tuple[bytes, list[bytes]]:
    with av.open(io.BytesIO(), "w", format="mp4") as unused:
        options = {"preset": "veryfast", "crf": "23", "bf": "2", "sc_threshold": "0", "flags": "+cgop"}
        encoder = unused.add_stream("libx264", rate=spec.frame_rate, options=options)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.gop_size = spec.nominal_fps
        packets: list[av.Packet[Any]] = []
        for number in range(spec.n_frames):
            packets += encoder.encode(film_frame(spec, number).reformat(width=width, height=height))
        packets += encoder.encode(None)
        parts: list[list[av.Packet[Any]]] = []
        for packet in packets:
            if packet.is_keyframe:
                parts.append([])
            parts[-1].append(packet)
        return package(encoder, parts)


def _audio(spec: FilmSpec) -> tuple[bytes, list[bytes]]:
    with av.open(io.BytesIO(), "w", format="mp4") as unused:
        encoder = unused.add_stream("aac", rate=48_000, layout="stereo")
        encoder.bit_rate = 128_000
        packets: list[av.Packet[Any]] = []
        sound = film_audio(spec)
        for start in range(0, len(sound), 1024):
            chunk = np.ascontiguousarray(sound[start : start + 1024].T)
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            packets += encoder.encode(frame)
        packets += encoder.encode(None)
        parts: dict[int, list[av.Packet[Any]]] = {}
        for packet in packets:
            assert packet.pts is not None
            second = min(max(0, packet.pts) // 48_000, int(spec.seconds) - 1)
            parts.setdefault(second, []).append(packet)
        return package(encoder, list(parts.values()))


def package(encoder: av.VideoStream | av.AudioStream, parts: list[list[av.Packet[Any]]]) -> tuple[bytes, list[bytes]]:
    """One muxer a segment, as a packager with independent workers has it."""
    init, segments = b"", []
    for index, packets in enumerate(parts):
        file = io.BytesIO()
        options = {"movflags": _MOVFLAGS, "fragment_index": str(index + 1)}
        with av.open(file, "w", format="mp4", options=options) as container:
            stream = container.add_stream_from_template(encoder)
            stream.codec_context.extradata = encoder.codec_context.extradata
            for packet in packets:
                packet.stream = stream
                container.mux(packet)
        init, segment = _split(file.getvalue())
        segments.append(segment)
    return init, segments


def _split(data: bytes) -> tuple[bytes, bytes]:
    """ftyp and moov; moof and mdat."""
    init, segment, at = b"", b"", 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        box = data[at : at + size]
        if kind in (b"ftyp", b"moov"):
            init += box
        elif kind in (b"moof", b"mdat"):
            segment += box
        at += size
    return init, segment
