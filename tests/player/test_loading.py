"""From a URL to a presentation, over transports that fail and bodies that do not end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.driving.loading import MAX_AT_ONCE, load_parts, load_presentation
from cushion_player.errors import (
    CushionError,
    FetchError,
    FetchTimeout,
    HttpStatusError,
    ManifestError,
    ResponseTooLarge,
)
from cushion_player.model import ContentKind
from cushion_player.planning.addressing import plan_playback
from cushion_player.planning.places import address_at
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Drip, Fault, Instead, Refuse, Status
from cushion_player.testing.transport import FakeResponse, FakeTransport
from cushion_player.transport.base import MANIFEST_LIMIT_BYTES, FetchRequest
from cushion_player.transport.http import HttpTransport
from tests.player.manifest_files import FOLDER, URL, sidx

CLOCK = MonotonicClock()


class EndlessTransport:
    """Every body is a comment that never ends. `sent_bytes`: how much of it was taken."""

    def __init__(self) -> None:
        self.sent_bytes = 0

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[EndlessResponse, None]:
        yield EndlessResponse(self, request.url)

    async def close(self) -> None: ...


class EndlessResponse:
    def __init__(self, transport: EndlessTransport, url: str) -> None:
        self.status = 200
        self.url = url
        self.headers: Mapping[str, str] = {}
        self._transport = transport

    async def chunks(self) -> AsyncIterator[bytes]:
        chunk = b"<MPD><!--" + b" " * (256 * 1024 - 9)
        while True:
            self._transport.sent_bytes += len(chunk)
            yield chunk


def folder(*names: str) -> dict[str, bytes]:
    return {URL + name: (FOLDER / name).read_bytes() for name in names}


async def test_a_manifest_without_an_end_is_refused_at_32_mib() -> None:
    transport = EndlessTransport()

    with pytest.raises(ResponseTooLarge, match="more than 33554432 bytes, reading stopped"):
        await load_presentation(transport, URL + "a.mpd", CLOCK)

    assert transport.sent_bytes <= MANIFEST_LIMIT_BYTES + 256 * 1024


async def test_200_mb_over_http_are_refused_without_being_sent_whole() -> None:
    sent_bytes = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n")
        try:
            while sent_bytes < 200_000_000:
                writer.write(b" " * 100_000)
                await writer.drain()
                sent_bytes += 100_000
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    transport = HttpTransport()
    try:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ResponseTooLarge):
            await load_presentation(transport, f"http://127.0.0.1:{port}/a.mpd", CLOCK, limit_bytes=1_000_000)
    finally:
        await transport.close()
        server.close()
        await server.wait_closed()

    assert sent_bytes < 20_000_000  # the limit and what both sockets hold


async def test_a_part_over_the_limit_is_dropped_while_others_remain() -> None:
    content = folder("title.m3u8", "360p.m3u8", "audio.m3u8")
    content[URL + "720p.m3u8"] = b"#EXTM3U\n" + b"#\n" * 100_000

    loaded = await load_presentation(FakeTransport(CLOCK, content), URL + "title.m3u8", CLOCK, limit_bytes=100_000)

    presentation = loaded.presentation
    assert [part.need.url for part in loaded.missing] == [URL + "720p.m3u8"]
    video = presentation.periods[0].adaptation_sets[0]
    assert [item.height_px for item in video.representations] == [360]
    assert any("reading stopped" in repair.what for repair in presentation.repairs)


async def test_a_title_without_any_of_its_video_is_not_played_as_sound() -> None:
    with pytest.raises(FetchError, match=r"none of the video could be had; first of 2: .*HTTP 404"):
        await load_presentation(FakeTransport(CLOCK, folder("title.m3u8", "audio.m3u8")), URL + "title.m3u8", CLOCK)


@pytest.mark.parametrize("load", [load_presentation, load_parts])
def test_a_manifest_that_drips_is_given_up(load: Callable[..., Coroutine[object, object, object]]) -> None:
    clock = FakeClock()
    transport = FakeTransport(clock, folder("title.m3u8"))
    transport.faults.always(URL + "title.m3u8", Drip(1, 5.0))

    with pytest.raises(FetchTimeout, match="not all of the manifest came within 25 s"):
        clock.run(load(transport, URL + "title.m3u8", clock))

    assert clock.now_us() == 25_000_000


async def test_looking_at_a_manifest_keeps_what_could_not_be_had_and_says_why() -> None:
    loaded = await load_parts(FakeTransport(CLOCK, folder("title.m3u8", "360p.m3u8")), URL + "title.m3u8", CLOCK)

    video = loaded.presentation.periods[0].adaptation_sets[0]
    assert {item.height_px: bool(item.segments) for item in video.representations} == {720: False, 360: True}
    assert {part.need.url for part in loaded.missing} >= {URL + "720p.m3u8", URL + "audio.m3u8"}
    assert all("HTTP 404" in part.reason for part in loaded.missing)


async def test_a_manifest_that_is_not_there_is_its_own_error() -> None:
    with pytest.raises(HttpStatusError):
        await load_parts(FakeTransport(CLOCK, {}), URL + "title.m3u8", CLOCK)
    with pytest.raises(ManifestError):
        await load_presentation(FakeTransport(CLOCK, folder("title.m3u8")), URL + "title.m3u8", CLOCK)


async def test_a_title_of_many_playlists_is_not_a_flood() -> None:
    most = 0

    class Counting(FakeTransport):
        @asynccontextmanager
        async def stream(self, request: FetchRequest) -> AsyncGenerator[FakeResponse, None]:
            nonlocal most
            async with super().stream(request) as response:
                most = max(most, self.open_streams)
                yield response

    playlist = (FOLDER / "360p.m3u8").read_bytes()
    variants = "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={1000 + i}\n{i}.m3u8\n" for i in range(60))
    content = {f"{URL}{i}.m3u8": playlist for i in range(60)}
    content[URL + "title.m3u8"] = f"#EXTM3U\n{variants}".encode()

    loaded = await load_parts(Counting(CLOCK, content), URL + "title.m3u8", CLOCK)

    assert loaded.missing == ()
    assert 1 < most <= MAX_AT_ONCE


@pytest.mark.parametrize("first", [Status(404), Refuse(), Instead(b"<html>no index</html>" * 40)])
def test_an_index_is_read_at_another_base_url_and_its_segments_are_at_home_in_both(first: Fault) -> None:
    clock = FakeClock()
    mpd = (FOLDER / "single_file.mpd").read_bytes()
    bases = b'<BaseURL serviceLocation="a">http://a/</BaseURL><BaseURL serviceLocation="b">http://b/x/</BaseURL>'
    file = bytes(700) + sidx(1000, 0, (5000, 2000), (6000, 2000))
    content = {URL + "m.mpd": mpd.replace(b"<Period>", bases + b"<Period>")}
    content |= {f"{base}{name}.mp4": file for base in ("http://a/", "http://b/x/") for name in ("v1", "v2")}
    transport = FakeTransport(clock, content)
    for name in ("v1", "v2"):
        transport.faults.always(f"http://a/{name}.mp4", first)

    loaded = clock.run(load_presentation(transport, URL + "m.mpd", clock))

    rungs = loaded.presentation.periods[0].adaptation_sets[0].representations
    assert loaded.missing == ()
    assert [len(rung.segments) for rung in rungs] == [2, 2]
    assert rungs[0].segments[0].address.url == "http://a/v1.mp4"
    assert address_at(rungs[0].segments[0].address, rungs[0], "b").url == "http://b/x/v1.mp4"


MASTER_WITH_TEXT = b"""#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="en.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="missing.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.42c01e,mp4a.40.2",SUBTITLES="s"
video.m3u8
"""


def playlist(name: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{name}\n#EXT-X-ENDLIST\n".encode()


async def test_playlists_of_text_are_read_and_their_absence_stops_nothing() -> None:
    files = {"m.m3u8": MASTER_WITH_TEXT, "video.m3u8": playlist("v.ts"), "en.m3u8": playlist("en.vtt")}
    transport = FakeTransport(CLOCK, {URL + name: body for name, body in files.items()})

    loaded = await load_presentation(transport, URL + "m.m3u8", CLOCK)

    text = [item for item in loaded.presentation.periods[0].adaptation_sets if item.kind is ContentKind.TEXT]
    assert [(item.language, len(item.representations[0].segments)) for item in text] == [("en", 1), ("de", 0)]
    assert [part.need.url for part in loaded.missing] == [URL + "missing.m3u8"]


def test_text_that_drips_is_left_out_after_four_seconds() -> None:
    clock = FakeClock()
    files = {"m.m3u8": MASTER_WITH_TEXT, "video.m3u8": playlist("v.ts"), "en.m3u8": playlist("en.vtt")}
    transport = FakeTransport(clock, {URL + name: body for name, body in files.items()})
    transport.faults.always(URL + "en.m3u8", Drip(1, 1.0))

    loaded = clock.run(load_presentation(transport, URL + "m.m3u8", clock))

    assert clock.now_us() == 4_000_000
    assert {part.need.url for part in loaded.missing} == {URL + "en.m3u8", URL + "missing.m3u8"}
    assert any("within 4 s" in part.reason for part in loaded.missing)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"GIF89a",
        b"\xff",
        b"<SmoothStreamingMedia/>",
        b"#EXTM3U\n",
        b"<MPD/>",
        b"<MPD",
        b"#EXTM3U\n#EXTINF:x",
    ],
)
async def test_no_message_about_a_manifest_shows_the_secrets_of_its_address(body: bytes) -> None:
    url = "https://name:sesame@h/a/live?token=sesame#sesame"
    clock = FakeClock()

    with pytest.raises(CushionError) as refused:
        plan_playback((await load_presentation(FakeTransport(clock, {url: body}), url, clock)).presentation)

    assert "sesame" not in str(refused.value)
