"""Playlist lines: tags, attribute lists, their values, and variables (RFC 8216bis 4.1, 4.2, 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from urllib.parse import parse_qsl, urlsplit

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.reading import Notes

NS_PER_S = 1_000_000_000
Line = tuple[int, str, str]
"""Its number, counted from 1; a tag's name without # and its value; or an empty name and a URI."""

_ATTRIBUTE = re.compile(r"""\s*+([A-Za-z0-9_-]++)\s*+=\s*+(?:"([^"]*+)"\s*+(?:,|$)|([^,]*+)(?:,|$))""")
_DECIMAL = re.compile(r"(-?)(\d{0,12})(?:\.(\d*))?")
_INTEGER = re.compile(r"\d{1,18}")
_HEX = re.compile(r"0[xX]([0-9A-Fa-f]+)")
_VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)

MAX_PARAMETERS = 1000
"""Of a playlist's URL; a query with more defines none."""
MAX_EXPANSION = 1024 * 1024
"""Characters that variables may put into one playlist: a short text must not become a long one."""


def clean_lines(text: str) -> str:
    """The text with LF line ends."""
    if "\r" not in text:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    at, length = 0, len(value)
    while at < length:
        match = _ATTRIBUTE.match(value, at)
        if match is None:
            at = value.find(",", at) + 1 or length
            continue
        name, quoted, bare = match.groups()
        found.setdefault(name.upper(), bare.strip().strip('"') if quoted is None else quoted)
        at = match.end()
    return found


# --------------------------------------------------------------------------- values


def parse_ns(text: str) -> int | None:
    """Seconds as decimal text, in ns; what follows the ninth decimal is cut off. None when it is no number."""
    found = _DECIMAL.fullmatch(text.strip())
    if found is None or not (found.group(2) or found.group(3)):
        return None
    sign, whole, decimals = found.groups()
    value = int(whole or 0) * NS_PER_S + (int(decimals[:9].ljust(9, "0")) if decimals else 0)
    return -value if sign else value


def parse_seconds(text: str | None) -> Fraction | None:
    """Seconds as decimal text; None when absent or no number."""
    value = parse_ns(text) if text is not None else None
    return Fraction(value, NS_PER_S) if value is not None else None


def parse_integer(text: str | None) -> int | None:
    """A decimal-integer; None when absent or none."""
    found = _INTEGER.fullmatch(text.strip()) if text is not None else None
    return int(found.group()) if found is not None else None


def parse_yes(text: str | None) -> bool:
    """Whether an enumerated YES/NO says yes."""
    return text is not None and text.strip().upper() == "YES"


def parse_hex(text: str | None) -> bytes | None:
    """A hexadecimal-sequence as bytes; None when absent or none."""
    found = _HEX.fullmatch(text.strip()) if text is not None else None
    if found is None:
        return None
    digits = found.group(1)
    return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)


def parse_date(text: str) -> datetime | None:
    """An ISO 8601 date and time; without a zone it counts as UTC. None when it is none."""
    date: datetime | None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        date = _unusual_date(text.strip())
    return date if date is None or date.tzinfo is not None else date.replace(tzinfo=UTC)


def date_us(date: datetime) -> int:
    """µs since 1970-01-01T00:00Z."""
    return (date - _EPOCH) // _US


def date_of_us(us: int) -> datetime | None:
    """The date of so many µs since 1970; None beyond the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None


def _unusual_date(text: str) -> datetime | None:
    """Leap seconds (read as the last millisecond before) and zones written apart."""
    if len(text) > 64:
        return None
    candidate = text.replace(":60", ":59.999", 1) if re.search(r":60(?![.\d])", text) else text
    candidate = re.sub(r":60\.\d+", ":59.999", candidate, count=1)
    candidate = re.sub(r"\s+(?=(?:[+-]\d|[Zz]$))", "", candidate)
    try:
        return datetime.fromisoformat(candidate)
    except ValueError:
        return None


# --------------------------------------------------------------------------- variables


class Variables:
    """The variables of a playlist (EXT-X-DEFINE), and their substitution into URIs and attribute values."""

    __slots__ = ("_expanded", "_imports", "_query", "_url", "values")

    def __init__(self, url: str, imports: Mapping[str, str]) -> None:
        """url: where the playlist came from. imports: the multivariant playlist's variables."""
        self.values: dict[str, str] = {}
        self._imports = imports
        self._url = url
        self._query: dict[str, str] | None = None
        self._expanded = 0

    def define(self, value: str, at: int, notes: Notes) -> None:
        """Take in an EXT-X-DEFINE. Raises ManifestSyntaxError when what it refers to is not there (4.4.2.3)."""
        found = attributes(value)
        where = f"line {at}"
        if "NAME" in found:
            name, text = found["NAME"], self.substitute(found.get("VALUE", ""), at)
        elif "IMPORT" in found:
            name = found["IMPORT"]
            if name not in self._imports:
                raise ManifestSyntaxError(f"the variable {name[:40]!r} to import is not defined", location=where)
            text = self._imports[name]
        elif "QUERYPARAM" in found:
            name = found["QUERYPARAM"]
            known = self._parameters()
            if name not in known:
                raise ManifestSyntaxError(f"the URL has no query parameter {name[:40]!r}", location=where)
            text = known[name]
        else:
            notes.repair("an EXT-X-DEFINE that defines nothing was left out", where, "4.4.2.3")
            return
        if name in self.values:
            notes.repair(f"the second definition of {name[:40]!r} was left out", where, "4.4.2.3: a name counts once")
            return
        self.values[name] = text

    def _parameters(self) -> dict[str, str]:
        """Of the playlist's URL; the first of a name counts."""
        if self._query is None:
            try:
                pairs = parse_qsl(urlsplit(self._url).query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
            except ValueError:
                pairs = []
            self._query = dict(reversed(pairs))
        return self._query

    def substitute(self, text: str, at: int) -> str:
        """The text with `{$name}` replaced. Raises ManifestSyntaxError for an unknown name (4.3)."""
        if "{$" not in text:
            return text

        def value_of(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self.values:
                raise ManifestSyntaxError(f"the variable {name[:40]!r} is not defined", location=f"line {at}")
            self._expanded += len(self.values[name])
            if self._expanded > MAX_EXPANSION:
                raise ManifestSyntaxError("variables make the playlist too long", location=f"line {at}")
            return self.values[name]

        return _VARIABLE.sub(value_of, text)

    def attributes(self, value: str, at: int) -> dict[str, str]:
        """An attribute list with its variables replaced (in values, never in names)."""
        found = attributes(value)
        if "{$" not in value:
            return found
        return {name: self.substitute(text, at) for name, text in found.items()}
