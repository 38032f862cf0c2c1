import numpy as np
import pytest

from cushion_abr.contract import Int64Array, Situation
from cushion_abr.guards import allowed_top, insufficient_buffer, limited
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
