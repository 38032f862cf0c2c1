"""An origin behind one modelled link, for any player that speaks HTTP: all connections together share its capacity.

    async with ShapedOrigin(Path("title"), link) as origin:
        ... point mpv, a browser or a Player at origin.url("/manifest.mpd") ...
        print(origin.log_lines())

The arithmetic is that of the shaped transport and of every simulator (`cushion_traces.link`): each request costs the
link's latency, then the bodies cross in pieces, first come first served, and the link's free time is carried over, so
that waking late costs no capacity. What a client has not read yet waits in the kernel's buffers, as it does at home.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cushion_player.clock import Clock, MonotonicClock
from cushion_player.testing.answers import Answer, Site
from cushion_player.testing.connection import CloseConnection, Connection, LoggedRequest
from cushion_player.testing.faults import Fault
from cushion_player.testing.origin import Origin
from cushion_traces.link import Link, SharedLink

_LOOK_US: Final = 50_000
"""How often a wait looks whether the client has gone."""
_BLOCKED_US: Final = 50_000
"""A client that kept the kernel from taking a piece for this long has left the link idle."""


class ShapedOrigin(Origin):
    """An `Origin` whose answers cross `link`. The link's time 0 is the first request after `restart`.

    Faults work as in `Origin`, but a body that a fault spoils, or that appears as time passes, is not paced.
    """

    def __init__(
        self, content: Mapping[str, bytes] | Path | Site, link: Link, *, port: int = 0, clock: Clock | None = None
    ) -> None:
        self.clock: Clock = clock or MonotonicClock()
        super().__init__(content, port=port, clock=self.clock)
        self.restart(link)

    def restart(self, link: Link) -> None:
        """Shape by `link` from its beginning, and forget the log. Only while nothing is being answered."""
        self.latency_us = link.latency_us
        self.origin_us: int | None = None
        self._shared = SharedLink(link)
        self.log.clear()

    def send(self, ready_us: int, n_bytes: int, *, is_first: bool) -> tuple[int, int]:
        """Put the next piece of `n_bytes` on the link: (its size, when its last byte arrives by the clock)."""
        assert self.origin_us is not None, "a request comes first"
        size, due_us = self._shared.send(max(0, ready_us - self.origin_us), n_bytes, is_first=is_first)
        return size, self.origin_us + due_us

    def log_lines(self) -> str:
        """Every request as a JSON line: times in µs since the first request."""
        return "".join(f"{json.dumps(self._described(entry))}\n" for entry in self.log)

    def _described(self, entry: LoggedRequest) -> dict[str, object]:
        origin_us = self.origin_us or 0
        return {
            "path": entry.path,
            "range": entry.range,
            "connection": entry.connection,
            "status": entry.status,
            "request_us": entry.time_us - origin_us,
            "first_byte_us": entry.first_byte_us - origin_us if entry.first_byte_us else None,
            "end_us": entry.end_us - origin_us if entry.end_us else None,
            "sent_bytes": entry.sent_bytes,
            "completed": entry.completed,
        }

    def record(self, entry: LoggedRequest) -> None:
        if self.origin_us is None:
            self.origin_us = entry.time_us
        super().record(entry)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> Connection:
        return _ShapedConnection(self, reader, writer, number)


class _ShapedConnection(Connection):
    def __init__(
        self, origin: ShapedOrigin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        super().__init__(origin, reader, writer, number)
        self._origin = origin

    async def _arrive(self, entry: LoggedRequest) -> None:
        await self._wait_until(entry.time_us + self._origin.latency_us)

    async def _send_body(self, answer: Answer, fault: Fault | None, entry: LoggedRequest) -> None:
        if fault is not None or answer.arrivals:
            await super()._send_body(answer, fault, entry)
            return
        view = memoryview(answer.body)
        ready_us = entry.time_us + self._origin.latency_us
        at = 0
        while at < len(view):
            size, due_us = self._origin.send(ready_us, len(view) - at, is_first=at == 0)
            await self._wait_until(due_us)
            before_us = self._origin.now_us()
            await self._write(view[at : at + size], entry, is_chunk=False)
            after_us = self._origin.now_us()
            if after_us - before_us > _BLOCKED_US:
                ready_us = after_us
            at += size

    async def _wait_until(self, deadline_us: int) -> None:
        """Wait; raises CloseConnection once the client has gone."""
        while (now_us := self._origin.now_us()) < deadline_us:
            await self._origin.clock.sleep_until(min(deadline_us, now_us + _LOOK_US))
            if self._reader.at_eof() or self._writer.is_closing():
                raise CloseConnection
