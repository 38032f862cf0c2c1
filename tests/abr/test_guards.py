import numpy as np
import pytest

from cushion_abr.contract import Int64Array, Situation, make_ladder
from cushion_abr.guards import affordable, allowed_top, carries, insufficient_buffer, limited
from cushion_abr.reasons import LIMITED, UTILITY

SIZES: Int64Array = np.array([[600_000, 1_200_000, 2_400_000]], dtype=np.int64)


def situation(buffer_us: int = 0, max_rung: int = 2, rate: float = 1.0) -> Situation:
    return Situation(0, buffer_us, 30_000_000, 2_000_000, 3, 10, 1, max_rung, 1, 0, rate, 1)


@pytest.mark.parametrize(("max_rung", "top"), [(99, 2), (2, 2), (1, 1), (0, 0), (-1, 0)])
def test_the_allowed_top_is_within_the_ladder(max_rung: int, top: int) -> None:
    assert allowed_top(situation(max_rung=max_rung), 3) == top


def test_a_choice_is_limited_only_where_the_ladder_goes_on() -> None:
    assert limited(1, 1, 3, UTILITY) == LIMITED
    assert limited(2, 2, 3, UTILITY) == UTILITY
    assert limited(0, 1, 3, UTILITY) == UTILITY


@pytest.mark.parametrize(("buffer_s", "rung"), [(0.0, 0), (1.7, 0), (1.72, 1), (3.42, 1), (3.43, 2), (30.0, 2)])
def test_the_next_segment_must_arrive_within_its_share_of_the_buffer(buffer_s: float, rung: int) -> None:
    here = situation(buffer_us=int(buffer_s * 1e6))

    assert insufficient_buffer(SIZES, here, throughput_bps=1e6, factor=0.7, top=2) == rung


def test_a_faster_playback_makes_the_buffer_shorter() -> None:
    at_double_rate = situation(buffer_us=3_430_000, rate=2.0)

    assert insufficient_buffer(SIZES, at_double_rate, throughput_bps=1e6, factor=0.7, top=2) == 1


LADDER = make_ladder([300e3, 600e3, 1200e3])


@pytest.mark.parametrize(
    ("budget_bps", "top", "rung"), [(0.0, 2, 0), (599e3, 2, 0), (600e3, 2, 1), (9e6, 2, 2), (9e6, 1, 1)]
)
def test_what_is_affordable_lies_within_the_budget_and_the_top(budget_bps: float, top: int, rung: int) -> None:
    assert affordable(LADDER, budget_bps, top) == rung


@pytest.mark.parametrize(("buffer_s", "n_segments", "holds"), [(9.99, 4, False), (10.0, 4, True), (10.0, 5, False)])
def test_a_rung_above_the_link_is_carried_by_the_buffer_for_a_while(
    buffer_s: float, n_segments: int, holds: bool
) -> None:
    # 1.2 Mb/s over 0.6: each segment of 2 s costs 2 s of buffer, and one segment is to be left
    here = situation(buffer_us=int(buffer_s * 1e6))

    assert carries(LADDER, here, 600e3, 2, n_segments) is holds


def test_nothing_needs_to_be_carried_beyond_the_end() -> None:
    here = situation(buffer_us=10_000_000)._replace(n_left=4)

    assert carries(LADDER, here, 600e3, 2, 100)


def test_a_faster_playback_is_carried_less_far() -> None:
    assert carries(LADDER, situation(), 600e3, 1, 5)
    assert not carries(LADDER, situation(rate=2.0), 600e3, 1, 5)
    assert not carries(LADDER, situation(), 0.0, 0, 1)
