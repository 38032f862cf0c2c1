"""Sound of any layout folded down to two channels: by the coefficients of BS.775, and never louder than it may be."""

from __future__ import annotations

import av
import numpy as np
import pytest

from cushion_player.media.stereo import StereoConverter, downmix_matrix

RATE = 48_000
FIVE = ("FL", "FR", "FC", "LFE", "SL", "SR")
LAYOUTS = ("mono", "stereo", "2.1", "quad", "5.0", "5.1", "5.1(side)", "6.1", "7.1")


def channels_of(layout: str) -> list[str]:
    return [channel.name for channel in av.AudioLayout(layout).channels]


def frame(layout: str, values: list[float], n_samples: int = 64) -> av.AudioFrame:
    samples = np.tile(np.array(values, dtype=np.float32), n_samples)[None]
    made = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
    made.sample_rate = RATE
    return made


def test_centre_and_surrounds_come_3_db_below_the_front_and_low_frequencies_not_at_all() -> None:
    matrix = downmix_matrix(FIVE)

    relative = matrix / matrix[0, 0]
    half_power = 10 ** (-3.0103 / 20)
    assert relative == pytest.approx(
        np.array([[1, 0], [0, 1], [half_power, half_power], [0, 0], [half_power, 0], [0, half_power]]), abs=1e-4
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_clips_when_every_channel_is_full(layout: str) -> None:
    n_channels = len(channels_of(layout))

    pcm = StereoConverter(RATE).convert([frame(layout, [1.0] * n_channels)])

    assert pcm.shape == (64, 2)
    assert float(np.abs(pcm).max()) <= 1.0 + 1e-6


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "mono"])
def test_left_stays_left_and_right_right(layout: str) -> None:
    names = channels_of(layout)

    pcm = StereoConverter(RATE).convert([frame(layout, [1.0 if name == "FL" else 0.0 for name in names])])

    assert pcm[:, 0].min() > 0
    assert not pcm[:, 1].any()


def test_a_single_channel_sounds_on_both_sides_as_it_is() -> None:
    pcm = StereoConverter(RATE).convert([frame("mono", [0.5])])

    assert pcm == pytest.approx(np.full((64, 2), 0.5))


def test_stereo_of_our_own_rate_passes_bit_for_bit() -> None:
    rng = np.random.default_rng(7)
    planes = rng.uniform(-1, 1, (2, 2048)).astype(np.float32)
    halves = [av.AudioFrame.from_ndarray(planes[:, part], format="fltp", layout="stereo") for part in
              (slice(0, 1024), slice(1024, 2048))]  # fmt: skip
    for half in halves:
        half.sample_rate = RATE

    pcm = StereoConverter(RATE).convert(halves)

    assert np.array_equal(pcm, planes.T)
    assert pcm.flags.c_contiguous
