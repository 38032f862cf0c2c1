import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr.contract import Float64Array, Situation
from cushion_abr.ratemap import map_top_us, map_value, step_on_map
from cushion_abr.reasons import CUSHION_DOWN, CUSHION_HOLD, CUSHION_UP

STEPS: Float64Array = np.array([1.0, 2.0, 4.0, 8.0])


def situation(goal_us: int, segment_us: int) -> Situation:
    return Situation(0, 0, goal_us, segment_us, 0, 10, -1, 9, 0, 0, 1.0, 1)


@pytest.mark.parametrize(
    ("goal_s", "segment_s", "top_s"), [(30, 2, 27), (240, 4, 216), (30, 6, 24), (4, 2, 2), (2, 2, 1)]
)
def test_the_map_ends_where_the_player_can_get(goal_s: int, segment_s: int, top_s: int) -> None:
    assert map_top_us(situation(goal_s * 1_000_000, segment_s * 1_000_000), 0.9) == top_s * 1_000_000


def test_the_map_is_flat_outside_the_cushion_and_linear_within() -> None:
    at = [map_value(level, 10.0, 30.0, 1.0, 5.0) for level in (0.0, 10.0, 15.0, 20.0, 30.0, 99.0)]

    assert at == [1.0, 1.0, 2.0, 3.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("value", "previous", "rung", "reason"),
    [
        (3.9, 1, 1, CUSHION_HOLD),
        (4.0, 1, 2, CUSHION_UP),
        (7.9, 1, 2, CUSHION_UP),
        (8.0, 0, 3, CUSHION_UP),
        (1.1, 1, 1, CUSHION_HOLD),
        (1.0, 2, 1, CUSHION_DOWN),
        (2.1, 2, 2, CUSHION_HOLD),
        (1.5, 3, 1, CUSHION_DOWN),
        (0.5, 3, 0, CUSHION_DOWN),
        (9.9, 3, 3, CUSHION_HOLD),
        (0.0, 0, 0, CUSHION_HOLD),
    ],
)
def test_a_rung_is_kept_until_a_neighbours_step_is_reached(value: float, previous: int, rung: int, reason: int) -> None:
    assert step_on_map(STEPS, value, previous, 3) == (rung, reason)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.floats(0, 60), st.integers(0, 7), st.integers(0, 7))
def test_steps_in_any_order_give_a_rung_within_bounds_and_in_the_said_direction(
    steps: list[int], value: float, previous: int, top: int
) -> None:
    top = min(top, len(steps) - 1)
    previous = min(previous, top)

    rung, reason = step_on_map(np.array(steps, dtype=np.int64), value, previous, top)

    assert 0 <= rung <= top
    assert (rung > previous, rung < previous) == (reason == CUSHION_UP, reason == CUSHION_DOWN)
