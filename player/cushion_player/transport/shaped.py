"""A transport behind a modelled link, in any clock's time, by the arithmetic of every simulator: `cushion_traces.link`.

All requests share one link. A request costs the link's latency before its headers, then its body is handed out in
pieces, each at the moment the link arithmetic says its last byte arrives. The link's free time is carried from piece
to piece and from request to request, so waking late never costs capacity (re-anchoring on "now" gave errors of 24 %).
A consumer that stops reading finds what has arrived meanwhile, as from a socket with a large buffer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from cushion_player.clock import Clock
from cushion_player.errors import FetchError
from cushion_player.transport import wording
from cushion_player.transport.base import ByteSource, FetchRequest, FetchResponse, Transport, source_of
from cushion_traces.link import Link, SharedLink

_IDLE_US: Final = 50_000
"""Bytes that the inner transport brings this much later than they were wanted have left the link idle."""
_LOOK_US: Final = 250_000
"""How often a wait looks whether the link was changed."""


class ShapedTransport:
    """Any transport, as seen over `link`; None shapes nothing. Closing it closes the inner one.

    Link time 0 is the first request after construction or `set_link` (or the next piece of one in flight).
    """

    def __init__(self, inner: Transport, clock: Clock, link: Link | None = None) -> None:
        self._inner = inner
        self._clock = clock
        self._shaping = _Shaping(link) if link is not None else None

    @property
    def link(self) -> Link | None:
        """The link in force."""
        return self._shaping.shared.link if self._shaping else None

    def set_link(self, link: Link | None) -> None:
        """Change the link; requests in flight follow from their next piece on."""
        self._shaping = _Shaping(link) if link is not None else None

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FetchResponse, None]:
        """See Transport.stream. Errors of the inner transport, too, are heard only after the latency."""
        shaping = self._shaping
        ready_us = self._clock.now_us()
        if shaping is None:
            latency_us = 0
        else:
            shaping.anchor(ready_us)
            latency_us = shaping.shared.link.latency_us
        patience_us = round(request.timeouts.first_byte_s * 1e6)
        late = latency_us > patience_us
        ready_us += min(latency_us, patience_us)
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._inner.stream(request))
            except FetchError:
                await self.wait_until(ready_us, shaping)
                raise
            arrived_us = self._clock.now_us()
            await self.wait_until(ready_us, shaping)
            if late:
                raise wording.no_answer(request)
            yield _ShapedResponse(self, request, response, max(ready_us, _idle_until(arrived_us, ready_us)))

    async def close(self) -> None:
        await self._inner.close()

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def shaping(self) -> _Shaping | None:
        return self._shaping

    async def wait_until(self, deadline_us: int, shaping: _Shaping | None) -> None:
        """Wait, but only as long as `shaping` stays in force."""
        while shaping is self._shaping and (now_us := self._clock.now_us()) < deadline_us:
            await self._clock.sleep_until(min(deadline_us, now_us + _LOOK_US))


class _Shaping:
    """A link in use: who shares it, and when its time 0 was on the clock."""

    def __init__(self, link: Link) -> None:
        self.shared = SharedLink(link)
        self._origin_us: int | None = None

    def anchor(self, now_us: int) -> int:
        """Start the link's time if it has not started; returns its origin."""
        if self._origin_us is None:
            self._origin_us = now_us
        return self._origin_us

    def send(self, ready_us: int, n_bytes: int, now_us: int, *, is_first: bool) -> tuple[int, int]:
        """Put the next piece of `n_bytes` on the link: (its size, when its last byte arrives on the clock)."""
        origin_us = self.anchor(now_us)
        size, due_us = self.shared.send(max(0, ready_us - origin_us), n_bytes, is_first=is_first)
        return size, origin_us + due_us


class _ShapedResponse:
    """A response whose body is paced; everything else is the inner one's."""

    def __init__(self, owner: ShapedTransport, request: FetchRequest, inner: FetchResponse, ready_us: int) -> None:
        self.status: int = inner.status
        self.url: str = inner.url
        # What crosses a modelled link is measured as if it crossed a real one.
        self.source: ByteSource = source_of(inner) if owner.link is None else ByteSource.NETWORK
        self.headers: Mapping[str, str] = inner.headers
        self._body = _PacedBody(owner, request, inner, ready_us)

    def chunks(self) -> AsyncIterator[bytes]:
        return self._body


class _PacedBody(AsyncIterator[bytes]):
    def __init__(self, owner: ShapedTransport, request: FetchRequest, inner: FetchResponse, ready_us: int) -> None:
        self._owner = owner
        self._clock = owner.clock
        self._request = request
        self._source = inner.chunks()
        self._announced = _length(inner.headers)
        self._shaping = owner.shaping
        self._ready_us = ready_us
        self._heard_us = ready_us
        self._held = b""
        self._received = 0

    async def __anext__(self) -> bytes:
        if not self._held:
            self._held = await self._pull()
        shaping = self._owner.shaping
        if shaping is not self._shaping:
            self._shaping = shaping
            self._ready_us = self._clock.now_us()
        piece, self._held = await self._deliver(shaping) if shaping is not None else (self._held, b"")
        self._received += len(piece)
        return piece

    async def _pull(self) -> bytes:
        """The inner transport's next bytes; when they are long in coming, the link was idle until then."""
        wanted_us = self._clock.now_us()
        chunk = b""
        while not chunk:
            chunk = await anext(self._source)
        self._ready_us = max(self._ready_us, _idle_until(self._clock.now_us(), wanted_us))
        return chunk

    async def _deliver(self, shaping: _Shaping) -> tuple[bytes, bytes]:
        """Wait for the next piece of what is held to cross the link; returns it and the rest."""
        is_first = not self._received
        size, due_us = shaping.send(self._ready_us, len(self._held), self._clock.now_us(), is_first=is_first)
        stalled_us = self._heard_us + round(self._request.timeouts.stall_s * 1e6)
        await self._owner.wait_until(min(due_us, stalled_us), shaping)
        if stalled_us < due_us and self._clock.now_us() >= stalled_us:
            raise wording.stalled(self._request, self._received, self._announced)
        self._heard_us = self._clock.now_us()
        return self._held[:size], self._held[size:]


def _idle_until(arrived_us: int, wanted_us: int) -> int:
    """When bytes entered an idle link; 0 when they came in time, so that a late wake-up does not pass for idleness."""
    return arrived_us if arrived_us - wanted_us > _IDLE_US else 0


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
