"""Virtual time for tests: a clock that moves only when told to, or as soon as nothing else is left to do.

By hand, on any event loop:

    clock = FakeClock()
    task = asyncio.create_task(session(clock))
    await clock.advance(10_000_000)

By itself, ten minutes of session in milliseconds (`asyncio.sleep` and `asyncio.timeout` follow):

    clock.run(session(clock))

Threads live in real time: while one works, a jumping clock does not wait for it unless `grace_s` says so.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

DAY_US = 24 * 3600 * 1_000_000
_SETTLE_TURNS = 32


class VirtualTimeError(AssertionError):
    """A virtual session that cannot finish: nothing is scheduled, or it ran past its limit."""


class FakeClock:
    """A Clock in virtual time. Sleepers wake in order of their deadlines, equal ones in order of arrival."""

    def __init__(self, start_us: int = 0) -> None:
        self._now_us = start_us
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = 0

    def now_us(self) -> int:
        return self._now_us

    async def sleep_until(self, deadline_us: int) -> None:
        if deadline_us <= self._now_us:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._sleepers, (deadline_us, self._arrivals, future))
        await future

    def next_deadline_us(self) -> int | None:
        """When the next sleeper wakes; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # cancelled
        return self._sleepers[0][0] if self._sleepers else None

    def jump_to(self, now_us: int) -> None:
        """Set the time (never back) and wake whoever is due, without letting them run yet."""
        self._now_us = max(self._now_us, now_us)
        while (deadline_us := self.next_deadline_us()) is not None and deadline_us <= self._now_us:
            heapq.heappop(self._sleepers)[2].set_result(None)

    async def advance(self, duration_us: int) -> None:
        """Let `duration_us` pass: see `advance_to`."""
        await self.advance_to(self._now_us + duration_us)

    async def advance_to(self, target_us: int) -> None:
        """Move to `target_us`, stopping at every deadline on the way for a few turns of the loop.

        A woken task gets 32 turns, so chains of awaits longer than that see the next deadline early; use `run`
        where this matters, it knows when the loop is idle.
        """
        await _settle()
        while (deadline_us := self.next_deadline_us()) is not None and deadline_us <= target_us:
            self.jump_to(deadline_us)
            await _settle()
        self.jump_to(target_us)
        await _settle()

    def run(self, main: Coroutine[Any, Any, T], *, limit_us: int = DAY_US, grace_s: float = 0.0) -> T:
        """Run `main` on an event loop of its own whose time is this clock, jumping whenever it is idle.

        limit_us: how much virtual time may pass. grace_s: real seconds to wait for threads and sockets before each
        jump. Raises VirtualTimeError past the limit, or when nothing is scheduled and nothing arrives for 10 s.
        """
        selector = _JumpingSelector(self, self._now_us + limit_us, grace_s)
        with asyncio.Runner(loop_factory=lambda: _VirtualLoop(self, selector)) as runner:
            return runner.run(main)


async def _settle() -> None:
    for _ in range(_SETTLE_TURNS):
        await asyncio.sleep(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that reads its time from a FakeClock."""

    def __init__(self, clock: FakeClock, selector: _JumpingSelector) -> None:
        self._fake_clock = clock
        super().__init__(selector)
        # A timer is due within this: by default a nanosecond, which is lost beside the seconds since 1970.
        self._clock_resolution = 5e-7

    def time(self) -> float:
        return self._fake_clock.now_us() / 1_000_000

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Join the threads without a time limit: since Python 3.12 the Runner gives one, and a jump would exhaust it.

        Threads live in real time, and IDLE_LIMIT_S bounds the wait there.
        """
        await super().shutdown_default_executor()


class _JumpingSelector(selectors.BaseSelector):
    """Asked to wait, it moves the clock instead: the loop only waits when no callback is ready."""

    IDLE_LIMIT_S = 10.0

    def __init__(self, clock: FakeClock, limit_us: int, grace_s: float) -> None:
        self._clock = clock
        self._limit_us: int | None = limit_us
        self._grace_s = grace_s
        self._inner = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        idle = timeout is None or timeout > 0
        ready = self._inner.select(self._grace_s if idle else 0)
        if ready or not idle:
            return ready
        target_us = self._next_us(timeout)
        if target_us is None:
            ready = self._inner.select(self.IDLE_LIMIT_S)
            if not ready:
                raise VirtualTimeError("nothing is scheduled in virtual time and nothing arrives: a deadlock")
            return ready
        if self._limit_us is not None and target_us > self._limit_us:
            self._limit_us = None  # once: the loop must still run to cancel its tasks
            raise VirtualTimeError(f"still not finished after {self._clock.now_us() / 1e6:.3f} s of virtual time")
        self._clock.jump_to(target_us)
        return []

    def _next_us(self, timeout: float | None) -> int | None:
        """The earlier of the clock's next sleeper and the loop's next timer, which is `timeout` seconds away."""
        target_us = self._clock.next_deadline_us()
        if timeout is not None:
            # The loop's times are floats: do not let their noise round up to another microsecond.
            timer_us = self._clock.now_us() + max(1, math.ceil(timeout * 1e6 - 1e-3))
            target_us = timer_us if target_us is None else min(target_us, timer_us)
        return target_us

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()
