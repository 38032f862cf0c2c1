"""A transport that tells how many bytes come, as they do: what manifests take of a link is not there for media."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from cushion_player.transport.base import ByteSource, FetchRequest, FetchResponse, Transport, source_of


class CountedTransport:
    """Any transport, told of by `on_bytes` with each piece of a body. Closing it leaves the inner one open."""

    def __init__(self, inner: Transport, on_bytes: Callable[[int], None]) -> None:
        self._inner = inner
        self._on_bytes = on_bytes

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FetchResponse, None]:
        """See Transport.stream."""
        async with self._inner.stream(request) as response:
            yield _CountedResponse(response, self._on_bytes)

    async def close(self) -> None:
        """Nothing of its own is open."""


class _CountedResponse:
    """The inner response; its body is counted."""

    def __init__(self, inner: FetchResponse, on_bytes: Callable[[int], None]) -> None:
        self.status: int = inner.status
        self.url: str = inner.url
        self.source: ByteSource = source_of(inner)
        self.headers: Mapping[str, str] = inner.headers
        self._body = _CountedBody(inner.chunks(), on_bytes)

    def chunks(self) -> AsyncIterator[bytes]:
        return self._body


class _CountedBody(AsyncIterator[bytes]):
    def __init__(self, inner: AsyncIterator[bytes], on_bytes: Callable[[int], None]) -> None:
        self._inner = inner
        self._on_bytes = on_bytes

    async def __anext__(self) -> bytes:
        chunk = await anext(self._inner)
        self._on_bytes(len(chunk))
        return chunk
