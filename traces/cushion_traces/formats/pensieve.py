"""Pensieve's cooked traces: `seconds<TAB>Mb/s` a line; a rate holds for the time that ends at its line.

The first line is only the origin: its rate is never used. There is no latency in the format.
Source: hongzimao/pensieve, sim/load_trace.py and sim/env.py. Departure: Pensieve's environment wraps to the second
line and so loses the first interval of every further lap; here all intervals repeat.
"""

from __future__ import annotations

from cushion_traces.formats.numbers import scaled, unscaled
from cushion_traces.trace import Trace, TraceError

MICRO = 1_000_000


def read(text: str, latency_us: int = 0) -> Trace:
    """Read a cooked trace, giving every period this latency. Raises TraceError with the line."""
    durations: list[int] = []
    rates: list[int] = []
    before_us: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        location = f"line {number}"
        parts = line.split()
        if len(parts) != 2:
            raise TraceError(f"expected 'seconds Mb/s', got {line.strip()[:40]!r}", location=location)
        time_us = scaled(parts[0], MICRO, "the time", location)
        rate_bps = scaled(parts[1], MICRO, "the rate", location)
        if rate_bps < 0:
            raise TraceError(f"the rate is negative: {parts[1]}", location=location)
        if before_us is not None:
            if time_us <= before_us:
                raise TraceError(f"time does not advance: {parts[0]} s", location=location)
            durations.append(time_us - before_us)
            rates.append(rate_bps)
        before_us = time_us
    if not durations:
        raise TraceError("a cooked trace needs at least two lines: the first is only the origin")
    return Trace(tuple(durations), tuple(rates), (latency_us,) * len(rates))


def write(trace: Trace) -> str:
    """Write a cooked trace from an origin of 0 s. The latencies are lost: the format has none."""
    lines = [f"0\t{unscaled(trace.rates_bps[0], MICRO)}"]
    end_us = 0
    for duration, rate in zip(trace.durations_us, trace.rates_bps, strict=True):
        end_us += duration
        lines.append(f"{unscaled(end_us, MICRO)}\t{unscaled(rate, MICRO)}")
    return "\n".join(lines) + "\n"
