"""The best that anybody could do on a link: a dynamic programme that knows the future of the link and every size.

State before segment k: the time, the delay of playback so far (start-up and stalls), the last rung. A state that is
not earlier, has not more delay (so not more media in hand) and no better score than another of the same rung is
dropped; of states within one cell of the grid the best is kept, so the result can be attained.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.abr_links import PENALTY
from cushion_traces.link import Link, finish_us

TIME_CELL_US: Final = 50_000
DELAY_CELL_US: Final = 50_000


@dataclass(frozen=True, slots=True)
class Bound:
    """The best session: its score a segment, and how it came about."""

    qoe: float
    rungs: tuple[int, ...]
    startup_s: float
    stalled_s: float


@dataclass(slots=True)
class _State:
    time_us: int
    delay_us: int
    score: float
    rungs: tuple[int, ...]
    startup_us: int


def best_session(
    link: Link,
    sizes_bytes: Sequence[Sequence[int]],
    rates_bps: Sequence[float],
    *,
    overhead_bytes: int = 0,
    before_bytes: int = 0,
    segment_us: int = 2_000_000,
    goal_us: int = 30_000_000,
) -> Bound:
    """The best linear QoE with perfect knowledge, an empty buffer and one request at a time.

    sizes_bytes: per segment one size a rung. overhead_bytes: fetched with every segment (the sound).
    before_bytes: what comes before the first segment (the manifest), in a request of its own.
    """
    penalty_us = PENALTY / 1e6
    start = _State(finish_us(link, link.latency_us, before_bytes), 0, 0.0, (), 0)
    layer: dict[int, list[_State]] = {-1: [start]}
    for index, sizes in enumerate(sizes_bytes):
        following: dict[int, dict[tuple[int, int], _State]] = {}
        for last, states in layer.items():
            for state in states:
                # Playback of segment `index` is due at delay + index x segment; the buffer has room a goal before.
                room_us = state.delay_us + (index + 1) * segment_us - goal_us if index else 0
                request_us = max(state.time_us, room_us)
                for rung, size in enumerate(sizes):
                    end_us = finish_us(link, request_us + link.latency_us, size + overhead_bytes)
                    late_us = max(0, end_us - state.delay_us - index * segment_us)
                    score = state.score + rates_bps[rung] / 1e6 - penalty_us * late_us
                    if last >= 0:
                        score -= abs(rates_bps[rung] - rates_bps[last]) / 1e6
                    delay_us = state.delay_us + late_us
                    cell = (end_us // TIME_CELL_US, delay_us // DELAY_CELL_US)
                    cells = following.setdefault(rung, {})
                    kept = cells.get(cell)
                    if kept is None or score > kept.score:
                        cells[cell] = _State(
                            end_us, delay_us, score, (*state.rungs, rung), state.startup_us if index else delay_us
                        )
        layer = {rung: _pareto(list(cells.values())) for rung, cells in following.items()}
    best = max((state for states in layer.values() for state in states), key=lambda state: state.score)
    stalled_us = best.delay_us - best.startup_us
    return Bound(best.score / len(sizes_bytes), best.rungs, best.startup_us / 1e6, stalled_us / 1e6)


def _pareto(states: list[_State]) -> list[_State]:
    """Those that no other beats in time, delay and score together."""
    states.sort(key=lambda state: (state.time_us, -state.delay_us, -state.score))
    kept: list[_State] = []
    # Of those no later, by delay: each next one has more delay and a lower score.
    delays: list[int] = []
    scores: list[float] = []
    for state in states:
        at = bisect_left(delays, state.delay_us)
        if at < len(delays) and scores[at] >= state.score:
            continue
        kept.append(state)
        if at < len(delays) and delays[at] == state.delay_us:
            del delays[at], scores[at]
        first = at
        while first > 0 and scores[first - 1] <= state.score:
            first -= 1
        delays[first:at] = [state.delay_us]
        scores[first:at] = [state.score]
    return kept
