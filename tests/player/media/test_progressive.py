"""A media file behind a transport looks like a presentation, and everything else passes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.driving.loading import load_presentation
from cushion_player.errors import ConnectionLost, FetchError, HttpStatusError
from cushion_player.media import range_file
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.media.progressive import ProgressiveTransport
from cushion_player.model import Container
from cushion_player.player import Player
from cushion_player.transport.base import FetchRequest, FetchResponse, fetch_bytes
from cushion_player.transport.file import BytesBody, FileTransport
from tests.player.media.samples import encode_audio, encode_video, mux

URL = "https://cdn.example/films/a%20film.mp4?token=1"
SEGMENT_URL = "https://cdn.example/films/a%20film.mp4.packets/video/1"


@pytest.fixture(scope="module")
def film() -> bytes:
    streams = (encode_video("libx264"), encode_audio("aac"))
    return mux("mp4", [(each, each.packets) for each in streams], Fraction(0))


class Response:
    def __init__(self, url: str, status: int, body: bytes) -> None:
        self.url, self.status = url, status
        self.headers: Mapping[str, str] = {"content-length": str(len(body))}
        self._body = body

    def chunks(self) -> AsyncIterator[bytes]:
        return BytesBody(self._body)


class Server:
    """Serves one body at any URL, by ranges or whole."""

    def __init__(self, body: bytes, *, serves_ranges: bool = True, tells_size: bool = True) -> None:
        self.body, self.serves_ranges, self.tells_size = body, serves_ranges, tells_size
        self.good_ranges: int | None = None
        """After so many more the connection breaks."""
        self.requests: list[FetchRequest] = []
        self.is_closed = False

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FetchResponse, None]:
        self.requests.append(request)
        if request.byte_range is None or not self.serves_ranges:
            response = Response(request.url, 200, self.body)
            response.headers = response.headers if self.tells_size else {}
            yield response
            return
        if self.good_ranges is not None:
            if not self.good_ranges:
                raise ConnectionLost("gone", url=request.url)
            self.good_ranges -= 1
        first, last = request.byte_range
        yield Response(request.url, 206, self.body[first : None if last is None else last + 1])

    async def close(self) -> None:
        self.is_closed = True


async def test_a_file_on_the_web_is_read_by_ranges_and_described(film: bytes) -> None:
    server, clock = Server(film), MonotonicClock()
    transport = ProgressiveTransport(server, URL)

    presentation = (await load_presentation(transport, URL, clock)).presentation

    (period,) = presentation.periods
    video, audio = (each.representations[0] for each in period.adaptation_sets)
    assert (video.container, video.width_px, video.height_px) == (Container.PACKETS, 426, 240)
    assert video.frame_rate == 30
    assert audio.sample_rate_hz == 48_000
    assert float(presentation.duration or 0) == pytest.approx(2.0, abs=0.03)
    assert video.init is not None
    init = await fetch_bytes(transport, FetchRequest(video.init.address.url), clock)
    segment = await fetch_bytes(transport, FetchRequest(video.segments[0].address.url), clock)
    assert init.body.startswith(b"CUSHPKT1")
    assert len(segment.body) > 30_000
    assert {request.url for request in server.requests} == {URL}
    assert all(request.byte_range is not None for request in server.requests[1:])
    await transport.close()
    assert server.is_closed


async def test_a_file_plays_to_its_end_through_the_engine(film: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a film.mp4"
    path.write_bytes(film)
    url, clock = path.as_uri(), MonotonicClock()
    transport = ProgressiveTransport(FileTransport(), url)
    shown: list[int] = []
    renderer = HeadlessRenderer(clock, lambda frame: shown.append(frame.time_us))
    output = DecodedOutput(renderer, NullAudioOutput(clock), clock)

    async with Player(transport=transport, clock=clock, output=output) as player:
        async with asyncio.timeout(20):
            await player.load(url, 1_400_000)
            player.play()
            await player.wait_finished()
    await transport.close()

    assert shown[0] in (1_366_688, 1_400_000)  # the one before reaches 21 µs over it
    assert shown[-1] > 1_850_000


async def test_a_manifest_passes_through_as_it_is() -> None:
    text = b"#EXTM3U\n" * 50
    transport = ProgressiveTransport(Server(text), URL)

    result = await fetch_bytes(transport, FetchRequest(URL), MonotonicClock())

    assert result.body == text
    await transport.close()


async def test_other_requests_pass_through(film: bytes) -> None:
    server = Server(film)
    transport = ProgressiveTransport(server, URL)

    other = await fetch_bytes(transport, FetchRequest("https://cdn.example/other.mp4"), MonotonicClock())
    part = await fetch_bytes(transport, FetchRequest(URL, byte_range=(0, 9)), MonotonicClock())

    assert (other.body, part.body) == (film, film[:10])
    await transport.close()


@pytest.mark.parametrize("where", ["text/1", "video/0", "video/99", "video/x", "video"])
async def test_what_the_file_does_not_have_is_not_found(film: bytes, where: str) -> None:
    transport, clock = ProgressiveTransport(Server(film), URL), MonotonicClock()
    await fetch_bytes(transport, FetchRequest(URL), clock)

    with pytest.raises(HttpStatusError) as caught:
        await fetch_bytes(transport, FetchRequest(f"https://cdn.example/films/a%20film.mp4.packets/{where}"), clock)

    assert caught.value.status == 404
    await transport.close()


@pytest.mark.parametrize("tells_size", [True, False])
async def test_a_file_of_which_no_parts_are_served_is_read_whole_and_once(film: bytes, tells_size: bool) -> None:
    server = Server(film, serves_ranges=False, tells_size=tells_size)
    transport, clock = ProgressiveTransport(server, URL), MonotonicClock()
    await fetch_bytes(transport, FetchRequest(URL, label="manifest"), clock)
    asked = len(server.requests)

    segment = await fetch_bytes(transport, FetchRequest(SEGMENT_URL), clock)

    assert len(segment.body) > 30_000
    assert asked == len(server.requests) == (3 if tells_size else 1)
    await transport.close()


@pytest.mark.parametrize("tells_size", [True, False])
async def test_a_large_file_of_which_no_parts_are_served_is_refused_in_words(
    film: bytes, tells_size: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_file, "WHOLE_LIMIT_BYTES", len(film) - 1)
    transport = ProgressiveTransport(Server(film, serves_ranges=False, tells_size=tells_size), URL)

    with pytest.raises(FetchError, match="does not serve parts"):
        await fetch_bytes(transport, FetchRequest(URL, label="manifest"), MonotonicClock())

    await transport.close()


async def test_a_network_that_fails_while_a_file_is_read_is_told_as_such_and_may_come_back(
    film: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wherever it fails: while the file is looked at, and in the middle of a segment."""
    monkeypatch.setattr(range_file, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(range_file, "_KEPT_BLOCKS", 1)
    server, clock = Server(film), MonotonicClock()
    transport = ProgressiveTransport(server, URL)
    bodies: list[bytes] = []
    for url in (URL, SEGMENT_URL, SEGMENT_URL):
        for good in (0, 3, 20):
            server.good_ranges = good
            with pytest.raises(ConnectionLost):
                await fetch_bytes(transport, FetchRequest(url), clock)
        server.good_ranges = None
        bodies.append((await fetch_bytes(transport, FetchRequest(url), clock)).body)
    assert bodies[1] == bodies[2]
    assert len(bodies[1]) > 30_000
    assert capfd.readouterr().err == ""
    await transport.close()


async def test_a_broken_file_is_a_failed_fetch(film: bytes) -> None:
    transport = ProgressiveTransport(Server(film[:2000]), URL)

    with pytest.raises(FetchError, match="cannot be read"):
        await fetch_bytes(transport, FetchRequest(URL), MonotonicClock())

    await transport.close()


async def test_closing_lets_go_a_thread_that_waits_for_the_network(film: bytes) -> None:
    waiting = asyncio.Event()

    class Silent(Server):
        @asynccontextmanager
        async def stream(self, request: FetchRequest) -> AsyncGenerator[FetchResponse, None]:
            if request.byte_range is not None:
                waiting.set()
                await asyncio.Event().wait()
            async with super().stream(request) as response:
                yield response

    transport = ProgressiveTransport(Silent(film), URL)
    opening = asyncio.create_task(fetch_bytes(transport, FetchRequest(URL), MonotonicClock()))
    await waiting.wait()

    async with asyncio.timeout(5):
        await transport.close()
        with pytest.raises(FetchError, match="closed"):
            await opening
