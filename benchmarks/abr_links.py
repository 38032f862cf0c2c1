"""The links over which players are compared, and how a session over one of them is scored.

Two simple ones, three HSDPA recordings, three LTE recordings scaled down to 2.5 Mb/s over their first 75 s. The
recordings are read from a folder of Sabre network files (sets `sabre_hsdpa3g` and `sabre_ghent4g`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from cushion_traces.files import read_trace
from cushion_traces.generators import step
from cushion_traces.link import Link, make_link
from cushion_traces.trace import Trace, make_trace

SEGMENT_S: Final = 2
N_SEGMENTS: Final = 30
PENALTY: Final = 4.3
"""Of a second without a moving picture, in Mb/s (Pensieve's linear QoE)."""


@dataclass(frozen=True, slots=True)
class Case:
    """A link by name."""

    name: str
    link: Link


def shaped(trace: Trace, latency_us: int, factor: float = 1.0) -> Link:
    """The link of a trace with its capacity scaled and one latency for every request."""
    rates = [round(rate * factor) for rate in trace.rates_bps]
    return make_link(list(trace.durations_us), rates, latency_us)


RECORDED: Final = {
    "hsdpa-0929-1827": ("sabre_hsdpa3g/report.2010-09-29_1827CEST.json", 100_000, 1.0),
    "hsdpa-0214-0644": ("sabre_hsdpa3g/report.2011-02-14_0644CET.json", 100_000, 1.0),
    "hsdpa-0214-2032": ("sabre_hsdpa3g/report.2011-02-14_2032CET.json", 100_000, 1.0),
    "lte-bus-0003": ("sabre_ghent4g/report_bus_0003.json", 20_000, 0.1172),
    "lte-train-0001": ("sabre_ghent4g/report_train_0001.json", 20_000, 0.1028),
    "lte-car-0004": ("sabre_ghent4g/report_car_0004.json", 20_000, 0.1143),
}
SIMPLE: Final = {
    "step": step([4_000_000, 700_000, 4_000_000], 20.0, 40_000),
    "constant": make_trace([60_000_000], [1_200_000], 40_000),
}
NAMES: Final = (*SIMPLE, *RECORDED)


def link_named(name: str, datasets: Path) -> Link:
    """The link of that name; `datasets` holds the recordings. Raises TraceError."""
    if name in SIMPLE:
        return shaped(SIMPLE[name], 40_000)
    path, latency_us, factor = RECORDED[name]
    return shaped(read_trace(datasets / path), latency_us, factor)


FOLDERS: Final = (
    ("sabre_hsdpa3g", 1, 100_000, None),
    ("sabre_ghent4g", 1, 20_000, 2_500_000),
    ("sabre_fcc_sd", 5, 20_000, None),
    ("sabre_fcc_hd", 10, 20_000, 2_500_000),
)
"""Folder, every how many of its files, latency (µs), and the mean capacity (bit/s) that they are scaled to."""
HEAD_US: Final = 75_000_000
LEAST_BPS: Final = 430_000
"""Slower in the mean over its head, a link does not carry the lowest rung and its sound."""


def recordings(datasets: Path) -> tuple[dict[str, Link], dict[str, Link]]:
    """Every recording but the six above that could be played, by turns into two halves. Raises TraceError."""
    used = {path for path, _, _ in RECORDED.values()}
    found: list[tuple[str, Link]] = []
    for folder, every, latency_us, wanted_bps in FOLDERS:
        for path in sorted((datasets / folder).glob("*.json"))[::every]:
            trace = read_trace(path)
            head_bps = _head_bps(trace)
            name = f"{folder}/{path.name}"
            if name not in used and head_bps >= LEAST_BPS:
                found.append((name, shaped(trace, latency_us, wanted_bps / head_bps if wanted_bps else 1.0)))
    return dict(found[::2]), dict(found[1::2])


def _head_bps(trace: Trace) -> float:
    """Mean capacity over the head of a recording."""
    time_us, bits_us = 0, 0
    for duration_us, rate_bps in zip(trace.durations_us, trace.rates_bps, strict=True):
        taken_us = min(duration_us, HEAD_US - time_us)
        bits_us += taken_us * rate_bps
        time_us += taken_us
    return bits_us / time_us


def linear_qoe(rates_bps: Sequence[float], lost_s: float) -> float:
    """(sum of Mb/s - 4.3 x seconds without a moving picture - sum of |change in Mb/s|), a segment."""
    rates = [rate / 1e6 for rate in rates_bps]
    return (sum(rates) - PENALTY * lost_s - sum(abs(b - a) for a, b in pairwise(rates))) / len(rates)
