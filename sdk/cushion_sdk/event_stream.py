"""Events on their way to one listener: a bounded queue that tells when the listener was too slow."""

from __future__ import annotations

import asyncio
from collections import deque

from cushion_sdk.session_events import EventsMissed, SessionEvent

MAX_WAITING = 1000


class EventStream:
    """An async iterator over a session's events; it ends when the session closes.

    A listener that falls MAX_WAITING events behind loses the oldest, and is told how many as `EventsMissed`.
    """

    def __init__(self) -> None:
        self._waiting: deque[SessionEvent] = deque()
        self._missed = 0
        self._news = asyncio.Event()
        self._closed = False

    def put(self, event: SessionEvent) -> None:
        if self._closed:
            return
        if len(self._waiting) == MAX_WAITING:
            self._waiting.popleft()
            self._missed += 1
        self._waiting.append(event)
        self._news.set()

    def close(self) -> None:
        """Nothing follows; what waits can still be read."""
        self._closed = True
        self._news.set()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> SessionEvent:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return EventsMissed(missed)
        return self._waiting.popleft()
