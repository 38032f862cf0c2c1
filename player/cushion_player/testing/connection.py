"""One HTTP/1.1 connection of a test origin: requests in turn, answered well or as a fault says. See `origin`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

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


class Site(Protocol):
    """What a connection serves."""

    faults: FaultScript
    latency_s: float

    def now_us(self) -> int:
        """The clock the log is kept by."""
        ...

    def record(self, entry: LoggedRequest) -> None:
        """Begin a line of the log."""
        ...

    async def read(self, path: str) -> bytes | None:
        """The body of a path, None when there is none."""
        ...


class _Close(Exception):
    """The connection cannot be used any further."""


@dataclass(slots=True)
class _Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Connection:
    """One client's connection: requests in turn until either side has had enough."""

    def __init__(self, site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._site = site
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
        fault = self._site.faults.take(path)
        entry = LoggedRequest(path, parts.query, headers, self._site.now_us(), self._number, fault=fault)
        self._site.record(entry)
        try:
            if self._site.latency_s:
                await asyncio.sleep(self._site.latency_s)
            if isinstance(fault, Hang):
                await self._silence(fault.seconds)
            if isinstance(fault, Disconnect):
                raise _Close
            answer = await self._answer(method, path, headers, fault)
            entry.status = answer.status
            self._send_head(answer, self._site.now_us())
            if method != "HEAD":
                await self._send_body(answer.body, fault, entry)
            await self._writer.drain()
            entry.completed = True
        finally:
            entry.end_us = self._site.now_us()
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
        body = await self._site.read(path)
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
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}"]
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


_REASONS: Final[Mapping[int, str]] = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""Reason phrases. Those of RFC 9110, section 15.5, are spelt out where Python before 3.13 has older ones."""


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
