"""Playlist lines: tags, attribute lists and their values (RFC 8216bis 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ATTRIBUTE = re.compile(r"""\s*([A-Za-z0-9_-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)""")


Line = tuple[int, str, str]
"""Its number, counted from 1; a tag's name without # and its value; or an empty name and a URI."""


def lines(text: str) -> Iterator[Line]:
    """Tags and URIs; blank lines and comments are passed over."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line:
            continue
        if line[0] != "#":
            yield number, "", line
        elif line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            yield number, name, value


def attributes(value: str) -> dict[str, str]:
    """An attribute list; quotes are taken off. What is no attribute is passed over; the first of a name counts."""
    found: dict[str, str] = {}
    for name, text in _ATTRIBUTE.findall(value):
        text = text.strip()
        if len(text) >= 2 and text[0] == text[-1] == '"':
            text = text[1:-1]
        found.setdefault(name.upper(), text)
    return found
