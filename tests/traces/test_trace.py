import pytest

from cushion_traces.trace import Trace, TraceError, from_link, make_trace, to_link


def test_a_trace_becomes_a_link_and_comes_back() -> None:
    trace = make_trace([10, 20], [3_000_000, 0], 40_000)

    assert from_link(to_link(trace)) == trace


def test_a_link_has_the_mean_latency_over_time() -> None:
    trace = Trace((1_000, 3_000), (1, 1), (80_000, 20_000))

    assert to_link(trace).latency_us == 35_000


def test_the_mean_rate_is_over_time() -> None:
    assert Trace((1_000, 3_000), (8_000_000, 4_000_000), (0, 0)).mean_bps == 5_000_000


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (((), (), ()), "at least one period"),
        (((1,), (1, 2), (0,)), "1 durations, 2 rates and 1 latencies"),
        (((1, 0), (1, 1), (0, 0)), "period 1"),
        (((1,), (0,), (0,)), "every rate is 0"),
    ],
)
def test_a_trace_that_cannot_be_one_is_refused(columns: tuple[tuple[int, ...], ...], says: str) -> None:
    with pytest.raises(TraceError, match=says):
        Trace(*columns)
