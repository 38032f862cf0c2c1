"""What each rule does, in single decisions and over whole sessions of a small virtual player (see conftest)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr import reasons
from cushion_abr.contract import (
    SAMPLE_ABANDONED,
    SAMPLE_DOWNLOAD,
    SAMPLE_SEEK,
    Int64Array,
    Ladder,
    Sample,
    Situation,
    make_ladder,
)
from cushion_abr.registry import BoundRule, bind, rule_names

US = 1_000_000
LADDER = make_ladder([300e3, 600e3, 1200e3, 2000e3, 3000e3])
STEP = [(10.0, 6e6), (10.0, 1e6), (10.0, 6e6)]
Play = Callable[..., Any]


def nominal(ladder: Ladder = LADDER, rows: int = 60, segment_us: int = 2 * US) -> Int64Array:
    row = (ladder.bitrate_bps * segment_us / US).astype(np.int64) // 8 * 8
    return np.ascontiguousarray(np.tile(row, (rows, 1)))


def situation(
    buffer_s: float = 0.0,
    last_rung: int = -1,
    goal_s: float = 30.0,
    max_rung: int = 99,
    rate: float = 1.0,
    segment_s: float = 2.0,
) -> Situation:
    return Situation(
        0, int(buffer_s * US), int(goal_s * US), int(segment_s * US), 5, 60, last_rung, max_rung, 1, 0, rate, 1
    )


def download(rule: BoundRule, mbps: float, seconds: float = 1.0, latency_s: float = 0.0, rung: int = 0) -> None:
    first = int(latency_s * US)
    rule.observe(Sample(SAMPLE_DOWNLOAD, rung, int(mbps * 125_000 * seconds), 0, first, first + int(seconds * US)))


# --------------------------------------------------------------------------- all rules


@pytest.mark.parametrize("name", rule_names())
def test_the_first_decision_of_all_is_the_lowest_rung_at_once(name: str) -> None:
    decision = bind(name, LADDER).decide(nominal(), situation())

    assert (decision.rung, decision.wait_us) == (0, 0)
    assert decision.reason in reasons.TEXT


@pytest.mark.parametrize("name", rule_names())
@given(data=st.data())
def test_every_decision_is_an_allowed_rung_with_a_known_reason(name: str, data: st.DataObject) -> None:
    ladder = make_ladder(sorted(data.draw(st.lists(st.floats(1e3, 1e8), min_size=1, max_size=8))))
    n_rungs = ladder.bitrate_bps.size
    rule = bind(name, ladder)
    sizes = st.integers(1, 10**7).map(lambda n: 8 * n)
    for _ in range(data.draw(st.integers(1, 5))):
        for kind in data.draw(st.lists(st.sampled_from([SAMPLE_DOWNLOAD, SAMPLE_ABANDONED, SAMPLE_SEEK]), max_size=2)):
            body = data.draw(st.integers(0, 10**7))
            wait, length = data.draw(st.integers(0, 10**7)), data.draw(st.integers(0, 10**7))
            rule.observe(Sample(kind, 0, body, 0, wait, wait + length))
        rows = data.draw(st.integers(1, 3))
        ahead = np.array(
            data.draw(st.lists(st.lists(sizes, min_size=n_rungs, max_size=n_rungs), min_size=rows, max_size=rows)),
            dtype=np.int64,
        )
        max_rung = data.draw(st.integers(0, 9))
        here = Situation(
            0, data.draw(st.integers(0, 10**8)), data.draw(st.integers(0, 10**8)),
            data.draw(st.integers(1, 2 * 10**7)), 0, rows, data.draw(st.integers(-1, n_rungs - 1)), max_rung,
            data.draw(st.integers(0, 3)), 0, data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])), 1,
        )  # fmt: skip

        decision = rule.decide(ahead, here)

        assert 0 <= decision.rung <= min(max_rung, n_rungs - 1)
        assert decision.wait_us >= 0
        assert all(type(field) is int for field in decision)
        assert decision.reason in reasons.TEXT


@pytest.mark.parametrize("name", ["throughput", "bba2", "bola", "bola_guarded"])
def test_a_step_to_a_sixth_and_back_uses_three_rungs_in_30_s_and_never_stalls(name: str, play_rule: Play) -> None:
    played = play_rule(name, STEP)

    assert len(set(played.rungs_before(30))) >= 3
    assert max(played.rungs_before(10)) >= 3
    assert played.stalled_us == 0


@pytest.mark.parametrize("name", ["throughput", "bba2", "bola", "bola_guarded"])
def test_four_rungs_do_as_well_over_the_step(name: str, play_rule: Play) -> None:
    played = play_rule(name, STEP, bitrates=[300e3, 700e3, 1500e3, 3000e3])

    assert len(set(played.rungs_before(30))) >= 3
    assert played.stalled_us == 0


@pytest.mark.parametrize("name", ["throughput", "bba0", "bba2", "bola", "bola_guarded"])
@pytest.mark.parametrize(("mbps", "rung"), [(50.0, 4), (1.6, 2), (0.4, 0)])
def test_on_a_constant_link_the_rung_settles_by_what_the_link_carries(
    name: str, mbps: float, rung: int, play_rule: Play
) -> None:
    settled = play_rule(name, [(60.0, mbps * 1e6)], n_segments=120).rungs[60:]

    assert min(settled) <= rung <= max(settled)
    assert max(settled) - min(settled) <= 1
    assert play_rule(name, [(60.0, mbps * 1e6)], n_segments=120).stalled_us == 0


@pytest.mark.parametrize("name", ["fixed", "throughput", "bba0", "bba2", "bola", "bola_guarded"])
def test_a_limit_holds_for_a_whole_session_and_is_named_as_the_reason(name: str, play_rule: Play) -> None:
    played = play_rule(name, [(60.0, 50e6)], max_rung=2, params={"rung": 4.0} if name == "fixed" else {})

    assert max(played.rungs) == 2
    rule = bind(name, LADDER, seed=0, **({"rung": 4.0} if name == "fixed" else {}))
    download(rule, 50.0)
    full = rule.decide(nominal(), situation(28.0, last_rung=2, max_rung=2))
    assert full == (2, 0, reasons.LIMITED)


@pytest.mark.parametrize("name", ["throughput", "bba0", "bba2", "bola", "bola_guarded"])
def test_a_ladder_of_one_rung_plays(name: str, play_rule: Play) -> None:
    assert set(play_rule(name, STEP, bitrates=[800e3]).rungs) == {0}


@pytest.mark.parametrize("name", ["bba0", "bba2", "bola", "bola_guarded"])
@pytest.mark.parametrize(("goal_s", "segment_s"), [(12, 2), (30, 6), (60, 4), (240, 4)])
def test_the_top_rung_is_reached_whatever_the_buffer_goal(
    name: str, goal_s: int, segment_s: int, play_rule: Play
) -> None:
    played = play_rule(name, [(60.0, 20e6)], n_segments=150, goal_us=goal_s * US, segment_us=segment_s * US)

    assert played.rungs[-1] == 4
    assert played.stalled_us == 0


# --------------------------------------------------------------------------- fixed


def test_fixed_keeps_to_its_rung_and_to_the_ladder() -> None:
    assert bind("fixed", LADDER, rung=3).decide(nominal(), situation()) == (3, 0, reasons.FIXED)
    assert bind("fixed", LADDER, rung=30).decide(nominal(), situation()) == (4, 0, reasons.FIXED)


# --------------------------------------------------------------------------- throughput


@pytest.mark.parametrize(("mbps", "rung"), [(0.33, 0), (0.67, 1), (1.33, 1), (1.34, 2), (3.33, 3), (3.34, 4)])
def test_throughput_takes_the_highest_rung_below_nine_tenths_of_the_estimate(mbps: float, rung: int) -> None:
    rule = bind("throughput", LADDER)
    download(rule, mbps)

    assert rule.decide(nominal(), situation(20.0)) == (rung, 0, reasons.THROUGHPUT)


def test_throughput_pays_for_the_latency_out_of_the_segment_time() -> None:
    rule = bind("throughput", LADDER)
    download(rule, 3.5, latency_s=0.2)  # 3.5 x 0.9 x (1 - 0.2 / 2) = 2.8 Mb/s

    assert rule.decide(nominal(), situation(20.0)).rung == 3


def test_throughput_halves_what_it_asks_for_at_double_rate() -> None:
    rule = bind("throughput", LADDER)
    download(rule, 3.4)

    assert rule.decide(nominal(), situation(20.0, rate=2.0)).rung == 2


def test_throughput_yields_to_a_short_buffer() -> None:
    rule = bind("throughput", LADDER)
    download(rule, 4.0)

    assert rule.decide(nominal(), situation(2.0)) == (3, 0, reasons.INSUFFICIENT_BUFFER)
    assert rule.decide(nominal(), situation(0.0)) == (0, 0, reasons.INSUFFICIENT_BUFFER)


# --------------------------------------------------------------------------- BBA-0


@pytest.mark.parametrize(
    ("buffer_s", "last", "rung", "reason"),
    [
        (90.0, 4, 0, reasons.RESERVOIR),
        (104.0, 0, 0, reasons.CUSHION_HOLD),  # f(104 s) = 0.6 Mb/s exactly at 104.0 of 90..216 s
        (104.1, 0, 1, reasons.CUSHION_UP),
        (216.0, 0, 4, reasons.UPPER_RESERVOIR),
        (150.0, 4, 3, reasons.CUSHION_DOWN),  # f = 1.586 Mb/s, below the neighbour's 2.0
        (170.0, 4, 4, reasons.CUSHION_HOLD),  # f = 2.014 Mb/s
        (170.0, 2, 3, reasons.CUSHION_UP),
    ],
)
def test_bba0_is_the_papers_map_for_the_papers_buffer(buffer_s: float, last: int, rung: int, reason: int) -> None:
    here = situation(buffer_s - 1e-6 if buffer_s == 104.0 else buffer_s, last, goal_s=240.0, segment_s=4.0)

    assert bind("bba0", LADDER).decide(nominal(), here) == (rung, 0, reason)


# --------------------------------------------------------------------------- BBA-2


def settled_bba2(**params: float) -> BoundRule:
    """BBA-2 past its start-up."""
    rule = bind("bba2", LADDER, seed=0, **params)
    rule.observe(Sample(SAMPLE_ABANDONED, 0, 0, 0, 0, 0))
    return rule


def test_bba2_reaches_the_top_rung_at_nine_tenths_of_the_goal() -> None:
    assert settled_bba2().decide(nominal(), situation(27.0, 0)) == (4, 0, reasons.UPPER_RESERVOIR)
    assert settled_bba2().decide(nominal(), situation(26.9, 3)).rung == 3


def test_bba2_keeps_two_segments_in_reserve_when_sizes_are_even() -> None:
    assert settled_bba2(min_reservoir_fraction=0.0).decide(nominal(), situation(4.0, 4)) == (0, 0, reasons.RESERVOIR)
    assert settled_bba2(min_reservoir_fraction=0.0).decide(nominal(), situation(4.1, 4)).reason == reasons.CUSHION_DOWN


def test_bba2_keeps_more_in_reserve_before_large_segments_up_to_the_bound() -> None:
    sizes = nominal()
    sizes[2:5] *= 2  # three segments of twice the size: 6 s too late on a link of just the lowest rate
    assert settled_bba2(min_reservoir_fraction=0.0).decide(sizes, situation(6.0, 1)).reason == reasons.RESERVOIR
    assert settled_bba2(min_reservoir_fraction=0.0).decide(sizes, situation(6.1, 1)).reason != reasons.RESERVOIR

    sizes[5:20] *= 2  # 36 s in all: the bound of 0.4 x 30 s holds
    assert settled_bba2(min_reservoir_fraction=0.0).decide(sizes, situation(12.0, 1)).reason == reasons.RESERVOIR
    assert settled_bba2(min_reservoir_fraction=0.0).decide(sizes, situation(12.1, 1)).reason != reasons.RESERVOIR


def test_bba2_sees_a_large_segment_though_small_ones_make_up_for_it() -> None:
    sizes = nominal()
    sizes[0:4] *= 2
    sizes[4:20] //= 2

    assert settled_bba2(min_reservoir_fraction=0.0).decide(sizes, situation(8.0, 1)).reason == reasons.RESERVOIR


def test_bba2_keeps_three_tenths_of_the_goal_in_reserve_by_default() -> None:
    assert settled_bba2().decide(nominal(), situation(9.0, 4)) == (0, 0, reasons.RESERVOIR)
    assert settled_bba2().decide(nominal(), situation(9.1, 4)).reason == reasons.CUSHION_DOWN


def test_bba2_fetches_a_large_segment_at_a_lower_rung_than_a_small_one() -> None:
    large, small = nominal(), nominal()
    large[0] *= 2
    small[0] //= 2

    assert settled_bba2().decide(large, situation(18.0, 3)).rung < settled_bba2().decide(small, situation(18.0, 3)).rung


@pytest.mark.parametrize(
    ("buffer_s", "download_s", "rung", "reason"),
    [
        (0.0, 0.24, 2, reasons.STARTUP_UP),  # empty: the buffer must grow by 0.875 of a segment
        (0.0, 0.26, 1, reasons.STARTUP_HOLD),
        (13.5, 0.62, 2, reasons.STARTUP_UP),  # half way to the top of the map: 0.6875
        (13.5, 0.63, 1, reasons.STARTUP_HOLD),
    ],
)
def test_bba2_starts_up_by_the_growth_of_the_buffer(buffer_s: float, download_s: float, rung: int, reason: int) -> None:
    rule = bind("bba2", LADDER, min_reservoir_fraction=0.4)
    download(rule, 10.0, seconds=download_s)

    # the map alone would hold rung 1 at 13.5 s
    assert rule.decide(nominal(), situation(buffer_s, 1)) == (rung, 0, reason)


def test_bba2_leaves_the_start_up_for_good_when_the_buffer_shrinks() -> None:
    rule = bind("bba2", LADDER)
    download(rule, 1.0, seconds=2.1)
    assert rule.decide(nominal(), situation(3.0, 2)) == (0, 0, reasons.RESERVOIR)

    download(rule, 100.0, seconds=0.1)

    assert rule.decide(nominal(), situation(3.0, 0)) == (0, 0, reasons.RESERVOIR)


def test_bba2_leaves_the_start_up_when_the_map_asks_for_more() -> None:
    rule = bind("bba2", LADDER)
    download(rule, 2.0, seconds=1.5)

    assert rule.decide(nominal(), situation(26.0, 0)).reason == reasons.CUSHION_UP


def test_bba2_starts_up_again_from_the_lowest_rung_after_a_seek() -> None:
    rule = settled_bba2()
    rule.observe(Sample(SAMPLE_SEEK, 0, 0, 0, 0, 9_000_000))

    assert rule.decide(nominal(), situation(0.0, 4)) == (0, 0, reasons.NO_SAMPLE)
    download(rule, 10.0, seconds=0.1)
    assert rule.decide(nominal(), situation(2.0, 0)) == (1, 0, reasons.STARTUP_UP)


def test_bba2_copes_with_a_look_ahead_of_one_segment() -> None:
    assert settled_bba2().decide(nominal(rows=1), situation(27.0, 3)).rung == 4


# --------------------------------------------------------------------------- BOLA


@given(st.floats(0.0, 27.9), st.integers(0, 4))
def test_bola_maximises_utility_per_bit(buffer_s: float, max_rung: int) -> None:
    here = situation(buffer_s, max_rung=max_rung)
    rates = LADDER.bitrate_bps.tolist()
    utilities = [math.log(rate / rates[0]) for rate in rates]
    vp = 28.0 / (utilities[max_rung] + 5.0)
    scores = [(vp * (u + 5.0) - here.buffer_us / US) / r for u, r in zip(utilities, rates, strict=True)][: max_rung + 1]

    chosen = bind("bola", LADDER).decide(nominal(), here).rung

    assert scores[chosen] == pytest.approx(max(scores), rel=1e-9)


def test_bola_gives_a_tie_to_the_lowest_rung() -> None:
    twins = make_ladder([500e3, 500e3, 500e3])

    assert bind("bola", twins).decide(nominal(twins), situation(10.0)).rung == 0


def test_bola_holds_its_rung_between_two_thresholds() -> None:
    # rungs q and q+1 tie at B = Vp (gp + (R' u - R u') / (R' - R)); for 0|1: 16.5 s, for 1|2: 19.2 s
    vp = 28.0 / (math.log(10) + 5.0)
    first = vp * (5.0 - math.log(2))
    second = vp * (5.0 + (1200 * math.log(2) - 600 * math.log(4)) / 600)
    rule = bind("bola", LADDER)

    at = [rule.decide(nominal(), situation(b)).rung for b in (first - 0.01, first + 0.01, second - 0.01, second + 0.01)]

    assert at == [0, 1, 1, 2]


def test_bola_waits_until_the_top_rung_is_worth_its_bits() -> None:
    assert bind("bola", LADDER).decide(nominal(), situation(28.0)) == (4, 0, reasons.UTILITY)
    assert bind("bola", LADDER).decide(nominal(), situation(29.5)) == (4, 1_500_000, reasons.UTILITY_WAIT)
    assert bind("bola", LADDER).decide(nominal(), situation(29.5, rate=2.0)).wait_us == 750_000


def test_bola_follows_the_buffer_goal_of_the_moment() -> None:
    rule = bind("bola", LADDER)

    assert rule.decide(nominal(), situation(16.0, goal_s=30.0)).rung == 0
    assert rule.decide(nominal(), situation(16.0, goal_s=18.0)).rung == 4
