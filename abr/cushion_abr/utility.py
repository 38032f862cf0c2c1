"""BOLA's trade: utility per bit against the buffer level. Shared by the rules that rest on it."""

from __future__ import annotations

import math

from cushion_abr.contract import Float64Array, Ladder, Situation


def utility_init(state: Float64Array, base: int, ladder: Ladder) -> None:
    """Fill state[base : base + n_rungs] with the utility of each rung, ln(R_q / R_0)."""
    for rung in range(ladder.bitrate_bps.shape[0]):
        state[base + rung] = math.log(ladder.bitrate_bps[rung] / ladder.bitrate_bps[0])


def room_us(situation: Situation) -> float:
    """The buffer that can be traded (µs): the goal less the segment that must fit; half of goals that are too small."""
    return max(float(situation.buffer_max_us - situation.segment_us), 0.5 * situation.buffer_max_us)


def best_utility(
    ladder: Ladder, state: Float64Array, base: int, gp: float, room_us: float, buffer_us: float, top: int
) -> int:
    """The rung <= `top` that maximises (Vp (u_q + gp) - B) / R_q, the lowest of equals; `top` above `room_us`.

    Vp = room / (u_top + gp). Source: Spiteri et al., BOLA (INFOCOM 2016), with the nominal bitrate for the size.
    """
    if buffer_us > room_us:
        return top
    vp_us = room_us / (state[base + top] + gp)
    best = 0
    best_score = (vp_us * (state[base] + gp) - buffer_us) / ladder.bitrate_bps[0]
    for rung in range(1, top + 1):
        score = (vp_us * (state[base + rung] + gp) - buffer_us) / ladder.bitrate_bps[rung]
        if score > best_score:
            best = rung
            best_score = score
    return best
