from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cushion_demo_app.geometry import Box, grid_columns, letterbox

sides = st.integers(1, 8000)


def test_a_wide_picture_leaves_bars_above_and_below() -> None:
    assert letterbox(1920, 800, 1280, 720) == Box(0, 93, 1280, 533)


def test_a_narrow_picture_leaves_bars_left_and_right() -> None:
    assert letterbox(640, 480, 1280, 720) == Box(160, 0, 960, 720)


def test_a_width_rounded_by_an_encoder_still_fills_the_room() -> None:
    assert letterbox(426, 240, 1280, 720) == Box(0, 0, 1280, 720)


def test_nothing_fits_nowhere() -> None:
    assert letterbox(0, 720, 1280, 720) == Box(0, 0, 0, 0)
    assert letterbox(1280, 720, 0, 720) == Box(0, 0, 0, 0)


@given(sides, sides, sides, sides)
def test_the_picture_lies_inside_the_room_and_touches_two_sides(
    width: int, height: int, room_w: int, room_h: int
) -> None:
    box = letterbox(width, height, room_w, room_h)

    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= room_w
    assert box.y + box.height <= room_h
    assert box.width == room_w or box.height == room_h


@given(st.integers(1, 4000), st.integers(50, 400), st.integers(0, 40))
def test_columns_fill_the_width_without_passing_it(room: int, least: int, gap: int) -> None:
    columns, width = grid_columns(room, least, gap)

    assert columns >= 1
    assert columns * width + (columns - 1) * gap <= max(room, width)
