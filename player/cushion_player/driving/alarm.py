"""One sleeper that wakes an engine at its next time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cushion_player.clock import Clock


class Alarm:
    """Calls `wake` once the clock has reached what was set last."""

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake: Callable[[], None] = wake
        self._task: asyncio.Task[None] | None = None
        self._at_us: int | None = None

    def set(self, at_us: int, group: asyncio.TaskGroup) -> None:
        """The sleeper is only replaced when it would wake too late: an engine that is woken early sets it anew."""
        if self._task is not None and not self._task.done():
            if self._at_us is not None and self._at_us <= at_us:
                return
            self._task.cancel()
        self._at_us = at_us
        self._task = group.create_task(self._sleep(at_us))

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _sleep(self, at_us: int) -> None:
        await self._clock.sleep_until(at_us)
        self._task = self._at_us = None
        self._wake()
