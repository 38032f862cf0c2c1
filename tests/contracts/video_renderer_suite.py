"""What every VideoRenderer owes its callers. Inherit it, say how to make one and let it paint, and what it showed."""

from __future__ import annotations

from abc import ABC, abstractmethod

from cushion_player.outputs import VideoFrame, VideoRenderer
from cushion_player.testing.outputs import FakeFrameSource, make_frame


class VideoRendererSuite(ABC):
    @abstractmethod
    def make(self) -> VideoRenderer: ...

    @abstractmethod
    async def settle(self, renderer: VideoRenderer) -> None:
        """Give the renderer the time to look for a frame and paint it."""

    @abstractmethod
    def shown_us(self, renderer: VideoRenderer) -> list[int]:
        """Presentation times of the frames shown so far."""

    def frame(self, time_us: int) -> VideoFrame:
        """Override where the renderer needs a picture."""
        return make_frame(time_us)

    async def test_shows_a_frame_when_it_is_due(self) -> None:
        renderer, source = self.make(), FakeFrameSource([self.frame(0), self.frame(40_000)])
        renderer.attach(source)
        await self.settle(renderer)
        assert self.shown_us(renderer) == []

        source.position_us = 0
        await self.settle(renderer)

        assert self.shown_us(renderer) == [0]
        renderer.detach()
        await self.settle(renderer)

    async def test_shows_each_frame_once(self) -> None:
        renderer, source = self.make(), FakeFrameSource([self.frame(0)])
        source.position_us = 0
        renderer.attach(source)

        for _ in range(3):
            await self.settle(renderer)

        assert self.shown_us(renderer) == [0]
        renderer.detach()
        await self.settle(renderer)

    async def test_shows_a_frame_while_the_clock_stands(self) -> None:
        renderer, source = self.make(), FakeFrameSource()
        source.is_running = False
        renderer.attach(source)
        await self.settle(renderer)

        source.add(self.frame(5_000_000))
        source.position_us = 5_000_000
        await self.settle(renderer)

        assert self.shown_us(renderer) == [5_000_000]
        renderer.detach()
        await self.settle(renderer)

    async def test_asks_no_more_after_detach(self) -> None:
        renderer, source = self.make(), FakeFrameSource([self.frame(0)])
        renderer.attach(source)
        await self.settle(renderer)

        renderer.detach()
        await self.settle(renderer)
        asked = source.asked
        source.position_us = 0
        await self.settle(renderer)

        assert source.asked == asked
        assert self.shown_us(renderer) == []

    async def test_attach_replaces_the_source(self) -> None:
        renderer, first, second = self.make(), FakeFrameSource([self.frame(1)]), FakeFrameSource([self.frame(2)])
        renderer.attach(first)
        renderer.attach(second)
        first.position_us = second.position_us = 10

        await self.settle(renderer)

        assert self.shown_us(renderer) == [2]
        renderer.detach()
        await self.settle(renderer)

    async def test_detach_without_attach_is_harmless(self) -> None:
        self.make().detach()
