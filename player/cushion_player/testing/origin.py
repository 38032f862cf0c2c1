"""A real HTTP/1.1 server on 127.0.0.1 that serves bytes out of a dictionary or a directory, and misbehaves on request.

    async with Origin({"/a.mpd": manifest}) as origin:
        origin.faults.once("/seg-3.m4s", Status(503, retry_after="1"), None)
        ... origin.url("/a.mpd") ...
        origin.log

Knows GET and HEAD, single byte ranges, keep-alive and CORS. It listens to nobody but this machine.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from cushion_player.clock import Clock, MonotonicClock
from cushion_player.testing.faults import (
    HTML_PAGE,
    Corrupt,
    Disconnect,
    Drip,
    Fault,
    FaultScript,
    Hang,
    Html,
    IgnoreRange,
    Redirect,
    Stall,
    Status,
    Truncate,
    corrupted,
    slice_range,
)

CHUNK_BYTES: Final = 64 * 1024
_HEAD_LIMIT_BYTES: Final = 64 * 1024

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".mpd": "application/dash+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
}


@dataclass(slots=True)
class LoggedRequest:
    """One request and what became of it. Grows while it is being answered."""

    path: str
    query: str
    headers: Mapping[str, str]
    """Lower-case names."""
    time_us: int
    connection: int
    """Number of the connection it came over, counted from 0: equal numbers mean keep-alive."""
    status: int = 0
    sent_bytes: int = 0
    """Body bytes handed to the kernel."""
    completed: bool = False
    end_us: int = 0
    fault: Fault | None = None

    @property
    def range(self) -> str:
        """The Range header, empty when there was none."""
        return self.headers.get("range", "")


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
        connection = _Connection(self, reader, writer, self._accepted)
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


class _Close(Exception):
    """The connection cannot be used any further."""


@dataclass(slots=True)
class _Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class _Connection:
    """One client's connection: requests in turn until either side has had enough."""

    def __init__(self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._origin = origin
        self._reader = reader
        self._writer = writer
        self._number = number

    async def serve(self) -> None:
        try:
            while True:
                await self._one_request()
        except asyncio.CancelledError:
            self._writer.transport.abort()
            raise
        except (_Close, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _one_request(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, headers = _parse_head(head)
        parts = urlsplit(target)
        path = unquote(parts.path)
        fault = self._origin.faults.take(path)
        entry = LoggedRequest(path, parts.query, headers, self._origin.now_us(), self._number, fault=fault)
        self._origin.record(entry)
        try:
            if self._origin.latency_s:
                await asyncio.sleep(self._origin.latency_s)
            if isinstance(fault, Hang):
                await self._silence(fault.seconds)
            if isinstance(fault, Disconnect):
                raise _Close
            answer = await self._answer(method, path, headers, fault)
            entry.status = answer.status
            self._send_head(answer, self._origin.now_us())
            if method != "HEAD":
                await self._send_body(answer.body, fault, entry)
            await self._writer.drain()
            entry.completed = True
        finally:
            entry.end_us = self._origin.now_us()
        if headers.get("connection", "").lower() == "close":
            raise _Close

    async def _answer(self, method: str, path: str, headers: Mapping[str, str], fault: Fault | None) -> _Answer:
        match fault:
            case Status(status, retry_after):
                return _Answer(status, headers={"retry-after": retry_after} if retry_after else {})
            case Redirect(location, status):
                return _Answer(status, headers={"location": location})
            case Html():
                return _Answer(200, HTML_PAGE, {"content-type": "text/html"})
            case _:
                pass
        if method not in ("GET", "HEAD"):
            return _Answer(405)
        body = await self._origin.read(path)
        if body is None:
            return _Answer(404)
        media_type = MEDIA_TYPES.get(Path(path).suffix.lower(), "application/octet-stream")
        answer = _Answer(200, body, {"content-type": media_type, "accept-ranges": "bytes"})
        byte_range = _parse_range(headers.get("range", ""), len(body))
        if byte_range is not None and not isinstance(fault, IgnoreRange):
            part = slice_range(body, byte_range)
            if part is None:
                return _Answer(416, headers={"content-range": f"bytes */{len(body)}"})
            first = byte_range[0]
            answer.status, answer.body = 206, part
            answer.headers["content-range"] = f"bytes {first}-{first + len(part) - 1}/{len(body)}"
        if isinstance(fault, Corrupt):
            answer.body = corrupted(answer.body, fault)
        return answer

    def _send_head(self, answer: _Answer, now_us: int) -> None:
        reason = HTTPStatus(answer.status).phrase if answer.status in _KNOWN_STATUS else "Status"
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        headers = {
            "date": formatdate(usegmt=True),
            "content-length": str(len(answer.body)),
            "access-control-allow-origin": "*",
            **answer.headers,
        }
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def _send_body(self, body: bytes, fault: Fault | None, entry: LoggedRequest) -> None:
        piece_bytes = fault.piece_bytes if isinstance(fault, Drip) else CHUNK_BYTES
        pause_at = fault.after_bytes if isinstance(fault, Stall | Truncate) else -1
        view = memoryview(body)
        at = 0
        while at < len(body) or at == pause_at:
            if at == pause_at:
                pause_at = -1
                if isinstance(fault, Truncate):
                    raise _Close
                if isinstance(fault, Stall):
                    await self._silence(fault.seconds)
                continue
            end = min(at + piece_bytes, len(body))
            if at < pause_at:
                end = min(end, pause_at)
            if at and isinstance(fault, Drip):
                await self._silence(fault.interval_s)
            self._writer.write(view[at:end])
            await self._writer.drain()
            entry.sent_bytes = at = end

    async def _silence(self, seconds: float) -> None:
        """Say nothing; raises _Close as soon as the client has gone."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(left if math.isfinite(left) and left < 0.05 else 0.05)
            if self._reader.at_eof() or self._writer.is_closing():
                raise _Close


_KNOWN_STATUS: Final = frozenset(status.value for status in HTTPStatus)


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    request_line, *lines = head.rstrip("\r\n").split("\r\n")
    words = request_line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Close
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers


def _parse_range(value: str, size: int) -> tuple[int, int | None] | None:
    """A single byte range as (first, last); None for what HTTP says to ignore (RFC 9110 section 14.2)."""
    unit, _, spec = value.partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or "," in spec:
        return None
    if not first:
        return (max(0, size - int(last)), None) if last.isdecimal() else None
    if not first.isdecimal() or (last and not last.isdecimal()) or (last and int(last) < int(first)):
        return None
    return int(first), int(last) if last else None
