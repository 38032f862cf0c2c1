"""A file behind a transport, to be read and sought in from a worker thread: by ranges, else whole."""

from __future__ import annotations

import asyncio
import io
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, Future
from typing import Final

from cushion_player.errors import FetchError
from cushion_player.transport import wording
from cushion_player.transport.base import FetchRequest, Transport

BLOCK_BYTES: Final = 256 * 1024
_KEPT_BLOCKS: Final = 32
WHOLE_LIMIT_BYTES: Final = 256 * 1024 * 1024
"""A file of which no parts can be had is kept in memory up to this size."""
_PARTIAL: Final = 206


class RangeReader:
    """Fetches blocks of one resource on the event loop for threads that wait; what was fetched last is kept.

    What fails is not raised while libavformat reads, which has no use for it: the file seems to end there, and
    `take_failure` tells afterwards.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        size_bytes: int,
        loop: asyncio.AbstractEventLoop,
        whole: bytes | None = None,
    ) -> None:
        """whole: the resource, when somebody has it already."""
        self.size_bytes = size_bytes
        self._whole = whole
        self._has_parts = True
        self._failure: FetchError | None = None
        self._transport = transport
        self._request = FetchRequest(url, label="media file")
        self._loop = loop
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._pending: Future[bytes] | None = None
        self._is_closed = False

    def open(self) -> RangeFile:
        return RangeFile(self)

    def take_failure(self) -> FetchError | None:
        """What has failed since it was asked last; nothing was read after it."""
        failure, self._failure = self._failure, None
        return failure

    def block(self, index: int) -> bytes:
        """The bytes of a block, b"" after a failure; blocks the calling thread, which must not be the loop's."""
        if self._failure is not None:
            return b""
        try:
            return self._block(index)
        except FetchError as error:
            self._failure = error
            return b""

    def _block(self, index: int) -> bytes:
        if self._whole is not None:
            return self._whole[index * BLOCK_BYTES : (index + 1) * BLOCK_BYTES]
        kept = self._blocks.get(index)
        if kept is not None:
            self._blocks.move_to_end(index)
            return kept
        with self._lock:
            if self._is_closed:
                raise wording.failed(self._request, "the transport is closed")
            pending = self._pending = asyncio.run_coroutine_threadsafe(self._fetch(index), self._loop)
        try:
            data = pending.result()
        except CancelledError:
            raise wording.failed(self._request, "the transport is closed") from None
        finally:
            self._pending = None
        self._blocks[index] = data
        while len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return data

    def close(self) -> None:
        """Called on the loop: let go whoever waits."""
        with self._lock:
            self._is_closed = True
            if self._pending is not None:
                self._pending.cancel()

    async def _fetch(self, index: int) -> bytes:
        if self._has_parts and (data := await self._fetch_part(index)):
            return data
        request = FetchRequest(self._request.url, label=self._request.label)
        async with self._transport.stream(request) as response:
            whole = await read_whole(request, response.chunks())
        if len(whole) != self.size_bytes:
            raise wording.cut_short(request, len(whole), self.size_bytes)
        self._whole = whole
        return whole[index * BLOCK_BYTES : (index + 1) * BLOCK_BYTES]

    async def _fetch_part(self, index: int) -> bytes:
        """A block by its range; b"" when the server does not serve parts."""
        first = index * BLOCK_BYTES
        last = min(first + BLOCK_BYTES, self.size_bytes) - 1
        request = FetchRequest(self._request.url, byte_range=(first, last), label=self._request.label)
        parts: list[bytes] = []
        async with self._transport.stream(request) as response:
            if response.status != _PARTIAL:
                self._has_parts = False
                return b""
            async for chunk in response.chunks():
                parts.append(chunk)
                if sum(map(len, parts)) > BLOCK_BYTES:
                    raise wording.failed(request, "the server sent more than the part asked for")
        data = b"".join(parts)
        if len(data) != last - first + 1:
            raise wording.cut_short(request, len(data), last - first + 1)
        return data


async def read_whole(request: FetchRequest, chunks: AsyncIterator[bytes], head: bytes = b"") -> bytes:
    """All of a body. Raises FetchError when it is larger than WHOLE_LIMIT_BYTES."""
    body = bytearray(head)
    async for chunk in chunks:
        body += chunk
        if len(body) > WHOLE_LIMIT_BYTES:
            what = f"the server does not serve parts of the file, and it is larger than {WHOLE_LIMIT_BYTES} bytes"
            raise wording.failed(request, what)
    return bytes(body)


class RangeFile(io.RawIOBase):
    """A place in the resource of a RangeReader."""

    def __init__(self, reader: RangeReader) -> None:
        self._reader = reader
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = self._reader.size_bytes - self._at
        if left <= 0:
            return b""
        within = self._at % BLOCK_BYTES
        part = self._reader.block(self._at // BLOCK_BYTES)[within:]
        part = part[: left if size < 0 else min(size, left)]
        self._at += len(part)
        return part
