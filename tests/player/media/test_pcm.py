"""Sound is laid end to end, resampled and stretched without losing its place."""

from __future__ import annotations

from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.errors import DecodeError
from cushion_player.media.film import beep_onsets
from cushion_player.media.pcm import Aligner, Tempo
from cushion_player.media.stereo import Pcm, StereoConverter

RATE = 48_000


def ramp(start: int, n_samples: int) -> Pcm:
    """Samples that carry their own number."""
    numbers = np.arange(start, start + n_samples, dtype=np.float32)
    return np.stack([numbers, numbers], axis=1)


def test_sound_before_the_position_is_trimmed_to_the_sample() -> None:
    aligner = Aligner(1_000_000, RATE)

    assert len(aligner.align(900_000, ramp(43_200, 4_800))) == 0
    assert aligner.align(999_000, ramp(47_952, 1_000))[0, 0] == 48_000


def test_sound_after_the_position_waits_in_silence() -> None:
    pcm = Aligner(0, RATE).align(10_000, ramp(1, 10))

    assert len(pcm) == 490
    assert not pcm[:480].any()
    assert pcm[480, 0] == 1


def test_rounding_is_not_a_gap_and_a_gap_is_silence() -> None:
    aligner = Aligner(0, RATE)
    aligner.align(0, ramp(0, 480))

    assert len(aligner.align(10_021, ramp(480, 480))) == 480
    assert len(aligner.align(120_000, ramp(0, 480))) == 480 + 4_800


def test_overlap_is_cut() -> None:
    aligner = Aligner(0, RATE)
    aligner.align(0, ramp(0, 4_800))

    assert aligner.align(50_000, ramp(2_400, 4_800))[0, 0] == 4_800


def test_a_leap_ahead_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"sound for 3600\.000 s follows that for 0\.000 s"):
        Aligner(0, RATE).align(3_600_000_000, ramp(0, 10))


@given(st.integers(0, 10_000_000), st.lists(st.integers(1, 5_000), min_size=1, max_size=20))
def test_contiguous_sound_passes_unchanged(position_us: int, sizes: list[int]) -> None:
    edges = np.cumsum([0, *sizes])
    aligner = Aligner(position_us, RATE)
    start = round(position_us * RATE / 1e6)

    out = [
        aligner.align(round((start + int(low)) * 1e6 / RATE), ramp(int(low), int(high - low)))
        for low, high in pairwise(edges)
    ]

    assert np.array_equal(np.concatenate(out), ramp(0, int(edges[-1])))


def sine(start: int, n_samples: int, phase: float = 0.0, hz: float = 440.0) -> Pcm:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(start, start + n_samples) / RATE + phase)
    return np.stack([wave, wave], axis=1).astype(np.float32)


STEEPEST = 0.5 * 2 * np.pi * 440.0 / RATE


PIECES = st.tuples(st.integers(300, 3_000), st.integers(-2_000, 6_000) | st.just(0), st.floats(0, 6.28))


@given(st.lists(PIECES, min_size=1, max_size=8))
def test_a_join_makes_no_click(pieces: list[tuple[int, int, float]]) -> None:
    """Whatever is missing, doubled or out of phase at a join, no step is far steeper than the sine itself."""
    aligner = Aligner(0, RATE)
    out = [aligner.align(0, sine(0, 4_800))]
    end = 4_800

    for length, gap, phase in pieces:
        start = max(0, end + gap)
        aligner.part()
        out.append(aligner.align(round(start * 1e6 / RATE), sine(start, length, phase)))
        end = max(end, start + length)

    played = np.concatenate(out)[:, 0]
    assert np.abs(np.diff(played)).max() <= 2.5 * STEEPEST


def test_a_join_without_gap_is_bit_exact() -> None:
    aligner, whole = Aligner(0, RATE), sine(0, 9_600)

    out = [aligner.align(start * 125_000 // 6_000, whole[start : start + 1_200]) for start in range(0, 9_600, 1_200)]

    assert np.array_equal(np.concatenate(out), whole)


def frame(n_samples: int, rate_hz: int, layout: str) -> av.AudioFrame:
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    made = av.AudioFrame.from_ndarray(np.full((channels, n_samples), 0.1, np.float32), format="fltp", layout=layout)
    made.sample_rate = rate_hz
    return made


@pytest.mark.parametrize(("rate_hz", "layout"), [(48_000, "stereo"), (44_100, "mono"), (32_000, "5.1")])
def test_any_sound_becomes_stereo_at_the_rate_of_the_output(rate_hz: int, layout: str) -> None:
    converter = StereoConverter(RATE)

    out = [converter.convert([frame(1024, rate_hz, layout)]) for _ in range(50)]
    out.append(converter.flush())

    total = sum(len(pcm) for pcm in out)
    assert total == pytest.approx(50 * 1024 * RATE / rate_hz, abs=32)
    assert all(pcm.shape[1] == 2 and pcm.dtype == np.float32 for pcm in out)


def test_a_change_of_the_source_format_loses_nothing() -> None:
    converter = StereoConverter(RATE)

    out = [converter.convert([frame(1024, rate, "stereo")]) for rate in (44_100, 44_100, 48_000)]
    out.append(converter.flush())

    assert sum(len(pcm) for pcm in out) == pytest.approx(2048 * 48 / 44.1 + 1024, abs=32)


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.0, 1.5, 2.0, 4.0])
def test_tempo_changes_the_length_and_keeps_the_beeps_in_place(speed: float) -> None:
    sound = np.zeros((4 * RATE, 2), dtype=np.float32)
    beep = 0.5 * np.sin(np.arange(RATE // 5) * 0.13)
    for second in range(4):
        sound[second * RATE : second * RATE + RATE // 5] = beep[:, None]
    tempo = Tempo(speed, RATE)

    out = [tempo.process(sound[start : start + 1024]) for start in range(0, len(sound), 1024)] + [tempo.flush()]

    stretched = np.concatenate(out)
    assert len(stretched) / len(sound) == pytest.approx(1 / speed, rel=0.02)
    if speed <= 2:
        media_times = [onset * speed for onset in beep_onsets(stretched, RATE)]
        assert media_times == pytest.approx([0, 1, 2, 3], abs=0.04)


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.75, 1.25, 2.0, 3.0, 4.0])
def test_tempo_keeps_the_pitch(speed: float) -> None:
    sound = sine(0, 4 * RATE, hz=1_000.0)
    tempo = Tempo(speed, RATE)

    out = [tempo.process(sound[start : start + 4_800]) for start in range(0, len(sound), 4_800)] + [tempo.flush()]

    stretched = np.concatenate(out)[:, 0]
    middle = stretched[len(stretched) // 4 : -len(stretched) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE / len(middle) == pytest.approx(1_000.0, rel=0.01)
    assert len(stretched) / len(sound) == pytest.approx(1 / speed, rel=0.02)
