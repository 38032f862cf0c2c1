"""A renderer without a screen: takes the frames that are due, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from cushion_player.clock import Clock
from cushion_player.outputs import FrameSource, VideoFrame

_IDLE_US: Final = 10_000
"""How often to look for a frame while none is queued or the clock stands."""
_LONGEST_US: Final = 100_000
"""A stop or a seek is noticed after this time at the latest."""
_SHORTEST_US: Final = 500


class HeadlessRenderer:
    """Calls `on_frame` with each frame when it is due. One task on the loop that calls `attach`; no thread."""

    def __init__(self, clock: Clock, on_frame: Callable[[VideoFrame], None] | None = None) -> None:
        self._clock = clock
        self._on_frame = on_frame
        self._task: asyncio.Task[None] | None = None

    def attach(self, source: FrameSource) -> None:
        self.detach()
        self._task = asyncio.get_running_loop().create_task(self._show(source), name="cushion-headless-renderer")

    def detach(self) -> None:
        """Ends the task at its next turn."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _show(self, source: FrameSource) -> None:
        while True:
            frame = source.take_due()
            if frame is not None and self._on_frame is not None:
                self._on_frame(frame)
            due_us = source.next_due_in_us()
            wait_us = _IDLE_US if due_us is None else min(max(due_us, _SHORTEST_US), _LONGEST_US)
            await self._clock.sleep_until(self._clock.now_us() + wait_us)
