"""The real player follows the low-latency origin over a socket, nearer to the edge than a segment lasts."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from cushion_player.clock import MonotonicClock, wall_ms
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.notices import Notice, PlaybackFailed
from cushion_player.outputs import VideoFrame
from cushion_player.player import Player
from cushion_player.testing.live import DashOptions, LiveConfig, LiveSite, Programme, made_up_asset
from cushion_player.testing.origin import Origin
from cushion_player.transport.http import HttpTransport
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import make_link
from tests.e2e.test_live_origin import on_air
from tests.player.testing.live_media import FRAME_RATE, SEGMENT_FRAMES

SEGMENT_US = SEGMENT_FRAMES * 1_000_000 // FRAME_RATE
SECONDS = 6.0


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
def test_pictures_are_shown_that_are_younger_than_their_segments_last(path: str) -> None:
    clock = MonotonicClock()
    shown: list[int] = []
    notices: list[Notice] = []
    latencies_us: list[int] = []

    def on_frame(frame: VideoFrame) -> None:
        shown.append(frame.time_us)

    async def watch(url: str) -> None:
        transport = HttpTransport()
        output = DecodedOutput(HeadlessRenderer(clock, on_frame), NullAudioOutput(clock), clock)
        try:
            async with Player(transport=transport, clock=clock, output=output) as player, asyncio.timeout(60):
                player.subscribe(notices.append)
                await player.load(url)
                player.play()
                until_us = clock.now_us() + round(SECONDS * 1e6)
                while clock.now_us() < until_us:
                    await clock.sleep_until(clock.now_us() + 200_000)
                    latencies_us.append(player.snapshot().engine.live_latency_us)
        finally:
            await transport.close()

    with on_air(is_low_latency=True, latency_ms=(1200, 800, 6000)) as origin:
        asyncio.run(watch(origin.url(path)))
        parts = [entry for entry in origin.log if entry.path.count(".") == 2 and entry.completed]

    assert [each for each in notices if isinstance(each, PlaybackFailed)] == []
    assert latencies_us[-1] < SEGMENT_US + 400_000  # on a machine that does other things; alone it is below a segment
    assert len(shown) > FRAME_RATE * 3
    steps = Counter(later - earlier for earlier, later in pairwise(shown))
    assert all(step > 0 for step in steps)  # none comes twice
    assert steps.most_common(1)[0][0] == pytest.approx(1_000_000 / FRAME_RATE, abs=1)
    assert bool(parts) == path.endswith("m3u8")


@pytest.mark.slow
def test_the_link_is_measured_as_it_is_and_not_as_the_encoder_works() -> None:
    link_bps = 1_500_000
    site = LiveSite(
        LiveConfig(
            (Programme(made_up_asset(bitrates_bps=(300_000, 800_000), n_chunks=8)),),
            start_us=(wall_ms() - 40_000) * 1000,
            is_low_latency=True,
            dash=DashOptions(latency_ms=(1500, 1000, 6000)),
        )
    )

    async def watch(url: str) -> float:
        clock = MonotonicClock()
        transport = ShapedTransport(HttpTransport(), clock, make_link([1_000_000], [link_bps], 20_000))
        try:
            async with Player(transport=transport, clock=clock, output=NullDecodeOutput(clock)) as player:
                await player.load(url)
                player.play()
                await clock.sleep_until(clock.now_us() + 5_500_000)
                return player.snapshot().engine.throughput_bps
        finally:
            await transport.close()

    with Origin(site).in_thread() as origin:
        measured_bps = asyncio.run(watch(origin.url("/live.mpd")))

    assert measured_bps == pytest.approx(link_bps, rel=0.1)
