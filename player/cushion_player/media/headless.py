"""A renderer without a screen: takes the frames that are due, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from cushion_player.clock import Clock, MonotonicClock
from cushion_player.outputs import FrameSource, VideoFrame

_IDLE_US: Final = 10_000
"""How often to look for a frame while none is queued or the clock stands."""
_LONGEST_US: Final = 100_000
"""A stop or a seek is noticed after this time at the latest."""
_SHORTEST_US: Final = 500


class HeadlessRenderer:
    """Calls `on_frame` with each frame when it is due, on the loop that calls `attach`; no thread."""

    def __init__(self, clock: Clock, on_frame: Callable[[VideoFrame], None] | None = None) -> None:
        self._clock = clock
        self._on_frame = on_frame
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, source: FrameSource) -> None:
        self.detach()
        loop = asyncio.get_running_loop()
        if isinstance(self._clock, MonotonicClock):
            self._timer = loop.call_later(0, self._tick, loop, source)
        else:
            self._task = loop.create_task(self._show(source), name="cushion-headless-renderer")

    def detach(self) -> None:
        """Ends a task at its next turn."""
        for running in (self._task, self._timer):
            if running is not None:
                running.cancel()
        self._task = self._timer = None

    def _tick(self, loop: asyncio.AbstractEventLoop, source: FrameSource) -> None:
        """The loop's own timer, thirty times a second: a task that sleeps costs twice as much."""
        wait_us = self._look(source)
        if self._timer is not None:  # else `on_frame` detached us
            self._timer = loop.call_later(wait_us / 1_000_000, self._tick, loop, source)

    async def _show(self, source: FrameSource) -> None:
        """The same by any other clock."""
        while True:
            wait_us = self._look(source)
            await self._clock.sleep_until(self._clock.now_us() + wait_us)

    def _look(self, source: FrameSource) -> int:
        """Take what is due; how long until the next look, in µs."""
        frame = source.take_due()
        if frame is not None and self._on_frame is not None:
            self._on_frame(frame)
        due_us = source.next_due_in_us()
        return _IDLE_US if due_us is None else min(max(due_us, _SHORTEST_US), _LONGEST_US)
