"""Byte ranges of a request (RFC 9110, section 14), one range at a time."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


class ByteSpan(NamedTuple):
    """Bytes first … last, both included."""

    first: int
    last: int


class RangeNotSatisfiable(ValueError):
    """The range lies outside the object."""


def parse_range(value: str, size_bytes: int) -> ByteSpan | None:
    """What a Range header asks of an object; None means all of it.

    None too for several ranges and for what cannot be read, which a server may ignore. Raises RangeNotSatisfiable.
    """
    match = _ONE_RANGE.fullmatch(value)
    if match is None or match.group(1) == match.group(2) == "":
        return None
    if match.group(1) == "":
        suffix = int(match.group(2))
        if suffix == 0 or size_bytes == 0:
            raise RangeNotSatisfiable(value)
        return ByteSpan(max(0, size_bytes - suffix), size_bytes - 1)
    first = int(match.group(1))
    last = int(match.group(2)) if match.group(2) else size_bytes - 1
    if match.group(2) and last < first:
        return None
    if first >= size_bytes:
        raise RangeNotSatisfiable(value)
    return ByteSpan(first, min(last, size_bytes - 1))
