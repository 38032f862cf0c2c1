"""BBA-0: the buffer level alone, through a fixed map to a rate."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cushion_abr.contract import Decision, Float64Array, Int64Array, Ladder, Sample, Situation
from cushion_abr.guards import allowed_top, limited
from cushion_abr.ratemap import map_top_us, map_value, step_on_map
from cushion_abr.reasons import RESERVOIR, UPPER_RESERVOIR

LOOKAHEAD: Final = 1
RANGES: Final = {"reservoir_fraction": (0.0, 0.45), "top_fraction": (0.5, 1.0)}


class Params(NamedTuple):
    """Shares of the buffer goal: the paper's 90 s and 216 s of 240 s."""

    reservoir_fraction: float = 0.375
    top_fraction: float = 0.9


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    """No state: one unused slot."""
    return np.zeros(1, dtype=np.float64)


def observe(sample: Sample, state: Float64Array) -> None:
    """Nothing to learn: the buffer says it all."""


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """Keep the rung until the map of the buffer level reaches a neighbour's bitrate.

    sizes_bits: (n_ahead, n_rungs) int64, not used.
    Source: Huang et al., A Buffer-Based Approach to Rate Adaptation (SIGCOMM 2014), section 4. Departures: reservoir
    and cushion scale with the player's buffer goal; the map spans only the rungs allowed now; it ends at the latest
    one segment below the goal. No abandonment, as in the paper.
    """
    n_rungs = ladder.bitrate_bps.shape[0]
    top = allowed_top(situation, n_rungs)
    top_us = map_top_us(situation, params.top_fraction)
    reservoir_us = min(params.reservoir_fraction * situation.buffer_max_us, 0.9 * top_us)
    if situation.buffer_us <= reservoir_us:
        return Decision(0, 0, RESERVOIR)
    if situation.buffer_us >= top_us:
        return Decision(top, 0, limited(top, top, n_rungs, UPPER_RESERVOIR))
    rates_bps = ladder.bitrate_bps
    rate_bps = map_value(float(situation.buffer_us), reservoir_us, top_us, rates_bps[0], rates_bps[top])
    previous = max(min(situation.last_rung, top), 0)
    rung, reason = step_on_map(rates_bps, rate_bps, previous, top)
    return Decision(rung, 0, limited(rung, top, n_rungs, reason))
