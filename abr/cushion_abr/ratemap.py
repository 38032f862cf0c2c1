"""The buffer map that BBA-0 and BBA-2 share: from a buffer level to a rate (or a size), and from there to a rung."""

from __future__ import annotations

from cushion_abr.contract import Float64Array, Int64Array, Situation
from cushion_abr.reasons import CUSHION_DOWN, CUSHION_HOLD, CUSHION_UP


def map_top_us(situation: Situation, top_fraction: float) -> float:
    """The buffer level (µs) at which the map reaches the highest rung: > 0.

    `top_fraction` of the goal, but not more than a segment below it, where a player that requests whole segments
    would never get; half the goal at least, for goals of one or two segments.
    """
    goal_us = float(max(situation.buffer_max_us, 1))
    return max(min(top_fraction * goal_us, goal_us - situation.segment_us), 0.5 * goal_us)


def map_value(buffer_us: float, reservoir_us: float, top_us: float, low: float, high: float) -> float:
    """`low` inside the reservoir, `high` above the cushion (`top_us`), linear between (0 <= reservoir_us < top_us)."""
    if buffer_us <= reservoir_us:
        return low
    if buffer_us >= top_us:
        return high
    return low + (high - low) * (buffer_us - reservoir_us) / (top_us - reservoir_us)


def step_on_map(steps: Float64Array | Int64Array, value: float, previous: int, top: int) -> tuple[int, int]:
    """Move from `previous` (0 <= previous <= top) only when `value` reaches a neighbour's step. Returns (rung, reason).

    steps: (n_rungs,) the rate or size of each rung, in the unit of `value`.
    Up, to the highest rung with step <= value, once the next rung's step is reached; down, to the lowest with
    step > value, once the one below is reached. Source: Huang et al., BBA (SIGCOMM 2014), Algorithm 1; reaching a
    step counts upwards (the paper's strict inequality would keep the top rung out of a map that ends on it).
    """
    if previous < top and value >= steps[previous + 1]:
        rung = top
        while rung > previous + 1 and steps[rung] > value:
            rung -= 1
        return rung, CUSHION_UP
    if previous > 0 and value <= steps[previous - 1]:
        rung = 0
        while rung < previous and steps[rung] <= value:
            rung += 1
        if rung < previous:
            return rung, CUSHION_DOWN
    return previous, CUSHION_HOLD
