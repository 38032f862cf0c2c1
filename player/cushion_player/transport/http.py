"""HTTP over httpx, HTTP/1.1 only: a client that abandons downloads must be able to drop a connection.

(httpcore answers an abandoned HTTP/2 stream neither with RST_STREAM nor with flow-control credit, so the shared
connection soon hangs: encode/httpcore #943. Over HTTP/1.1 the socket is closed and the next request opens another.)

Belongs here: redirects, byte ranges, stage timeouts, the limit per host, and the only translation of httpx's
exceptions. Does not belong here: retries with delays, which the engine decides.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from cushion_player.errors import FetchError, UsageError
from cushion_player.transport import wording
from cushion_player.transport.base import FetchRequest
from cushion_player.transport.headers import ContentRange, parse_retry_after
from cushion_player.transport.lean import httpx

MAX_REDIRECTS: Final = 8
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAME_METHOD: Final = frozenset({307, 308})
"""Redirects that a POST follows as a POST; after the others it is a GET (RFC 9110 15.4)."""
_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
_LOOPBACK: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_DRAINED_REDIRECT_BYTES: Final = 64 * 1024


class HttpTransport:
    """Fetches http: and https: URLs.

    max_per_host: requests in flight to one host; further ones wait their turn (not counted by any timeout).
    trust_env: honour the proxy and certificate variables of the environment. Loopback is never proxied.
    keepalive_s: how long an idle connection is kept.
    """

    def __init__(
        self, *, max_per_host: int = 6, trust_env: bool = False, keepalive_s: float = 30.0, user_agent: str = "Cushion"
    ) -> None:
        self._max_per_host = max_per_host
        self._trust_env = trust_env
        self._limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=keepalive_s)
        self._user_agent = user_agent
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._slots: dict[tuple[str, str], asyncio.Semaphore] = {}
        self._closed = False

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[HttpResponse, None]:
        """Send the request; see Transport.stream. Raises FetchError kinds, UsageError once closed."""
        url = checked_target(request, request.url, previous="")
        headers, body = self._headers(request), request.body
        for _ in range(MAX_REDIRECTS + 1):
            async with self._slot(url):
                response = await self._send(request, url, headers, body)
                try:
                    if response.status_code not in _REDIRECTS:
                        answer = _accept(request, url, response)
                        try:
                            yield answer
                        finally:
                            await answer.release()
                        return
                    location = response.headers.get("location")
                    if location is None:
                        raise wording.failed(request, f"HTTP {response.status_code} without a location", url)
                    await _drain_redirect(request, url, response)
                finally:
                    await response.aclose()
            target = checked_target(request, urljoin(url, location), previous=url)
            if urlsplit(target).netloc != urlsplit(url).netloc:
                headers = {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
            if response.status_code not in _SAME_METHOD:
                body = None
            url = target
        raise wording.failed(request, f"more than {MAX_REDIRECTS} redirects", url)

    async def close(self) -> None:
        """Close every connection; harmless when closed already."""
        self._closed = True
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def _headers(self, request: FetchRequest) -> dict[str, str]:
        headers = dict(request.headers)
        if request.byte_range is not None:
            first, last = request.byte_range
            headers["range"] = f"bytes={first}-{'' if last is None else last}"
            headers["accept-encoding"] = "identity"  # a range of an encoded body is of no use
        return headers

    async def _send(
        self, request: FetchRequest, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> httpx.Response:
        """The response with its headers. A kept connection that turns out dead costs one silent second try."""
        stage = _Stage()
        try:
            return await self._send_once(request, url, headers, body, stage)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if stage.connected_now:
                raise _translate(request, error, url) from error
        except httpx.HTTPError as error:
            raise _translate(request, error, url) from error
        try:
            return await self._send_once(request, url, headers, body, stage)
        except httpx.HTTPError as error:
            raise _translate(request, error, url) from error

    async def _send_once(
        self, request: FetchRequest, url: str, headers: Mapping[str, str], body: bytes | None, stage: _Stage
    ) -> httpx.Response:
        client = self._client(urlsplit(url).scheme)
        loop = asyncio.get_running_loop()
        stage.sending = stage.connected_now = False
        try:
            async with asyncio.timeout(request.timeouts.connect_s) as deadline:

                async def trace(event: str, _: Mapping[str, object]) -> None:
                    if event == "connection.connect_tcp.started":
                        stage.connected_now = True
                    elif event.endswith(".send_request_headers.started"):
                        stage.sending = True
                        deadline.reschedule(loop.time() + request.timeouts.first_byte_s)

                method = "GET" if body is None else "POST"
                outgoing = client.build_request(method, url, headers=headers, content=body, extensions={"trace": trace})
                return await client.send(outgoing, stream=True)
        except TimeoutError as error:
            if stage.sending:
                raise wording.no_answer(request, url) from error
            raise wording.timed_out(request, f"no connection within {request.timeouts.connect_s:g} s", url) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            # httpx reads a redirect's location even when it is not to follow it.
            raise wording.failed(request, f"not a usable URL, or redirected to one: {error}", url) from error

    def _client(self, scheme: str) -> httpx.AsyncClient:
        """One client a scheme: loading the certificates (some 20 ms) is left to those who need them."""
        if self._closed:
            raise UsageError("this transport is closed")
        client = self._clients.get(scheme)
        if client is None:
            client = self._clients[scheme] = httpx.AsyncClient(
                verify=_no_certificates() if scheme == "http" and not self._trust_env else True,
                http1=True,
                http2=False,
                trust_env=self._trust_env,
                mounts=dict.fromkeys(_LOOPBACK),
                timeout=None,  # stages are timed here, see _send_once and _Body
                limits=self._limits,
                follow_redirects=False,
                headers={"user-agent": self._user_agent, "accept": "*/*", "accept-encoding": "gzip, deflate"},
            )
        return client

    def _slot(self, url: str) -> asyncio.Semaphore:
        parts = urlsplit(url)
        return self._slots.setdefault((parts.scheme, parts.netloc), asyncio.Semaphore(self._max_per_host))


@dataclass(slots=True)
class _Stage:
    """How far a request has come, for the wording of a timeout and the decision to try again."""

    sending: bool = False
    connected_now: bool = False


class HttpResponse:
    """A response whose headers have arrived; see FetchResponse."""

    def __init__(self, request: FetchRequest, url: str, response: httpx.Response, skip: int, take: int | None) -> None:
        self.status: int = response.status_code
        self.url: str = url
        self.headers: Mapping[str, str] = dict(response.headers)
        self._body = _Body(request, url, response, skip, take)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, at most 64 KiB at once; to be iterated once."""
        return self._body

    async def release(self) -> None:
        """Let go of the body; an unfinished one costs its connection."""
        await self._body.aclose()


class _Body(AsyncIterator[bytes]):
    """A body being read. A class, because a generator abandoned half-way would be closed by a stray task.

    skip, take: the part to hand out when a server answered a range request with everything.
    """

    def __init__(self, request: FetchRequest, url: str, response: httpx.Response, skip: int, take: int | None) -> None:
        self._request = request
        self._url = url
        self._response = response
        self._encoded = "content-encoding" in response.headers
        self._source = response.aiter_bytes()
        self._skip = skip
        self._left = take

    async def __anext__(self) -> bytes:
        while self._left != 0:
            chunk = self._cut(await self._read())
            if chunk:
                return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        await self._source.aclose()  # type: ignore[attr-defined]  # httpx types its generator as an iterator

    async def _read(self) -> bytes:
        try:
            async with asyncio.timeout(self._request.timeouts.stall_s):
                return await anext(self._source)
        except TimeoutError as error:
            raise wording.stalled(self._request, self._received, self._announced, self._url) from error
        except httpx.DecodingError as error:
            raise wording.failed(self._request, f"undecodable content encoding: {error}", self._url) from error
        except httpx.RemoteProtocolError as error:
            raise wording.cut_short(self._request, self._received, self._announced, self._url) from error
        except httpx.TransportError as error:
            what = f"connection lost at {wording.progress(self._received, self._announced)}"
            raise wording.lost(self._request, what, self._url) from error

    def _cut(self, chunk: bytes) -> bytes:
        if self._skip:
            dropped = min(self._skip, len(chunk))
            self._skip -= dropped
            chunk = chunk[dropped:]
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        return chunk

    @property
    def _received(self) -> int:
        return self._response.num_bytes_downloaded

    @property
    def _announced(self) -> int | None:
        length = self._response.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None


def checked_target(request: FetchRequest, url: str, *, previous: str) -> str:
    """`url` if it may be fetched; a redirect must stay on the web and must not leave https."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.netloc.isprintable() and " " not in parts.netloc and parts.port != 0
    except ValueError as error:
        raise wording.failed(request, f"not a usable URL: {error}", url) from error
    if parts.scheme not in ("http", "https"):
        what = f"redirected to a {parts.scheme}: URL" if previous else f"{parts.scheme or 'relative'} URLs are not HTTP"
        raise wording.failed(request, what, previous or url)
    if not usable:
        raise wording.failed(request, "not a usable URL: no host", url)
    if previous.startswith("https:") and parts.scheme == "http":
        raise wording.failed(request, f"redirected from https to {wording.public_url(url)}", previous)
    return url


def _accept(request: FetchRequest, url: str, response: httpx.Response) -> HttpResponse:
    """Check the status against what was asked for and find where the wanted bytes lie in the body."""
    status = response.status_code
    if status >= 300:
        retry_after_s = parse_retry_after(response.headers.get("retry-after"), response.headers.get("date"))
        raise wording.status_error(request, status, url, retry_after_s=retry_after_s)
    if request.byte_range is None:
        return HttpResponse(request, url, response, 0, None)
    first, last = request.byte_range
    if status == 206:
        sent = ContentRange.parse(response.headers.get("content-range"))
        if sent is None or sent.first != first or (last is not None and sent.last > last):
            seen = response.headers.get("content-range", "none")
            raise wording.failed(request, f"asked for bytes from {first}, got content-range {seen!r}", url)
        return HttpResponse(request, url, response, 0, None)
    return HttpResponse(request, url, response, first, None if last is None else last - first + 1)


async def _drain_redirect(request: FetchRequest, url: str, response: httpx.Response) -> None:
    """Read a redirect's short body, so that its connection can be used again; a long one is dropped with it."""
    length = response.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _DRAINED_REDIRECT_BYTES:
        return
    try:
        async with asyncio.timeout(request.timeouts.stall_s):
            await response.aread()
    except (TimeoutError, httpx.HTTPError) as error:
        raise wording.lost(request, "the connection failed inside a redirect", url) from error


def _translate(request: FetchRequest, error: httpx.HTTPError, url: str) -> FetchError:
    """httpx's exceptions before the headers, in our words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return wording.failed(request, f"certificate refused: {cause.verify_message}", url)
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ConnectError():
            return wording.lost(request, f"no connection: {error}", url)
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return wording.lost(request, "the connection closed before an answer", url)
        case httpx.LocalProtocolError():  # its words show the header, which may be a token
            return wording.failed(request, "the request could not be sent: one of its headers is malformed", url)
        case httpx.ProxyError():
            return wording.lost(request, f"the proxy failed: {error}", url)
        case _:
            return wording.failed(request, f"{type(error).__name__}: {error}", url)


def _no_certificates() -> ssl.SSLContext:
    """For plain HTTP, where httpx wants a context all the same: one that trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
