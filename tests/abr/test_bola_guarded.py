"""BOLA between guards: decisions worked out by hand, and sessions over links that tempt it to go to and fro."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cushion_abr import reasons
from cushion_abr.contract import SAMPLE_DOWNLOAD, Int64Array, Sample, Situation, make_ladder
from cushion_abr.registry import BoundRule, bind

US = 1_000_000
LADDER = make_ladder([300e3, 600e3, 1200e3, 2000e3, 3000e3])
SIZES: Int64Array = np.tile((LADDER.bitrate_bps * 2).astype(np.int64) // 8 * 8, (10, 1))
THREE = [300e3, 800e3, 2500e3]
VP_S = 14.0 / (math.log(10) + 3.0)
"""Of the map upwards: half of the goal less a segment, over the utility of the top plus gp."""
FIRST_STEP_S = VP_S * (3.0 - math.log(2))
"""Buffer at which BOLA is indifferent between the two lowest rungs."""
Play = Callable[..., Any]


def situation(buffer_s: float, last_rung: int, n_left: int = 60, max_rung: int = 4, rate: float = 1.0) -> Situation:
    return Situation(0, round(buffer_s * US), 30 * US, 2 * US, 5, n_left, last_rung, max_rung, 1, 0, rate, 1)


def rule_at(mbps: float, **params: float) -> BoundRule:
    """The rule after one download at that throughput."""
    rule = bind("bola_guarded", LADDER, seed=0, **params)
    rule.observe(Sample(SAMPLE_DOWNLOAD, 0, round(mbps * 125_000), 0, 0, US))
    return rule


def test_first_step_up_comes_at_bolas_threshold_for_half_of_the_goal() -> None:
    rule = rule_at(0.75)

    assert rule.decide(SIZES, situation(FIRST_STEP_S - 0.01, 0)) == (0, 0, reasons.HOLD)
    assert rule.decide(SIZES, situation(FIRST_STEP_S + 0.01, 0)) == (1, 0, reasons.UTILITY)


def test_step_down_comes_at_half_of_the_buffer_of_the_step_up() -> None:
    rule = rule_at(0.6)  # 0.51 Mb/s safe: does not carry 0.6

    assert rule.decide(SIZES, situation(FIRST_STEP_S / 2 + 0.01, 1)) == (1, 0, reasons.HOLD)
    assert rule.decide(SIZES, situation(FIRST_STEP_S / 2 - 0.01, 1)) == (0, 0, reasons.UTILITY)


def test_rung_that_the_link_carries_is_kept_at_any_buffer() -> None:
    assert rule_at(0.75).decide(SIZES, situation(2.9, 1)) == (1, 0, reasons.HOLD)


def test_rung_above_the_link_is_taken_only_if_the_buffer_carries_it_for_five_segments() -> None:
    # 1.2 Mb/s over 0.85 x 1.2: each segment costs 2 s x (1 / 0.85 - 1) = 0.353 s; five cost 1.765 s, and 2 s stay
    rule = rule_at(1.2)

    assert rule.decide(SIZES, situation(11.0, 1)) == (2, 0, reasons.UNSUSTAINED)  # 2.0 Mb/s costs 9.6 s, and 2 s stay
    assert rule.decide(SIZES, situation(11.7, 1)).rung == 3
    # 3.0 over 1.02 costs 3.88 s a segment, and at the end three segments are all there is: 11.6 s and 2 s
    assert rule.decide(SIZES, situation(13.9, 2, n_left=3)) == (4, 0, reasons.UTILITY)


def test_low_buffer_follows_a_throughput_that_is_far_above_the_rung() -> None:
    rule = rule_at(6.0)  # 0.4 of it is 2.4 Mb/s

    assert rule.decide(SIZES, situation(2.0, 0)) == (3, 0, reasons.START_THROUGHPUT)


def test_next_segment_must_arrive_within_seven_tenths_of_the_buffer() -> None:
    assert rule_at(1.3).decide(SIZES, situation(1.0, 2)) == (0, 0, reasons.INSUFFICIENT_BUFFER)


def test_top_of_a_limit_is_named_so() -> None:
    assert rule_at(50.0).decide(SIZES, situation(20.0, 2, max_rung=2)) == (2, 0, reasons.LIMITED)


@pytest.mark.parametrize(("mbps", "rung"), [(1.0, 0), (2.5, 1), (5.0, 2), (12.0, 4)])
def test_remembered_throughput_chooses_a_first_segment_that_comes_within_half_a_second(mbps: float, rung: int) -> None:
    rule = bind("bola_guarded", LADDER, seed=0, initial_throughput_bps=mbps * 1e6)

    assert rule.decide(SIZES, situation(0.0, -1)) == (rung, 0, reasons.REMEMBERED)


def test_remembered_throughput_is_forgotten_with_the_first_download() -> None:
    rule = rule_at(0.4, initial_throughput_bps=50e6)

    assert rule.decide(SIZES, situation(2.0, 0)) == (0, 0, reasons.HOLD)


@pytest.mark.parametrize("mbps", [0.5, 1.2, 1.6, 2.0])
def test_link_between_two_rungs_is_no_reason_to_go_to_and_fro(mbps: float, play_rule: Play) -> None:
    played = play_rule("bola_guarded", [(60.0, mbps * 1e6)], bitrates=THREE, n_segments=150)

    bola = play_rule("bola", [(60.0, mbps * 1e6)], bitrates=THREE, n_segments=150)
    assert played.stalled_us == 0
    assert turns(played.rungs[:140]) < 0.25 * turns(bola.rungs[:140])


def turns(rungs: list[int]) -> int:
    return sum(before != after for before, after in pairwise(rungs))
