"""Waiting on a Clock: for an event with a limit, and for how long after a failure."""

from __future__ import annotations

import asyncio
import random

from cushion_player.clock import Clock


async def wait_event(event: asyncio.Event, clock: Clock, limit_us: int) -> bool:
    """Wait until `event` is set, at most `limit_us`; says whether it is."""
    if event.is_set():
        return True
    waiter = asyncio.ensure_future(event.wait())
    sleeper = asyncio.ensure_future(clock.sleep_until(clock.now_us() + limit_us))
    try:
        await asyncio.wait((waiter, sleeper), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiter, sleeper):
            task.cancel()
        await asyncio.gather(waiter, sleeper, return_exceptions=True)
    return event.is_set()


class Backoff:
    """How long to wait after each failure in a row: doubling from `base_us` to `cap_us`, each between half and full.

    The jitter keeps a thousand devices that lost one backend from coming back in step.
    """

    def __init__(self, rng: random.Random, *, base_us: int = 1_000_000, cap_us: int = 60_000_000) -> None:
        self._rng = rng
        self._base_us = base_us
        self._cap_us = cap_us
        self._failures = 0

    def failed_us(self) -> int:
        """Another failure: how long to wait now."""
        full_us = min(self._cap_us, self._base_us << min(self._failures, 32))
        self._failures += 1
        return round(full_us * (0.5 + 0.5 * self._rng.random()))

    def succeeded(self) -> None:
        """Start again from the base."""
        self._failures = 0
