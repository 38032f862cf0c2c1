"""Programmes come to one loudness, slowly, and nothing is driven beyond full scale."""

from __future__ import annotations

import numpy as np
import pytest

from cushion_player.media.levelling import Leveller
from cushion_player.media.stereo import Pcm

RATE = 48_000
PIECE = 4_800


def tone(seconds: float, amplitude: float) -> Pcm:
    """997 Hz on both sides: of amplitude 1 it has 0 LUFS (BS.1770: -3.01 LUFS a channel)."""
    wave = amplitude * np.sin(2 * np.pi * 997 * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def play(leveller: Leveller, pcm: Pcm) -> Pcm:
    return np.concatenate([leveller.process(pcm[at : at + PIECE]) for at in range(0, len(pcm), PIECE)])


@pytest.mark.parametrize("lufs", [-30.0, -23.0, -10.0])
def test_any_programme_comes_to_the_target(lufs: float) -> None:
    leveller = Leveller(RATE, -16.0)

    out = play(leveller, tone(15.0, 10 ** (lufs / 20)))

    assert leveller.loudness_lufs == pytest.approx(lufs, abs=0.3)
    wanted = 10 ** (max(min(-16.0 - lufs, 12.0), -20.0) / 20)
    assert float(np.abs(out[-RATE:]).max()) == pytest.approx(10 ** (lufs / 20) * wanted, rel=0.05)


def test_the_level_moves_slowly() -> None:
    out = play(Leveller(RATE, -16.0), tone(6.0, 0.05))

    peaks_db = 20 * np.log10(np.abs(out).reshape(-1, PIECE * 5, 2).max(axis=(1, 2)))
    assert np.abs(np.diff(peaks_db)).max() <= 0.9  # each half second
    assert (np.diff(peaks_db) > -0.01).all()


def test_a_sudden_peak_stays_within_full_scale() -> None:
    leveller = Leveller(RATE, -16.0)
    play(leveller, tone(15.0, 0.03))
    assert leveller.gain_db > 6

    assert float(np.abs(play(leveller, tone(0.5, 0.9))).max()) <= 1.0


def test_silence_says_nothing_and_stays_silent() -> None:
    leveller = Leveller(RATE, -16.0)

    out = play(leveller, np.zeros((3 * RATE, 2), np.float32))

    assert leveller.loudness_lufs is None
    assert leveller.gain_db == 0
    assert not out.any()
