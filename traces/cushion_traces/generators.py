"""Made-up traces with seeds: Markov chains over levels of capacity, in the manner of 3G and 4G recordings.

Only uniform draws of the generator are used, and rates are rounded to kb/s, so a seed gives the same trace with every
version of numpy. These are no substitute for recordings; the parameters say what they imitate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from cushion_traces.trace import Trace, TraceError, make_trace


@dataclass(frozen=True, slots=True)
class MarkovModel:
    """A chain over capacity levels. Each period it stays, or moves to a neighbouring level (either with equal chance).

    spread: within a level the rate is level x 2^(spread x t), t triangular on (-1, 1).
    """

    levels_bps: tuple[int, ...]
    stay: float
    spread: float
    latency_us: int
    period_us: int = 1_000_000


MOBILE_3G: Final = MarkovModel((60_000, 450_000, 900_000, 1_200_000, 1_600_000, 2_500_000), 0.55, 0.7, 100_000)
"""After 86 HSDPA recordings from Norwegian buses, trams and ferries (Riiser et al. 2013, as cut by Sabre).

Recorded: mean 1.15 Mb/s, coefficient of variation 0.63, correlation of neighbouring seconds 0.81, percentiles
5/25/50/75/95 at 0.05, 0.42, 0.98, 1.62, 3.15 Mb/s. Generated: 1.13, 0.74, 0.81; 0.05, 0.45, 1.03, 1.63, 2.77.
"""

MOBILE_4G: Final = MarkovModel(
    (6_000_000, 20_000_000, 28_000_000, 34_000_000, 42_000_000, 54_000_000), 0.35, 0.6, 20_000
)
"""After 40 LTE recordings from Ghent (van der Hooft et al. 2016, as cut by Sabre).

Recorded: mean 31.4 Mb/s, coefficient of variation 0.47, correlation of neighbouring seconds 0.66, percentiles
5/25/50/75/95 at 5, 18, 29, 41, 59 Mb/s. Generated: 31.5, 0.52, 0.77; 5.5, 20, 31, 43, 60.
"""


MODELS: Final = {"3g": MOBILE_3G, "4g": MOBILE_4G}


def markov(model: MarkovModel, seconds: float, random: np.random.Generator | int) -> Trace:
    """A trace of the model, at least `seconds` long (whole periods). `random` is a generator or a seed.

    Raises TraceError when the length is not positive or longer than a day.
    """
    if not 0 < seconds <= 86_400:
        raise TraceError(f"a generated trace lasts more than 0 s and at most a day, got {seconds:g} s")
    generator = random if isinstance(random, np.random.Generator) else np.random.Generator(np.random.PCG64(random))
    top = len(model.levels_bps) - 1
    level = int(generator.random() * (top + 1))
    rates: list[int] = []
    n_periods = math.ceil(seconds * 1_000_000 / model.period_us)
    for _ in range(n_periods):
        move = generator.random()
        if move >= model.stay:
            step = 1 if move >= (1 + model.stay) / 2 else -1
            level = min(max(level + step, 0), top)
        triangular = generator.random() - generator.random()
        rate_kbps = model.levels_bps[level] * 2.0 ** (model.spread * triangular) / 1000
        rates.append(max(round(rate_kbps), 1) * 1000)
    return make_trace([model.period_us] * n_periods, rates, model.latency_us)


def step(rates_bps: list[int], seconds: float, latency_us: int) -> Trace:
    """These rates one after the other, `seconds` each. Raises TraceError."""
    return make_trace([round(seconds * 1_000_000)] * len(rates_bps), rates_bps, latency_us)
