"""BOLA, the basic form: the most utility per bit at this buffer level, and no estimate of the link."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from cushion_abr.abandonment import abandon_slow
from cushion_abr.contract import Decision, Float64Array, Int64Array, Ladder, Progress, Sample, Situation
from cushion_abr.guards import allowed_top, limited
from cushion_abr.reasons import UTILITY, UTILITY_WAIT
from cushion_abr.utility import best_utility, room_us, utility_init

LOOKAHEAD: Final = 1
RANGES: Final = {"gp": (0.01, 1000.0)}


class Params(NamedTuple):
    """gp: what playing at all is worth, in units of utility (gamma x p in the paper)."""

    gp: float = 5.0


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    """State: (n_rungs,) the utility of each rung, ln(R_q / R_0)."""
    n_rungs = ladder.bitrate_bps.shape[0]
    state = np.zeros(n_rungs, dtype=np.float64)
    utility_init(state, 0, ladder)
    return state


def observe(sample: Sample, state: Float64Array) -> None:
    """Nothing to learn: the buffer says it all."""


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """Choose the rung that maximises (Vp (u_q + gp) - B) / R_q; wait while that is negative for all.

    sizes_bits: (n_ahead, n_rungs) int64, not used: the paper's S_q is the nominal size, and so is R_q here.
    Ties go to the lowest rung (Sabre; dash.js takes the highest). Vp = (goal - segment) / (u_top + gp), with the
    buffer goal of the moment (`situation.buffer_max_us`) and the highest rung allowed now. When the buffer is above
    Vp (u_top + gp), which is goal - segment, the answer is the highest allowed rung, after playing down to there.
    Source: Spiteri et al., BOLA (INFOCOM 2016), BOLA-BASIC with gp = 5 as in Sabre; no finite-video correction, no
    placeholder buffer, no throughput cap. Departures: the goal is followed live; abandonment by throughput.
    """
    n_rungs = ladder.bitrate_bps.shape[0]
    top = allowed_top(situation, n_rungs)
    traded_us = room_us(situation)
    excess_us = situation.buffer_us - traded_us
    if excess_us > 0.0:
        if situation.rate > 0.0:
            excess_us /= situation.rate
        return Decision(top, math.ceil(excess_us), limited(top, top, n_rungs, UTILITY_WAIT))
    best = best_utility(ladder, state, 0, params.gp, traded_us, float(situation.buffer_us), top)
    return Decision(best, 0, limited(best, top, n_rungs, UTILITY))


def abandon(ladder: Ladder, progress: Progress, params: Params, state: Float64Array) -> int:
    """The rung to fetch instead of a download that runs late, or -1."""
    return abandon_slow(ladder, progress)
