"""The Transport interface: what fetches. Adapters translate foreign exceptions into FetchError and its kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from cushion_player.clock import Clock
from cushion_player.errors import FetchTimeout, ResponseTooLarge
from cushion_player.public_url import public_url

MANIFEST_LIMIT_BYTES = 32 * 1024 * 1024
SEGMENT_LIMIT_BYTES = 256 * 1024 * 1024
ANSWER_LIMIT_S = 20.0
"""For all of something small that somebody waits for: a key, a list, a picture."""


@dataclass(frozen=True, slots=True)
class FetchTimeouts:
    """How long each stage may take, in seconds."""

    connect_s: float = 5.0
    first_byte_s: float = 10.0
    stall_s: float = 10.0
    """Longest silence inside a body."""


@dataclass(frozen=True, slots=True, repr=False)
class FetchRequest:
    """One request. `byte_range` is (first, last) inclusive; last None means to the end.

    body: what is sent along by POST (a licence request); None for a GET.
    """

    url: str
    byte_range: tuple[int, int | None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeouts: FetchTimeouts = FetchTimeouts()
    label: str = ""
    """What this is, for messages: `segment 412 of video/1080p`."""
    body: bytes | None = None

    def __repr__(self) -> str:
        """Neither headers nor body nor a query string: they carry tokens."""
        method = "GET" if self.body is None else "POST"
        return f"<FetchRequest {method} {public_url(self.url)} {self.byte_range or ''} {self.label!r}>"


class FetchResponse(Protocol):
    """A response whose headers have arrived. Iterate `chunks()` once to read the body."""

    @property
    def status(self) -> int: ...
    @property
    def url(self) -> str:
        """The final URL after redirects: the base for relative references."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Lower-case names."""
        ...

    def chunks(self) -> AsyncIterator[bytes]: ...


class ByteSource(StrEnum):
    """Where the bytes of an answer came from, as the transport that brought them knows."""

    NETWORK = "network"
    """Also from a server on this machine: its answers come over a socket, and their speed is real."""
    CACHE = "cache"
    LOCAL = "local"
    """A file, or memory."""


@runtime_checkable
class SaysSource(Protocol):
    """A response that says where its bytes came from; others are of the network."""

    @property
    def source(self) -> ByteSource: ...


def source_of(response: FetchResponse) -> ByteSource:
    """Where the bytes of an answer came from: never guessed from how fast they came."""
    return response.source if isinstance(response, SaysSource) else ByteSource.NETWORK


class Transport(Protocol):
    """What fetches. `stream` raises FetchError kinds on entry (status, connect) and while iterating (mid-body)."""

    def stream(self, request: FetchRequest) -> AbstractAsyncContextManager[FetchResponse]: ...

    async def close(self) -> None:
        """Close every connection. Using the transport afterwards is an error."""
        ...


@dataclass(frozen=True, slots=True)
class FetchResult:
    """A whole body and when it came, by the caller's clock."""

    body: bytes
    url: str
    status: int
    headers: Mapping[str, str]
    request_us: int
    first_byte_us: int
    end_us: int


async def fetch_bytes(
    transport: Transport,
    request: FetchRequest,
    clock: Clock,
    *,
    limit_bytes: int = SEGMENT_LIMIT_BYTES,
    limit_s: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> FetchResult:
    """Read a whole body.

    on_progress: called with (bytes so far, first_byte_us) after each chunk.
    limit_s: for all of it, by the event loop's time: a server that drips a byte a second never stalls. None: whoever
    asks has a limit of its own.
    Raises FetchError kinds; ResponseTooLarge once more than `limit_bytes` have come (the rest is not read).
    """
    try:
        async with asyncio.timeout(limit_s):
            return await _fetch_bytes(transport, request, clock, limit_bytes, on_progress)
    except TimeoutError as exc:
        what = f"not all of it came within {limit_s:g} s ({public_url(request.url)})"
        raise FetchTimeout(f"{request.label}: {what}" if request.label else what, url=request.url) from exc


async def _fetch_bytes(
    transport: Transport,
    request: FetchRequest,
    clock: Clock,
    limit_bytes: int,
    on_progress: Callable[[int, int], None] | None,
) -> FetchResult:
    request_us = clock.now_us()
    first_byte_us = 0
    received = 0
    parts: list[bytes] = []
    async with transport.stream(request) as response:
        async for chunk in response.chunks():
            if not chunk:
                continue
            if not first_byte_us:
                first_byte_us = clock.now_us()
            received += len(chunk)
            if received > limit_bytes:
                raise ResponseTooLarge(
                    f"{request.label or public_url(request.url)}: more than {limit_bytes} bytes, reading stopped",
                    url=request.url,
                )
            parts.append(chunk)
            if on_progress is not None:
                on_progress(received, first_byte_us)
        end_us = clock.now_us()
        return FetchResult(
            b"".join(parts),
            response.url,
            response.status,
            response.headers,
            request_us,
            first_byte_us or end_us,
            end_us,
        )
