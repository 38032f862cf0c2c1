"""Every codec that is claimed, in every container it is claimed in: each picture once, each beep at its time."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.film import beep_onsets
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.samples import (
    SPEC,
    code_of,
    encode_audio,
    encode_video,
    fragmented,
    mux,
    timestamp_tag,
    ts_segments,
    webm,
)

MUXER_OPTIONS = {"mp3": {"write_xing": "0", "id3v2_version": "0"}}
SHIFT = Fraction(10)
"""Transport streams begin here, so that no time is negative."""


def decode(
    kind: TrackKind, container: Container, segments: list[bytes], init: bytes = b"", offset_us: int = 0
) -> list[Frame]:
    decoder = TrackDecoder(kind)
    decoder.switch(MediaFormat(0, container, init))
    frames: list[Frame] = []
    for index, segment in enumerate(segments):
        frames += decoder.decode(segment, index * 1_000_000, offset_us)
        assert decoder.damage == ""
    frames += decoder.drain()
    assert decoder.corrupt == 0
    return frames


def assert_is_the_film(frames: list[Frame], tolerance_us: int = 25) -> None:
    assert [code_of(frame) for frame in frames] == list(range(SPEC.n_frames))
    times = [frame.pts for frame in frames]
    assert times == pytest.approx([round(n * 1e6 / 30) for n in range(SPEC.n_frames)], abs=tolerance_us)


def assert_beeps_each_second(frames: list[Frame], tolerance_s: float = 0.003) -> None:
    """Sound laid out by its timestamps, as the player does it."""
    rate_hz = frames[0].sample_rate if isinstance(frames[0], av.AudioFrame) else 0
    line = np.zeros((3 * rate_hz, 2), dtype=np.float32)
    next_us = frames[0].pts
    for frame in frames:
        assert isinstance(frame, av.AudioFrame)
        assert frame.pts is not None
        assert next_us is not None
        assert abs(frame.pts - next_us) <= 1_100, "the sound is without gaps"
        next_us = frame.pts + frame.samples * 1_000_000 // rate_hz
        resampler = av.AudioResampler("fltp", "stereo", rate_hz)
        pcm = np.concatenate([part.to_ndarray() for part in resampler.resample(frame)], axis=1).T
        first = round(frame.pts * rate_hz / 1e6)
        pcm = pcm[max(0, -first) :]
        line[max(0, first) : max(0, first) + len(pcm)] = pcm[: len(line) - max(0, first)]
    assert beep_onsets(line, rate_hz) == pytest.approx([0.0, 1.0], abs=tolerance_s)


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
def test_video_in_fragmented_mp4(encoder: str) -> None:
    init, segments = fragmented(encode_video(encoder))

    assert_is_the_film(decode(TrackKind.VIDEO, Container.MP4, segments, init))


@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
def test_video_in_transport_streams(encoder: str) -> None:
    segments = ts_segments(encode_video(encoder), shift_s=SHIFT)

    assert_is_the_film(decode(TrackKind.VIDEO, Container.MPEG_TS, segments, offset_us=10_000_000))


@pytest.mark.parametrize("encoder", ["libvpx-vp9", "libsvtav1", "libvpx"])
def test_video_in_webm(encoder: str) -> None:
    init, segments = webm(encoder)

    assert_is_the_film(decode(TrackKind.VIDEO, Container.WEBM, segments, init), tolerance_us=500)


@pytest.mark.parametrize(
    ("encoder", "rate_hz", "layout"),
    [
        ("aac", 48_000, "stereo"),
        ("aac", 44_100, "mono"),
        ("ac3", 48_000, "5.1"),
        ("eac3", 48_000, "stereo"),
        ("libopus", 48_000, "stereo"),
        ("flac", 44_100, "stereo"),
        ("libmp3lame", 44_100, "stereo"),
    ],
)
def test_sound_in_fragmented_mp4(encoder: str, rate_hz: int, layout: str) -> None:
    init, segments = fragmented(encode_audio(encoder, rate_hz, layout))

    assert_beeps_each_second(decode(TrackKind.AUDIO, Container.MP4, segments, init))


@pytest.mark.parametrize("encoder", ["aac", "ac3", "eac3", "libmp3lame"])
def test_sound_in_transport_streams(encoder: str) -> None:
    segments = ts_segments(encode_audio(encoder), shift_s=SHIFT)

    assert_beeps_each_second(decode(TrackKind.AUDIO, Container.MPEG_TS, segments, offset_us=10_000_000))


def test_opus_in_webm() -> None:
    init, segments = webm("libopus")

    assert_beeps_each_second(decode(TrackKind.AUDIO, Container.WEBM, segments, init))


@pytest.mark.parametrize(
    ("encoder", "muxer", "priming_s"),
    [
        ("aac", "adts", 1024 / 48_000),
        ("ac3", "ac3", 256 / 48_000),
        ("eac3", "eac3", 256 / 48_000),
        ("libmp3lame", "mp3", 1105 / 48_000),
    ],
)
def test_packed_audio(encoder: str, muxer: str, priming_s: float) -> None:
    encoded = encode_audio(encoder)
    body = mux(muxer, [(encoded, encoded.packets)], Fraction(0), **MUXER_OPTIONS.get(muxer, {}))
    # Nothing in such a stream says how long the encoder's priming is; packagers put it into the timestamp.
    tag = timestamp_tag(round((10 - priming_s) * 90_000))

    frames = decode(TrackKind.AUDIO, Container.PACKED_AUDIO, [tag + body], offset_us=10_000_000)

    assert_beeps_each_second(frames)
