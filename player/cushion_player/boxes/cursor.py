"""Walking boxes and reading fixed layouts out of them, with every bound checked.

Only the shape of boxes lives here, nothing about what any of them means.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any, NamedTuple

from cushion_player.errors import DecodeError

_HEADER = Struct(">I4s")
_LARGE_SIZE = Struct(">Q")
_WORD = Struct(">I")


class Box(NamedTuple):
    """One box: its type, and where it and its payload lie in the buffer."""

    kind: bytes
    start: int
    payload: int
    end: int

    def __str__(self) -> str:
        return f"box {self.kind.decode('latin-1')!r} at byte {self.start}"


def walk(data: memoryview, start: int, end: int) -> Iterator[Box]:
    """The boxes in data[start:end], in order.

    Raises DecodeError when one reaches past `end` or is smaller than its header.
    """
    at = start
    while at < end:
        if end - at < 8:
            raise DecodeError(f"{end - at} bytes left at byte {at}, too few for a box header: the data is truncated")
        size, kind = _HEADER.unpack_from(data, at)
        payload = at + 8
        if size == 1:
            if end - at < 16:
                raise DecodeError(f"{Box(kind, at, payload, end)} is truncated inside its header")
            size = _LARGE_SIZE.unpack_from(data, payload)[0]
            payload += 8
        elif size == 0:
            size = end - at
        box = Box(kind, at, payload, at + size)
        if size < payload - at:
            raise DecodeError(f"{box} says it is {size} bytes long, less than its own header")
        if box.end > end:
            raise DecodeError(f"{box} says it is {size} bytes long, but only {end - at} are there: it is truncated")
        yield box
        at = box.end


def children(data: memoryview, box: Box, skip: int = 0) -> dict[bytes, Box]:
    """The first child of each type, after `skip` bytes of the box's own fields."""
    found: dict[bytes, Box] = {}
    for child in walk(data, box.payload + skip, box.end):
        found.setdefault(child.kind, child)
    return found


def need(found: dict[bytes, Box], kind: bytes, parent: Box) -> Box:
    """A child that must be there."""
    box = found.get(kind)
    if box is None:
        raise DecodeError(f"{parent} has no {kind.decode('latin-1')!r} inside")
    return box


def unpack(layout: Struct, data: memoryview, at: int, box: Box) -> tuple[Any, ...]:
    """The fields of `layout` at `at`, which must lie inside `box`. The caller's layout gives their types."""
    if at + layout.size > box.end:
        raise DecodeError(f"{box} is too short: {layout.size} bytes expected at byte {at}")
    return layout.unpack_from(data, at)


def word(data: memoryview, at: int, box: Box) -> int:
    """One 32-bit unsigned field inside `box`."""
    value: int = unpack(_WORD, data, at, box)[0]
    return value


def version_and_flags(data: memoryview, box: Box) -> tuple[int, int]:
    """The two fields every full box begins with."""
    value = word(data, box.payload, box)
    return value >> 24, value & 0xFFFFFF


def printable(kind: bytes) -> str:
    """A four-character code as text, spaces trimmed."""
    return kind.decode("latin-1").strip()
