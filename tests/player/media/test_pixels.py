"""Pixels come out as BT.709 says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cushion_player.media.film import FilmSpec, film_frame, read_frame_code, render_frame
from cushion_player.media.pixels import PixelConverter, frame_to_bgra, luma
from cushion_player.outputs import VideoFrame

SPEC = FilmSpec(width_px=640, height_px=360)


def frame(number: int, spec: FilmSpec = SPEC) -> VideoFrame:
    return VideoFrame(0, 33_333, spec.width_px, spec.height_px, 0, film_frame(spec, number))


def expected_bgr(number: int) -> NDArray[np.float64]:
    """ITU-R BT.709 limited range, chroma repeated; the reference the converter is held against."""
    picture = render_frame(SPEC, number).astype(np.float64)
    y = (picture[:360] - 16) / 219
    chroma = picture[360:].reshape(2, 180, 320).repeat(2, axis=1).repeat(2, axis=2)
    cb, cr = (chroma - 128) / 224
    red, blue = y + 1.5748 * cr, y + 1.8556 * cb
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.asarray(np.clip(np.stack([blue, green, red], axis=2), 0, 1) * 255, dtype=np.float64)


def test_colours_follow_bt709_within_a_level_and_a_half() -> None:
    bgra = frame_to_bgra(frame(95), 640, 360)

    assert float(np.abs(bgra[:, :, :3] - expected_bgr(95)).mean()) < 1.5
    assert (bgra[:, :, 3] == 255).all()


@pytest.mark.parametrize("size", [(1280, 720), (426, 240), (333, 187)])
def test_scales_to_any_size(size: tuple[int, int]) -> None:
    bgra = frame_to_bgra(frame(4242), *size)

    assert bgra.shape == (size[1], size[0], 4)
    assert read_frame_code(bgra) == 4242


def tagged_frame(number: int, tag: int) -> VideoFrame:
    """A frame that says its matrix is `tag` of H.273."""
    native = film_frame(SPEC, number)
    native.colorspace = tag
    return VideoFrame(0, 33_333, SPEC.width_px, SPEC.height_px, 0, native)


@pytest.mark.parametrize("tag", range(15))
def test_every_colour_tag_gives_a_picture(tag: int) -> None:
    assert read_frame_code(frame_to_bgra(tagged_frame(4242, tag), 640, 360)) == 4242


def test_both_tags_of_bt601_mean_the_same() -> None:
    as_bt470bg, as_smpte170m = (frame_to_bgra(tagged_frame(95, tag), 640, 360) for tag in (5, 6))

    assert np.array_equal(as_bt470bg, as_smpte170m)
    assert not np.array_equal(as_bt470bg, frame_to_bgra(frame(95), 640, 360))


def test_one_converter_serves_many_sizes() -> None:
    converter = PixelConverter()

    for number, height in ((1, 360), (2, 720), (3, 360)):
        assert read_frame_code(converter.to_bgra(frame(number), height * 16 // 9, height)) == number


def test_pixels_outlive_their_frame() -> None:
    bgra = frame_to_bgra(frame(7), 640, 360)
    for number in range(20):
        frame_to_bgra(frame(number), 640, 360)

    assert read_frame_code(bgra) == 7


def test_luma_is_the_plane_itself() -> None:
    odd = FilmSpec(width_px=426, height_px=240)

    assert np.array_equal(luma(frame(9, odd)), render_frame(odd, 9)[:240])
