from __future__ import annotations

import gc
from fractions import Fraction

import numpy as np

from cushion_demo_app.qt import QtGui, QtWidgets
from cushion_demo_app.video_surface import VideoSurface, borrow_as_image
from cushion_player.media.film import FilmSpec, film_frame, read_frame_code
from cushion_player.outputs import FrameLook, VideoFrame, VideoRenderer
from cushion_player.testing.outputs import FakeFrameSource, make_frame
from tests.contracts.video_renderer_suite import VideoRendererSuite
from tests.demo_app.fakes import plain_conversion


class RecordingSurface(VideoSurface):
    """Remembers the frames it took."""

    def __init__(self) -> None:
        super().__init__(convert=plain_conversion)
        self.times_us: list[int] = []
        self.frame_shown.connect(self._note)
        self.resize(160, 90)

    def _note(self) -> None:
        assert self.last_frame is not None
        self.times_us.append(self.last_frame.time_us)


class TestVideoSurface(VideoRendererSuite):
    def make(self) -> VideoRenderer:
        return RecordingSurface()

    async def settle(self, renderer: VideoRenderer) -> None:
        assert isinstance(renderer, RecordingSurface)
        QtWidgets.QApplication.processEvents()
        renderer.pull()
        renderer.repaint()

    def shown_us(self, renderer: VideoRenderer) -> list[int]:
        assert isinstance(renderer, RecordingSurface)
        return renderer.times_us


def pixels_of(surface: VideoSurface) -> np.ndarray:
    """(H, W, 4) uint8 BGRA: what the surface paints."""
    image = surface.grab().toImage().convertToFormat(QtGui.QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[:, : image.width()].copy()


def show(surface: VideoSurface, frame: VideoFrame) -> None:
    source = FakeFrameSource([frame])
    source.position_us = frame.time_us
    surface.attach(source)
    surface.pull()
    surface.detach()


def test_the_films_code_can_be_read_off_the_painted_picture() -> None:
    native = film_frame(FilmSpec(640, 360, Fraction(30), 2.0), 37)
    surface = VideoSurface()
    surface.resize(480, 400)

    show(surface, VideoFrame(1_233_333, 33_333, 640, 360, 0, native))

    box = surface.picture_box()
    picture = pixels_of(surface)
    assert read_frame_code(picture[box.y : box.y + box.height, box.x : box.x + box.width]) == 37
    assert not picture[: box.y, :, :3].any()
    assert not picture[box.y + box.height :, :, :3].any()


def test_a_resized_surface_converts_the_same_frame_anew() -> None:
    sizes: list[tuple[int, int]] = []

    def convert(frame: VideoFrame, width: int, height: int) -> np.ndarray:
        sizes.append((width, height))
        return plain_conversion(frame, width, height)

    surface = VideoSurface(convert=convert)
    surface.resize(320, 180)
    show(surface, make_frame(0))

    pixels_of(surface)
    pixels_of(surface)
    surface.resize(160, 90)
    pixels_of(surface)

    assert sizes == [(320, 180), (160, 90)]


def test_a_late_session_cannot_take_the_picture_from_the_next() -> None:
    surface = RecordingSurface()
    first = surface.lend()
    second = surface.lend()
    source = FakeFrameSource([make_frame(0)])
    source.position_us = 0
    second.attach(source)

    first.detach()
    surface.pull()

    assert surface.times_us == [0]


def test_lending_takes_the_last_picture_away() -> None:
    surface = RecordingSurface()
    show(surface, make_frame(200_000))
    assert pixels_of(surface)[45, 80, 0] == 200

    surface.lend()

    assert not pixels_of(surface)[..., :3].any()


def test_an_image_borrows_rows_that_lie_apart() -> None:
    memory = np.zeros((4, 64), np.uint8)
    pixels = memory[:, :24].reshape(4, 24)[:, :24]
    strided = np.lib.stride_tricks.as_strided(pixels, (4, 6, 4), (64, 4, 1))
    strided[2, 3] = (10, 20, 30, 255)

    image = borrow_as_image(strided)
    gc.collect()

    assert (image.width(), image.height(), image.bytesPerLine()) == (6, 4, 64)
    colour = image.pixelColor(3, 2)
    assert (colour.blue(), colour.green(), colour.red()) == (10, 20, 30)


def test_pixels_that_are_not_square_and_pictures_on_their_side_are_shown_in_shape() -> None:
    surface = RecordingSurface()
    surface.resize(400, 400)

    show(surface, VideoFrame(0, 33_333, 720, 576, 0, None, FrameLook((64, 45))))
    wide = surface.picture_box()
    show(surface, VideoFrame(0, 33_333, 640, 360, 0, None, FrameLook(rotation_deg=90)))
    upright = surface.picture_box()

    assert (wide.width, wide.height) == (400, 225)
    assert (upright.width, upright.height) == (225, 400)
