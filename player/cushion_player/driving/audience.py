"""Those who follow a playback from outside: who hears its notices, and who waits for its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cushion_player.errors import UsageError
from cushion_player.notices import Notice, PlaybackEnded, PlaybackFailed, SeekStarted

log = logging.getLogger(__name__)


class Audience:
    """Tells every subscriber every notice, in order, and keeps how the playback ended."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[Notice], None]] = []
        self._finished: asyncio.Future[PlaybackEnded | PlaybackFailed] | None = None

    def open(self) -> None:
        """The playback begins; needs the running loop."""
        self._finished = asyncio.get_running_loop().create_future()

    def close(self) -> None:
        """There will be no end any more: whoever waits for one gets a UsageError."""
        if self._finished is not None and not self._finished.done():
            self._finished.set_exception(UsageError("the player was closed before playback had finished"))
            self._finished.exception()  # nobody has to be waiting

    def subscribe(self, callback: Callable[[Notice], None]) -> None:
        self._subscribers.append(callback)

    def tell(self, notice: Notice) -> None:
        assert self._finished is not None, "open comes first"
        if isinstance(notice, PlaybackEnded | PlaybackFailed) and not self._finished.done():
            self._finished.set_result(notice)
        elif isinstance(notice, SeekStarted) and self._finished.done():
            self.open()
        for subscriber in self._subscribers:
            try:
                subscriber(notice)
            except Exception:  # whoever listens must not stop what plays
                log.exception("a subscriber failed on %s", type(notice).__name__)

    @property
    def failure(self) -> PlaybackFailed | None:
        """How playback failed, if it did."""
        finished = self._finished
        if finished is None or not finished.done() or finished.exception() is not None:
            return None
        ended = finished.result()
        return ended if isinstance(ended, PlaybackFailed) else None

    async def wait_finished(self) -> PlaybackEnded | PlaybackFailed:
        """Wait for the end. Raises UsageError when the player is closed meanwhile."""
        assert self._finished is not None, "enter the player first"
        return await asyncio.shield(self._finished)
