"""Attributes of MPD elements as values; what is wrong is noted and read as a default."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction

from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import parse_duration
from cushion_player.manifest.xml_tree import MAX_DIGITS, Node

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?\s*(Z|z|[+-]\d\d:?\d\d)?")
_DECIMAL = re.compile(r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,2})?")


def child_of(levels: Iterable[Node], name: str) -> Node | None:
    """The child of this name of the nearest level that has one."""
    return next((found for level in levels if (found := level.child(name)) is not None), None)


def rows_of(levels: Iterable[Node]) -> list[list[str]]:
    """The rows of the nearest level that has any."""
    return next((level.rows for level in levels if level.rows), [])


def integer(node: Node, name: str, notes: Notes, where: str, default: int = 0) -> int:
    """A whole number; what is none is noted and read as `default`."""
    value = optional_integer(node, name, notes, where, f"was read as {default}")
    return default if value is None else value


def optional_integer(node: Node, name: str, notes: Notes, where: str, done: str = "was ignored") -> int | None:
    text = node.attrib.get(name)
    if text is None:
        return None
    try:
        if len(text) > MAX_DIGITS:
            raise ValueError(text)
        return int(text)
    except ValueError:
        notes.repair(f"{text[:40]!r} {done}", f"{where}@{name}", "it is no whole number")
        return None


def flag(node: Node, name: str, default: bool, notes: Notes, where: str) -> bool:
    """An xs:boolean."""
    text = node.attrib.get(name)
    if text is None:
        return default
    word = text.strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    notes.repair(f"{text[:40]!r} was read as {str(default).lower()}", f"{where}@{name}", "it is neither true nor false")
    return default


def decimal(text: str | None) -> Fraction | None:
    """An xs:double or xs:decimal, exactly; None when it is none."""
    found = _DECIMAL.fullmatch(text.strip()) if text is not None else None
    return Fraction(found.group(0)) if found else None


def offset_seconds(text: str, notes: Notes, where: str) -> Fraction | None:
    """An availabilityTimeOffset; None is INF."""
    if text.strip().upper() in ("INF", "+INF", "INFINITY"):
        return None
    value = decimal(text)
    if value is None or value < 0:
        notes.repair(f"{text[:40]!r} was read as 0", where, "it is no offset")
        return Fraction(0)
    return value


def duration(node: Node, name: str, notes: Notes, where: str) -> Fraction | None:
    """Seconds of an xs:duration; what is none is noted and ignored."""
    text = node.attrib.get(name)
    if text is None:
        return None
    value = parse_duration(text)
    if value is None or value < 0:
        notes.repair(f"{text[:40]!r} was ignored", f"{where}@{name}", "it is no duration")
        return None
    return value


def instant(text: str) -> Fraction | None:
    """Seconds since 1970 UTC of an xs:dateTime; one without a zone is UTC (5.8.4.11). None when it is none."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, decimals, zone = found.groups()
    try:
        whole = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC)
    except ValueError:
        return None
    seconds = Fraction(int(whole.timestamp())) + (1 if second == "60" else 0)
    if decimals:
        seconds += Fraction(int(decimals), 10 ** len(decimals))
    if zone and zone not in "Zz":
        shift = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        seconds -= shift if zone[0] == "+" else -shift
    return seconds


def date(node: Node, name: str, notes: Notes, where: str) -> Fraction | None:
    """Seconds since 1970 UTC; what is no date is noted and ignored."""
    text = node.attrib.get(name)
    if text is None:
        return None
    value = instant(text)
    if value is None:
        notes.repair(f"{text[:40]!r} was ignored", f"{where}@{name}", "it is no date")
    return value


def words(text: str) -> tuple[str, ...]:
    """What is separated by spaces or commas."""
    return tuple(text.replace(",", " ").split())
