"""EBML elements (RFC 8794), as far as WebM needs them: where they lie, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack
from typing import Final, NamedTuple

from cushion_player.errors import DecodeError

_UNKNOWN: Final = -1


class Element(NamedTuple):
    """An element: its id with the length marker in it, as specifications print it, and where its content lies."""

    id: int
    start: int
    payload: int
    end: int
    is_cut: bool
    """Whether the data ends before the element does."""
    length: int
    """Bytes of content as the element says, -1 when it does not."""

    def __str__(self) -> str:
        return f"element {self.id:X} at byte {self.start}"


def elements(view: memoryview, start: int, end: int, entered: frozenset[int] = frozenset()) -> Iterator[Element]:
    """The elements of [start, end) in order. Those of `entered` are followed by what is in them.

    Raises DecodeError when an element's head is broken, or one that is not entered does not say its size.
    """
    at = start
    while at < end:
        identifier, after_id = _identifier(view, at, end)
        size, payload = _size(view, after_id, end)
        if size == _UNKNOWN:
            if identifier not in entered:
                raise DecodeError(f"element {identifier:X} at byte {at} does not say how long it is")
            stop = end
        else:
            stop = payload + size
        yield Element(identifier, at, payload, min(stop, end), stop > end, size)
        at = payload if identifier in entered else stop


def number(view: memoryview, element: Element) -> int:
    if element.end - element.payload > 8:
        raise DecodeError(f"{element} is too long for a number")
    return int.from_bytes(view[element.payload : element.end], "big")


def real(view: memoryview, element: Element) -> float:
    body = bytes(view[element.payload : element.end])
    match len(body):
        case 0:
            return 0.0
        case 4:
            return float(unpack(">f", body)[0])
        case 8:
            return float(unpack(">d", body)[0])
        case _:
            raise DecodeError(f"{element} is no floating-point number")


def vint(view: memoryview, at: int, end: int) -> tuple[int, int]:
    """A number of variable length without its marker, and where it ends."""
    size, after = _size(view, at, end)
    if size == _UNKNOWN:
        raise DecodeError(f"no number at byte {at}")
    return size, after


def _identifier(view: memoryview, at: int, end: int) -> tuple[int, int]:
    first = view[at]
    length = 9 - first.bit_length()
    if length > 4 or at + length > end:
        raise DecodeError(f"no element begins at byte {at}: the data is damaged or truncated")
    return int.from_bytes(view[at : at + length], "big"), at + length


def _size(view: memoryview, at: int, end: int) -> tuple[int, int]:
    if at >= end:
        raise DecodeError(f"the element before byte {at} is truncated")
    length = 9 - view[at].bit_length()
    if length > 8 or at + length > end:
        raise DecodeError(f"the size at byte {at} is damaged or truncated")
    value = int.from_bytes(view[at : at + length], "big") & (1 << 7 * length) - 1
    return (_UNKNOWN if value == (1 << 7 * length) - 1 else value), at + length
