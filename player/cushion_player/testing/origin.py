"""A real HTTP/1.1 server on 127.0.0.1 that serves bytes out of a dictionary or a directory, and misbehaves on request.

    async with Origin({"/a.mpd": manifest}) as origin:
        origin.faults.once("/seg-3.m4s", Status(503, retry_after="1"), None)
        ... origin.url("/a.mpd") ...
        origin.log

Knows GET and HEAD, single byte ranges, keep-alive and CORS. It listens to nobody but this machine.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cushion_player.clock import Clock, MonotonicClock
from cushion_player.testing.connection import Connection, LoggedRequest
from cushion_player.testing.faults import FaultScript

_HEAD_LIMIT_BYTES: Final = 64 * 1024


class Origin:
    """Serves `content`: paths beginning with a slash to bytes, or the files under a directory.

    Use it as `async with`, or from threads and blocking tests with `with origin.in_thread()`.
    faults: what goes wrong, by path. log: every request, oldest first. latency_s: added before every answer.
    """

    def __init__(
        self,
        content: Mapping[str, bytes] | Path,
        *,
        port: int = 0,
        latency_s: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        self.content: dict[str, bytes] = {} if isinstance(content, Path) else dict(content)
        self.faults = FaultScript()
        self.log: list[LoggedRequest] = []
        self.latency_s = latency_s
        self._root = content.resolve() if isinstance(content, Path) else None
        self._port = port
        self._clock: Clock = clock or MonotonicClock()
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
        return f"http://127.0.0.1:{self._port}/{path.lstrip('/')}"

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, limit=_HEAD_LIMIT_BYTES)
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

    async def __aenter__(self) -> Origin:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @contextmanager
    def in_thread(self) -> Generator[Origin, None, None]:
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
        connection = Connection(self, reader, writer, self._accepted)
        self._accepted += 1
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._connections.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._left.set()

    def now_us(self) -> int:
        """The clock the log is kept by."""
        return self._clock.now_us()

    def record(self, entry: LoggedRequest) -> None:
        """Begin a line of the log."""
        self.log.append(entry)
        self._came.set()

    async def read(self, path: str) -> bytes | None:
        """The body of a path, None when there is none."""
        if path in self.content or self._root is None:
            return self.content.get(path)
        if "\0" in path:
            return None
        file = (self._root / path.lstrip("/")).resolve()
        if not file.is_relative_to(self._root) or not file.is_file():
            return None
        return await asyncio.to_thread(file.read_bytes)
