"""Events inside media segments (box 'emsg'), as they stand: nothing of their payload is understood here.

Source: ISO/IEC 23009-1 5.10.3.3 (both versions).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from cushion_player.boxes.cursor import Box, unpack, version_and_flags, walk
from cushion_player.errors import DecodeError

UNKNOWN_DURATION = 0xFFFFFFFF
_V0 = Struct(">4I")
"""Timescale, presentation time delta, duration, id; after the two strings."""
_V1 = Struct(">IQII")
"""Timescale, presentation time, duration, id; before the two strings."""


@dataclass(frozen=True, slots=True)
class EventMessage:
    """One event. Times are ticks of its own timescale.

    is_relative: `time` counts from the start of the segment it stands in (version 0), else from that of the media.
    duration: None when it is not known.
    """

    scheme: str
    value: str
    timescale: int
    time: int
    is_relative: bool
    duration: int | None
    id: int
    payload: bytes


def read_event_messages(data: bytes | memoryview) -> tuple[EventMessage, ...]:
    """The events at the top level of a segment, in order. Raises DecodeError when one is cut off."""
    view = memoryview(data)
    return tuple([_read(view, box) for box in walk(view, 0, len(view)) if box.kind == b"emsg"])


def _read(view: memoryview, box: Box) -> EventMessage:
    version, _ = version_and_flags(view, box)
    at = box.payload + 4
    if version > 1:
        raise DecodeError(f"{box} is of version {version}; 0 and 1 are defined")
    if version:
        timescale, time, duration, number = unpack(_V1, view, at, box)
        scheme, value, payload = _strings(bytes(view[at + _V1.size : box.end]), box)
    else:
        scheme, value, rest = _strings(bytes(view[at : box.end]), box)
        at = box.end - len(rest)
        timescale, time, duration, number = unpack(_V0, view, at, box)
        payload = rest[_V0.size :]
    if not timescale:
        raise DecodeError(f"{box} has a timescale of 0")
    known = None if duration == UNKNOWN_DURATION else duration
    return EventMessage(scheme, value, timescale, time, not version, known, number, payload)


def _strings(body: bytes, box: Box) -> tuple[str, str, bytes]:
    """Scheme and value, each ended by a zero, and what follows."""
    parts = body.split(b"\0", 2)
    if len(parts) < 3:
        raise DecodeError(f"{box} is truncated inside its scheme or value")
    scheme, value, rest = parts
    return scheme.decode("utf-8", "replace"), value.decode("utf-8", "replace"), rest
