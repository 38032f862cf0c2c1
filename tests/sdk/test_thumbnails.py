"""Thumbnails of a session: read when first wanted, kept within bounds, gone with the session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

import pytest

from cushion_player import manifest
from cushion_player.errors import DecodeError
from cushion_player.model import Container
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Hang, Status
from cushion_player.testing.transport import Content, FakeTransport
from cushion_player.text.thumbnails import Crop, Thumbnail
from cushion_sdk import thumbnails
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.thumbnails import ThumbnailFetcher, ThumbnailPicture
from tests.sdk.conftest import MPD_URL, Living

T = TypeVar("T")
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.64001f"
v.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,URI="i.m3u8",CODECS="avc1.64001f"
#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=100,RESOLUTION=320x180,CODECS="jpeg",URI="tiles.m3u8"
"""
TILES = b"""#EXTM3U
#EXT-X-TARGETDURATION:60
#EXT-X-IMAGES-ONLY
#EXTINF:60,
#EXT-X-TILES:RESOLUTION=320x180,LAYOUT=5x4,DURATION=3
tiles-0.jpg
#EXTINF:12,
tiles-1.jpg
#EXT-X-ENDLIST
"""
I_FRAMES = b"""#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-I-FRAMES-ONLY
#EXT-X-MAP:URI="all.mp4",BYTERANGE="700@0"
#EXTINF:4,
#EXT-X-BYTERANGE:500@1000
all.mp4
#EXTINF:4,
#EXT-X-BYTERANGE:600@9000
all.mp4
#EXT-X-ENDLIST
"""
HLS: dict[str, bytes] = {
    "http://origin/tiles.m3u8": TILES,
    "http://origin/tiles-0.jpg": b"first image",
    "http://origin/tiles-1.jpg": b"second image",
    "http://origin/i.m3u8": I_FRAMES,
    "http://origin/all.mp4": bytes(10_000),
}


class Rig:
    """A fetcher over a title in memory; what it decodes is the key frame's length in words."""

    def __init__(self, content: Mapping[str, Content] = HLS, *, vtt_url: str = "") -> None:
        self.clock = FakeClock()
        self.transport = FakeTransport(self.clock, content, latency_us=10_000)
        self.fetcher = ThumbnailFetcher(self.transport, self.clock, vtt_url=vtt_url, decode=self.decode)
        self.decoded: list[Thumbnail] = []
        self.follow(MASTER)

    def follow(self, text: str, url: str = "http://origin/m.m3u8", origin: int = 0) -> None:
        result = manifest.read(text, url)
        for need in result.needs:
            result = manifest.resolve(result, need, b"#EXTM3U\n#EXTINF:72,\nv.mp4\n#EXT-X-ENDLIST\n", need.url)
        self.fetcher.follow(result.presentation, Fraction(origin))

    def decode(self, thumbnail: Thumbnail, init: bytes, media: bytes) -> bytes:
        if len(media) > 550:
            raise DecodeError("no picture")
        self.decoded.append(thumbnail)
        return f"{len(init)}+{len(media)}".encode()

    def at(self, *positions_s: float) -> list[ThumbnailPicture | None]:
        async def ask() -> list[ThumbnailPicture | None]:
            return [await self.fetcher.at(position_s) for position_s in positions_s]

        return self.clock.run(ask())

    @property
    def asked(self) -> list[str]:
        return [request.url.rpartition("/")[2] for request in self.transport.requests]


def test_tiles_are_fetched_once_and_each_moment_has_its_own_part() -> None:
    rig = Rig()
    assert rig.fetcher.may_have_some
    assert rig.asked == [], "nothing before somebody wants to see it"

    first, second, other = rig.at(0.0, 19.0, 66.0)

    assert rig.asked == ["tiles.m3u8", "tiles-0.jpg", "tiles-1.jpg"]
    assert first == ThumbnailPicture(0.0, 3.0, b"first image", Crop(0.0, 0.0, 0.2, 0.25, is_share=True))
    assert second == ThumbnailPicture(18.0, 21.0, b"first image", Crop(0.2, 0.25, 0.2, 0.25, is_share=True))
    assert other is not None, "a last image that is not full: each tile still stands for three seconds"
    assert (other.start_s, other.end_s, other.data) == (66.0, 69.0, b"second image")
    assert rig.at(80.0) == [None]


def test_without_an_image_playlist_key_frames_are_decoded() -> None:
    rig = Rig()
    rig.transport.faults.once("http://origin/tiles.m3u8", Status(404))

    found, undecodable, again = rig.at(1.0, 5.0, 6.0)

    assert found == ThumbnailPicture(0.0, 4.0, b"700+500")
    assert [each.container for each in rig.decoded] == [Container.MP4]
    assert (undecodable, again) == (None, None)
    assert rig.asked == ["tiles.m3u8", "i.m3u8", "all.mp4", "all.mp4", "all.mp4"], "what is broken is asked for once"


def test_a_server_that_is_busy_is_asked_again() -> None:
    rig = Rig()
    rig.transport.faults.once("http://origin/tiles-0.jpg", Status(503))

    missing, found = rig.at(0.0, 0.0)

    assert missing is None
    assert found is not None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "CACHE_BYTES", 15)
    rig = Rig()

    rig.at(0.0, 61.0, 0.0)

    assert rig.fetcher.held_bytes == len(b"first image")
    assert rig.asked.count("tiles-0.jpg") == 2


def test_a_list_of_sprites_goes_before_what_the_manifest_has() -> None:
    listed = b"WEBVTT\n\n00:00.000 --> 00:05.000\nsprite.jpg#xywh=0,0,160,90\n"
    rig = Rig(
        {**HLS, "http://origin/s/t.vtt": listed, "http://origin/s/sprite.jpg": b"sprite"},
        vtt_url="http://origin/s/t.vtt",
    )

    assert rig.at(1.0) == [ThumbnailPicture(0.0, 5.0, b"sprite", Crop(0, 0, 160, 90))]


def test_a_list_that_cannot_be_had_leaves_those_of_the_manifest() -> None:
    rig = Rig(vtt_url="http://origin/gone.vtt")

    found, _ = rig.at(0.0, 1.0)

    assert found is not None
    assert found.data == b"first image"
    assert rig.asked.count("gone.vtt") == 1


def test_times_are_positions_also_where_the_presentation_starts_later() -> None:
    mpd = """<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z"
        profiles="urn:mpeg:dash:profile:isoff-live:2011"><Period start="PT100S"><AdaptationSet mimeType="image/jpeg">
        <SegmentTemplate media="$Number$.jpg" duration="20" startNumber="1"/>
        <Representation id="t" bandwidth="1"/></AdaptationSet></Period></MPD>"""
    rig = Rig({"http://origin/2.jpg": b"second"})
    rig.follow(mpd, "http://origin/live.mpd", origin=100)

    assert rig.at(25.0) == [ThumbnailPicture(20.0, 40.0, b"second")]


def test_closing_gives_up_what_is_on_its_way_and_nobody_who_waits_for_it() -> None:
    rig = Rig()
    rig.transport.faults.once("http://origin/tiles-0.jpg", Hang())

    async def hang_up() -> tuple[object, ...]:
        asking = [asyncio.create_task(rig.fetcher.at(0.0)) for _ in range(3)]
        await rig.clock.sleep_until(rig.clock.now_us() + 1_000_000)
        asking[2].cancel()
        rig.fetcher.close()
        return (*await asyncio.gather(*asking, return_exceptions=True), await rig.fetcher.at(0.0))

    first, second, cancelled, after = rig.clock.run(hang_up())

    assert (first, second, after) == (None, None, None)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert rig.transport.open_streams == 0


def test_a_session_has_them_and_says_so(living: Living) -> None:
    images = (
        '<AdaptationSet mimeType="image/jpeg"><SegmentTemplate media="$Number$.jpg" duration="20" startNumber="1"/>'
        '<Representation id="t" bandwidth="1"/></AdaptationSet></Period>'
    )
    page = living.origin.content[MPD_URL]
    assert isinstance(page, bytes)

    def ask(options: SessionOptions) -> tuple[bool, ThumbnailPicture | None]:
        async def play() -> tuple[bool, ThumbnailPicture | None]:
            async with living.session(MPD_URL, options) as session:
                return session.snapshot().has_thumbnails, await session.thumbnail(21.0)

        return living.clock.run(play())

    assert ask(SessionOptions()) == (False, None)
    living.origin.content[MPD_URL] = page.replace(b"</Period>", images.encode())
    living.origin.content[MPD_URL.replace("manifest.mpd", "2.jpg")] = b"an image"
    assert ask(SessionOptions()) == (True, ThumbnailPicture(20.0, 40.0, b"an image"))
