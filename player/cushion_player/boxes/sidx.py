"""Segment indexes (box 'sidx'): where the segments of a single file lie and how long they last."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, iter_unpack
from typing import NamedTuple

from cushion_player.boxes.cursor import Box, unpack, version_and_flags, walk
from cushion_player.errors import DecodeError

_HEAD_V0 = Struct(">IIIIHH")
_HEAD_V1 = Struct(">IIQQHH")


class IndexReference(NamedTuple):
    """One stretch of the file: media, or (is_index) another index."""

    is_index: bool
    size: int
    """Bytes."""
    duration: int
    """Ticks of the index's timescale."""
    starts_with_sap: bool


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """An index. The first referenced byte is at `anchor` in the file; references follow one another."""

    timescale: int
    earliest: int
    """Presentation time of the first reference, ticks."""
    anchor: int
    references: tuple[IndexReference, ...]


def read_sidx(data: bytes | memoryview, *, file_position: int = 0) -> SegmentIndex:
    """Read the first index in `data`, bytes that begin at `file_position` of their file.

    What follows the index may be cut off anywhere. Raises DecodeError when there is no whole index.
    """
    view = memoryview(data)
    for box in walk(view, 0, len(view)):
        if box.kind == b"sidx":
            return _read(view, box, file_position)
    raise DecodeError(f"no segment index (box 'sidx') in the {len(view)} bytes from byte {file_position}")


def _read(view: memoryview, box: Box, file_position: int) -> SegmentIndex:
    version, _ = version_and_flags(view, box)
    head = _HEAD_V1 if version else _HEAD_V0
    at = box.payload + 4
    _, timescale, earliest, first_offset, _, count = unpack(head, view, at, box)
    at += head.size
    if not timescale:
        raise DecodeError(f"{box} has a timescale of 0")
    if at + 12 * count > box.end:
        raise DecodeError(f"{box} claims {count} references, but is too short for them: it is truncated")
    references = tuple(
        IndexReference(bool(first >> 31), first & 0x7FFFFFFF, duration, bool(sap >> 31))
        for first, duration, sap in iter_unpack(">III", view[at : at + 12 * count])
    )
    return SegmentIndex(timescale, earliest, file_position + box.end + first_offset, references)
