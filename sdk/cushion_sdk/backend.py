"""The backend, over HTTP: catalog, positions, telemetry, ingests. Every failure is a ServiceError kind.

Nothing here retries or waits long: those who must not lose anything (outbox, positions) keep it and come again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from cushion_player.errors import NotAuthorised, NotFound, ServiceError, ServiceUnavailable, UsageError
from cushion_player.transport.lean import httpx
from cushion_sdk.contracts.catalog import Title, TitlePage
from cushion_sdk.contracts.cmcd import CONTENT_TYPE
from cushion_sdk.contracts.ingest import IngestJob, IngestRequest
from cushion_sdk.contracts.problem import Problem
from cushion_sdk.contracts.resume import Position, PositionPage, PositionReport
from cushion_sdk.contracts.telemetry import TelemetryReceipt

T = TypeVar("T")

MAX_BODY_BYTES = 8 * 1024 * 1024
TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0


class RequestRefused(ServiceError):
    """The backend understood, and does not want this: sending it again changes nothing."""

    code = "refused"


class Backend(Protocol):
    """What a session needs of a backend. BackendClient is one; cushion_sdk.testing.FakeBackend another."""

    def media_url(self, path: str) -> str:
        """A path of the catalog as an absolute URL."""
        ...

    async def position(self, profile_id: str, title_id: str) -> PositionReport | None:
        """Where the profile stopped; None when it never watched. Raises ServiceError kinds."""
        ...

    async def put_position(self, profile_id: str, title_id: str, report: PositionReport) -> PositionReport:
        """Report a position; returns what now holds. Raises ServiceError kinds."""
        ...

    async def send_telemetry(self, body: bytes) -> TelemetryReceipt:
        """Deliver a body of `contracts.cmcd`. Raises ServiceError kinds."""
        ...


class BackendClient:
    """Talks to one backend at `base_url`. Used on one event loop; `close` it there.

    It follows no redirects (nobody else is to learn what is sent), and reads no more than 8 MiB of any answer.
    """

    def __init__(
        self, base_url: str, *, timeout_s: float = TIMEOUT_S, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """transport: another httpx transport, for tests. Raises UsageError when `base_url` is not an http(s) URL."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"the backend's address must be an http or https URL, got {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self._timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def media_url(self, path: str) -> str:
        return urljoin(self.base_url + "/", path)

    # ------------------------------------------------------------------ catalog

    async def titles_page(self, cursor: str = "") -> TitlePage:
        """One page of the catalog; "" asks for the first."""
        return await self._get("/v1/titles", TitlePage, params={"cursor": cursor} if cursor else None)

    async def titles(self) -> list[Title]:
        """The whole catalog, oldest publication first."""
        titles: list[Title] = []
        cursor = ""
        seen: set[str] = set()
        while True:
            page = await self.titles_page(cursor)
            titles += page.titles
            cursor = page.next_cursor
            if not cursor or cursor in seen:
                return titles
            seen.add(cursor)

    async def title(self, title_id: str) -> Title:
        """Raises NotFound when it is not published."""
        return await self._get(f"/v1/titles/{_part(title_id)}", Title)

    # ------------------------------------------------------------------ resume

    async def position(self, profile_id: str, title_id: str) -> PositionReport | None:
        try:
            held = await self._get(f"/v1/profiles/{_part(profile_id)}/positions/{_part(title_id)}", Position)
        except NotFound:
            return None
        return held.report

    async def positions(self, profile_id: str) -> list[Position]:
        """All titles of a profile, newest first."""
        return (await self._get(f"/v1/profiles/{_part(profile_id)}/positions", PositionPage)).positions

    async def put_position(self, profile_id: str, title_id: str, report: PositionReport) -> PositionReport:
        path = f"/v1/profiles/{_part(profile_id)}/positions/{_part(title_id)}"
        held = await self._call("PUT", path, Position, content=msgspec.json.encode(report), content_type=JSON)
        return held.report

    # ------------------------------------------------------------------ telemetry and ingest

    async def send_telemetry(self, body: bytes) -> TelemetryReceipt:
        return await self._call("POST", "/v1/telemetry", TelemetryReceipt, content=body, content_type=CONTENT_TYPE)

    async def ingest(self, request: IngestRequest) -> IngestJob:
        """Ask the backend to make a title of a file on its machine."""
        content = msgspec.json.encode(request)
        return await self._call("POST", "/v1/ingests", IngestJob, content=content, content_type=JSON)

    async def ingest_job(self, job_id: str) -> IngestJob:
        return await self._get(f"/v1/ingests/{_part(job_id)}", IngestJob)

    async def ingest_jobs(self) -> list[IngestJob]:
        return await self._get("/v1/ingests", list[IngestJob])

    async def is_healthy(self) -> bool:
        """Whether the backend answers. Never raises."""
        try:
            await self._request("GET", "/healthz", None, "", None)
        except ServiceError:
            return False
        return True

    # ------------------------------------------------------------------ HTTP

    async def _get(self, path: str, answer: type[T], params: dict[str, str] | None = None) -> T:
        return await self._call("GET", path, answer, params=params)

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        content: bytes | None = None,
        content_type: str = "",
        params: dict[str, str] | None = None,
    ) -> T:
        body = await self._request(method, path, content, content_type, params)
        try:
            return msgspec.json.decode(body, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise ServiceError(f"{method} {self.base_url}{path}: the answer makes no sense ({exc})") from exc

    async def _request(
        self, method: str, path: str, content: bytes | None, content_type: str, params: dict[str, str] | None
    ) -> bytes:
        what = f"{method} {self.base_url}{path}"
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            async with self._open(method, path, content=content, headers=headers, params=params) as response:
                body = await _read(response, what)
                status = response.status_code
        except httpx.TimeoutException as exc:
            raise ServiceUnavailable(f"{what}: no answer in time") from exc
        except httpx.HTTPError as exc:
            raise ServiceUnavailable(f"{what}: {str(exc) or type(exc).__name__}") from exc
        if not 200 <= status < 300:
            raise _refusal(what, status, body)
        return body

    @asynccontextmanager
    async def _open(self, method: str, path: str, **kwargs: Any) -> AsyncGenerator[httpx.Response]:
        if self._client is None:
            # trust_env is off: no proxy of the environment for a backend that is named explicitly.
            self._client = httpx.AsyncClient(timeout=self._timeout, transport=self._transport, trust_env=False)
        async with self._client.stream(method, self.base_url + path, **kwargs) as response:
            yield response


JSON = "application/json"


def _part(identifier: str) -> str:
    return quote(identifier, safe="")


async def _read(response: httpx.Response, what: str) -> bytes:
    parts: list[bytes] = []
    size_bytes = 0
    async for chunk in response.aiter_bytes():
        size_bytes += len(chunk)
        if size_bytes > MAX_BODY_BYTES:
            raise ServiceError(f"{what}: the answer is larger than {MAX_BODY_BYTES} bytes, reading stopped")
        parts.append(chunk)
    return b"".join(parts)


def _refusal(what: str, status: int, body: bytes) -> ServiceError:
    try:
        problem = msgspec.json.decode(body, type=Problem)
        said = f"{problem.title}: {problem.detail}" if problem.detail else problem.title
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = "no reason given"
    message = f"{what}: HTTP {status}, {said}"
    if status in (401, 403):
        return NotAuthorised(message)
    if status == 404:
        return NotFound(message)
    if status in (408, 425, 429) or status >= 500:
        return ServiceUnavailable(message)
    return RequestRefused(message)
