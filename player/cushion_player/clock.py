"""Clocks. Time is integer microseconds on a monotonic scale of no fixed origin.

This module alone reads the machine's monotonic clock; everything else is given a Clock.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """A monotonic clock and a way to wait on it."""

    def now_us(self) -> int:
        """Microseconds; never decreases."""
        ...

    async def sleep_until(self, deadline_us: int) -> None:
        """Return once `now_us() >= deadline_us`; at once when that has passed already (after yielding once)."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000

    async def sleep_until(self, deadline_us: int) -> None:
        while True:
            remaining_us = deadline_us - self.now_us()
            await asyncio.sleep(max(0, remaining_us) / 1_000_000)
            if self.now_us() >= deadline_us:
                return


def wall_ms() -> int:
    """Milliseconds since the Unix epoch, for what is written to stores and wires (never for playback)."""
    return time.time_ns() // 1_000_000
