"""Small pictures for the seek bar, fetched when somebody wants to see one.

Which picture belongs to a moment is `ThumbnailIndex`'s to say. Here its playlists are read the first time they are
wanted, its images are fetched one at a time and kept within a budget of bytes, and key frames are decoded.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.errors import CushionError, FetchError, ManifestError
from cushion_player.manifest import ReadResult
from cushion_player.model import Address, ContentKind, Presentation
from cushion_player.transport.base import ANSWER_LIMIT_S, FetchRequest, Transport, fetch_bytes

if TYPE_CHECKING:
    from cushion_player.text.thumbnails import Crop, Thumbnail, ThumbnailIndex

log = logging.getLogger(__name__)

CACHE_BYTES = 8 * 1024 * 1024
"""Of encoded images together: some hours of tiles."""
IMAGE_LIMIT_BYTES = 4 * 1024 * 1024
_LIST_LIMIT_BYTES = 8 * 1024 * 1024
_RELOAD_US = 5_000_000
"""A live playlist of thumbnails is not asked for again sooner."""

DecodeStill = Callable[["Thumbnail", bytes, bytes], bytes]
"""(what it is of, initialisation segment, media) -> its first picture as an image. Raises MediaError kinds."""


@dataclass(frozen=True, slots=True)
class ThumbnailPicture:
    """The picture for [start_s, end_s): an encoded image (JPEG, PNG, WebP …), or the part `crop` of it."""

    start_s: float
    end_s: float
    data: bytes
    crop: Crop | None = None
    """Where the image holds many: in its pixels, or in shares of its size. `Crop.in_pixels` has both as pixels."""


def decode_still(thumbnail: Thumbnail, init: bytes, media: bytes) -> bytes:
    """The key frame of a thumbnail that is media, as PNG. Raises MediaError kinds."""
    from cushion_player.media.still import still_png
    from cushion_player.outputs import MediaFormat
    from cushion_player.text.thumbnails import WANTED_HEIGHT_PX

    return still_png(MediaFormat(0, thumbnail.container, init, thumbnail.codecs), media, WANTED_HEIGHT_PX)


class ThumbnailFetcher:
    """The thumbnails of one session. All methods are called on its event loop."""

    def __init__(
        self, transport: Transport, clock: Clock, *, vtt_url: str = "", decode: DecodeStill | None = None
    ) -> None:
        """decode: called on another thread. vtt_url: of a WebVTT file that lists pictures; it goes before all else."""
        self._transport = transport
        self._clock = clock
        self._decode = decode or decode_still
        self._vtt_url = vtt_url
        self._presentation: Presentation | None = None
        self._origin_us = 0
        self._index: ThumbnailIndex | None = None
        self._failed: set[str] = set()
        """Addresses of playlists and images that cannot be had or read: not asked for twice."""
        self._resolved_at_us: int | None = None
        self._is_stale = False
        self._images: OrderedDict[object, bytes] = OrderedDict()
        self._held_bytes = 0
        self._gate = asyncio.Lock()
        self._asking: set[asyncio.Task[ThumbnailPicture | None]] = set()
        self._is_closed = False

    def follow(self, presentation: Presentation, origin: Fraction) -> None:
        """What plays, or a newer version of it; position 0 lies at `origin` seconds of it."""
        if presentation is self._presentation:
            return
        self._presentation = presentation
        self._origin_us = round(origin * 1_000_000)
        self._is_stale = True

    @property
    def may_have_some(self) -> bool:
        """Whether there is anything to look for them in."""
        if self._vtt_url or self._presentation is None:
            return bool(self._vtt_url)
        sets = [item for period in self._presentation.periods for item in period.adaptation_sets]
        if not any(item.kind is ContentKind.IMAGE or item.trick_of for item in sets):
            return False  # as most titles: nothing to import for them
        from cushion_player.text.thumbnails import has_thumbnails

        return has_thumbnails(self._presentation)

    @property
    def held_bytes(self) -> int:
        """What is kept in memory."""
        return self._held_bytes

    async def at(self, position_s: float) -> ThumbnailPicture | None:
        """The picture for a position; None when there is none, or it cannot be had. One is fetched at a time."""
        if self._is_closed:
            return None
        task = asyncio.create_task(self._in_turn(position_s))  # of our own: closing gives it up, and not its caller
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        try:
            return await task
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is None or caller.cancelling():
                raise
            return None

    async def _in_turn(self, position_s: float) -> ThumbnailPicture | None:
        async with self._gate:
            return await self._at(round(position_s * 1_000_000))

    def close(self) -> None:
        """Give up what is on its way, forget the rest."""
        self._is_closed = True
        for task in tuple(self._asking):
            task.cancel()
        self._images.clear()
        self._held_bytes = 0

    async def _at(self, position_us: int) -> ThumbnailPicture | None:
        index = await self._find_index()
        origin_us = 0 if self._vtt_url and self._vtt_url not in self._failed else self._origin_us
        found = index.at(position_us + origin_us)
        if found is None or found.address.url in self._failed:
            return None
        data = await self._image(found)
        if data is None:
            return None
        start_s, end_s = ((each - origin_us) / 1_000_000 for each in (found.start_us, found.end_us))
        return ThumbnailPicture(start_s, end_s, data, found.crop)

    # ------------------------------------------------------------------ the index

    async def _find_index(self) -> ThumbnailIndex:

        if self._vtt_url and self._vtt_url not in self._failed:
            if self._index is None:
                self._index = await self._read_vtt()
            if self._index is not None:
                return self._index
        now_us = self._clock.now_us()
        is_due = self._resolved_at_us is None or now_us - self._resolved_at_us >= _RELOAD_US
        if self._index is None or (self._is_stale and is_due):
            self._resolved_at_us, self._is_stale = now_us, False
            self._index = await self._read_playlists()
        return self._index

    async def _read_vtt(self) -> ThumbnailIndex | None:
        from cushion_player.text.thumbnails import ThumbnailIndex

        request = FetchRequest(self._vtt_url, label="the list of thumbnails")
        try:
            fetched = await fetch_bytes(
                self._transport, request, self._clock, limit_bytes=_LIST_LIMIT_BYTES, limit_s=ANSWER_LIMIT_S
            )
            return ThumbnailIndex.of_vtt(fetched.body, fetched.url)
        except CushionError as exc:
            log.info("there are no thumbnails: %s", exc)
            self._failed.add(self._vtt_url)
            return None

    async def _read_playlists(self) -> ThumbnailIndex:
        """The index of the presentation, with the playlist of its best source read; the next best if it cannot be."""
        from cushion_player.text.thumbnails import ThumbnailIndex, playlist_to_read

        presentation = self._presentation
        if presentation is None:
            return ThumbnailIndex()
        while (need := playlist_to_read(presentation, self._failed)) is not None:
            request = FetchRequest(need.url, byte_range=need.byte_range, label=need.label)
            try:
                fetched = await fetch_bytes(
                    self._transport, request, self._clock, limit_bytes=_LIST_LIMIT_BYTES, limit_s=ANSWER_LIMIT_S
                )
                result = manifest.resolve(ReadResult(presentation), need, fetched.body, fetched.url)
            except (FetchError, ManifestError) as exc:
                log.info("no thumbnails from %s: %s", need.label, exc)
                self._failed.add(need.url)
            else:
                presentation = result.presentation
        return ThumbnailIndex.of_presentation(presentation)

    # ------------------------------------------------------------------ images

    async def _image(self, thumbnail: Thumbnail) -> bytes | None:
        key = (thumbnail.address, thumbnail.is_video)
        kept = self._images.get(key)
        if kept is not None:
            self._images.move_to_end(key)
            return kept
        try:
            data = await self._fetch(thumbnail.address)
            if thumbnail.is_video:
                init = await self._init(thumbnail.init)
                data = await asyncio.to_thread(self._decode, thumbnail, init, data)
        except CushionError as exc:
            log.info("no thumbnail: %s", exc)
            if not exc.retryable:
                self._failed.add(thumbnail.address.url)
            return None
        self._keep(key, data)
        return data

    async def _init(self, address: Address | None) -> bytes:
        if address is None:
            return b""
        kept = self._images.get(address)
        if kept is None:
            kept = await self._fetch(address)
            self._keep(address, kept)
        return kept

    async def _fetch(self, address: Address) -> bytes:
        request = FetchRequest(address.url, byte_range=address.byte_range, label="a thumbnail")
        return (
            await fetch_bytes(
                self._transport, request, self._clock, limit_bytes=IMAGE_LIMIT_BYTES, limit_s=ANSWER_LIMIT_S
            )
        ).body

    def _keep(self, key: object, data: bytes) -> None:
        self._images[key] = data
        self._held_bytes += len(data)
        while self._held_bytes > CACHE_BYTES and len(self._images) > 1:
            _, oldest = self._images.popitem(last=False)
            self._held_bytes -= len(oldest)
