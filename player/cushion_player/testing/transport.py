"""A Transport out of a dictionary or of sites, in any clock's time, that misbehaves on request.

    transport = FakeTransport(clock, {"http://origin/a.mpd": manifest}, latency_us=20_000)
    transport.faults.once("http://origin/seg-3.m4s", Status(503), None)

Bodies arrive at once after the latency, in chunks of 64 KiB; put a ShapedTransport around it for a link.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from cushion_player.clock import Clock
from cushion_player.errors import UsageError
from cushion_player.testing.answers import Answer, NotYet, Site, media_type_of
from cushion_player.testing.fault_script import FaultScript
from cushion_player.testing.faults import (
    Disconnect,
    Drip,
    Fault,
    Hang,
    IgnoreRange,
    Redirect,
    Refuse,
    Reset,
    Stall,
    Status,
    Truncate,
    WrongLength,
    answer_instead,
    spoil,
    time_of,
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
    """Serves `content` (URL to bytes, or to a function of the request) and `sites`; the rest answers HTTP 404.

    sites: by `http://host`, as far as the path begins. utc_offset_us: µs since 1970 UTC when the clock says 0.
    requests: every request, oldest first. faults: what goes wrong. open_streams: responses not left yet.
    keeps_log: False keeps no requests, for sessions of hours.
    """

    def __init__(
        self,
        clock: Clock,
        content: Mapping[str, Content],
        *,
        sites: Mapping[str, Site] | None = None,
        latency_us: int = 0,
        utc_offset_us: int = 0,
        faults: FaultScript | None = None,
        keeps_log: bool = True,
    ) -> None:
        self.content: dict[str, Content] = dict(content)
        self.sites: dict[str, Site] = dict(sites or {})
        self.faults = faults or FaultScript()
        self.requests: list[FakeRequest] = []
        self.open_streams = 0
        self.latency_us = latency_us
        self.utc_offset_us = utc_offset_us
        self._clock = clock
        self._began_us = clock.now_us()
        self._keeps_log = keeps_log
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
            now_us = self._clock.now_us()
            fault = self.faults.take(url, now_us=now_us - self._began_us)
            if self._keeps_log:
                self.requests.append(FakeRequest(url, request.byte_range, now_us, fault))
            deadline_us = now_us + round(request.timeouts.first_byte_s * 1e6)
            await self._first_byte(request, fault, deadline_us)
            match fault:
                case Redirect(location):
                    url = urljoin(url, location)
                case Status(status, retry_after):
                    raise wording.status_error(request, status, url, retry_after_s=parse_retry_after(retry_after))
                case Refuse():
                    raise wording.lost(request, "no connection: refused", url)
                case Disconnect():
                    raise wording.lost(request, "the connection closed before an answer", url)
                case _:
                    return await self._respond(request, url, fault, deadline_us)
        raise wording.failed(request, f"more than {MAX_REDIRECTS} redirects", url)

    async def _first_byte(self, request: FetchRequest, fault: Fault | None, deadline_us: int) -> None:
        """Let the latency pass, and the silence of a Hang; raises FetchTimeout when that is too long."""
        silence_us = min(fault.seconds * 1e6, deadline_us) if isinstance(fault, Hang) else 0
        ready_us = self._clock.now_us() + self.latency_us + round(silence_us)
        await self._wait(request, ready_us, deadline_us)

    async def _wait(self, request: FetchRequest, ready_us: int, deadline_us: int) -> None:
        await self._clock.sleep_until(min(ready_us, deadline_us))
        if ready_us >= deadline_us:
            raise wording.no_answer(request)

    async def _respond(self, request: FetchRequest, url: str, fault: Fault | None, deadline_us: int) -> FakeResponse:
        instead = answer_instead(fault)
        answer = instead or self._content_of(request, url, fault)
        while isinstance(answer, NotYet):
            await self._wait(request, answer.until_us - self.utc_offset_us, deadline_us)
            answer = self._content_of(request, url, fault)
        answer = answer.sliced(request.byte_range)
        if answer.status == 206 and (instead is not None or isinstance(fault, IgnoreRange)):
            answer = replace(answer, status=200)  # transports cut out what was asked for themselves
        if answer.status not in (200, 206):
            raise wording.status_error(request, answer.status, url)
        answer = spoil(answer, fault)
        _, date_us = time_of(fault, self._utc_us())
        return FakeResponse(self._clock, request, url, answer, fault, date_us, self.utc_offset_us)

    def _utc_us(self) -> int:
        return self._clock.now_us() + self.utc_offset_us

    def _content_of(self, request: FetchRequest, url: str, fault: Fault | None) -> Answer | NotYet:
        content = self.content.get(url)
        if content is not None:
            body = content if isinstance(content, bytes) else content(request)
            return Answer(200, body, media_type_of(urlsplit(url).path))
        parts = urlsplit(url)
        site = self.sites.get(f"{parts.scheme}://{parts.netloc}")
        if site is None:
            return Answer(404)
        content_us, _ = time_of(fault, self._utc_us())
        answer = site.response(unquote(parts.path), parts.query, content_us)
        if isinstance(answer, NotYet):  # in the site's own time, which may be shifted
            return NotYet(max(self._utc_us() + 1, answer.until_us + self._utc_us() - content_us))
        return answer


class FakeResponse:
    """A scripted response; see FetchResponse."""

    def __init__(
        self,
        clock: Clock,
        request: FetchRequest,
        url: str,
        answer: Answer,
        fault: Fault | None,
        date_us: int,
        utc_offset_us: int,
    ) -> None:
        self.status: int = answer.status
        self.url: str = url
        headers = {"date": formatdate(date_us // 1_000_000, usegmt=True), "content-type": answer.media_type}
        if not answer.arrivals:
            surplus = fault.by if isinstance(fault, WrongLength) else 0
            headers["content-length"] = str(max(0, len(answer.body) + surplus))
        self.headers: Mapping[str, str] = {**headers, **answer.headers}
        arrivals = [(end, time_us - utc_offset_us) for end, time_us in answer.arrivals]
        self._body = _FakeBody(clock, request, url, answer.body, fault, arrivals)

    def chunks(self) -> AsyncIterator[bytes]:
        return self._body


class _FakeBody(AsyncIterator[bytes]):
    def __init__(
        self,
        clock: Clock,
        request: FetchRequest,
        url: str,
        body: bytes,
        fault: Fault | None,
        arrivals: list[tuple[int, int]],
    ) -> None:
        self._clock = clock
        self._request = request
        self._url = url
        self._body = body if not isinstance(fault, WrongLength) else body[: max(0, len(body) + min(0, fault.by))]
        self._total = len(body) + (fault.by if isinstance(fault, WrongLength) else 0)
        self._fault = fault
        self._arrivals = arrivals
        self._at = 0

    async def __anext__(self) -> bytes:
        end = min(self._at + CHUNK_BYTES, len(self._body), await self._arrived())
        match self._fault:
            case Truncate(after_bytes) | Reset(after_bytes):
                if self._at >= after_bytes and self._at < len(self._body):
                    raise wording.cut_short(self._request, self._at, self._total, self._url)
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
            if isinstance(self._fault, WrongLength) and self._at < self._total:
                raise wording.cut_short(self._request, self._at, self._total, self._url)
            raise StopAsyncIteration
        self._at = end
        return chunk

    async def _arrived(self) -> int:
        """How many bytes are there, once more than have been sent are."""
        while self._arrivals:
            end, time_us = self._arrivals[0]
            if end <= self._at:
                del self._arrivals[0]
                continue
            late_s = (time_us - self._clock.now_us()) / 1e6
            if late_s > 0:
                await self._silence(late_s)
            return end
        return len(self._body)

    async def _silence(self, seconds: float) -> None:
        stall_s = self._request.timeouts.stall_s
        await self._clock.sleep_until(self._clock.now_us() + round(min(seconds, stall_s) * 1e6))
        if seconds >= stall_s:
            raise wording.stalled(self._request, self._at, self._total, self._url)
