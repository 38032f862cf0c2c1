"""One HTTP/1.1 connection of a test origin: requests in turn, answered well or as a fault says. See `origin`."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from cushion_player.testing.answers import Answer, NotYet, media_type_of
from cushion_player.testing.fault_script import FaultScript
from cushion_player.testing.faults import (
    Disconnect,
    Drip,
    Fault,
    Hang,
    IgnoreRange,
    Refuse,
    Reset,
    Stall,
    Truncate,
    WrongLength,
    answer_instead,
    spoil,
    time_of,
)

CHUNK_BYTES: Final = 64 * 1024


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
    first_byte_us: int = 0
    """When the first bytes of the body were handed to the kernel; 0 before."""
    sent_bytes: int = 0
    """Body bytes handed to the kernel."""
    completed: bool = False
    end_us: int = 0
    fault: Fault | None = None

    @property
    def range(self) -> str:
        """The Range header, empty when there was none."""
        return self.headers.get("range", "")


class Host(Protocol):
    """What a connection belongs to."""

    faults: FaultScript
    latency_s: float

    def now_us(self) -> int:
        """The clock the log is kept by."""
        ...

    def running_us(self) -> int:
        """Since the origin began to listen: what fault rules count by."""
        ...

    def utc_us(self) -> int:
        """µs since 1970 UTC."""
        ...

    def record(self, entry: LoggedRequest) -> None:
        """Begin a line of the log."""
        ...

    async def answer(self, path: str, query: str, utc_us: int) -> Answer | NotYet:
        """What is served there, were it `utc_us` now."""
        ...


class CloseConnection(Exception):
    """The connection cannot be used any further."""


class Connection:
    """One client's connection: requests in turn until either side has had enough."""

    def __init__(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._host = host
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
        except (CloseConnection, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _one_request(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, headers = _parse_head(head)
        parts = urlsplit(target)
        path = unquote(parts.path)
        fault = self._host.faults.take(path, host=headers.get("host", ""), now_us=self._host.running_us())
        entry = LoggedRequest(path, parts.query, headers, self._host.now_us(), self._number, fault=fault)
        self._host.record(entry)
        try:
            await self._arrive(entry)
            if isinstance(fault, Hang):
                await self._silence(fault.seconds)
            if isinstance(fault, Disconnect):
                raise CloseConnection
            if isinstance(fault, Refuse):
                raise self._reset()
            answer = await self._answer(method, path, parts.query, headers, fault)
            entry.status = answer.status
            self._send_head(path, answer, fault)
            if method != "HEAD":
                await self._send_body(answer, fault, entry)
            await self._writer.drain()
            entry.completed = True
        finally:
            entry.end_us = self._host.now_us()
        if headers.get("connection", "").lower() == "close" or isinstance(fault, WrongLength):
            raise CloseConnection

    async def _arrive(self, entry: LoggedRequest) -> None:
        """Take the time that a request needs to get here and its answer to get back."""
        if self._host.latency_s:
            await asyncio.sleep(self._host.latency_s)

    async def _answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], fault: Fault | None
    ) -> Answer:
        instead = answer_instead(fault)
        if instead is not None:
            return instead
        if method not in ("GET", "HEAD"):
            return Answer(405)
        answer = await self._host.answer(path, query, time_of(fault, self._host.utc_us())[0])
        while isinstance(answer, NotYet):
            await self._silence((answer.until_us - time_of(fault, self._host.utc_us())[0]) / 1e6)
            answer = await self._host.answer(path, query, time_of(fault, self._host.utc_us())[0])
        byte_range = _parse_range(headers.get("range", ""), len(answer.body))
        if not isinstance(fault, IgnoreRange):
            answer = answer.sliced(byte_range)
        return spoil(answer, fault)

    def _send_head(self, path: str, answer: Answer, fault: Fault | None) -> None:
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}"]
        date_us = time_of(fault, self._host.utc_us())[1]
        headers = {"date": formatdate(date_us // 1_000_000, usegmt=True), "access-control-allow-origin": "*"}
        if answer.arrivals:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(_announced_bytes(answer, fault))
        if answer.status in (200, 206):
            headers["content-type"] = answer.media_type or media_type_of(path)
            headers["accept-ranges"] = "bytes"
        headers |= answer.headers
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def _send_body(self, answer: Answer, fault: Fault | None, entry: LoggedRequest) -> None:
        body, arrivals = answer.body, list(answer.arrivals)
        piece_bytes = fault.piece_bytes if isinstance(fault, Drip) else CHUNK_BYTES
        pause_at = fault.after_bytes if isinstance(fault, Stall | Truncate | Reset) else -1
        view = memoryview(body)
        at = 0
        while at < len(body) or at == pause_at:
            if at == pause_at:
                pause_at = -1
                if isinstance(fault, Truncate):
                    raise CloseConnection
                if isinstance(fault, Reset):
                    raise self._reset()
                if isinstance(fault, Stall):
                    await self._silence(fault.seconds)
                continue
            end = min(at + piece_bytes, len(body))
            if at < pause_at:
                end = min(end, pause_at)
            if at and isinstance(fault, Drip):
                await self._silence(fault.interval_s)
            if arrivals:
                end = min(end, arrivals[0][0])
                await self._silence((arrivals[0][1] - self._host.utc_us()) / 1e6)
                if end == arrivals[0][0]:
                    del arrivals[0]
            await self._write(view[at:end], entry, is_chunk=bool(answer.arrivals))
            at = end
        if answer.arrivals:
            self._writer.write(b"0\r\n\r\n")

    async def _write(self, piece: memoryview, entry: LoggedRequest, *, is_chunk: bool) -> None:
        entry.first_byte_us = entry.first_byte_us or self._host.now_us()
        self._writer.write(b"%x\r\n%b\r\n" % (len(piece), bytes(piece)) if is_chunk else piece)
        await self._writer.drain()
        entry.sent_bytes += len(piece)

    def _reset(self) -> CloseConnection:
        """Drop the connection with a reset (RST) rather than an orderly end."""
        raw = self._writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        return CloseConnection()

    async def _silence(self, seconds: float) -> None:
        """Say nothing; raises CloseConnection as soon as the client has gone."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(left if math.isfinite(left) and left < 0.05 else 0.05)
            if self._reader.at_eof() or self._writer.is_closing():
                raise CloseConnection


def _announced_bytes(answer: Answer, fault: Fault | None) -> int:
    return max(0, len(answer.body) + (fault.by if isinstance(fault, WrongLength) else 0))


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
        raise CloseConnection
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
