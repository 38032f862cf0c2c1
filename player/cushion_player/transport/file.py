"""Fetching from disk and from the URL itself: `file:` and `data:`."""

from __future__ import annotations

import asyncio
import base64
import binascii
import mimetypes
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from cushion_player.errors import UsageError
from cushion_player.transport import wording
from cushion_player.transport.base import ByteSource, FetchRequest

CHUNK_BYTES: Final = 64 * 1024
RANGE_NOT_SATISFIABLE: Final = 416


class FileTransport:
    """Fetches file: URLs, whole or in part. Disk is read on worker threads, 64 KiB at a time."""

    def __init__(self) -> None:
        self._closed = False

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FileResponse, None]:
        """Open the file; see Transport.stream. Raises FetchError, HttpStatusError 416 for a range past the end."""
        if self._closed:
            raise UsageError("this transport is closed")
        path = _path(request)
        try:
            file, size = await asyncio.to_thread(_open, path)
        except OSError as error:
            raise wording.failed(request, _why(error)) from error
        try:
            first, length = _window(request, size)
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            yield FileResponse(request, file, first, length, size, media_type)
        finally:
            file.close()

    async def close(self) -> None:
        self._closed = True


class FileResponse:
    """An open file; see FetchResponse. Status 206 for a range, as HTTP would."""

    def __init__(
        self, request: FetchRequest, file: BinaryIO, first: int, length: int, size: int, media_type: str
    ) -> None:
        self.status: int = 200 if request.byte_range is None else 206
        self.url: str = request.url
        self.source: ByteSource = ByteSource.LOCAL
        headers = {"content-length": str(length), "content-type": media_type}
        if request.byte_range is not None:
            headers["content-range"] = f"bytes {first}-{first + length - 1}/{size}"
        self.headers: Mapping[str, str] = headers
        self._body = _FileBody(request, file, first, length)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, 64 KiB at once; to be iterated once."""
        return self._body


class _FileBody(AsyncIterator[bytes]):
    def __init__(self, request: FetchRequest, file: BinaryIO, first: int, length: int) -> None:
        self._request = request
        self._file = file
        self._at = first
        self._length = length
        self._left = length

    async def __anext__(self) -> bytes:
        if self._left == 0:
            raise StopAsyncIteration
        try:
            chunk = await asyncio.to_thread(self._read_at, self._at, min(CHUNK_BYTES, self._left))
        except OSError as error:
            raise wording.lost(self._request, f"reading failed: {_why(error)}") from error
        if not chunk:
            raise wording.cut_short(self._request, self._length - self._left, self._length)
        self._at += len(chunk)
        self._left -= len(chunk)
        return chunk

    def _read_at(self, offset: int, n_bytes: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(n_bytes)


class DataTransport:
    """Fetches data: URLs (RFC 2397): the body is in the URL."""

    def __init__(self) -> None:
        self._closed = False

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[DataResponse, None]:
        """Decode the URL; see Transport.stream. Raises FetchError when it does not hold what it says."""
        if self._closed:
            raise UsageError("this transport is closed")
        media_type, body = _decode_data(request)
        first, length = _window(request, len(body))
        yield DataResponse(request, media_type, body[first : first + length], first, len(body))

    async def close(self) -> None:
        self._closed = True


class DataResponse:
    """A body that was in the URL; see FetchResponse."""

    def __init__(self, request: FetchRequest, media_type: str, body: bytes, first: int, size: int) -> None:
        self.status: int = 200 if request.byte_range is None else 206
        self.url: str = request.url
        self.source: ByteSource = ByteSource.LOCAL
        headers = {"content-length": str(len(body)), "content-type": media_type}
        if request.byte_range is not None:
            headers["content-range"] = f"bytes {first}-{first + len(body) - 1}/{size}"
        self.headers: Mapping[str, str] = headers
        self._body = BytesBody(body)

    def chunks(self) -> AsyncIterator[bytes]:
        return self._body


class BytesBody(AsyncIterator[bytes]):
    """A body that is there already, handed out 64 KiB at once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    async def __anext__(self) -> bytes:
        chunk = self._body[self._at : self._at + CHUNK_BYTES]
        if not chunk:
            raise StopAsyncIteration
        self._at += len(chunk)
        return chunk


def _window(request: FetchRequest, size: int) -> tuple[int, int]:
    """(first byte, number of bytes) of the request in a body of `size`, clipped to it."""
    if request.byte_range is None:
        return 0, size
    first, last = request.byte_range
    if first >= size:
        raise wording.status_error(request, RANGE_NOT_SATISFIABLE)
    end = size if last is None else min(last + 1, size)
    return first, end - first


def _path(request: FetchRequest) -> Path:
    parts = urlsplit(request.url)
    if parts.scheme != "file":
        raise wording.failed(request, f"{parts.scheme or 'relative'} URLs are not files")
    if parts.netloc not in ("", "localhost"):
        raise wording.failed(request, f"a file on another machine ({parts.netloc}) is out of reach")
    try:
        path = Path(url2pathname(parts.path))
    except (ValueError, OSError) as error:
        raise wording.failed(request, f"not a usable file URL: {error}") from error
    if "\0" in str(path):
        raise wording.failed(request, "not a usable file URL: it holds a null character")
    return path


def _open(path: Path) -> tuple[BinaryIO, int]:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "Is a directory", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(22, "not a regular file", str(path))
    return path.open("rb"), status.st_size


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "no such file"
        case IsADirectoryError():
            return "a directory, not a file"
        case PermissionError():
            return "not allowed to read it"
        case _:
            return error.strerror or str(error)


def _decode_data(request: FetchRequest) -> tuple[str, bytes]:
    scheme, _, rest = request.url.partition(":")
    head, comma, payload = rest.partition(",")
    if scheme.lower() != "data" or not comma:
        raise wording.failed(request, "not a data URL")
    media_type, _, encoding = head.rpartition(";") if head.endswith(";base64") else (head, "", "")
    body = unquote_to_bytes(payload)
    if encoding:
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise wording.failed(request, f"broken base64: {error}") from error
    return media_type or "text/plain;charset=US-ASCII", body
