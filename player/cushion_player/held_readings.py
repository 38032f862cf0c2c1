"""Playlists that list parts are read again all the time: each answer is held back until there is another part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from fractions import Fraction

from cushion_player.clock import Clock
from cushion_player.errors import CushionError
from cushion_player.manifest.hls_refresh import reload_delay
from cushion_player.model import US_PER_S, Representation, seconds_to_us

PAUSE_US = 500_000
"""Before a playlist that could not be had is asked for again."""


class HeldReadings:
    """One reading for each playlist that is followed; those that are not done go on while others are begun again."""

    def __init__(self, clock: Clock, read: Callable[[Representation], Awaitable[None]]) -> None:
        """read: reads one playlist again. Raises CushionError kinds."""
        self._clock = clock
        self._read: Callable[[Representation], Awaitable[None]] = read
        self._tasks: dict[str, asyncio.Task[CushionError | None]] = {}

    async def first(self, items: Sequence[Representation], group: asyncio.TaskGroup) -> None:
        """Wait until one of them was read. Raises CushionError kinds when that failed."""
        by_id = {item.id: item for item in items}
        for identity in [each for each in self._tasks if each not in by_id]:
            self._tasks.pop(identity).cancel()
        for identity, item in by_id.items():
            if identity not in self._tasks:
                self._tasks[identity] = group.create_task(self._reading(item))
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for identity in [each for each, task in self._tasks.items() if task in done]:
            del self._tasks[identity]
        failures = [failure for task in done if (failure := task.result()) is not None]
        if len(failures) == len(done):
            raise failures[0]

    def cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def _reading(self, item: Representation) -> CushionError | None:
        """Why it could not be read; then some time has passed, as after one that nobody holds back (text, say)."""
        try:
            await self._read(item)
        except CushionError as error:
            await self._clock.sleep_until(self._clock.now_us() + PAUSE_US)
            return error
        if item.playlist is None or not item.playlist.server_control.can_block_reload:
            delay = reload_delay(item, has_changed=True) or Fraction(PAUSE_US, US_PER_S)
            await self._clock.sleep_until(self._clock.now_us() + seconds_to_us(delay))
        return None
