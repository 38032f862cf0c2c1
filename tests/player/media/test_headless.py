"""HeadlessRenderer shows what is due, on the loop."""

from __future__ import annotations

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
