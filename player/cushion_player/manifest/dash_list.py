"""SegmentList: rows of SegmentURL, checked once for all representations that share them (5.3.9.3)."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.dash_timeline import Line
from cushion_player.manifest.guard import MAX_URL_CHARACTERS, Base
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import parse_byte_range
from cushion_player.model import Address, ByteRange, LazySegments, Segment

_OPEN = -1
_WHOLE = -2


class CheckedRows(NamedTuple):
    """SegmentURL rows that may be used with any base of one scheme.

    firsts, lasts: bytes; -2 is the whole resource, -1 its rest. longest: characters of the longest reference.
    """

    rows: list[list[str]]
    firsts: array[int]
    lasts: array[int]
    longest: int
    total_bytes: int | None
    """Of all rows; None unless every size is known."""

    def check_length(self, base: Base, where: str) -> None:
        """Raises ManifestSyntaxError when an address against this base would be too long."""
        length = self.longest + len(base.url)
        if length > MAX_URL_CHARACTERS:
            raise ManifestSyntaxError(f"a URL of up to {length} characters", location=where)


def check_rows(rows: list[list[str]], base: Base, notes: Notes, where: str) -> CheckedRows:
    """The rows, with what is known of them. Raises ManifestError kinds when an address may not be used."""
    firsts, lasts = array("q"), array("q")
    longest = 0
    for index, row in enumerate(rows):
        reference = _value(row, "media")
        if reference is not None:
            longest = max(longest, len(reference))
            base.resolve(reference, f"{where}/SegmentURL[{index}]@media")
        text = _value(row, "mediaRange")
        found = None
        if text is not None:
            found = read_byte_range(text, notes, f"{where}/SegmentURL[{index}]@mediaRange")
        first, last = found or (_WHOLE, None)
        firsts.append(first)
        lasts.append(_OPEN if last is None else last)
    return CheckedRows(rows, firsts, lasts, longest, _total_bytes(firsts, lasts))


def _value(row: list[str], name: str) -> str | None:
    for at in range(0, len(row), 2):
        if row[at] == name:
            return row[at + 1]
    return None


def read_byte_range(text: str, notes: Notes, where: str) -> ByteRange | None:
    """A byte range; what is none is noted and reads as the whole resource."""
    parsed = parse_byte_range(text)
    if parsed is None:
        notes.repair(f"byte range {text[:40]!r} was ignored", where, "it is no range; the whole resource is asked for")
    return parsed


def _total_bytes(firsts: array[int], lasts: array[int]) -> int | None:
    if not firsts or min(firsts) < 0 or min(lasts) < 0:
        return None
    return sum(lasts) - sum(firsts) + len(firsts)


class ListSegments(LazySegments):
    """A line of segments with an address each, resolved when looked at."""

    __slots__ = ("_base", "_checked", "_line", "_offset")

    def __init__(self, line: Line, checked: CheckedRows, base: Base, offset: int) -> None:
        """offset: media time at the start of the period, ticks."""
        self._line = line
        self._checked = checked
        self._base = base
        self._offset = offset

    def __len__(self) -> int:
        return min(len(self._line), len(self._checked.rows))

    def start_at(self, index: int) -> int:
        return self._line.start_at(index) - self._offset

    def at(self, index: int) -> Segment:
        span = self._line.at(index)
        first, last = self._checked.firsts[index], self._checked.lasts[index]
        byte_range = None if first == _WHOLE else (first, None if last == _OPEN else last)
        reference = _value(self._checked.rows[index], "media")
        url = self._base.url if reference is None else self._base.join(reference)
        return Segment(
            Address(url, byte_range), span.time - self._offset, span.duration, span.number, sub_number=span.sub_number
        )

    def total_bytes(self) -> int | None:
        checked, count = self._checked, len(self)
        if count == len(checked.rows):
            return checked.total_bytes
        return _total_bytes(checked.firsts[:count], checked.lasts[:count])
