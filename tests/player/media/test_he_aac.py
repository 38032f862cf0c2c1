"""HE-AAC in every container: twice the samples a frame, at their times. FFmpeg has no encoder of it.

`fdkaac` (Debian: contrib, its library in non-free) makes real samples where it is installed. Without it there is the
plainest stream of the kind: AAC-LC of half the rate that says it is HE-AAC, which a decoder must double without further
data (ISO/IEC 14496-3, 4.6.18.2.1).
"""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cushion_player.media.decode import Frame
from cushion_player.media.film import FilmSpec, beep_onsets, film_audio
from cushion_player.model import Container
from cushion_player.timeline import TrackKind
from tests.player.media.samples import Encoded, Packet, encode_audio, fragmented, timestamp_tag, ts_segments
from tests.player.media.test_codecs import decode

RATE_HZ = 48_000
SECONDS = 4
PROFILES = {"HE-AAC": "5", "HE-AAC v2": "29"}
MUXERS = {"m4a": "0", "aac": "2"}
SHIFT_US = 10_000_000
DELAY_S = 0.16
"""No more than this comes before the sound: delays of encoders and filters, which nothing in a stream names."""
AS_LC, AS_HE = bytes.fromhex("131056e500"), bytes.fromhex("131056e598")
"""AudioSpecificConfig: AAC-LC, 24 kHz, stereo, followed by "no SBR", or by "SBR, 48 kHz"."""


def sound_of(frames: list[Frame]) -> NDArray[np.float32]:
    """(n, 2) samples by their timestamps, which must follow each other without gaps."""
    parts: list[NDArray[np.float32]] = []
    next_us = float(frames[0].pts or 0)
    for frame in frames:
        assert isinstance(frame, av.AudioFrame)
        assert (frame.sample_rate, frame.samples, frame.layout.name) == (RATE_HZ, 2048, "stereo")
        assert frame.pts == pytest.approx(next_us, abs=50)
        next_us = (frame.pts or 0) + frame.samples * 1e6 / RATE_HZ
        parts.append(frame.to_ndarray().T.astype(np.float32))
    return np.concatenate(parts)


def assert_beeps_each_second(frames: list[Frame]) -> None:
    first_s = (frames[0].pts or 0) / 1e6
    onsets = [first_s + onset for onset in beep_onsets(sound_of(frames), RATE_HZ)]

    assert len(onsets) >= 2
    assert 0 <= onsets[0] <= DELAY_S
    assert onsets == pytest.approx([onsets[-1] - len(onsets) + 1 + n for n in range(len(onsets))], abs=0.003)


def fdkaac(profile: str, suffix: str) -> bytes:
    """The film's sound as an ADTS stream (`aac`) or an MP4 file (`m4a`). Skips the test where there is no encoder."""
    if shutil.which("fdkaac") is None:
        pytest.skip("needs the command fdkaac (Debian's contrib and non-free), which nothing here installs")
    pcm = (film_audio(FilmSpec(seconds=SECONDS)) * 32767).astype("<i2")
    source = io.BytesIO()
    with wave.open(source, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"film.{suffix}"
        command = ["fdkaac", "-S", "-p", PROFILES[profile], "-b", "48000", "-f", MUXERS[suffix], "-o", str(path), "-"]
        subprocess.run(command, input=source.getvalue(), capture_output=True, check=True)
        return path.read_bytes()


@cache
def coded(profile: str) -> Encoded:
    """Packets of a real encoder from time 0 on, and the stream they came in."""
    container = av.open(io.BytesIO(fdkaac(profile, "m4a")), "r")
    stream = container.streams.audio[0]
    packets: list[Packet] = [packet for packet in container.demux(stream) if packet.size]
    return Encoded(stream, packets)


def onsets_by_ffmpeg(adts: bytes) -> list[float]:
    command = ["ffmpeg", "-v", "error", "-f", "aac", "-i", "-", "-f", "f32le", "-ac", "2", "-"]
    pcm = subprocess.run(command, input=adts, capture_output=True, check=True).stdout
    return beep_onsets(np.frombuffer(pcm, np.float32).reshape(-1, 2), RATE_HZ)


@pytest.mark.engine("ffmpeg")
@pytest.mark.parametrize("profile", PROFILES)
def test_packed_sound_is_where_ffmpeg_has_it(profile: str) -> None:
    adts = fdkaac(profile, "aac")

    frames = decode(TrackKind.AUDIO, Container.PACKED_AUDIO, [timestamp_tag(900_000) + adts], offset_us=SHIFT_US)

    expected = onsets_by_ffmpeg(adts)
    assert len(expected) == SECONDS
    assert beep_onsets(sound_of(frames), RATE_HZ) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("profile", PROFILES)
def test_transport_streams(profile: str) -> None:
    segments = ts_segments(coded(profile), shift_s=Fraction(10))

    assert len(segments) >= SECONDS
    assert_beeps_each_second(decode(TrackKind.AUDIO, Container.MPEG_TS, segments, offset_us=SHIFT_US))


@pytest.mark.parametrize("profile", PROFILES)
def test_fragmented_mp4(profile: str) -> None:
    init, segments = fragmented(coded(profile))

    assert_beeps_each_second(decode(TrackKind.AUDIO, Container.MP4, segments, init))


def test_sound_of_half_the_rate_that_says_it_is_he_aac_is_doubled() -> None:
    init, segments = fragmented(encode_audio("aac", RATE_HZ // 2))
    assert AS_LC in init

    frames = decode(TrackKind.AUDIO, Container.MP4, segments, init.replace(AS_LC, AS_HE))

    assert_beeps_each_second(frames)
