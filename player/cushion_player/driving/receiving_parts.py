"""Receiving a segment in parts while it is being made (LL-HLS): each part is a request of its own.

The next part is asked for before it is there, where a playlist hints at it; it counts once a playlist lists it, for a
hint may come to nothing. What has come stays when a part fails, and the next try goes on behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from cushion_player.clock import Clock
from cushion_player.driving.receiving import Body
from cushion_player.errors import FetchError, ResponseTooLarge
from cushion_player.manifest.hls_parts import Parts
from cushion_player.model import Address
from cushion_player.transport import wording
from cushion_player.transport.base import SEGMENT_LIMIT_BYTES, FetchRequest, FetchTimeouts, Transport

Spawn = Callable[[Coroutine[None, None, "bytes | None"]], "asyncio.Task[bytes | None]"]


class Ahead:
    """The one part of a rung that was asked for before it was listed."""

    def __init__(self) -> None:
        self._address: Address | None = None
        self._task: asyncio.Task[bytes | None] | None = None

    def ask(self, address: Address, fetch: Callable[[], asyncio.Task[bytes | None]]) -> None:
        """Have it fetched, unless that was asked before. What was asked before it is given up."""
        if address != self._address:
            self.forget()
            self._address, self._task = address, fetch()

    def take(self, address: Address) -> asyncio.Task[bytes | None] | None:
        """The task that brings it, or None when it could not be had; None when another was asked for, or none."""
        if address != self._address:
            return None
        task, self._address, self._task = self._task, None, None
        return task

    def forget(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._address = self._task = None


@dataclass(frozen=True, slots=True)
class PartNews:
    """What the playlist of one rung says of one segment's parts.

    parts: what its newest version says. changed: waits for another version. ahead: what was asked for ahead, also by
    who received the segment before.
    """

    parts: Callable[[], Parts]
    changed: Callable[[], Awaitable[None]]
    ahead: Ahead


class PartsReceiver:
    """Receives the parts of one segment into `body`, which keeps whole parts when one fails.

    kept: what an earlier request had brought. spawn: runs what is asked for ahead. on_read: hears how many bytes came,
    each time; on_part: that `body` has grown by a part; on_refused: that it begins anew, since parts are gone.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        news: PartNews,
        *,
        label: str,
        timeouts: FetchTimeouts,
        spawn: Spawn,
        kept: Body | None,
        on_read: Callable[[int], None],
        on_part: Callable[[], None],
        on_refused: Callable[[], None],
        limit_bytes: int = SEGMENT_LIMIT_BYTES,
    ) -> None:
        self.body = kept or Body(is_growing=True)
        self._transport = transport
        self._clock = clock
        self._news = news
        self._label = label
        self._timeouts = timeouts
        self._spawn = spawn
        self._on_read = on_read
        self._on_part = on_part
        self._on_refused = on_refused
        self._limit_bytes = limit_bytes

    async def receive(self) -> None:
        """Raises FetchError kinds. Ends when a playlist lists the segment and all its parts are there."""
        while not await self._take_listed():
            self._look_ahead()
            await self._news.changed()
        self._look_ahead()

    def _look_ahead(self) -> None:
        hint = self._news.parts().hint
        if hint is not None:
            self._news.ahead.ask(hint, lambda: self._spawn(self._ask_ahead(hint)))

    async def _take_listed(self) -> bool:
        """Take all that is listed; whether the segment is whole then."""
        while True:
            parts = self._news.parts()
            taken = self.body.n_parts
            if taken < len(parts.chunks):
                part = parts.chunks[taken]
                self._put_in(b"" if part.is_gap else await self._part(part.address, taken))
            elif parts.is_whole and (taken > len(parts.chunks) or not taken):
                await self._take_whole(parts.address)
                return True
            else:
                return parts.is_whole

    async def _take_whole(self, address: Address | None) -> None:
        """Its parts are not listed any more."""
        if address is None:
            raise FetchError(f"{self._label}: the playlist does not list it any more", retryable=True)
        if self.body.data:
            self.body = Body(is_growing=True)
            self._on_refused()
        self._put_in(await self._fetch(address, self._label))

    def _put_in(self, data: bytes) -> None:
        body = self.body
        if len(body.data) + len(data) > self._limit_bytes:
            raise ResponseTooLarge(f"{self._label}: more than {self._limit_bytes} bytes, reading stopped")
        body.first_byte_us = body.first_byte_us or self._clock.now_us()
        body.data += data
        body.n_parts += 1
        self._on_part()

    async def _part(self, address: Address, number: int) -> bytes:
        task = self._news.ahead.take(address)
        data = await task if task is not None else None
        if data is not None:
            return data
        return await self._fetch(address, f"part {number} of {self._label}")

    async def _ask_ahead(self, address: Address) -> bytes | None:
        try:
            return await self._fetch(address, f"the hinted part of {self._label}")
        except FetchError:
            return None  # once it is listed it is asked for again

    async def _fetch(self, address: Address, label: str) -> bytes:
        request = FetchRequest(address.url, byte_range=address.byte_range, timeouts=self._timeouts, label=label)
        data = bytearray()
        async with self._transport.stream(request) as response:
            chunks = response.chunks()
            async for chunk in chunks:
                data += chunk
                if len(data) > self._limit_bytes:
                    what = f"more than {self._limit_bytes} bytes, reading stopped"
                    raise ResponseTooLarge(wording.sentence(request, what), url=request.url)
                self._on_read(len(chunk))
        wanted = address.size_bytes
        if wanted is not None and len(data) < wanted:
            raise wording.cut_short(request, len(data), wanted)
        return bytes(data)
