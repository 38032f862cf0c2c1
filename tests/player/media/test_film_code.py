"""The bar code survives what pictures go through, and never gives a wrong number."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cushion_player.media.film import CODE_AREA, FilmSpec, beep_onsets, film_frame, is_flash, read_frame_code
from cushion_player.media.film_code import MAX_FRAMES, code_bits

SPEC = FilmSpec(width_px=640, height_px=360)


def rgb(number: int) -> NDArray[np.uint8]:
    return np.asarray(film_frame(SPEC, number).to_ndarray(format="rgb24"), dtype=np.uint8)


@given(st.integers(0, MAX_FRAMES - 1))
@settings(max_examples=50, deadline=None)
def test_every_number_reads_back_from_blocks(number: int) -> None:
    picture = np.full((200, 400), 90, dtype=np.uint8)
    left, top, right, bottom = CODE_AREA.box_px(400, 200)
    blocks = np.where(code_bits(number), 235, 16).astype(np.uint8)
    rows = np.arange(bottom - top) * 2 // (bottom - top)
    columns = np.arange(right - left) * 20 // (right - left)
    picture[top:bottom, left:right] = blocks[np.ix_(rows, columns)]

    assert read_frame_code(picture) == number


def test_reads_rgb_bgra_and_luma_alike() -> None:
    picture = rgb(4711)
    bgra = np.dstack([picture[:, :, ::-1], np.full(picture.shape[:2], 255, dtype=np.uint8)])

    assert read_frame_code(picture) == read_frame_code(bgra) == read_frame_code(picture[:, :, 1]) == 4711


@pytest.mark.parametrize("size", [(320, 180), (426, 240), (1000, 563), (1920, 1080)])
def test_survives_scaling_to_odd_sizes(size: tuple[int, int]) -> None:
    frame = film_frame(SPEC, 77).reformat(width=size[0], height=size[1], format="rgb24")

    assert read_frame_code(np.asarray(frame.to_ndarray(), dtype=np.uint8)) == 77


def test_survives_a_starved_encoder_at_180_lines() -> None:
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.framerate, encoder.time_base = SPEC.frame_rate, 1 / SPEC.frame_rate
    encoder.bit_rate = 80_000
    encoder.options = {"preset": "veryfast", "maxrate": "80000", "bufsize": "80000"}
    decoder = av.VideoCodecContext.create("h264", "r")
    packets = [
        packet
        for number in range(60)
        for packet in encoder.encode(film_frame(SPEC, number).reformat(width=320, height=180))
    ] + list(encoder.encode(None))

    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]

    pictures = [np.asarray(frame.to_ndarray(format="gray8"), dtype=np.uint8) for frame in frames]
    assert [read_frame_code(picture) for picture in pictures] == list(range(60))
    assert [is_flash(picture) for picture in pictures] == [number % 30 < 3 for number in range(60)]


def test_noise_flat_pictures_and_nothing_at_all_have_no_code() -> None:
    rng = np.random.default_rng(1)

    for shape in ((90, 160), (90, 160, 3), (1, 1)):
        assert read_frame_code(np.full(shape, 200, dtype=np.uint8)) is None
    for _ in range(200):
        assert read_frame_code(rng.integers(0, 256, (45, 80)).astype(np.uint8)) is None


def test_a_wrong_block_is_noticed() -> None:
    picture = rgb(1234)
    left, top, right, _ = CODE_AREA.box_px(640, 360)
    step = (right - left) / 20
    column = int(left + 12.5 * step)
    block = picture[top + 2 : top + 16, column - 8 : column + 8]
    block[:] = 255 - block

    assert read_frame_code(picture) is None


def test_silence_has_no_beeps() -> None:
    assert beep_onsets(np.zeros((48_000, 2), dtype=np.float32), 48_000) == []


def test_code_numbers_are_bounded() -> None:
    with pytest.raises(ValueError, match="24 bits"):
        code_bits(MAX_FRAMES)
