"""The only link arithmetic: when does the last of some bytes arrive.

Everything that models or shapes a network uses `finish_us`: the shaped transport, the virtual-clock driver
and every simulator. Capacity is exact integer arithmetic in bit·µs; only the finish time is rounded (up).
A link repeats its periods for ever.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]

BIT_US_PER_BYTE = 8_000_000
PACKET_BYTES = 1448
"""What one TCP segment carries on Ethernet."""
PIECES_BYTES = (16 * 1024, 4 * 1024)
PIECE_US = 100_000
MAX_BYTES = 2**63 // BIT_US_PER_BYTE - 1


class LinkError(ValueError):
    """A link that cannot be one: no capacity, unsorted edges, or numbers past 64-bit arithmetic."""


class Link(NamedTuple):
    """A network link whose capacity is constant within each period. Build it with `make_link`, which validates."""

    edge_us: Int64Array
    """(n_periods + 1,) int64, strictly ascending from 0: period i is [edge_us[i], edge_us[i + 1])."""
    rate_bps: Int64Array
    """(n_periods,) int64 >= 0, at least one positive: capacity in bit/s."""
    latency_us: int
    """Time from a request to its first byte; the caller adds it."""
    hint: Int64Array
    """(2,) int64, scratch: where the last walk ended (period, start of its lap). Changes speed, never results."""


def make_link(durations_us: list[int] | Int64Array, rates_bps: list[int] | Int64Array, latency_us: int = 0) -> Link:
    """Build a validated link from period durations (µs) and capacities (bit/s). Raises LinkError."""
    durations = np.ascontiguousarray(durations_us, dtype=np.int64)
    rates = np.ascontiguousarray(rates_bps, dtype=np.int64)
    if durations.ndim != 1 or durations.size == 0 or durations.shape != rates.shape:
        raise LinkError(f"a link needs as many rates as durations, at least one: {durations.shape}, {rates.shape}")
    if np.any(durations <= 0):
        raise LinkError("every period of a link must last at least 1 µs")
    if np.any(rates < 0) or not np.any(rates > 0):
        raise LinkError("link rates must not be negative, and at least one must be positive")
    if latency_us < 0:
        raise LinkError(f"latency must not be negative, got {latency_us} µs")
    if sum(int(d) * int(r) for d, r in zip(durations, rates, strict=True)) >= 2**63:
        raise LinkError("one lap of the link carries more than 64-bit arithmetic holds")
    edges = np.zeros(durations.size + 1, dtype=np.int64)
    np.cumsum(durations, out=edges[1:])
    edges.setflags(write=False)
    rates = rates.copy()
    rates.setflags(write=False)
    return Link(edges, rates, latency_us, np.zeros(2, dtype=np.int64))


def finish_us(link: Link, start_us: int, n_bytes: int) -> int:
    """When the last of `n_bytes` has crossed the link if the first enters at `start_us` (>= 0) and nothing else does.

    Latency is not added. 0 bytes finish at `start_us`. Rounded up to the next µs.
    """
    need = n_bytes * BIT_US_PER_BYTE
    if need <= 0:
        return start_us
    edge_us = link.edge_us
    rate_bps = link.rate_bps
    last = rate_bps.shape[0] - 1
    lap_us = int(edge_us[last + 1])
    period = int(link.hint[0])
    lap_start = int(link.hint[1])
    if start_us < lap_start + int(edge_us[period]) or start_us >= lap_start + lap_us:
        lap_start = (start_us // lap_us) * lap_us
        period = 0
    while start_us >= lap_start + int(edge_us[period + 1]):
        period += 1
    link.hint[0] = period
    link.hint[1] = lap_start
    now = start_us
    need_at_lap = 0
    while True:
        rate = int(rate_bps[period])
        end = lap_start + int(edge_us[period + 1])
        capacity = (end - now) * rate
        if capacity >= need:
            return now + (need + rate - 1) // rate
        need -= capacity
        now = end
        period += 1
        if period > last:
            period = 0
            lap_start += lap_us
            lap_need = need_at_lap - need
            if need_at_lap > 0 and need > lap_need:  # one whole lap was walked: skip those that end short of the goal
                laps = (need - 1) // lap_need
                need -= laps * lap_need
                lap_start += laps * lap_us
                now = lap_start
            need_at_lap = need


class SharedLink:
    """One link that several transfers share, first come first served by piece.

    Carries the time at which the link is free; inside a busy period it is never moved to "now", because
    re-anchoring on a late caller loses capacity (seen: 24 % error).
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._free_us = 0

    def reserve(self, ready_us: int, n_bytes: int) -> int:
        """Queue `n_bytes` that are ready to enter at `ready_us`; returns when the last of them arrives."""
        self._free_us = finish_us(self.link, max(self._free_us, ready_us), n_bytes)
        return self._free_us

    def send(self, ready_us: int, n_bytes: int, *, is_first: bool) -> tuple[int, int]:
        """Queue the next piece of a body of which `n_bytes` are left: (its size, when its last byte arrives).

        The first piece of a body is one packet, so that its first byte is seen in its time; later ones are as large
        as keeps the link fair (16 KiB), smaller on slow links (a piece takes at most 100 ms where a packet can).
        """
        start_us = max(self._free_us, ready_us)
        size = min(PACKET_BYTES, n_bytes)
        if not is_first:
            for candidate in PIECES_BYTES:
                candidate = min(candidate, n_bytes)
                if finish_us(self.link, start_us, candidate) - start_us <= PIECE_US:
                    size = candidate
                    break
        return size, self.reserve(ready_us, size)

    @property
    def free_us(self) -> int:
        """When everything reserved so far has crossed."""
        return self._free_us
