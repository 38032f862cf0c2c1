"""Plays single media files through the same engine: a transport that shows such a file as a presentation in segments.

    ProgressiveTransport(inner, url)
        GET url           → what is there; but of a media file an MPD that describes it
        GET url.packets/… → an initialisation segment or a segment of that file
        anything else     → inner

The file is read where it lies: from disk, or over HTTP by ranges.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname
from xml.sax.saxutils import quoteattr

from cushion_player.errors import FetchError, MediaError, UsageError
from cushion_player.media.media_file import FileTrack, MediaFile, Open, sniff
from cushion_player.media.range_file import RangeReader, read_whole
from cushion_player.timeline import TrackKind
from cushion_player.transport import wording
from cushion_player.transport.base import ByteSource, FetchRequest, FetchResponse, Transport, source_of
from cushion_player.transport.file import BytesBody

_FOLDER: Final = ".packets/"
"""After the file's name: where its segments seem to lie."""
_HEAD_BYTES: Final = 189
"""Enough to tell any container by."""
_INIT: Final = "init"
_NOT_FOUND: Final = 404
_T = TypeVar("_T")
_CODECS: Final = {
    "h264": "avc1",
    "hevc": "hvc1",
    "vp9": "vp09",
    "av1": "av01",
    "libdav1d": "av01",
    "aac": "mp4a.40.2",
    "mp3float": "mp4a.6b",
    "ac3": "ac-3",
    "eac3": "ec-3",
}
"""What a manifest calls a decoder's codec, as far as that matters for choosing."""


class ProgressiveTransport:
    """Fetches as `inner` does, and shows the media file at `url`, if that is one, as an MPD and segments."""

    def __init__(self, inner: Transport, url: str) -> None:
        self._inner = inner
        self._url = url
        self._name = urlsplit(url).path.rpartition("/")[2]
        self._folder = urljoin(url, self._name + _FOLDER)
        self._file: MediaFile | None = None
        self._ranges: RangeReader | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FetchResponse, None]:
        """See Transport.stream. Raises FetchError also for what is wrong inside the file."""
        if self._file is not None and request.url.startswith(self._folder):
            yield _BytesResponse(request.url, await self._run(request, lambda: self._segment(request)))
            return
        if request.url != self._url or request.byte_range is not None:
            async with self._inner.stream(request) as response:
                yield response
            return
        if self._file is None:
            async with self._inner.stream(request) as response:
                chunks = response.chunks()
                head = await _head(chunks)
                container = sniff(head)
                if not container:
                    yield _Rejoined(response, head, chunks)
                    return
                opener = await self._opener(request, response, head, chunks)
            self._file = await self._run(request, lambda: self._opened(opener, container))
        yield _BytesResponse(self._url, describe(self._file, self._name + _FOLDER).encode(), "application/dash+xml")

    async def close(self) -> None:
        self._is_closed = True
        if self._ranges is not None:
            self._ranges.close()
        await asyncio.to_thread(self._close_file)
        await self._inner.close()

    async def _opener(
        self, request: FetchRequest, response: FetchResponse, head: bytes, chunks: AsyncIterator[bytes]
    ) -> Open:
        parts = urlsplit(response.url)
        if parts.scheme == "file":
            path = url2pathname(parts.path)
            return lambda: path
        length = response.headers.get("content-length", "")
        size = int(length) if length.isdecimal() and "content-encoding" not in response.headers else 0
        whole = None
        if not size:  # there is no telling where it ends, and so which parts it has
            whole = await read_whole(request, chunks, head)
            size = len(whole)
        reader = RangeReader(self._inner, response.url, size, asyncio.get_running_loop(), whole)
        self._ranges = reader
        return reader.open

    async def _run(self, request: FetchRequest, work: Callable[[], _T]) -> _T:
        """Do what blocks on a worker thread, and say what goes wrong as a fetch does."""

        def locked() -> _T:
            with self._lock:
                if self._is_closed:
                    raise UsageError("this transport is closed")
                try:
                    result = work()
                except MediaError:
                    self._raise_failure()  # a file that ends where reading failed is no broken file
                    raise
                self._raise_failure()
                return result

        try:
            return await asyncio.to_thread(locked)
        except MediaError as error:
            raise wording.failed(replace(request, label="media file"), str(error)) from error

    def _opened(self, opener: Open, container: str) -> MediaFile:
        file = MediaFile(opener, container)
        try:
            self._raise_failure()
        except FetchError:
            file.close()
            raise
        return file

    def _raise_failure(self) -> None:
        failure = self._ranges.take_failure() if self._ranges is not None else None
        if failure is not None:
            raise failure

    def _segment(self, request: FetchRequest) -> bytes:
        assert self._file is not None
        kind_name, _, which = request.url[len(self._folder) :].partition("/")
        kind = next((each for each in (TrackKind.VIDEO, TrackKind.AUDIO) if each == kind_name), None)
        track = self._file.track(kind) if kind is not None else None
        if kind is None or track is None:
            raise wording.status_error(request, _NOT_FOUND)
        if which == _INIT:
            return self._file.init(kind)
        if not which.isdecimal() or not 1 <= int(which) < len(track.starts_us):
            raise wording.status_error(request, _NOT_FOUND)
        return self._file.segment(kind, int(which) - 1)

    def _close_file(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()


def describe(file: MediaFile, folder: str) -> str:
    """An MPD of one period with a rung a stream. folder: where the segments are, relative to the MPD."""
    sets = [
        _describe_set(track, file.start_us, folder) for kind in TrackKind if (track := file.track(kind)) is not None
    ]
    return (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:full:2011" '
        f'minBufferTime="PT2S" mediaPresentationDuration="PT{file.duration_us / 1e6:.6f}S"><Period id="file">'
        f"{''.join(sets)}</Period></MPD>"
    )


def _describe_set(track: FileTrack, start_us: int, folder: str) -> str:
    config = track.config
    said = {
        "id": f"{track.kind}",
        "bandwidth": f"{max(track.bitrate_bps, 1)}",
        "mimeType": f"{track.kind}/vnd.cushion.packets",
        "codecs": _CODECS.get(config.codec, config.codec),
    }
    if track.kind is TrackKind.VIDEO:
        said |= {"width": f"{config.width_px}", "height": f"{config.height_px}"}
        if track.frame_rate:
            said["frameRate"] = f"{track.frame_rate.numerator}/{track.frame_rate.denominator}"
    elif config.sample_rate_hz:
        said["audioSamplingRate"] = f"{config.sample_rate_hz}"
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in said.items())
    language = f" lang={quoteattr(track.language)}" if track.language not in ("", "und") else ""
    init, media = (quoteattr(f"{folder.replace('$', '$$')}{track.kind}/{what}") for what in (_INIT, "$Number$"))
    spans = "".join(f'<S t="{begin}" d="{end - begin}"/>' for begin, end in pairwise(track.starts_us))
    return (
        f'<AdaptationSet id="{track.kind}" contentType="{track.kind}" segmentAlignment="true"{language}>'
        f'<SegmentTemplate timescale="1000000" presentationTimeOffset="{start_us}" '
        f'initialization={init} media={media} startNumber="1">'
        f"<SegmentTimeline>{spans}</SegmentTimeline></SegmentTemplate>"
        f"<Representation {attributes}/></AdaptationSet>"
    )


async def _head(chunks: AsyncIterator[bytes]) -> bytes:
    """The first bytes of a body, as much of it as has come when there are enough."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    return head


class _BytesResponse:
    """A body made here; see FetchResponse."""

    def __init__(self, url: str, body: bytes, media_type: str = "application/octet-stream") -> None:
        self.status: int = 200
        self.url: str = url
        self.source: ByteSource = ByteSource.LOCAL
        self.headers: Mapping[str, str] = {"content-length": str(len(body)), "content-type": media_type}
        self._body = BytesBody(body)

    def chunks(self) -> AsyncIterator[bytes]:
        return self._body


class _Rejoined:
    """A response whose first bytes were looked at already."""

    def __init__(self, response: FetchResponse, head: bytes, rest: AsyncIterator[bytes]) -> None:
        self.status: int = response.status
        self.url: str = response.url
        self.source: ByteSource = source_of(response)
        self.headers: Mapping[str, str] = response.headers
        self._head = head
        self._rest = rest

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        if self._head:
            yield self._head
        async for chunk in self._rest:
            yield chunk
