"""BBA-2: the chunk map of BBA-1 with its dynamic reservoir, and a start-up that climbs while the buffer grows fast."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cushion_abr.abandonment import abandon_slow
from cushion_abr.contract import (
    SAMPLE_ABANDONED,
    SAMPLE_DOWNLOAD,
    Decision,
    Float64Array,
    Int64Array,
    Ladder,
    Progress,
    Sample,
    Situation,
)
from cushion_abr.guards import allowed_top, limited
from cushion_abr.ratemap import map_top_us, map_value, step_on_map
from cushion_abr.reasons import NO_SAMPLE, RESERVOIR, STARTUP_HOLD, STARTUP_UP, UPPER_RESERVOIR

LOOKAHEAD: Final = 60
"""Segments: two buffer goals of 60 s at 2 s, 30 s at 1 s. A shorter window only makes the reservoir less informed."""
RANGES: Final = {
    "min_reservoir_fraction": (0.0, 0.45),
    "max_reservoir_fraction": (0.0, 0.45),
    "top_fraction": (0.5, 1.0),
    "startup_empty": (0.0, 1.0),
    "startup_full": (0.0, 1.0),
}

# state
STARTUP: Final = 0  # 1.0 while starting up
DOWNLOAD_US: Final = 1  # how long the last download took, -1.0 before any
STATE_SIZE: Final = 2


class Params(NamedTuple):
    """Bounds of the reservoir and the top of the map as shares of the buffer goal, and the start-up thresholds.

    The paper's bounds of the reservoir are 8 s and 140 s of 240 s. A goal of some 30 s cannot give more than 0.4 away,
    and an outage does not shrink with the goal: 0.3 instead of 0.1 left 1.3 instead of 1.9 rebuffers a session (38.6
    instead of 41.2 s) for 1.3 % of the bitrate, over half of Sabre's 86 HSDPA recordings and 300 s of its movie.
    """

    min_reservoir_fraction: float = 0.3
    max_reservoir_fraction: float = 0.4
    top_fraction: float = 0.9
    startup_empty: float = 0.875
    startup_full: float = 0.5


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    """State: (2,) whether starting up, and the duration of the last download in µs."""
    state = np.zeros(STATE_SIZE, dtype=np.float64)
    state[STARTUP] = 1.0
    state[DOWNLOAD_US] = -1.0
    return state


def observe(sample: Sample, state: Float64Array) -> None:
    """Remember how long the download took. A seek starts over; an abandoned download ends the start-up."""
    if sample.kind == SAMPLE_DOWNLOAD:
        state[DOWNLOAD_US] = float(sample.end_us - sample.request_us)
    elif sample.kind == SAMPLE_ABANDONED:
        state[STARTUP] = 0.0
    else:
        state[STARTUP] = 1.0
        state[DOWNLOAD_US] = -1.0


def reservoir_us(ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params) -> float:
    """The buffer (µs) that carries the lowest rung over its large segments on a link of just its bitrate.

    Looks two buffer goals ahead: the deepest the buffer would sink while segments that are larger than the declared
    rate are fetched at that rate. Between max(min_reservoir_fraction x goal, two segments) and
    max_reservoir_fraction x goal; the upper bound wins.
    """
    segment_us = float(situation.segment_us)
    rows = sizes_bits.shape[0]
    window_us = 2.0 * situation.buffer_max_us
    deficit_us = 0.0
    deepest_us = 0.0
    covered_us = 0.0
    row = 0
    while row < rows and covered_us < window_us:
        deficit_us += sizes_bits[row, 0] * 1_000_000.0 / ladder.bitrate_bps[0] - segment_us
        deepest_us = max(deepest_us, deficit_us)
        covered_us += segment_us
        row += 1
    low_us = max(params.min_reservoir_fraction * situation.buffer_max_us, 2.0 * segment_us)
    return min(max(deepest_us, low_us), params.max_reservoir_fraction * situation.buffer_max_us)


def map_rung(ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, top: int) -> tuple[int, int]:
    """What the chunk map asks for at this buffer level: (rung, reason)."""
    top_us = map_top_us(situation, params.top_fraction)
    low_us = min(reservoir_us(ladder, sizes_bits, situation, params), 0.9 * top_us)
    if situation.buffer_us <= low_us:
        return 0, RESERVOIR
    if situation.buffer_us >= top_us:
        return top, UPPER_RESERVOIR
    lowest_bits = 0.0
    highest_bits = 0.0
    rows = sizes_bits.shape[0]
    for row in range(rows):
        lowest_bits += sizes_bits[row, 0]
        highest_bits += sizes_bits[row, top]
    size_bits = map_value(float(situation.buffer_us), low_us, top_us, lowest_bits / rows, highest_bits / rows)
    previous = max(min(situation.last_rung, top), 0)
    return step_on_map(sizes_bits[0], size_bits, previous, top)


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """Choose by the chunk map; during start-up climb a rung whenever the last segment came quickly enough.

    sizes_bits: (n_ahead, n_rungs) int64, the coming segments; row 0 is the next one.
    Start-up: one rung up when the buffer grew by more than theta of a segment, theta falling linearly from 0.875 with
    an empty buffer to 0.5 at the top of the map. It ends for good when the buffer shrinks or the map asks for more.
    Source: Huang et al. (SIGCOMM 2014), sections 5 (BBA-1) and 6 (BBA-2). Departures:
    - reservoir and cushion scale with the player's buffer goal (the paper's is 240 s), the map reaches the highest
      rung at 0.9 of it, or a segment below it;
    - the reservoir lies within 0.3 and 0.4 of the goal; it is the deepest point of the look-ahead, not the sum at its
      end, which a quiet ending would hide;
    - mean sizes are those of the look-ahead, not of the title, so that a ladder that declares peak rates works too;
    - the map spans only the rungs allowed now;
    - a seek starts up again, from the lowest rung; an abandoned download ends it (the paper abandons nothing);
    - the buffer change of the last segment uses the duration of the next one and the playback rate.
    """
    n_rungs = ladder.bitrate_bps.shape[0]
    top = allowed_top(situation, n_rungs)
    rung, reason = map_rung(ladder, sizes_bits, situation, params, top)
    if state[STARTUP] > 0.0:
        if state[DOWNLOAD_US] < 0.0 or situation.last_rung < 0:
            return Decision(0, 0, NO_SAMPLE)
        growth_us = situation.segment_us - state[DOWNLOAD_US] * situation.rate
        candidate = min(situation.last_rung, top)
        startup_reason = STARTUP_HOLD
        fullness = min(situation.buffer_us / map_top_us(situation, params.top_fraction), 1.0)
        theta = params.startup_empty + (params.startup_full - params.startup_empty) * fullness
        if candidate < top and growth_us > theta * situation.segment_us:
            candidate += 1
            startup_reason = STARTUP_UP
        if growth_us >= 0.0 and rung <= candidate:
            return Decision(candidate, 0, limited(candidate, top, n_rungs, startup_reason))
        state[STARTUP] = 0.0
    return Decision(rung, 0, limited(rung, top, n_rungs, reason))


def abandon(ladder: Ladder, progress: Progress, params: Params, state: Float64Array) -> int:
    """The rung to fetch instead of a download that runs late, or -1."""
    return abandon_slow(ladder, progress)
