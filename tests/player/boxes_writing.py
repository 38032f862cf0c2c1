"""Boxes written by hand, and real ones taken apart and put together again, for the tests of the readers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"})


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def words(*values: int) -> bytes:
    return b"".join(struct.pack(">I" if value >= 0 else ">i", value) for value in values)


def split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each box."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def rewrite(data: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """`data` with every box, inner ones first, replaced by what `change(kind, body)` makes of it."""
    return b"".join(change(kind, rewrite(body, change) if kind in CONTAINERS else body) for kind, body in split(data))
