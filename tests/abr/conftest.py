"""A player of twenty lines in virtual time, independent of the engine, for judging rules by what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from cushion_abr.contract import (
    PHASE_STARTUP,
    PHASE_STEADY,
    SAMPLE_DOWNLOAD,
    Ladder,
    Sample,
    Situation,
    make_ladder,
)
from cushion_abr.registry import BoundRule, bind

US = 1_000_000
FIVE_RUNGS_BPS = [300e3, 600e3, 1200e3, 2000e3, 3000e3]

Rates = list[tuple[float, float]]
"""(seconds, bit/s) periods, repeated for ever."""


@dataclass
class Played:
    """What a session did."""

    rungs: list[int] = field(default_factory=list[int])
    requested_us: list[int] = field(default_factory=list[int])
    stalled_us: int = 0
    startup_us: int = 0

    def rungs_before(self, seconds: float) -> list[int]:
        return [rung for rung, at in zip(self.rungs, self.requested_us, strict=True) if at < seconds * US]


def arrival_us(rates: Rates, start_us: int, bits: float) -> int:
    """When the last of `bits` has come: float arithmetic, one period at a time."""
    lap_us = sum(seconds for seconds, _ in rates) * US
    now = float(start_us)
    while True:
        within = now % lap_us
        for seconds, rate_bps in rates:
            if within < seconds * US:
                left_us = seconds * US - within
                if bits <= left_us * rate_bps / US:
                    return int(now + bits / rate_bps * US) + 1
                bits -= left_us * rate_bps / US
                now += left_us
                break
            within -= seconds * US


def play(
    rule: BoundRule,
    rates: Rates,
    *,
    n_segments: int = 60,
    segment_us: int = 2 * US,
    goal_us: int = 30 * US,
    latency_us: int = 40_000,
    max_rung: int = 99,
    sizes_bits: np.ndarray[tuple[int, int], np.dtype[np.int64]] | None = None,
) -> Played:
    """Play to the end: start at one segment of buffer, one request at a time, none beyond the goal."""
    ladder = rule.ladder
    if sizes_bits is None:
        row = (ladder.bitrate_bps * segment_us / US).astype(np.int64) // 8 * 8
        sizes_bits = np.ascontiguousarray(np.tile(row, (n_segments, 1)))
    played = Played()
    now, buffer_us, last_rung, running = 0, 0, -1, False

    def advance(to_us: int) -> None:
        nonlocal now, buffer_us
        if running:
            passed = to_us - now
            played.stalled_us += max(passed - buffer_us, 0)
            buffer_us = max(buffer_us - passed, 0)
        now = to_us

    for index in range(n_segments):
        advance(now + max(buffer_us + segment_us - goal_us, 0))
        situation = Situation(
            now, buffer_us, goal_us, segment_us, index, n_segments - index, last_rung, max_rung,
            PHASE_STEADY if running else PHASE_STARTUP, 0, 1.0, 1,
        )  # fmt: skip
        decision = rule.decide(sizes_bits[index : index + rule.lookahead], situation)
        advance(now + decision.wait_us)
        request_us = now
        bits = int(sizes_bits[index, decision.rung])
        end_us = arrival_us(rates, request_us + latency_us, bits)
        advance(end_us)
        rule.observe(Sample(SAMPLE_DOWNLOAD, decision.rung, bits // 8, request_us, request_us + latency_us, end_us))
        buffer_us += segment_us
        if not running:
            running, played.startup_us = True, now
        last_rung = decision.rung
        played.rungs.append(decision.rung)
        played.requested_us.append(request_us)
    return played


@pytest.fixture
def ladder() -> Ladder:
    return make_ladder(FIVE_RUNGS_BPS)


@pytest.fixture
def play_rule() -> Callable[..., Played]:
    """play_rule(name, rates, ..., bitrates=..., params=...) -> Played"""

    def run(
        name: str,
        rates: Rates,
        bitrates: list[float] | None = None,
        params: dict[str, float] | None = None,
        **session: object,
    ) -> Played:
        rule = bind(name, make_ladder(bitrates or FIVE_RUNGS_BPS), seed=0, **(params or {}))
        return play(rule, rates, **session)  # type: ignore[arg-type]  # forwarded keywords

    return run
