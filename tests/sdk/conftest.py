"""A small title served in memory, and a way to play it in virtual time."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.outputs import MediaOutput, OutputStats
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.transport import FakeTransport
from cushion_sdk.contracts.catalog import Ladder, LadderRung, Title
from cushion_sdk.session import PlaybackSession, open_session
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.testing import FakeBackend, InlineStores

SECOND = 1_000_000
N_SEGMENTS = 30
DURATION_S = 2.0 * N_SEGMENTS
LADDER_BPS = (400_000, 1_200_000, 3_000_000)
ORIGIN = "http://origin"
MPD_URL = f"{ORIGIN}/media/film/manifest.mpd"


def media(n_bytes: int) -> bytes:
    """A segment of so many bytes, as far as its frame goes: one box."""
    return n_bytes.to_bytes(4, "big") + b"mdat" + bytes(n_bytes - 8)


def manifest(frame_rate: str = 'frameRate="30"') -> bytes:
    """A DASH presentation of N_SEGMENTS segments of two seconds."""

    def representation(rung: int, bps: int) -> str:
        segments = "".join(f'<SegmentURL media="v{rung}/{index}.m4s"/>' for index in range(N_SEGMENTS))
        return (
            f'<Representation id="v{rung}" bandwidth="{bps}" width="320" height="{240 * (rung + 1)}" '
            f'codecs="avc1.64001f" {frame_rate}><SegmentList timescale="1" duration="2">'
            f'<Initialization sourceURL="v{rung}/init.mp4"/>{segments}</SegmentList></Representation>'
        )

    representations = "".join(representation(rung, bps) for rung, bps in enumerate(LADDER_BPS))
    return (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:full:2011" '
        f'mediaPresentationDuration="PT{DURATION_S}S" minBufferTime="PT2S"><Period>'
        f'<AdaptationSet contentType="video" mimeType="video/mp4">{representations}</AdaptationSet></Period></MPD>'
    ).encode()


def files(frame_rate: str = 'frameRate="30"') -> dict[str, bytes]:
    """Every resource of the title; media bytes are zeros of the right number."""
    base = MPD_URL.rpartition("/")[0]
    served = {MPD_URL: manifest(frame_rate)}
    for rung, bps in enumerate(LADDER_BPS):
        served[f"{base}/v{rung}/init.mp4"] = bytes(700)
        for index in range(N_SEGMENTS):
            served[f"{base}/v{rung}/{index}.m4s"] = media(bps * 2 // 8)
    return served


TITLE = Title(
    title_id="film",
    name="The film",
    duration_s=DURATION_S,
    dash_path="/media/film/manifest.mpd",
    hls_path="/media/film/master.m3u8",
    ladder=Ladder(
        video=[
            LadderRung(height_px=240 * (n + 1), width_px=320, bitrate_bps=bps, peak_bitrate_bps=bps, codecs="avc1")
            for n, bps in enumerate(LADDER_BPS)
        ],
        audio_bitrate_bps=0,
        frame_rate="30/1",
        segment_s=2.0,
    ),
)


class CountingOutput(NullDecodeOutput):
    """Says it showed a frame every 1/30 s of what its clock passed, less those it is told to drop."""

    dropped = 0
    is_closed = False

    def stats(self) -> OutputStats:
        stats = super().stats()
        shown = math.ceil(stats.position_us * 30 / SECOND) - self.dropped
        return replace(stats, frames_shown=max(0, shown), frames_dropped=self.dropped)

    async def close(self) -> None:
        self.is_closed = True
        await super().close()


class Living:
    """A device and a backend that live through several sessions, in virtual time."""

    def __init__(self, path: Path | None = None) -> None:
        self.clock = FakeClock()
        self.origin = FakeTransport(self.clock, files(), latency_us=20_000)
        self.backend = FakeBackend(self.clock)
        self.stores = InlineStores(path)
        self.outputs: list[CountingOutput] = []
        self.wall_ms = 1_700_000_000_000

    def change_device(self) -> None:
        """From now on it is another device, which knows nothing yet; the backend stays."""
        self.stores.close()
        self.stores = InlineStores()

    def now_ms(self) -> int:
        return self.wall_ms + self.clock.now_us() // 1000

    @asynccontextmanager
    async def session(
        self,
        source: str | Title = TITLE,
        options: SessionOptions | None = None,
        *,
        backend: bool = True,
        output: MediaOutput | None = None,
    ) -> AsyncGenerator[PlaybackSession]:
        if output is None:
            output = CountingOutput(self.clock)
            self.outputs.append(output)
        async with open_session(
            source,
            options,
            stores=self.stores,
            output=output,
            transport=self.origin,
            backend=self.backend if backend else None,
            clock=self.clock,
            rng=random.Random(len(self.outputs)),
            now_ms=self.now_ms,
        ) as session:
            yield session

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now_us() + round(seconds * SECOND))

    async def watch(
        self,
        seconds: float,
        source: str | Title = TITLE,
        options: SessionOptions | None = None,
        *,
        backend: bool = True,
    ) -> PlaybackSession:
        """Open, play for so many seconds of clock, close."""
        async with self.session(source, options, backend=backend) as session:
            session.play()
            await self.sleep(seconds)
        return session


@pytest.fixture
def living() -> Iterator[Living]:
    world = Living()
    yield world
    world.stores.close()
