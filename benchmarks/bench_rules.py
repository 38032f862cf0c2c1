"""What does a decision cost, rule by rule, when the live player asks for it as plain Python?"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Report, Spread, arguments, finish
from cushion_abr.contract import PHASE_STEADY, SAMPLE_DOWNLOAD, Ladder, Sample, Situation, make_ladder
from cushion_abr.registry import BoundRule, bind, rule_names

BITRATES_BPS = [300_000.0, 700_000.0, 1_400_000.0, 2_500_000.0, 4_500_000.0]
SEGMENT_US = 2_000_000
N_SEGMENTS = 3000
BASELINE = "fixed"


def decisions_cost_us(name: str, ladder: Ladder, sizes_bits: NDArray[np.int64], buffers_us: NDArray[np.int64]) -> float:
    """CPU µs of one decision and of the sample that follows it, over one session of N_SEGMENTS."""
    rule = bind(name, ladder)
    started_s = time.process_time()
    play(rule, sizes_bits, buffers_us)
    return (time.process_time() - started_s) / N_SEGMENTS * 1e6


def play(rule: BoundRule, sizes_bits: NDArray[np.int64], buffers_us: NDArray[np.int64]) -> None:
    now_us = 0
    last_rung = -1
    for index in range(N_SEGMENTS):
        situation = Situation(
            now_us=now_us,
            buffer_us=int(buffers_us[index]),
            buffer_max_us=30_000_000,
            segment_us=SEGMENT_US,
            index=index,
            n_left=N_SEGMENTS - index,
            last_rung=last_rung,
            max_rung=len(BITRATES_BPS) - 1,
            phase=PHASE_STEADY,
            live_latency_us=0,
            rate=1.0,
            sizes_exact=1,
        )
        last_rung = rule.decide(sizes_bits[index : index + rule.lookahead], situation).rung
        end_us = now_us + 700_000
        n_bytes = int(sizes_bits[index, last_rung]) // 8
        rule.observe(Sample(SAMPLE_DOWNLOAD, last_rung, n_bytes, now_us, now_us + 40_000, end_us))
        now_us = end_us


def main() -> int:
    options = arguments(__doc__ or "", pairs=7).parse_args()
    generator = np.random.default_rng(1)
    ladder = make_ladder(BITRATES_BPS)
    nominal = np.array(BITRATES_BPS) * SEGMENT_US / 1e6
    longest = max(bind(name, ladder).lookahead for name in rule_names())
    sizes_bits = (nominal * generator.uniform(0.5, 1.5, (N_SEGMENTS + longest, 1))).astype(np.int64)
    # A buffer that wanders over its whole range, so that every branch of a rate map is taken.
    buffers_us = (15e6 * (1 + np.sin(np.arange(N_SEGMENTS) / 50))).astype(np.int64)

    report = Report(f"CPU of one decision and its sample, {N_SEGMENTS} segments, {len(BITRATES_BPS)} rungs")
    costs: dict[str, list[float]] = {name: [] for name in rule_names()}
    for _ in range(options.pairs):
        for name in rule_names():  # in turn, so that drift favours none
            costs[name].append(decisions_cost_us(name, ladder, sizes_bits, buffers_us))
    spreads: dict[str, Spread] = {name: report.add(name, values, "µs") for name, values in costs.items()}
    report.notes.append(f"{BASELINE} decides nothing: its cost is that of asking and of this loop")
    dearest = max(spreads, key=lambda name: spreads[name].median)
    share = spreads[dearest].median / SEGMENT_US * 100
    report.judge(f"no rule takes more than 100 µs a segment ({dearest}, {share:.4f} % of a core)", share <= 0.005)
    return finish([report], options.json)


if __name__ == "__main__":
    sys.exit(main())
