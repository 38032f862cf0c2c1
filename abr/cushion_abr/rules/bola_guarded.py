"""BOLA between guards: up when the buffer asks for it and the link carries it, down when the buffer is half that."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cushion_abr.abandonment import abandon_slow
from cushion_abr.contract import Decision, Float64Array, Int64Array, Ladder, Progress, Sample, Situation
from cushion_abr.estimators import LINK_SIZE, link_init, link_observe_whole, link_throughput_bps
from cushion_abr.guards import affordable, allowed_top, carries, insufficient_buffer, limited
from cushion_abr.reasons import (
    HOLD,
    INSUFFICIENT_BUFFER,
    NO_SAMPLE,
    REMEMBERED,
    START_THROUGHPUT,
    UNSUSTAINED,
    UTILITY,
)
from cushion_abr.utility import best_utility, room_us, utility_init

LOOKAHEAD: Final = 1
RANGES: Final = {
    "gp": (0.01, 1000.0),
    "goal_share": (0.05, 1.0),
    "hold_share": (0.0, 1.0),
    "safety_factor": (0.01, 2.0),
    "start_factor": (0.0, 2.0),
    "buffer_factor": (0.01, 2.0),
    "stay_segments": (0.0, 1000.0),
    "first_segment_s": (0.0, 60.0),
    "patience": (0.0, 1e9),
    "initial_throughput_bps": (0.0, 1e12),
}


class Params(NamedTuple):
    """Tuned on recordings other than the links of benchmarks/bench_abr_links.py."""

    gp: float = 3.0
    """What playing at all is worth, in units of utility (BOLA's gamma x p)."""
    goal_share: float = 0.5
    """Share of the buffer goal over which BOLA's map upwards is spread; the rest is reserve."""
    hold_share: float = 0.5
    """The map downwards is the one upwards, shrunk to this share."""
    safety_factor: float = 0.85
    """Share of the measured throughput on which plans are built."""
    start_factor: float = 0.37
    """A rung within this share of the throughput is taken whatever the buffer says."""
    buffer_factor: float = 0.7
    """Share of the time the buffer lasts in which the next segment must arrive (dash.js)."""
    stay_segments: float = 5.0
    """An upward switch must be carried for so many segments."""
    first_segment_s: float = 0.5
    """How long the first segment may take at the remembered throughput."""
    patience: float = 2.0
    """A late download is given up once the buffer lasts so many times as long as the lowest rung would take."""
    initial_throughput_bps: float = 0.0
    """What the network gave last time; 0 when nothing is remembered."""


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    """State: a link estimate, then the utility of each rung."""
    state = np.zeros(LINK_SIZE + ladder.bitrate_bps.shape[0], dtype=np.float64)
    link_init(state, 0, 3.0, 8.0)
    utility_init(state, LINK_SIZE, ladder)
    return state


def observe(sample: Sample, state: Float64Array) -> None:
    """Count the download; a seek changes nothing, for the link is the same."""
    link_observe_whole(sample, state, 0)


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """Follow BOLA's map upwards and a lower one downwards, as far as throughput and buffer carry it.

    sizes_bits: (n_ahead, n_rungs) int64; row 0 goes to the insufficient-buffer guard and to the first choice.
    Up: to the highest rung that BOLA asks for and that the safe throughput carries for `stay_segments`, drawing the
    buffer down if need be. Down: when a map of half the size asks for it and the safe throughput does not carry the
    present rung, to that map's rung or to what the throughput affords, whichever is higher. A rung far below the
    throughput is taken at once, which is what starts a session. Then the insufficient-buffer guard.
    Source: BOLA (Spiteri et al., INFOCOM 2016) for the map, BOLA-O (ToN 2020) for capping upward switches by
    throughput, dash.js InsufficientBufferRule. Departures: two maps instead of one (hysteresis), a cap that counts
    the buffer and the segments left, throughput at the start instead of a placeholder buffer, no waiting.
    """
    n_rungs = ladder.bitrate_bps.shape[0]
    top = allowed_top(situation, n_rungs)
    throughput_bps = link_throughput_bps(state, 0)
    if throughput_bps <= 0.0:
        return _first(sizes_bits, params, top)
    last = max(min(situation.last_rung, top), 0)
    safe_bps = params.safety_factor * throughput_bps
    share_us = params.goal_share * room_us(situation)
    buffer_us = float(situation.buffer_us)
    rung, reason = last, HOLD
    wanted = best_utility(ladder, state, LINK_SIZE, params.gp, share_us, buffer_us, top)
    if wanted > last:
        rung, reason = wanted, UTILITY
        while rung > last and not carries(ladder, situation, safe_bps, rung, params.stay_segments):
            rung, reason = rung - 1, UNSUSTAINED
    elif ladder.bitrate_bps[last] * situation.rate > safe_bps:
        held = best_utility(ladder, state, LINK_SIZE, params.gp, params.hold_share * share_us, buffer_us, top)
        if held < last:
            rung, reason = max(held, affordable(ladder, safe_bps, last)), UTILITY
    start = affordable(ladder, params.start_factor * throughput_bps, top)
    if start > rung:
        rung, reason = start, START_THROUGHPUT
    cap = insufficient_buffer(sizes_bits, situation, throughput_bps, params.buffer_factor, top)
    if cap < rung:
        return Decision(cap, 0, INSUFFICIENT_BUFFER)
    return Decision(rung, 0, limited(rung, top, n_rungs, reason))


def _first(sizes_bits: Int64Array, params: Params, top: int) -> Decision:
    """The lowest rung, or the highest whose segment is there soon at the throughput of last time."""
    budget_bits = params.first_segment_s * params.initial_throughput_bps
    rung = top
    while rung > 0 and sizes_bits[0, rung] > budget_bits:
        rung -= 1
    return Decision(rung, 0, REMEMBERED if params.initial_throughput_bps > 0.0 else NO_SAMPLE)


def abandon(ladder: Ladder, progress: Progress, params: Params, state: Float64Array) -> int:
    """The rung to fetch instead of a download that runs late, or -1."""
    return abandon_slow(ladder, progress, params.patience)
