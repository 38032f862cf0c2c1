"""An uneven clock is followed evenly, never backwards, and never for long from afar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.media.drift import STEP_US, DriftFilter

GULP_US = 21_333
"""A device that takes 1,024 samples at a time."""


def test_gulps_of_a_device_become_an_even_flow() -> None:
    drift, before, steps = DriftFilter(), 0.0, []

    for now_us in range(0, 5_000_000, 8_000):
        position = drift.follow(now_us // GULP_US * GULP_US, now_us, 1.0)
        steps.append(position - before)
        before = position

    settled = steps[len(steps) // 2 :]
    assert max(settled) - min(settled) < 1_000
    assert before == pytest.approx(5_000_000, abs=GULP_US)


def test_a_crystal_that_runs_fast_is_followed() -> None:
    """500 ppm: a second in half an hour, which is far more than devices have."""
    drift = DriftFilter()

    errors = [drift.follow(now_us * 1.0005, now_us, 1.0) - now_us * 1.0005 for now_us in range(0, 60_000_000, 10_000)]

    assert max(abs(error) for error in errors) < 1_000


def test_a_leap_is_followed_at_once() -> None:
    drift = DriftFilter()
    drift.follow(0, 0, 1.0)

    assert drift.follow(500_000, 10_000, 1.0) == 500_000


def test_sound_that_stands_still_holds_the_picture() -> None:
    drift = DriftFilter()
    drift.follow(0, 0, 1.0)

    positions = [drift.follow(0, now_us, 1.0) for now_us in range(10_000, 2_000_000, 10_000)]

    assert max(positions) <= STEP_US
    assert positions[-1] == positions[len(positions) // 2]


@given(
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(-30_000, 30_000)), min_size=1, max_size=100),
    st.sampled_from([0.25, 1.0, 4.0]),
)
def test_it_never_goes_back_and_stays_near(steps: list[tuple[int, int]], rate: float) -> None:
    drift, now_us, before = DriftFilter(), 0, 0.0
    drift.follow(0, 0, rate)

    for elapsed_us, jitter_us in steps:
        now_us += elapsed_us
        position = drift.follow(rate * now_us + jitter_us, now_us, rate)
        assert position >= before
        assert abs(position - rate * now_us) <= STEP_US + 30_000
        before = position
