"""A throughput estimate that outlives its session: what it was, when, and over which network. Storing is for others.

The next session gives it to a rule as its parameter `initial_throughput_bps`, which chooses the first rung; from the
first download on, what is measured counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

VERSION: Final = 1
DEFAULT_TTL_S: Final = 360.0
"""What dash.js ships for its last bitrate. A stale estimate costs one slow first segment, a missing one a low rung."""


@dataclass(frozen=True, slots=True)
class RememberedThroughput:
    """An estimate of the past. `at_ms` is since the Unix epoch; `network` is any name for the link it was seen on."""

    throughput_bps: float
    at_ms: int
    network: str = ""


def encode(remembered: RememberedThroughput) -> str:
    """One line of JSON, stable between versions of this program."""
    fields = {
        "v": VERSION,
        "throughput_bps": round(remembered.throughput_bps),
        "at_ms": remembered.at_ms,
        "network": remembered.network,
    }
    return json.dumps(fields, separators=(",", ":"))


def decode(text: str) -> RememberedThroughput | None:
    """What `encode` wrote; None for anything else, for a wrong memory is worth as little as none."""
    try:
        fields: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        return None
    throughput_bps, at_ms = _number(fields, "throughput_bps"), _number(fields, "at_ms")
    network: object = fields.get("network")
    if not 0 < throughput_bps <= 1e12 or not 0 <= at_ms < 2**53 or not isinstance(network, str):
        return None
    return RememberedThroughput(throughput_bps, int(at_ms), network)


def usable_bps(
    remembered: RememberedThroughput | None, *, now_ms: int, network: str = "", ttl_s: float = DEFAULT_TTL_S
) -> float:
    """The throughput to start with; 0.0 when nothing is remembered, or it is too old, of the future or of elsewhere."""
    if remembered is None or remembered.network != network:
        return 0.0
    age_ms = now_ms - remembered.at_ms
    return remembered.throughput_bps if 0 <= age_ms <= ttl_s * 1000 else 0.0


def _number(fields: dict[str, Any], name: str) -> float:
    """A field as a number, -1.0 for what is none."""
    value: object = fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0
