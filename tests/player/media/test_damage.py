"""Damaged media of every kind: frames, or an error of ours, and nothing else; seeded, so that it can be repeated."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from cushion_player.errors import MediaError
from cushion_player.media.decode import TrackDecoder
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.samples import encode_audio, encode_video, fragmented, ts_segments, webm

V, A = TrackKind.VIDEO, TrackKind.AUDIO
ROUNDS = 25
CASES = [
    "libx264 mp4", "libx265 mp4", "libsvtav1 mp4", "libvpx-vp9 webm", "libx264 ts", "aac mp4", "ac3 ts", "libopus webm",
    "flac mp4", "libmp3lame mp4",
]  # fmt: skip


@cache
def media(case: str) -> tuple[TrackKind, Container, bytes, list[bytes]]:
    codec, container = case.split()
    kind = A if codec in ("aac", "ac3", "libopus", "flac", "libmp3lame") else V
    if container == "webm":
        return kind, Container.WEBM, *webm(codec)
    encoded = encode_video(codec) if kind is V else encode_audio(codec)
    if container == "ts":
        return kind, Container.MPEG_TS, b"", ts_segments(encoded, shift_s=Fraction(10))
    return kind, Container.MP4, *fragmented(encoded)


def hurt(data: bytes, rng: np.random.Generator, places: int) -> bytes:
    """Bytes changed, cut out and put in."""
    damaged = bytearray(data)
    for _ in range(places):
        if not damaged:
            break
        at = int(rng.integers(0, len(damaged)))
        match int(rng.integers(0, 6)):
            case 0:
                del damaged[at : at + int(rng.integers(1, 200))]
            case 1:
                damaged[at:at] = rng.bytes(int(rng.integers(1, 50)))
            case _:
                damaged[at] = int(rng.integers(0, 256))
    return bytes(damaged)


@pytest.mark.parametrize("case", CASES)
def test_damage_gives_frames_or_an_error_of_ours(case: str) -> None:
    kind, container, init, segments = media(case)
    rng = np.random.default_rng(CASES.index(case))
    frames = 0

    for number in range(ROUNDS):
        decoder = TrackDecoder(kind)
        try:
            decoder.switch(MediaFormat(0, container, hurt(init, rng, 2 if number % 4 == 0 else 0)))
            for index, segment in enumerate(segments):
                damaged = hurt(segment, rng, int(rng.integers(0, 20)))
                frames += sum(1 for _ in decoder.decode(damaged, index * 1_000_000, 0, span_us=1_000_000))
            frames += sum(1 for _ in decoder.drain())
        except MediaError:
            continue

    assert frames > 0
