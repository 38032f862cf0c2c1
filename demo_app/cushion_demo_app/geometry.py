"""Where things go: arithmetic on sizes in pixels, no widgets."""

from __future__ import annotations

from typing import NamedTuple

_SHAPE_TOLERANCE = 200
"""Shapes that differ by less than one part in this many count as equal: encoders round widths to even numbers."""


class Box(NamedTuple):
    """A rectangle; x and y are its top left corner."""

    x: int
    y: int
    width: int
    height: int


def letterbox(picture_width: int, picture_height: int, room_width: int, room_height: int) -> Box:
    """The largest rectangle of the picture's shape inside the room, centred; empty when either has no area."""
    if min(picture_width, picture_height, room_width, room_height) <= 0:
        return Box(0, 0, 0, 0)
    shapes = picture_width * room_height, room_width * picture_height
    if abs(shapes[0] - shapes[1]) * _SHAPE_TOLERANCE <= shapes[1]:
        return Box(0, 0, room_width, room_height)
    if shapes[0] >= shapes[1]:
        width = room_width
        height = max(1, round(room_width * picture_height / picture_width))
    else:
        height = room_height
        width = max(1, round(room_height * picture_width / picture_height))
    return Box((room_width - width) // 2, (room_height - height) // 2, width, height)


def grid_columns(room_width: int, least_width: int, gap: int) -> tuple[int, int]:
    """How many equal cards fit side by side, and how wide each becomes. At least one."""
    columns = max(1, (room_width + gap) // (least_width + gap))
    return columns, max(1, (room_width - gap * (columns - 1)) // columns)
