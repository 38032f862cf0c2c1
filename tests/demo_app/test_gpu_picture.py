"""A surface whose picture a graphics card draws: frames go there, text stays ours, and a card that fails is left."""

from __future__ import annotations

import pytest

from cushion_demo_app.geometry import Box
from cushion_demo_app.gpu_picture import GpuFailed, Picture
from cushion_demo_app.qt import QtGui, QtWidgets, load_multimedia, load_quick
from cushion_demo_app.video_surface import VideoSurface
from cushion_player.outputs import FrameLook, VideoFrame, VideoRenderer
from cushion_player.testing.outputs import FakeFrameSource
from cushion_player.text import Cue, Span
from tests.contracts.video_renderer_suite import VideoRendererSuite
from tests.demo_app.fakes import plain_conversion


class FakeCard:
    """Remembers what it was given; fails when it is told to."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        self.times_us: list[int] = []
        self.box = Box(0, 0, 0, 0)
        self.is_cleared = self.is_removed = self.is_broken = False

    def show_frame(self, frame: VideoFrame) -> None:
        if self.is_broken:
            raise GpuFailed("the device was lost")
        self.times_us.append(frame.time_us)

    def place(self, box: Box) -> None:
        self.box = box

    def clear(self) -> None:
        self.is_cleared = True

    def remove(self) -> None:
        self.is_removed = True


class CardSurface(VideoSurface):
    """A surface on a fake card."""

    def __init__(self) -> None:
        super().__init__(convert=plain_conversion)
        self.resize(160, 90)
        self.cards: list[FakeCard] = []
        assert self.use_gpu(self._make)

    def _make(self, parent: QtWidgets.QWidget) -> Picture:
        self.cards.append(FakeCard(parent))
        return self.cards[-1]

    @property
    def card(self) -> FakeCard:
        return self.cards[-1]


def show(surface: VideoSurface, time_us: int = 0, look: FrameLook | None = None) -> None:
    frame = VideoFrame(time_us, 33_000, 160, 90, 0, None, look or FrameLook())
    source = FakeFrameSource([frame])
    source.position_us = time_us
    surface.attach(source)
    surface.pull()
    surface.detach()


def colours(surface: QtWidgets.QWidget) -> set[str]:
    image = surface.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(0, 160, 2) for y in range(0, 90, 2)}


class TestSurfaceOnACard(VideoRendererSuite):
    def make(self) -> VideoRenderer:
        return CardSurface()

    async def settle(self, renderer: VideoRenderer) -> None:
        assert isinstance(renderer, CardSurface)
        QtWidgets.QApplication.processEvents()
        renderer.pull()

    def shown_us(self, renderer: VideoRenderer) -> list[int]:
        assert isinstance(renderer, CardSurface)
        return renderer.card.times_us


def test_the_card_draws_where_the_letterbox_has_the_picture_by_its_true_shape() -> None:
    surface = CardSurface()
    assert surface.card.box == Box(0, 0, 160, 90)

    show(surface, look=FrameLook(pixel_aspect=(1, 2)))
    assert surface.card.box == Box(40, 0, 80, 90)
    surface.resize(80, 90)

    QtWidgets.QApplication.sendEvent(surface, QtGui.QResizeEvent(surface.size(), surface.size()))
    assert surface.card.box == Box(0, 0, 80, 90)


def test_text_is_painted_over_the_card_and_nothing_else_is() -> None:
    surface = CardSurface()
    show(surface, 100_000)
    assert colours(surface) == {"#000000"}

    surface.show_cues((Cue(0, 1, (Span("Words"),)),))

    assert "#ffffff" in colours(surface)


def test_a_card_that_fails_is_left_without_losing_the_frame(caplog: pytest.LogCaptureFixture) -> None:
    surface = CardSurface()
    show(surface, 0)
    surface.show_cues((Cue(0, 1, (Span("Words"),)),))
    surface.card.is_broken = True

    with caplog.at_level("WARNING", logger="cushion_demo_app.video_surface"):
        show(surface, 200_000)

    assert not surface.is_on_gpu
    assert surface.card.is_removed
    assert "#0000c8" in colours(surface), "the picture of 200 ms, painted by the processor"
    assert "#ffffff" in colours(surface), "and its text"
    assert [record.message for record in caplog.records] == [
        "the graphics card does not draw the picture, the processor does: the device was lost"
    ]
    caplog.clear()


def test_clearing_clears_the_card() -> None:
    surface = CardSurface()
    show(surface)

    surface.clear()

    assert surface.card.is_cleared


@pytest.mark.logs_warnings
@pytest.mark.skipif(load_quick() is None or load_multimedia() is None, reason="Qt Quick cannot be loaded here")
def test_without_a_screen_qt_quick_draws_no_video_and_the_processor_paints() -> None:
    surface = VideoSurface(convert=plain_conversion)
    surface.resize(160, 90)
    surface.use_gpu()

    show(surface, 200_000)

    assert not surface.is_on_gpu
    assert "#0000c8" in colours(surface)
