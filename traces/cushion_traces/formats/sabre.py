"""Sabre's network files: a JSON list of {"duration_ms", "bandwidth_kbps", "latency_ms"}.

Source: UMass-LIDS/sabre, example/network.json. Numbers may have fractions; ours are written with as many as needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cushion_traces.formats.numbers import scaled, unscaled
from cushion_traces.trace import Trace, TraceError


def read(text: str) -> Trace:
    """Read a network file; a missing latency_ms is 0. Raises TraceError with the line or the period."""
    try:
        periods: Any = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    except json.JSONDecodeError as error:
        raise TraceError(f"not JSON: {error.msg}", location=f"line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise TraceError("not a Sabre trace: nested too deeply") from error
    if not isinstance(periods, list) or not periods:
        raise TraceError("not a Sabre trace: the JSON is not a list of periods")
    durations: list[int] = []
    rates: list[int] = []
    latencies: list[int] = []
    for index, period in enumerate(periods):
        location = f"period {index}"
        if not isinstance(period, dict):
            raise TraceError("not a Sabre trace: a period is not an object", location=location)
        durations.append(_field(period, "duration_ms", 1000, location))
        rates.append(_field(period, "bandwidth_kbps", 1000, location))
        latencies.append(_field(period, "latency_ms", 1000, location, default=Decimal(0)))
    return Trace(tuple(durations), tuple(rates), tuple(latencies))


def write(trace: Trace) -> str:
    """Write a network file, one period a line."""
    lines = [
        f'  {{"duration_ms": {unscaled(duration, 1000)}, "bandwidth_kbps": {unscaled(rate, 1000)},'
        f' "latency_ms": {unscaled(latency, 1000)}}}'
        for duration, rate, latency in zip(trace.durations_us, trace.rates_bps, trace.latencies_us, strict=True)
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _field(period: Mapping[str, Any], name: str, factor: int, location: str, default: Decimal | None = None) -> int:
    value: object = period.get(name, default)
    if not isinstance(value, Decimal):
        raise TraceError(f"{name} is missing or not a number: {value!r}", location=location)
    return scaled(str(value), factor, name, location)
