"""Always the same rung, as far as the limits allow."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cushion_abr.contract import Decision, Float64Array, Int64Array, Ladder, Sample, Situation
from cushion_abr.guards import allowed_top, limited
from cushion_abr.reasons import FIXED

LOOKAHEAD: Final = 1
RANGES: Final = {"rung": (0.0, 1000.0)}


class Params(NamedTuple):
    """Which rung; one above the ladder means the highest."""

    rung: float = 0.0


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    """No state: one unused slot."""
    return np.zeros(1, dtype=np.float64)


def observe(sample: Sample, state: Float64Array) -> None:
    """Nothing to learn."""


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """Choose `params.rung`, or the highest allowed one below it."""
    n_rungs = ladder.bitrate_bps.shape[0]
    wanted = min(int(params.rung), n_rungs - 1)
    top = allowed_top(situation, n_rungs)
    if wanted > top:
        return Decision(top, 0, limited(top, top, n_rungs, FIXED))
    return Decision(wanted, 0, FIXED)
