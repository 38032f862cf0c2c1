"""Colours against the arithmetic of the standards: every matrix, both ranges, 8 and 10 bit, HDR, turned pictures."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cushion_player.media.pixels import PixelConverter, frame_to_bgra
from cushion_player.media.tone import WHITE_NITS, bring_down, hlg_to_nits, nits_to_pq, pq_to_nits, to_sdr
from cushion_player.outputs import DynamicRange, FrameLook, VideoFrame

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 320, 180
BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
"""Kr and Kb."""
MATRICES = {1: BT709, 5: BT601, 6: BT601, 9: BT2020}
MPEG, JPEG = 1, 2


def picture(depth: int) -> list[NDArray[np.uint16]]:
    """Y, Cb and Cr of smooth ramps whose colours stay inside RGB for any matrix. Values of `depth` bits."""
    scale = 1 << (depth - 8)
    x, y = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    cx, cy = np.meshgrid(np.linspace(0, 1, WIDTH // 2), np.linspace(0, 1, HEIGHT // 2))
    planes = [80 + 60 * x + 40 * y, 128 + 45 * np.sin(4 * cx), 128 + 45 * np.cos(3 * cy)]
    return [np.round(plane * scale).astype(np.uint16) for plane in planes]


def native_frame(depth: int, matrix: int, colour_range: int, transfer: int = 1) -> av.VideoFrame:
    planes = picture(depth)
    name, dtype = ("yuv420p", np.uint8) if depth == 8 else ("yuv420p10le", np.uint16)
    frame = av.VideoFrame(WIDTH, HEIGHT, name)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((values.shape[0], plane.line_size // np.dtype(dtype).itemsize), dtype)
        rows[:, : values.shape[1]] = values
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range, frame.color_trc = matrix, colour_range, transfer
    return frame


def as_video(native: av.VideoFrame, look: FrameLook | None = None) -> VideoFrame:
    return VideoFrame(0, 33_333, native.width, native.height, 0, native, look or FrameLook())


def reference_rgb(depth: int, matrix: tuple[float, float], colour_range: int) -> Floats:
    """(H, W, 3) 0..1 by H.273, chroma sited left as swscale takes it and interpolated between."""
    peak = (1 << depth) - 1
    scale = 1 << (depth - 8)
    luma, cb, cr = (plane.astype(np.float64) for plane in picture(depth))
    chroma = np.stack([enlarge(cb), enlarge(cr)])
    if colour_range == JPEG:
        y, (b, r) = luma / peak, (chroma - 128 * scale) / peak
    else:
        y, (b, r) = (luma - 16 * scale) / (219 * scale), (chroma - 128 * scale) / (224 * scale)
    kr, kb = matrix
    red, blue = y + 2 * (1 - kr) * r, y + 2 * (1 - kb) * b
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.asarray(np.clip(np.stack([red, green, blue], axis=2), 0, 1))


def enlarge(plane: Floats) -> Floats:
    return plane.repeat(2, axis=0).repeat(2, axis=1)


def rgb_of(bgra: NDArray[np.uint8]) -> Floats:
    return bgra[:, :, 2::-1].astype(np.float64)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("colour_range", [MPEG, JPEG])
@pytest.mark.parametrize("tag", MATRICES)
def test_colours_follow_the_tags_within_a_level_and_a_half(tag: int, colour_range: int, depth: int) -> None:
    bgra = frame_to_bgra(as_video(native_frame(depth, tag, colour_range)), WIDTH, HEIGHT)

    error = np.abs(rgb_of(bgra) - 255 * reference_rgb(depth, MATRICES[tag], colour_range))
    assert error.mean() < 1.5
    assert np.percentile(error, 99) < 4


def test_the_matrices_differ_by_more_than_the_tolerance() -> None:
    """The test above can tell them apart."""
    bt709, bt601, bt2020 = (255 * reference_rgb(8, matrix, MPEG) for matrix in (BT709, BT601, BT2020))

    assert np.abs(bt709 - bt601).mean() > 2
    assert np.abs(bt709 - bt2020).mean() > 2
    assert np.abs(bt709 - 255 * reference_rgb(8, BT709, JPEG)).mean() > 2


@pytest.mark.parametrize(("height", "matrix"), [(180, BT601), (720, BT709)])
def test_untagged_video_is_bt601_when_low_and_bt709_when_high(height: int, matrix: tuple[float, float]) -> None:
    native = native_frame(8, 2, MPEG).reformat(width=height * 16 // 9, height=height)
    native.colorspace = 2

    bgra = frame_to_bgra(as_video(native), WIDTH, HEIGHT)

    assert np.abs(rgb_of(bgra) - 255 * reference_rgb(8, matrix, MPEG)).mean() < 1.5


@pytest.mark.parametrize("dynamic_range", [DynamicRange.PQ, DynamicRange.HLG])
def test_bright_light_is_brought_down_as_the_arithmetic_says(dynamic_range: DynamicRange) -> None:
    native = native_frame(10, 9, MPEG, 16 if dynamic_range is DynamicRange.PQ else 18)
    bgra = PixelConverter().to_bgra(as_video(native, FrameLook(dynamic_range=dynamic_range)), WIDTH, HEIGHT)

    expected = 255 * to_sdr(reference_rgb(10, BT2020, MPEG).reshape(-1, 3), dynamic_range).reshape(HEIGHT, WIDTH, 3)
    assert np.abs(rgb_of(bgra) - expected).mean() < 1.5
    assert (bgra[:, :, 3] == 255).all()


def test_pq_is_its_own_inverse_and_meets_the_published_points() -> None:
    nits = np.array([0.0, 0.1, 1.0, 100.0, 203.0, 1_000.0, 10_000.0])

    assert pq_to_nits(nits_to_pq(nits)) == pytest.approx(nits, rel=1e-6, abs=1e-6)
    assert nits_to_pq(np.array([100.0, 203.0, 1_000.0])) == pytest.approx([0.508, 0.581, 0.752], abs=1e-3)  # BT.2408


def test_hlg_reference_white_is_203_nits() -> None:
    """BT.2408, table 1: 75 % HLG is diffuse white."""
    assert hlg_to_nits(np.full((1, 3), 0.75))[0] == pytest.approx([203.0] * 3, rel=0.01)


def test_dark_light_stays_and_the_brightest_becomes_white() -> None:
    greys = np.repeat(np.geomspace(0.1, 1_000, 60)[:, None], 3, axis=1)

    shown = bring_down(greys, 1_000.0)[:, 0]

    assert shown[greys[:, 0] < 50] == pytest.approx(greys[greys[:, 0] < 50, 0], rel=1e-6)
    assert shown[-1] == pytest.approx(WHITE_NITS, rel=1e-3)
    assert (np.diff(shown) > 0).all()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_picture_comes_out_upright(degrees: int) -> None:
    native = native_frame(8, 1, MPEG)
    plain = frame_to_bgra(as_video(native), WIDTH, HEIGHT)
    size = (HEIGHT, WIDTH) if degrees % 180 else (WIDTH, HEIGHT)

    turned = frame_to_bgra(as_video(native, FrameLook(rotation_deg=degrees)), *size)

    assert np.array_equal(turned, np.rot90(plain, -degrees // 90))


def test_shape_counts_square_pixels_and_turning() -> None:
    native = native_frame(8, 1, MPEG)

    assert as_video(native, FrameLook((16, 11))).shape_px == (465, 180)
    assert as_video(native, FrameLook((1, 2))).shape_px == (320, 360)
    assert as_video(native, FrameLook((16, 11), 90)).shape_px == (180, 465)
