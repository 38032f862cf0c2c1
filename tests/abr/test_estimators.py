import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr import estimators as est
from cushion_abr.contract import (
    SAMPLE_ABANDONED,
    SAMPLE_DOWNLOAD,
    SAMPLE_SEEK,
    SOURCE_CACHE,
    SOURCE_LOCAL,
    Float64Array,
    Sample,
)

rates = st.floats(1e3, 1e9)
weights = st.floats(1e-3, 100.0)


def dual(fast: float = 3.0, slow: float = 8.0) -> Float64Array:
    state = np.zeros(est.DUAL_SIZE + 1)
    est.dual_init(state, 1, fast, slow)
    return state


def test_an_estimate_is_zero_before_any_sample() -> None:
    state = dual()

    assert not est.dual_is_known(state, 1)
    assert est.dual_min(state, 1) == est.dual_max(state, 1) == 0.0


@given(rates, st.lists(weights, min_size=1, max_size=30))
def test_a_constant_is_estimated_as_itself_from_the_first_sample_on(value: float, sample_weights: list[float]) -> None:
    state = dual()

    for weight in sample_weights:
        est.dual_add(state, 1, value, weight)

        assert est.dual_min(state, 1) == pytest.approx(value)
        assert est.dual_max(state, 1) == pytest.approx(value)


@given(st.lists(st.tuples(rates, weights), min_size=1, max_size=30))
def test_both_averages_equal_the_zero_corrected_sum_of_the_definition(samples: list[tuple[float, float]]) -> None:
    state = dual()
    for value, weight in samples:
        est.dual_add(state, 1, value, weight)

    expected: list[float] = []
    for half_life in (3.0, 8.0):
        average, total = 0.0, 0.0
        for value, weight in samples:
            alpha = 0.5 ** (weight / half_life)
            average, total = alpha * average + (1 - alpha) * value, total + weight
        expected.append(average / (1 - 0.5 ** (total / half_life)))
    assert est.dual_min(state, 1) == pytest.approx(min(expected))
    assert est.dual_max(state, 1) == pytest.approx(max(expected))


def test_half_of_the_old_value_is_left_after_a_half_life() -> None:
    state = dual(fast=3.0, slow=3.0)
    est.dual_add(state, 1, 8e6, 1000.0)

    est.dual_add(state, 1, 2e6, 3.0)

    assert est.dual_min(state, 1) == pytest.approx(5e6)


def test_the_minimum_falls_with_the_fast_average_and_rises_with_the_slow_one() -> None:
    falling, rising = dual(), dual()
    est.dual_add(falling, 1, 8e6, 100.0)
    est.dual_add(rising, 1, 1e6, 100.0)

    est.dual_add(falling, 1, 1e6, 3.0)
    est.dual_add(rising, 1, 8e6, 3.0)

    assert est.dual_min(falling, 1) == pytest.approx(4.5e6, rel=1e-3)
    assert est.dual_min(rising, 1) < 4.5e6


@given(st.integers(1, 6), st.lists(rates, min_size=1, max_size=20))
def test_the_harmonic_mean_is_that_of_the_last_values(capacity: int, values: list[float]) -> None:
    state = np.zeros(est.harmonic_size(capacity) + 2)
    est.harmonic_init(state, 1, capacity)

    for value in values:
        est.harmonic_add(state, 1, capacity, value)

    kept = values[-capacity:]
    assert est.harmonic_mean(state, 1) == pytest.approx(len(kept) / sum(1 / value for value in kept))
    assert state[0] == state[-1] == 0.0


def test_the_harmonic_mean_of_nothing_is_zero() -> None:
    state = np.ones(est.harmonic_size(5))
    est.harmonic_init(state, 0, 5)

    assert est.harmonic_mean(state, 0) == 0.0


def link() -> Float64Array:
    state = np.zeros(est.LINK_SIZE)
    est.link_init(state, 0, 3.0, 8.0)
    return state


def test_the_body_time_gives_the_throughput_and_the_wait_before_it_the_latency() -> None:
    state = link()

    est.link_observe(Sample(SAMPLE_DOWNLOAD, 0, 250_000, 1_000_000, 1_040_000, 2_040_000), state, 0)

    assert est.link_throughput_bps(state, 0) == pytest.approx(2e6)
    assert est.link_latency_us(state, 0) == pytest.approx(40_000)


def test_a_small_or_instant_body_is_timed_from_its_request() -> None:
    small = Sample(SAMPLE_DOWNLOAD, 0, 1_000, 0, 40_000, 50_000)
    instant = Sample(SAMPLE_DOWNLOAD, 0, 1_000_000, 0, 40_000, 40_001)

    assert est.transfer_us(small) == 50_000
    assert est.transfer_us(instant) == 40_001


def test_an_abandoned_download_counts_with_the_bytes_it_brought() -> None:
    state = link()

    est.link_observe(Sample(SAMPLE_ABANDONED, 3, 125_000, 0, 0, 1_000_000), state, 0)

    assert est.link_throughput_bps(state, 0) == pytest.approx(1e6)


@pytest.mark.parametrize(
    "sample",
    [Sample(SAMPLE_SEEK, 0, 0, 0, 0, 5_000_000), Sample(SAMPLE_ABANDONED, 0, 0, 0, 0, 900_000)],
    ids=["seek", "no bytes"],
)
def test_a_sample_without_a_measurement_changes_nothing(sample: Sample) -> None:
    state = link()
    before = state.copy()

    est.link_observe(sample, state, 0)

    assert np.array_equal(state, before)


def test_a_download_without_duration_gives_a_finite_estimate() -> None:
    state = link()

    est.link_observe(Sample(SAMPLE_DOWNLOAD, 0, 500_000, 7, 7, 7), state, 0)

    assert 0.0 < est.link_throughput_bps(state, 0) < float("inf")


@pytest.mark.parametrize("source", [SOURCE_CACHE, SOURCE_LOCAL])
def test_what_did_not_cross_the_network_says_nothing_about_it(source: int) -> None:
    state = np.zeros(est.LINK_SIZE)
    est.link_init(state, 0, 3.0, 8.0)

    est.link_observe(Sample(SAMPLE_DOWNLOAD, 0, 10**6, 0, 1_000, 50_000, source=source), state, 0)

    assert est.link_throughput_bps(state, 0) == 0.0


def test_a_fast_answer_of_the_network_counts() -> None:
    state = np.zeros(est.LINK_SIZE)
    est.link_init(state, 0, 3.0, 8.0)

    est.link_observe(Sample(SAMPLE_DOWNLOAD, 0, 10**6, 0, 500, 4_500), state, 0)  # 4 ms of body: timed from the request

    assert est.link_throughput_bps(state, 0) == pytest.approx(10**6 * 8 / 4_500e-6)


def test_the_floors_of_samples_can_be_chosen() -> None:
    state = np.zeros(est.LINK_SIZE)
    est.link_init(state, 0, 3.0, 8.0, small_bytes=0, short_us=1_000)

    est.link_observe(Sample(SAMPLE_DOWNLOAD, 0, 8_000, 0, 40_000, 44_000), state, 0)

    assert est.link_throughput_bps(state, 0) == pytest.approx(16e6)


def test_the_whole_link_is_what_all_downloads_got() -> None:
    alone, whole = np.zeros(est.LINK_SIZE), np.zeros(est.LINK_SIZE)
    sample = Sample(SAMPLE_DOWNLOAD, 0, 75_000, 0, 0, 1_000_000, other_bytes=50_000)
    for state in (alone, whole):
        est.link_init(state, 0, 3.0, 8.0)

    est.link_observe(sample, alone, 0)
    est.link_observe_whole(sample, whole, 0)

    assert est.link_throughput_bps(alone, 0) == pytest.approx(600_000)
    assert est.link_throughput_bps(whole, 0) == pytest.approx(1_000_000)
