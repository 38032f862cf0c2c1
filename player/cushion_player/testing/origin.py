"""A real HTTP/1.1 server on 127.0.0.1 that serves a dictionary, a directory or a live site, and misbehaves on request.

    async with Origin({"/a.mpd": manifest}) as origin:
        origin.faults.once("/seg-3.m4s", Status(503, retry_after="1"), None)
        ... origin.url("/a.mpd") ...
        origin.log

Knows GET and HEAD, single byte ranges, keep-alive, CORS, chunked bodies that appear as time passes, and requests that
are held until there is an answer. It listens to nobody but this machine.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from cushion_player.clock import Clock, MonotonicClock, wall_ms
from cushion_player.testing.answers import Answer, NotYet, Site, media_type_of
from cushion_player.testing.connection import Connection, LoggedRequest
from cushion_player.testing.fault_script import FaultScript

_HEAD_LIMIT_BYTES: Final = 64 * 1024


class Origin:
    """Serves `content`: paths beginning with a slash to bytes, the files under a directory, or a Site.

    host: a loopback address (127.0.0.2 … are others of this machine). utc_offset_us: µs since 1970 UTC when the clock
    says 0; by default the machine's.
    Use it as `async with`, or from threads and blocking tests with `with origin.in_thread()`.
    faults: what goes wrong, by path. log: every request, oldest first. latency_s: added before every answer.
    """

    def __init__(
        self,
        content: Mapping[str, bytes] | Path | Site,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_s: float = 0.0,
        clock: Clock | None = None,
        utc_offset_us: int | None = None,
        faults: FaultScript | None = None,
    ) -> None:
        self.content: dict[str, bytes] = dict(content) if isinstance(content, Mapping) else {}
        self.site: Site | None = None if isinstance(content, Mapping | Path) else content
        self.faults = faults or FaultScript()
        self.log: list[LoggedRequest] = []
        self.latency_s = latency_s
        self._root = content.resolve() if isinstance(content, Path) else None
        self._host = host
        self._port = port
        self._clock: Clock = clock or MonotonicClock()
        self._began_us = self._clock.now_us()
        self.utc_offset_us = wall_ms() * 1000 - self._began_us if utc_offset_us is None else utc_offset_us
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._left = asyncio.Event()
        self._came = asyncio.Event()
        self._accepted = 0

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it was started."""
        return self._port

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def settled(self, open_connections: int = 0) -> None:
        """Wait until no more than that many connections are open, as they are once a client has let go of them."""
        while len(self._connections) > open_connections:
            self._left.clear()
            await self._left.wait()

    async def asked(self, n_requests: int = 1) -> None:
        """Wait until that many requests have come in all."""
        while len(self.log) < n_requests:
            self._came.clear()
            await self._came.wait()

    def url(self, path: str) -> str:
        """The URL of a path served here."""
        return f"http://{self._host}:{self._port}/{path.lstrip('/')}"

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        assert self._host.startswith("127."), "this machine only"
        self._server = await asyncio.start_server(self._accept, self._host, self._port, limit=_HEAD_LIMIT_BYTES)
        self._began_us = self._clock.now_us()
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Drop every connection, whatever it is doing, and stop listening."""
        if self._server is None:
            return
        self._server.close()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @contextmanager
    def in_thread(self) -> Generator[Self, None, None]:
        """Run on an event loop in a thread of its own until the block is left."""
        started = threading.Event()
        stop = asyncio.Event()
        failures: list[BaseException] = []
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            try:
                await self.start()
            except OSError as error:
                failures.append(error)
                return
            finally:
                started.set()
            await stop.wait()
            await self.close()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="origin")
        thread.start()
        started.wait()
        try:
            if failures:
                raise failures[0]
            yield self
        finally:
            if not failures:
                loops[0].call_soon_threadsafe(stop.set)
            thread.join()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self._connect(reader, writer, self._accepted)
        self._accepted += 1
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._connections.add(task)
        task.add_done_callback(self._forget)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> Connection:
        return Connection(self, reader, writer, number)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._left.set()

    def now_us(self) -> int:
        """The clock the log is kept by."""
        return self._clock.now_us()

    def running_us(self) -> int:
        """Since it began to listen: what fault rules count by."""
        return self._clock.now_us() - self._began_us

    def utc_us(self) -> int:
        """µs since 1970 UTC, by this origin's clock."""
        return self._clock.now_us() + self.utc_offset_us

    def record(self, entry: LoggedRequest) -> None:
        """Begin a line of the log."""
        self.log.append(entry)
        self._came.set()

    async def answer(self, path: str, query: str, utc_us: int) -> Answer | NotYet:
        """What is served there, were it `utc_us` now."""
        if path in self.content:
            return Answer(200, self.content[path], media_type_of(path))
        if self.site is not None:
            return self.site.response(path, query, utc_us)
        if self._root is None or "\0" in path:
            return Answer(404)
        file = (self._root / path.lstrip("/")).resolve()
        if not file.is_relative_to(self._root) or not file.is_file():
            return Answer(404)
        return Answer(200, await asyncio.to_thread(file.read_bytes), media_type_of(path))
