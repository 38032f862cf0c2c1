"""A Transport out of a dictionary, in any clock's time, that misbehaves on request.

    transport = FakeTransport(clock, {"http://origin/a.mpd": manifest}, latency_us=20_000)
    transport.faults.once("http://origin/seg-3.m4s", Status(503), None)

Bodies arrive at once after the latency, in chunks of 64 KiB; put a ShapedTransport around it for a link.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from cushion_player.clock import Clock
from cushion_player.errors import UsageError
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
from cushion_player.transport import wording
from cushion_player.transport.base import FetchRequest
from cushion_player.transport.headers import parse_retry_after

MAX_REDIRECTS: Final = 8
CHUNK_BYTES: Final = 64 * 1024

Content = bytes | Callable[[FetchRequest], bytes]


@dataclass(frozen=True, slots=True)
class FakeRequest:
    """One request as it came. `fault` is what it got instead of good service."""

    url: str
    byte_range: tuple[int, int | None] | None
    time_us: int
    fault: Fault | None


class FakeTransport:
    """Serves `content` (URL to bytes, or to a function of the request); what is not there answers HTTP 404.

    requests: every request, oldest first. faults: what goes wrong, by whole URL. open_streams: responses not left yet.
    """

    def __init__(self, clock: Clock, content: Mapping[str, Content], *, latency_us: int = 0) -> None:
        self.content: dict[str, Content] = dict(content)
        self.faults = FaultScript()
        self.requests: list[FakeRequest] = []
        self.open_streams = 0
        self.latency_us = latency_us
        self._clock = clock
        self._closed = False

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FakeResponse, None]:
        """See Transport.stream."""
        if self._closed:
            raise UsageError("this transport is closed")
        self.open_streams += 1
        try:
            yield await self._answer(request)
        finally:
            self.open_streams -= 1

    async def close(self) -> None:
        self._closed = True

    async def _answer(self, request: FetchRequest) -> FakeResponse:
        url = request.url
        for _ in range(MAX_REDIRECTS + 1):
            fault = self.faults.take(url)
            self.requests.append(FakeRequest(url, request.byte_range, self._clock.now_us(), fault))
            await self._first_byte(request, fault)
            match fault:
                case Redirect(location):
                    url = urljoin(url, location)
                case Status(status, retry_after):
                    raise wording.status_error(request, status, url, retry_after_s=parse_retry_after(retry_after))
                case Disconnect():
                    raise wording.lost(request, "the connection closed before an answer", url)
                case _:
                    return self._respond(request, url, fault)
        raise wording.failed(request, f"more than {MAX_REDIRECTS} redirects", url)

    async def _first_byte(self, request: FetchRequest, fault: Fault | None) -> None:
        """Let the latency pass, and the silence of a Hang; raises FetchTimeout when that is too long."""
        wait_us = self.latency_us
        patience_us = round(request.timeouts.first_byte_s * 1e6)
        if isinstance(fault, Hang):
            wait_us += patience_us if fault.seconds * 1e6 > patience_us else round(fault.seconds * 1e6)
        await self._clock.sleep_until(self._clock.now_us() + min(wait_us, patience_us))
        if wait_us >= patience_us:
            raise wording.no_answer(request)

    def _respond(self, request: FetchRequest, url: str, fault: Fault | None) -> FakeResponse:
        if isinstance(fault, Html):
            return FakeResponse(self._clock, request, url, 200, HTML_PAGE, "text/html", fault)
        content = self.content.get(url)
        if content is None:
            raise wording.status_error(request, 404, url)
        whole = content if isinstance(content, bytes) else content(request)
        body = slice_range(whole, request.byte_range)
        if body is None:
            raise wording.status_error(request, 416, url)
        if isinstance(fault, Corrupt):
            body = corrupted(body, fault)
        partial = request.byte_range is not None and not isinstance(fault, IgnoreRange)
        return FakeResponse(self._clock, request, url, 206 if partial else 200, body, "application/octet-stream", fault)


class FakeResponse:
    """A scripted response; see FetchResponse."""

    def __init__(
        self,
        clock: Clock,
        request: FetchRequest,
        url: str,
        status: int,
        body: bytes,
        media_type: str,
        fault: Fault | None,
    ) -> None:
        self.status: int = status
        self.url: str = url
        self.headers: Mapping[str, str] = {"content-length": str(len(body)), "content-type": media_type}
        self._body = _FakeBody(clock, request, url, body, fault)

    def chunks(self) -> AsyncIterator[bytes]:
        return self._body


class _FakeBody(AsyncIterator[bytes]):
    def __init__(self, clock: Clock, request: FetchRequest, url: str, body: bytes, fault: Fault | None) -> None:
        self._clock = clock
        self._request = request
        self._url = url
        self._body = body
        self._fault = fault
        self._at = 0

    async def __anext__(self) -> bytes:
        end = min(self._at + CHUNK_BYTES, len(self._body))
        match self._fault:
            case Truncate(after_bytes):
                if self._at >= after_bytes and self._at < len(self._body):
                    raise wording.cut_short(self._request, self._at, len(self._body), self._url)
                end = min(end, max(after_bytes, self._at))
            case Stall(after_bytes, seconds):
                if self._at == after_bytes:
                    await self._silence(seconds)
                elif self._at < after_bytes:
                    end = min(end, after_bytes)
            case Drip(piece_bytes, interval_s):
                end = min(self._at + piece_bytes, len(self._body))
                if self._at:
                    await self._silence(interval_s)
            case _:
                await self._clock.sleep_until(self._clock.now_us())  # let others run, as a socket would
        chunk = self._body[self._at : end]
        if not chunk:
            raise StopAsyncIteration
        self._at = end
        return chunk

    async def _silence(self, seconds: float) -> None:
        stall_s = self._request.timeouts.stall_s
        await self._clock.sleep_until(self._clock.now_us() + round(min(seconds, stall_s) * 1e6))
        if seconds >= stall_s:
            raise wording.stalled(self._request, self._at, len(self._body), self._url)
