"""Protection system headers (box 'pssh'): what a licence server is sent, by key system.

Source: ISO/IEC 23001-7 8.1. They stand in an initialisation segment, in fragments (key rotation), or in a manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cushion_player.boxes.cursor import Box, version_and_flags, walk, word
from cushion_player.boxes.encryption import KEY_ID_BYTES
from cushion_player.errors import DecodeError

CLEARKEY_SYSTEM: Final = UUID("e2719d58-a985-b3c9-781a-b030af78d30e")
"""DASH-IF's ClearKey, by the licence protocol of W3C Encrypted Media Extensions."""
COMMON_SYSTEM: Final = UUID("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b")
"""The W3C "cenc" initialisation data: key ids alone, for any system."""

_HEAD_SIZE = 20
"""Version, flags and system id."""


@dataclass(frozen=True, slots=True)
class ProtectionHeader:
    """One pssh box. key_ids: 16 bytes each, () in version 0. data: the system's own, opaque here."""

    system: UUID
    key_ids: tuple[bytes, ...]
    data: bytes
    box: bytes
    """The whole box, as licence requests want it."""


def read_protection_headers(data: bytes | memoryview) -> tuple[ProtectionHeader, ...]:
    """The headers in `data`: bare boxes, or those of the movie and of every fragment.

    Raises DecodeError when a box is cut off or claims more than it holds.
    """
    view = memoryview(data)
    found: list[ProtectionHeader] = []
    for box in walk(view, 0, len(view)):
        if box.kind == b"pssh":
            found.append(_read(view, box))
        elif box.kind in (b"moov", b"moof"):
            found += [_read(view, inner) for inner in walk(view, box.payload, box.end) if inner.kind == b"pssh"]
    return tuple(found)


def _read(view: memoryview, box: Box) -> ProtectionHeader:
    version, _ = version_and_flags(view, box)
    at = box.payload + _HEAD_SIZE
    if at + 4 > box.end:
        raise DecodeError(f"{box} is too short for its system")
    system = UUID(bytes=bytes(view[at - 16 : at]))
    key_ids: tuple[bytes, ...] = ()
    if version:
        count = word(view, at, box)
        at += 4
        end = at + KEY_ID_BYTES * count
        if end + 4 > box.end:
            raise DecodeError(f"{box} claims {count} key ids, but is too short for them: it is truncated")
        key_ids = tuple([bytes(view[start : start + KEY_ID_BYTES]) for start in range(at, end, KEY_ID_BYTES)])
        at = end
    size = word(view, at, box)
    at += 4
    if at + size > box.end:
        raise DecodeError(f"{box} claims {size} bytes of data, but is too short for them: it is truncated")
    return ProtectionHeader(system, key_ids, bytes(view[at : at + size]), bytes(view[box.start : box.end]))
