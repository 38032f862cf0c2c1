"""A rule of your own, in the same engine that plays in the living room, over a link in virtual time.

python examples/custom_rule.py
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from cushion_abr import registry
from cushion_abr.contract import Decision, Float64Array, Int64Array, Ladder, Sample, Situation
from cushion_player.engine import PlaybackEngine
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import TrackKind
from cushion_traces.named import link_for


class Params(NamedTuple):
    """Buffer (s) needed for each step up the ladder."""

    seconds_a_rung: float = 4.0


LOOKAHEAD = 1


def init(params: Params, ladder: Ladder, seed: int) -> Float64Array:
    return np.zeros(0)


def observe(sample: Sample, state: Float64Array) -> None:
    """This rule learns nothing from downloads."""


def decide(
    ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: Params, state: Float64Array
) -> Decision:
    """One rung for every `seconds_a_rung` of buffer."""
    return Decision(min(int(situation.buffer_us / 1e6 / params.seconds_a_rung), situation.max_rung), 0, 0)


def main() -> None:
    registry.register("staircase", sys.modules[__name__])
    for rule in ("staircase", "bba2", "bola"):
        driver = VirtualDriver(PlaybackEngine(rule=rule), make_timeline(), link_for("step"))
        driver.start()
        driver.run()
        rungs = [fetch.rung for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO]
        end = driver.engine.snapshot(driver.now_us)
        print(f"{rule:10} rungs {rungs} stalls {end.rebuffer_count} ({end.rebuffer_us / 1e6:.1f} s)")


if __name__ == "__main__":
    main()
