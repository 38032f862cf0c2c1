"""Receiving one body, whole or the rest of one that broke off; what has come stays when it breaks off again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cushion_player.clock import Clock
from cushion_player.errors import FetchError, HttpStatusError, ResponseTooLarge
from cushion_player.model import ByteRange
from cushion_player.transport import wording
from cushion_player.transport.base import (
    SEGMENT_LIMIT_BYTES,
    ByteSource,
    FetchRequest,
    FetchResponse,
    Transport,
    source_of,
)
from cushion_player.transport.headers import ContentRange

RANGE_NOT_SATISFIABLE = 416


@dataclass(slots=True)
class Body:
    """What has come of a body. `total_bytes`: of the whole resource, as its server says; None when it does not.

    etag: as its server says, "" without one. The two tell whether another answer is of the same.
    is_growing: it was still being made when it was asked for, so its length may not have been known.
    n_parts: how many parts it was put together of, where it comes in parts.
    """

    data: bytearray = field(default_factory=bytearray, repr=False)
    total_bytes: int | None = None
    etag: str = ""
    first_byte_us: int = 0
    is_growing: bool = False
    n_parts: int = 0
    source: ByteSource = ByteSource.NETWORK

    @property
    def can_be_resumed(self) -> bool:
        return bool(self.data) and (self.total_bytes is not None or self.is_growing)


class LinkBytes:
    """Counts what comes over the link of one playback, while it is played as it comes."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, n_bytes: int) -> None:
        self.total += n_bytes


class Receiver:
    """Receives the body of one request into `body`, which keeps what has come when that fails.

    kept: what an earlier request had brought of it; `on_refused` is called when it is not of the same, and all is
    fetched anew. on_progress: hears (bytes in all, first_byte_us) after each chunk.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        request: FetchRequest,
        *,
        kept: Body | None = None,
        on_progress: Callable[[int, int], None],
        on_refused: Callable[[], None],
        limit_bytes: int = SEGMENT_LIMIT_BYTES,
        is_growing: bool = False,
    ) -> None:
        self.body = kept or Body(is_growing=is_growing)
        self._transport = transport
        self._clock = clock
        self._request = request
        self._kept = kept
        self._on_progress = on_progress
        self._on_refused = on_refused
        self._is_growing = is_growing
        self._limit_bytes = limit_bytes

    async def receive(self) -> None:
        """Raises FetchError kinds; also when fewer bytes came than the request's range has."""
        if self._kept is None or not await self._resume(self._kept):
            async with self._transport.stream(self._request) as response:
                await self._read(response)
        wanted = _length(self._request.byte_range)
        if wanted is not None and len(self.body.data) < wanted:
            raise wording.cut_short(self._request, len(self.body.data), wanted)

    async def _resume(self, kept: Body) -> bool:
        """Fetch the rest; False when what comes is not the rest of the same."""
        first, last = self._request.byte_range or (0, None)
        if last is not None and first + len(kept.data) > last:
            return True  # nothing is missing
        request = replace(self._request, byte_range=(first + len(kept.data), last))
        try:
            async with self._transport.stream(request) as response:
                if _is_same(kept, response):
                    await self._read(response)
                    return True
        except HttpStatusError as error:
            if error.status != RANGE_NOT_SATISFIABLE:
                raise
        self.body = Body(is_growing=self._is_growing)
        self._on_refused()
        return False

    async def _read(self, response: FetchResponse) -> None:
        body = self.body
        body.first_byte_us = 0
        body.source = source_of(response)
        if body.total_bytes is None and "content-encoding" not in response.headers:
            body.total_bytes = _total(response)
            body.etag = response.headers.get("etag", "")
        chunks = response.chunks()
        async for chunk in chunks:
            if not chunk:
                continue
            body.first_byte_us = body.first_byte_us or self._clock.now_us()
            if len(body.data) + len(chunk) > self._limit_bytes:
                what = f"more than {self._limit_bytes} bytes, reading stopped"
                raise ResponseTooLarge(wording.sentence(self._request, what), url=self._request.url)
            body.data += chunk
            self._on_progress(len(body.data), body.first_byte_us)
        body.first_byte_us = body.first_byte_us or self._clock.now_us()


def kept_after(error: FetchError, body: Body) -> Body | None:
    """What of a body is worth keeping after an error."""
    return body if body.can_be_resumed and not isinstance(error, ResponseTooLarge) else None


def _is_same(kept: Body, response: FetchResponse) -> bool:
    """Whether an answer is of the same resource as what was kept: lengths agree, and tags where both have one.

    What was kept of a growing one need not have known its length.
    """
    etag = response.headers.get("etag", "")
    is_as_long = _total(response) == kept.total_bytes or (kept.is_growing and kept.total_bytes is None)
    if "content-encoding" in response.headers or not is_as_long:
        return False
    return not etag or not kept.etag or etag == kept.etag


def _total(response: FetchResponse) -> int | None:
    """The length of the whole resource."""
    if response.status == 206:
        sent = ContentRange.parse(response.headers.get("content-range"))
        return sent.total if sent is not None else None
    length = response.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def _length(byte_range: ByteRange | None) -> int | None:
    if byte_range is None or byte_range[1] is None:
        return None
    return byte_range[1] - byte_range[0] + 1
