"""SegmentTimeline (5.3.9.6): rows of S become columns of numbers, and those a line of segments in time.

Nothing here is made per segment: a row with r=5000 stays one row.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import mul
from typing import NamedTuple

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.guard import MAX_SEGMENTS
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.xml_tree import Node

_ABSENT = -1
_OPEN_TAIL_S = 86_400
_OPEN_TAIL_SEGMENTS = 50_000
"""How far the last row of a live timeline is carried on when it repeats without end after others: a day."""
_LONGEST = 1 << 62
_USUAL_NAMES = (["t", "d"], ["d"], ["d", "r"], ["t", "d", "r"])


class Span(NamedTuple):
    """One segment's place: ticks of media time, its number, and its place in a segment sequence (0: none)."""

    time: int
    duration: int
    number: int
    sub_number: int = 0


@dataclass(slots=True)
class Columns:
    """The attributes of every S; ABSENT where it has none. `repeats`, `numbers`, `parts`: None when no S has any.

    laid: when the first rows begin and which segment each begins with (empty: one each), as far as they were laid out.
    """

    times: array[int]
    durations: array[int]
    repeats: array[int] | None
    numbers: array[int] | None = None
    parts: array[int] | None = None
    is_timed: bool = False
    """Every S has a time."""
    is_plain: bool = False
    """Every S has a duration, and none a number or parts."""
    laid: tuple[array[int], array[int]] = field(default_factory=lambda: (array("q"), array("q")))

    def __len__(self) -> int:
        return len(self.durations)

    def spliced(self, at: int, removed: int, rows: list[list[str]]) -> Columns | None:
        """The columns after `removed` rows from `at` gave way to others; None when those are unusual or wrong."""
        try:
            new = read_columns(rows, "") if rows else None
        except ManifestSyntaxError:
            return None
        if self.numbers or self.parts or (new is not None and (new.numbers or new.parts)):
            return None
        times, durations = self.times[:], self.durations[:]
        times[at : at + removed] = new.times if new is not None else array("q")
        durations[at : at + removed] = new.durations if new is not None else array("q")
        repeats = None
        if self.repeats is not None or (new is not None and new.repeats is not None):
            repeats = self.repeats[:] if self.repeats is not None else array("q", [0]) * len(self)
            zeros = array("q", [0]) * len(rows)
            repeats[at : at + removed] = new.repeats if new is not None and new.repeats is not None else zeros
        starts, firsts = self.laid
        laid = (starts[:at], firsts[: at + 1] if at else array("q"))
        is_timed = self.is_timed and (new is None or new.is_timed)
        is_plain = self.is_plain and (new is None or new.is_plain)
        return Columns(times, durations, repeats, None, None, is_timed, is_plain, laid)


def read_columns(rows: list[list[str]], where: str) -> Columns:
    """The columns of S rows (flat lists of names and values). Raises ManifestSyntaxError with the row's place."""
    try:
        columns = _read_uniform(rows) if rows and rows[0][::2] in _USUAL_NAMES else None
        return columns or _read_usual(rows)
    except (ValueError, IndexError, OverflowError):
        return _read_any(rows, where)


def _read_uniform(rows: list[list[str]]) -> Columns | None:
    """Rows that all have the attributes of the first, in its order; None when they differ."""
    count, width = len(rows), len(rows[0])
    flat = list(chain.from_iterable(rows))
    if len(flat) != count * width or any(flat[at::width].count(flat[at]) != count for at in range(0, width, 2)):
        return None
    found = {flat[at]: _numbers(flat[at + 1 :: width]) for at in range(0, width, 2)}
    return _columns(found.get("t"), found["d"], found.get("r"))


def _columns(times: list[int] | None, durations: list[int], repeats: list[int] | None) -> Columns:
    """Raises ValueError when numbers are out of all proportion."""
    if times is not None and not _ABSENT <= min(times, default=0) <= max(times, default=0) < _LONGEST:
        raise ValueError("times")
    if max(durations, default=0) >= _LONGEST:
        raise ValueError("durations")
    return Columns(
        array("q", times) if times is not None else array("q", [_ABSENT]) * len(durations),
        array("q", durations),
        array("q", repeats) if repeats is not None else None,
        is_timed=times is not None and min(times, default=0) >= 0,
        is_plain=min(durations, default=1) > 0,
    )


def _numbers(texts: Sequence[str]) -> list[int]:
    return list(map(int, texts))


def _read_usual(rows: list[list[str]]) -> Columns:
    """Rows of t, d and r in their usual order, mixed. Raises ValueError when there are others."""
    times: list[str] = []
    durations: list[str] = []
    repeats: list[str] = []
    for row in rows:
        size = len(row)
        if size == 2 and row[0] == "d":
            times.append("-1")
            durations.append(row[1])
            repeats.append("0")
        elif row[0] == "t" and row[2] == "d" and (size == 4 or (size == 6 and row[4] == "r")):
            times.append(row[1])
            durations.append(row[3])
            repeats.append(row[5] if size == 6 else "0")
        elif size == 4 and row[0] == "d" and row[2] == "r":
            times.append("-1")
            durations.append(row[1])
            repeats.append(row[3])
        else:
            raise ValueError(row[0])
    repeated = _numbers(repeats) if repeats.count("0") < len(repeats) else None
    return _columns(_numbers(times), _numbers(durations), repeated)


def _read_any(rows: list[list[str]], where: str) -> Columns:
    times, durations, repeats, numbers, parts = (array("q") for _ in range(5))
    for index, row in enumerate(rows):
        attributes = dict(zip(row[::2], row[1::2], strict=True))
        try:
            times.append(max(_whole(attributes.get("t", "-1")), _ABSENT))
            durations.append(_whole(attributes["d"]))
            repeats.append(_whole(attributes.get("r", "0")))
            numbers.append(max(_whole(attributes.get("n", "-1")), _ABSENT))
            parts.append(max(1, _whole(attributes.get("k", "1"))))
        except (KeyError, ValueError) as exc:
            got = dict(list(attributes.items())[:6])
            raise ManifestSyntaxError(f"S needs whole numbers, got {got}", location=f"{where}/S[{index}]") from exc
    return Columns(
        times,
        durations,
        repeats if any(repeats) else None,
        numbers if max(numbers, default=_ABSENT) != _ABSENT else None,
        parts if max(parts, default=1) != 1 else None,
    )


def _whole(text: str) -> int:
    value = int(text) if len(text) <= 20 else _LONGEST
    if not -_LONGEST < value < _LONGEST:
        raise ValueError(text[:40])
    return value


class Line:
    """Segments along media time: runs of equal ones, found by bisection.

    starts, durations, numbers: of the first segment of each run. firsts: (n_runs + 1) index of it among all segments.
    sub_numbers: 1 … of a run within segment sequences whose rows have k > 1, else None.
    """

    __slots__ = ("_durations", "_firsts", "_numbers", "_parts", "_starts", "first_number")

    def __init__(
        self,
        starts: Sequence[int],
        durations: Sequence[int],
        firsts: Sequence[int],
        numbers: Sequence[int] | None = None,
        parts: Sequence[int] | None = None,
        first_number: int = 1,
    ) -> None:
        """numbers: None when they count on from first_number without a break. parts: segments a sequence, by run."""
        self._starts = starts
        self._durations = durations
        self._firsts = firsts
        self._numbers = numbers
        self._parts = parts
        self.first_number = first_number

    def __len__(self) -> int:
        return self._firsts[-1]

    def start_at(self, index: int) -> int:
        """Media time, ticks."""
        if self._parts is not None:
            return self.at(index).time
        run = index if len(self._durations) == self._firsts[-1] else bisect_right(self._firsts, index) - 1
        return self._starts[run] + (index - self._firsts[run]) * self._durations[run]

    def at(self, index: int) -> Span:
        run = index if len(self._durations) == self._firsts[-1] else bisect_right(self._firsts, index) - 1
        inside = index - self._firsts[run]
        duration = self._durations[run]
        if self._parts is not None:
            return self._part_at(run, inside, duration, self._parts[run])
        number = self.first_number + index if self._numbers is None else self._numbers[run] + inside
        return Span(self._starts[run] + inside * duration, duration, number)

    def _part_at(self, run: int, inside: int, duration: int, parts: int) -> Span:
        """Segment sequences: `duration` is the sequence's, cut into `parts` segments of one number."""
        sequence, part = divmod(inside, parts)
        begin = self._starts[run] + sequence * duration
        first, end = duration * part // parts, duration * (part + 1) // parts
        numbers = self._numbers if self._numbers is not None else ()
        return Span(begin + first, end - first, numbers[run] + sequence, part + 1 if parts > 1 else 0)

    def sequence_time(self, index: int) -> int:
        """Media time of the segment sequence that segment `index` belongs to: what $Time$ stands for."""
        if self._parts is None:
            return self.start_at(index)
        run = bisect_right(self._firsts, index) - 1
        return self._starts[run] + (index - self._firsts[run]) // self._parts[run] * self._durations[run]


class EvenLine(Line):
    """`count` segments of one duration; the last one ends at `end` when that comes sooner."""

    __slots__ = ("_count", "_end")

    def __init__(self, start: int, duration: int, count: int, first_number: int, end: int | None = None) -> None:
        super().__init__((start,), (duration,), (0, count), first_number=first_number)
        self._count = count
        self._end = end

    def at(self, index: int) -> Span:
        duration = self._durations[0]
        time = self._starts[0] + index * duration
        if index == self._count - 1 and self._end is not None and time < self._end < time + duration:
            duration = self._end - time
        return Span(time, duration, self.first_number + index)


class OpenRow(NamedTuple):
    """A last S that repeats without a known end, and nothing before it."""

    time: int
    duration: int
    number: int


def lay_out(
    node: Node, first_number: int, end: int | None, day: int | None, notes: Notes, where: str
) -> tuple[Line, OpenRow | None]:
    """The line of a SegmentTimeline.

    end: media time at which the period ends, where it is known. day: ticks of a day when the period is live.
    Raises ManifestError kinds with the row's place.
    """
    columns = node.columns
    if not isinstance(columns, Columns):
        columns = read_columns(node.rows or [], where)
        node.columns = columns
    if not len(columns):
        return Line((), (), (0,)), None
    if columns.is_plain:
        line = _lay_out_plain(columns, first_number, where)
        if line is not None:
            return line, None
    try:
        return _lay_out_runs(columns, first_number, end, day, notes, where)
    except OverflowError as exc:
        raise ManifestSyntaxError("the timeline or its numbers go past 2^63", location=where) from exc


def _lay_out_plain(columns: Columns, first_number: int, where: str) -> Line | None:
    """The line where each row follows the one before or says its time, and none repeats without end; else None.

    Rows that were laid out before, in columns that these were spliced from, are not gone through again.
    """
    count = len(columns)
    starts, firsts = columns.laid
    done = len(starts)
    if done < count:
        times, lengths = columns.times[done:], columns.durations[done:]
        repeats = columns.repeats[done:] if columns.repeats is not None else None
        if repeats is not None:
            if min(repeats) < 0 or max(repeats) > MAX_SEGMENTS:
                return None
            counts = list(map((1).__add__, repeats))
            firsts = firsts or array("q", range(done + 1))
            firsts = firsts + array("q", list(accumulate(counts, initial=firsts[-1]))[1:])
            products = list(map(mul, lengths, counts))
            if max(products) >= _LONGEST:
                return None
            lengths = array("q", products)
        time = 0
        if done:
            repeated = columns.repeats[done - 1] if columns.repeats is not None else 0
            time = starts[-1] + columns.durations[done - 1] * (repeated + 1)
        try:
            starts = times if columns.is_timed and not done else starts + _starts(times, lengths, time)
        except OverflowError:
            return None
    total = firsts[-1] if firsts else count
    if total > MAX_SEGMENTS:
        raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=where)
    if starts[-1] >= _LONGEST:
        return None
    columns.laid = (starts, firsts)
    return Line(starts, columns.durations, firsts or range(count + 1), first_number=first_number)


def _starts(times: array[int], lengths: array[int], time: int) -> array[int]:
    """When rows begin that say so or follow one another, the first not before `time`."""
    if min(times) >= 0:
        return times
    first = times.index(_ABSENT)
    starts = times[:first]
    if first:
        time = starts[-1] + lengths[first - 1]
    if times.count(_ABSENT) == len(times) - first:
        return starts + array("q", list(accumulate(lengths[first:-1], initial=time)))
    for said, length in zip(times[first:], lengths[first:], strict=True):
        time = said if said >= 0 else time
        starts.append(time)
        time += length
    return starts


def _lay_out_runs(
    columns: Columns, first_number: int, end: int | None, day: int | None, notes: Notes, where: str
) -> tuple[Line, OpenRow | None]:
    starts, lengths, numbers, parts = (array("q") for _ in range(4))
    firsts = array("q", [0])
    time, number, total = 0, first_number, 0
    count = len(columns)
    open_row: OpenRow | None = None
    for index in range(count):
        duration = columns.durations[index]
        time = columns.times[index] if columns.times[index] >= 0 else time
        if columns.numbers is not None and columns.numbers[index] >= 0:
            number = columns.numbers[index]
        if duration <= 0:
            notes.repair("an S without duration was left out", f"{where}/S[{index}]", "it covers no time")
            continue
        repeat = columns.repeats[index] if columns.repeats is not None else 0
        if repeat < 0:
            following = columns.times[index + 1] if index + 1 < count else _ABSENT
            stop = following if following >= 0 else end
            if stop is not None:
                repeat = max(0, -(-(stop - time) // duration) - 1)
            elif day is not None and index == count - 1:
                if not total:
                    return Line((), (), (0,), first_number=number), OpenRow(time, duration, number)
                repeat = min(day // duration, _OPEN_TAIL_SEGMENTS)
            else:
                repeat = 0
        part = columns.parts[index] if columns.parts is not None else 1
        total += (repeat + 1) * part
        if total > MAX_SEGMENTS:
            raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=f"{where}/S[{index}]")
        starts.append(time)
        lengths.append(duration)
        numbers.append(number)
        parts.append(part)
        firsts.append(total)
        time += duration * (repeat + 1)
        number += repeat + 1
        if time >= _LONGEST:
            raise ManifestSyntaxError("the timeline goes past 2^62 ticks", location=f"{where}/S[{index}]")
    keeps_parts = columns.parts is not None
    needs_numbers = keeps_parts or columns.numbers is not None
    line = Line(
        starts,
        lengths,
        firsts,
        numbers if needs_numbers else None,
        parts if keeps_parts else None,
        first_number=first_number,
    )
    return line, open_row
