"""Our own plain format: CSV, whole numbers under the header `duration_us,rate_bps,latency_us`; `#` starts a comment."""

from __future__ import annotations

from cushion_traces.formats.numbers import LIMIT
from cushion_traces.trace import Trace, TraceError

HEADER = "duration_us,rate_bps,latency_us"


def read(text: str) -> Trace:
    """Read a CSV trace. Raises TraceError with the line."""
    rows: list[tuple[int, int, int]] = []
    seen_header = False
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.partition("#")[0].replace(" ", "").rstrip()
        if not content:
            continue
        if not seen_header:
            if content != HEADER:
                raise TraceError(f"expected the header {HEADER!r}, got {content[:60]!r}", location=f"line {number}")
            seen_header = True
            continue
        rows.append(_row(content, f"line {number}"))
    if not rows:
        raise TraceError("a CSV trace needs a header and at least one row")
    durations, rates, latencies = zip(*rows, strict=True)
    return Trace(durations, rates, latencies)


def write(trace: Trace) -> str:
    """Write a CSV trace."""
    rows = zip(trace.durations_us, trace.rates_bps, trace.latencies_us, strict=True)
    return "\n".join([HEADER, *(f"{duration},{rate},{latency}" for duration, rate, latency in rows)]) + "\n"


def _row(content: str, location: str) -> tuple[int, int, int]:
    fields = content.split(",")
    if len(fields) != 3 or not all(field.isascii() and field.isdigit() for field in fields):
        raise TraceError(f"expected three whole numbers, got {content[:60]!r}", location=location)
    if any(len(field) > 19 or int(field) > LIMIT for field in fields):
        raise TraceError(f"a number is too large: {content[:60]!r}", location=location)
    duration, rate, latency = (int(field) for field in fields)
    if duration == 0:
        raise TraceError("a period must last at least 1 µs", location=location)
    return duration, rate, latency
