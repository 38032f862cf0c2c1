import numpy as np
import pytest

from cushion_traces.generators import MOBILE_3G, MOBILE_4G, MarkovModel, markov, step
from cushion_traces.trace import TraceError


def test_a_seed_gives_the_same_trace_for_ever() -> None:
    assert markov(MOBILE_3G, 6, 1).rates_bps == GOLDEN_3G
    assert markov(MOBILE_4G, 6, 1).rates_bps == GOLDEN_4G


def test_a_generator_may_be_handed_in() -> None:
    assert markov(MOBILE_3G, 60, np.random.Generator(np.random.PCG64(5))) == markov(MOBILE_3G, 60, 5)


def test_another_seed_gives_another_trace() -> None:
    assert markov(MOBILE_3G, 60, 1) != markov(MOBILE_3G, 60, 2)


@pytest.mark.parametrize(
    ("model", "mean_bps", "variation", "correlation"),
    [(MOBILE_3G, 1.13e6, 0.74, 0.81), (MOBILE_4G, 31.5e6, 0.52, 0.77)],
)
def test_generated_traces_have_the_statistics_their_models_state(
    model: MarkovModel, mean_bps: float, variation: float, correlation: float
) -> None:
    rates = [np.array(markov(model, 600, seed).rates_bps, dtype=float) for seed in range(40)]

    assert np.mean([r.mean() for r in rates]) == pytest.approx(mean_bps, rel=0.07)
    assert np.mean([r.std() / r.mean() for r in rates]) == pytest.approx(variation, rel=0.07)
    assert np.mean([np.corrcoef(r[1:], r[:-1])[0, 1] for r in rates]) == pytest.approx(correlation, abs=0.05)


def test_a_trace_lasts_whole_periods_and_at_least_what_was_asked() -> None:
    assert markov(MOBILE_4G, 2.5, 1).duration_us == 3_000_000


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 86_401.0])
def test_an_impossible_length_is_refused(seconds: float) -> None:
    with pytest.raises(TraceError, match="at most a day"):
        markov(MOBILE_3G, seconds, 1)


def test_a_step_has_a_period_a_rate() -> None:
    trace = step([6_000_000, 1_000_000], 10.0, 40_000)

    assert (trace.durations_us, trace.rates_bps) == ((10_000_000,) * 2, (6_000_000, 1_000_000))


GOLDEN_3G = (1083000, 1315000, 2061000, 1328000, 1487000, 1763000)
GOLDEN_4G = (30057000, 35499000, 42244000, 45803000, 50728000, 58675000)
