"""HeadlessRenderer shows what is due, on the loop."""

from __future__ import annotations

import asyncio

from cushion_player.clock import MonotonicClock
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.outputs import VideoFrame, VideoRenderer
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import FakeFrameSource, make_frame
from tests.contracts.video_renderer_suite import VideoRendererSuite


class TestHeadlessRenderer(VideoRendererSuite):
    def make(self) -> VideoRenderer:
        self.clock = FakeClock()
        self.shown: list[VideoFrame] = []
        return HeadlessRenderer(self.clock, self.shown.append)

    async def settle(self, renderer: VideoRenderer) -> None:
        await self.clock.advance(200_000)

    def shown_us(self, renderer: VideoRenderer) -> list[int]:
        return [frame.time_us for frame in self.shown]


async def test_sleeps_until_the_next_frame_is_due() -> None:
    clock = FakeClock()
    renderer, source = HeadlessRenderer(clock), FakeFrameSource([make_frame(40_000)])
    source.position_us = 0
    renderer.attach(source)
    await clock.advance(1)
    assert clock.next_deadline_us() == 40_000

    renderer.detach()
    await clock.advance(1)

    assert clock.next_deadline_us() is None


async def test_by_the_machines_clock_it_shows_what_is_due_and_ends_when_told_by_its_last_frame() -> None:
    taken: list[int] = []
    done = asyncio.Event()

    def take(frame: VideoFrame) -> None:
        taken.append(frame.time_us)
        renderer.detach()
        done.set()

    renderer = HeadlessRenderer(MonotonicClock(), take)
    source = FakeFrameSource([make_frame(0), make_frame(1)])
    source.position_us = 0

    renderer.attach(source)
    async with asyncio.timeout(5):
        await done.wait()
    await asyncio.sleep(0)

    assert taken == [0]
    assert renderer._timer is None
