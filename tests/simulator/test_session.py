from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_abr.qoe import linear_qoe
from cushion_abr.registry import RuleParameterError, UnknownRule, rule_names
from cushion_player.engine import EngineConfig, RetryPolicy
from cushion_player.testing.virtual import INIT_BYTES
from cushion_simulator.movie import nominal_movie
from cushion_simulator.session import simulate
from cushion_traces.link import PACKET_BYTES, finish_us, make_link
from cushion_traces.named import NAMES, link_for

MINUTE = nominal_movie(60)


@pytest.mark.parametrize("rule", ["throughput", "bba2", "bola"])
def test_the_step_trace_uses_three_rungs_in_30_s_and_never_stalls(rule: str) -> None:
    result = simulate(MINUTE, link_for("step"), rule)

    assert result.outcome == "ended"
    assert len({segment.rung for segment in result.segments if segment.request_us < 30_000_000}) >= 3
    assert result.rebuffer_count == 0


@pytest.mark.parametrize("rule", ["throughput", "bba2", "bola"])
@pytest.mark.parametrize(
    "ladder", [(300_000, 700_000, 1_500_000, 3_000_000), (400_000, 1_000_000, 2_000_000, 4_500_000)]
)
def test_with_audio_on_the_same_link_the_step_trace_does_not_stall_either(rule: str, ladder: tuple[int, ...]) -> None:
    result = simulate(nominal_movie(60, ladder).timeline(audio_bps=128_000), link_for("step"), rule)

    assert len({segment.rung for segment in result.segments if segment.request_us < 30_000_000}) >= 3
    assert result.rebuffer_count == 0


@pytest.mark.parametrize("rule", rule_names())
@pytest.mark.parametrize("trace", NAMES)
def test_every_rule_plays_every_named_trace_to_the_end(rule: str, trace: str) -> None:
    result = simulate(MINUTE, link_for(trace), rule)

    assert result.outcome == "ended"
    assert [segment.index for segment in result.segments] == list(range(30))


@settings(max_examples=25)
@given(
    st.sampled_from(rule_names()),
    st.lists(st.tuples(st.integers(100, 5_000), st.integers(0, 6_000)), min_size=1, max_size=6).filter(
        lambda periods: sum(ms * kbps for ms, kbps in periods) > 100 * sum(ms for ms, _ in periods)
    ),
    st.integers(0, 200_000),
)
def test_time_is_conserved(rule: str, periods: list[tuple[int, int]], latency_us: int) -> None:
    link = make_link([ms * 1000 for ms, _ in periods], [kbps * 1000 for _, kbps in periods], latency_us)

    result = simulate(nominal_movie(20), link, rule)

    assert result.outcome == "ended"
    assert result.startup_us is not None
    # a clock that stops and starts rounds its times up to a µs each
    assert result.end_us - (result.startup_us + 20_000_000 + result.rebuffer_us) in range(result.rebuffer_count + 2)
    assert sum(segment.rebuffer_us for segment in result.segments) == result.rebuffer_us


def test_each_download_takes_what_the_link_arithmetic_says() -> None:
    link = link_for("step")
    assert link is not None

    result = simulate(MINUTE, link, "throughput")

    longest_init_us = INIT_BYTES * 8  # at 1 Mb/s: the initialisation segment of a new rung shares the link
    for segment in result.segments:
        alone_us = finish_us(link, segment.request_us + link.latency_us, segment.size_bytes)
        at_most_pieces = -(-segment.size_bytes // PACKET_BYTES)  # each is rounded up to a µs
        assert 0 <= segment.end_us - alone_us <= at_most_pieces + longest_init_us


def test_the_same_session_twice_is_the_same() -> None:
    assert simulate(MINUTE, link_for("3g"), "bba2") == simulate(MINUTE, link_for("3g"), "bba2")


def test_a_link_too_slow_for_the_lowest_rung_is_counted_as_rebuffering() -> None:
    result = simulate(nominal_movie(20), make_link([1_000_000], [200_000]), "fixed")

    # 20 s at 300 kb/s over 200 kb/s take 30 s
    assert result.rebuffer_count > 0
    assert result.startup_us is not None
    assert 29.9e6 < result.startup_us + 20e6 + result.rebuffer_us < 32.5e6
    assert linear_qoe(result.records) == pytest.approx(10 * 0.3 - 4.3 * result.rebuffer_us / 1e6)
    assert result.figures()["rebuffer_s"] == result.rebuffer_us / 1e6


def test_a_session_that_would_never_end_is_cut() -> None:
    patient = EngineConfig(retry=RetryPolicy(gives_up_slow=False))

    result = simulate(MINUTE, make_link([1_000_000], [1]), "fixed", config=patient, limit_us=3_600_000_000)

    assert (result.outcome, result.startup_us, result.segments) == ("cut", None, ())
    assert result.end_us == 3_600_000_000
    assert result.figures()["startup_s"] is None


def test_the_buffer_never_exceeds_the_goal() -> None:
    config = EngineConfig(buffer_goal_us=12_000_000)

    result = simulate(MINUTE, None, "bba2", config=config)

    assert max(segment.buffer_us for segment in result.segments) <= 12_000_000
    assert result.segments[-1].rung == 4


def test_a_mistake_in_the_rule_is_told_before_anything_runs() -> None:
    with pytest.raises(UnknownRule):
        simulate(MINUTE, None, "bbr")
    with pytest.raises(RuleParameterError):
        simulate(MINUTE, None, "bola", params={"gp": -1.0})


def test_a_limit_of_the_rule_reaches_it_as_a_parameter() -> None:
    result = simulate(MINUTE, None, "fixed", params={"rung": 2.0})

    assert {segment.rung for segment in result.segments} == {2}
