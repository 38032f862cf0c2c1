"""What a graphics card would be given is the picture, by Qt's own reading of it; and who gets to draw."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from cushion_demo_app.qt import QtGui, load_multimedia
from cushion_demo_app.video_sink import GPU, RASTER, QtFrames, choose_renderer
from cushion_player.errors import UsageError
from cushion_player.media.film import FilmSpec, film_frame, read_frame_code
from cushion_player.media.planes import planes_of
from cushion_player.outputs import DynamicRange, FrameLook, VideoFrame

SPEC = FilmSpec(640, 360, Fraction(30), 2.0)

pytestmark = pytest.mark.skipif(load_multimedia() is None, reason="QtMultimedia cannot be loaded here")


def film(number: int = 37, layout: str = "yuv420p", look: FrameLook | None = None) -> VideoFrame:
    native = film_frame(SPEC, number)
    if layout != "yuv420p":
        native = native.reformat(format=layout)
    native.colorspace = 1
    return VideoFrame(1_233_333, 33_333, 640, 360, 0, native, look or FrameLook())


def read_by_qt(made: Any) -> np.ndarray:
    """(H, W, 4) uint8 BGRA."""
    image = made.toImage().convertToFormat(QtGui.QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[:, : image.width()].copy()


@pytest.mark.parametrize("layout", ["yuv420p", "nv12", "p010le", "yuv444p"])  # Qt itself cannot read yuv420p10le
def test_the_picture_can_be_read_back(layout: str) -> None:
    assert read_frame_code(read_by_qt(QtFrames().make(film(layout=layout)))) == 37


@pytest.mark.parametrize("layout", ["yuv420p", "nv12", "yuv420p10le", "p010le"])
def test_the_card_gets_the_planes_byte_for_byte(layout: str) -> None:
    frame = film(layout=layout)
    planes, made = planes_of(frame), QtFrames().make(frame)
    assert planes is not None

    multimedia: Any = load_multimedia()
    assert made.map(multimedia.QVideoFrame.MapMode.ReadOnly)
    for index, rows in enumerate(planes.rows):
        stride = made.bytesPerLine(index)
        copied = np.frombuffer(made.bits(index), np.uint8)[: stride * len(rows)].reshape(len(rows), stride)
        assert np.array_equal(copied[:, : rows.shape[1]], rows)
    made.unmap()


@pytest.mark.parametrize(("tag", "space"), [(1, "BT709"), (5, "BT601"), (6, "BT601"), (9, "BT2020"), (2, "BT601")])
@pytest.mark.parametrize(("range_tag", "colour_range"), [(1, "Video"), (2, "Full"), (0, "Video")])
def test_the_card_is_told_the_colours(tag: int, space: str, range_tag: int, colour_range: str) -> None:
    """Qt's own reading on the processor takes no notice of them, so the tags are looked at, not the colours."""
    frame = film()
    assert isinstance(frame.native, av.VideoFrame)
    frame.native.colorspace, frame.native.color_range = tag, range_tag

    surface = QtFrames().make(frame).surfaceFormat()

    assert str(surface.colorSpace()).endswith(space)
    assert str(surface.colorRange()).endswith(colour_range)


@pytest.mark.parametrize(("dynamic_range", "name"), [(DynamicRange.PQ, "ST2084"), (DynamicRange.HLG, "STD_B67")])
def test_the_card_is_told_how_light_is_coded(dynamic_range: DynamicRange, name: str) -> None:
    made = QtFrames().make(film(layout="yuv420p10le", look=FrameLook(dynamic_range=dynamic_range, peak_nits=800)))

    surface = made.surfaceFormat()
    assert name in str(surface.colorTransfer())
    assert surface.maxLuminance() == pytest.approx(800)
    assert (made.startTime(), made.endTime()) == (1_233_333, 1_266_666)


def test_the_card_is_told_of_turning() -> None:
    made = QtFrames().make(film(look=FrameLook(rotation_deg=90)))

    assert made.rotation().value == 90
    assert QtFrames().make(film()).rotation().value == 0


@pytest.mark.parametrize(
    ("wish", "name", "chosen"),
    [
        ("auto", "", RASTER),
        ("auto", "llvmpipe (LLVM 15.0.6, 256 bits)", RASTER),
        ("auto", "softpipe", RASTER),
        ("auto", "Google SwiftShader", RASTER),
        ("auto", "Mesa Intel(R) UHD Graphics 620", GPU),
        ("raster", "Mesa Intel(R) UHD Graphics 620", RASTER),
        ("gpu", "", GPU),
    ],
)
def test_who_draws_is_found_by_what_is_there(wish: str, name: str, chosen: str) -> None:
    assert choose_renderer(wish, lambda: name) == chosen


def test_a_wish_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="not 'vulkan'"):
        choose_renderer("vulkan", lambda: "")


def test_without_a_screen_the_raster_draws() -> None:
    assert choose_renderer("auto") == RASTER
