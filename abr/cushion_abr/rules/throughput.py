"""The highest rung that the measured throughput fetches within a segment duration."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cushion_abr.abandonment import abandon_slow
from cushion_abr.contract import Decision, Float64Array, Int64Array, Ladder, Progress, Sample, Situation
from cushion_abr.estimators import LINK_SIZE, link_init, link_latency_us, link_observe, link_throughput_bps
from cushion_abr.guards import affordable, allowed_top, insufficient_buffer, limited
from cushion_abr.reasons import INSUFFICIENT_BUFFER, NO_SAMPLE, THROUGHPUT

LOOKAHEAD: Final = 1
RANGES: Final = {
    "fast_half_life_s": (0.01, 1000.0),
    "slow_half_life_s": (0.01, 1000.0),
    "safety_factor": (0.01, 2.0),
    "buffer_factor": (0.01, 2.0),
}


class Params(NamedTuple):
    """Half-lives in seconds of download time; factors are shares of the estimate that may be used."""

    fast_half_life_s: float = 3.0
    slow_half_life_s: float = 8.0
    safety_factor: float = 0.9
    buffer_factor: float = 0.7


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    """State: one link estimate (see `cushion_abr.estimators`)."""
    state = np.zeros(LINK_SIZE, dtype=np.float64)
    link_init(state, 0, params.fast_half_life_s, params.slow_half_life_s)
    return state


def observe(sample: Sample, state: Float64Array) -> None:
    """Count the download; a seek changes nothing, for the link is the same."""
    link_observe(sample, state, 0)


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """Choose the highest rung q with latency + segment x R_q / (0.9 T) <= segment / rate; the lowest before any sample.

    sizes_bits: (n_ahead, n_rungs) int64; row 0 goes to the insufficient-buffer guard, which may lower the choice.
    T is the smaller of two EWMAs (half-lives 3 s and 8 s), R_q the declared bitrate. Source: Sabre's ThroughputRule
    with the half-lives of its command line, safety factor of dash.js. Departures: the guard is dash.js v5's (0.7),
    not Sabre's decaying one; playback rate counts.
    """
    n_rungs = ladder.bitrate_bps.shape[0]
    top = allowed_top(situation, n_rungs)
    throughput_bps = link_throughput_bps(state, 0)
    if throughput_bps <= 0.0:
        return Decision(0, 0, NO_SAMPLE)
    budget_us = float(situation.segment_us)
    if situation.rate > 0.0:
        budget_us /= situation.rate
    budget_us -= link_latency_us(state, 0)
    fitting_bps = params.safety_factor * throughput_bps * budget_us / max(situation.segment_us, 1)
    rung = affordable(ladder, fitting_bps, top)
    cap = insufficient_buffer(sizes_bits, situation, throughput_bps, params.buffer_factor, top)
    if cap < rung:
        return Decision(cap, 0, INSUFFICIENT_BUFFER)
    return Decision(rung, 0, limited(rung, top, n_rungs, THROUGHPUT))


def abandon(ladder: Ladder, progress: Progress, params: Params, state: Float64Array) -> int:
    """The rung to fetch instead of a download that runs late, or -1."""
    return abandon_slow(ladder, progress)
