"""Playlist lines: tags, attribute lists and their values (RFC 8216bis 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ATTRIBUTE = re.compile(r"""\s*([A-Za-z0-9_-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)""")


class Line(NamedTuple):
    """A tag (`name` without #, `value` after the colon), or a URI (`name` empty, `value` the URI)."""

    number: int
    name: str
    value: str


def lines(text: str) -> Iterator[Line]:
    """Tags and URIs; blank lines and comments are passed over."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line:
            continue
        if line[0] != "#":
            yield Line(number, "", line)
        elif line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            yield Line(number, name, value)


def attributes(value: str) -> dict[str, str]:
    """An attribute list; quotes are taken off. What is no attribute is passed over; the first of a name counts."""
    found: dict[str, str] = {}
    for name, text in _ATTRIBUTE.findall(value):
        text = text.strip()
        if len(text) >= 2 and text[0] == text[-1] == '"':
            text = text[1:-1]
        found.setdefault(name.upper(), text)
    return found
