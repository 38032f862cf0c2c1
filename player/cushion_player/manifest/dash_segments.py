"""DASH segment information (ISO/IEC 23009-1 5.3.9): templates, lists and single files become segments.

Levels are merged by the caller; here one effective description meets one representation. Nothing is made per segment
but for the addresses of a SegmentList.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.dash_list import CheckedRows, ListSegments, check_rows, read_byte_range
from cushion_player.manifest.dash_template import Template
from cushion_player.manifest.dash_timeline import EvenLine, Line, OpenRow, lay_out
from cushion_player.manifest.dash_values import child_of, flag, integer, offset_seconds, rows_of
from cushion_player.manifest.guard import MAX_SEGMENTS, Base
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import (
    Address,
    ByteRange,
    InitSegment,
    LazySegments,
    Segment,
    SegmentPattern,
)

_END_TOLERANCE = 1000
"""A remainder shorter than this part of a second at a period's end comes from rounded durations, holding no segment."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Outline:
    """SegmentTemplate, SegmentList or SegmentBase in force: the nearest element and what it inherits."""

    kind: str
    levels: tuple[Node, ...]
    """Nearest first."""
    where: str

    def attribute(self, name: str) -> str | None:
        return next((level.attrib[name] for level in self.levels if name in level.attrib), None)

    def element(self, name: str) -> Node | None:
        return child_of(self.levels, name)

    def integer(self, name: str, notes: Notes, default: int) -> int:
        level = next((level for level in self.levels if name in level.attrib), None)
        return default if level is None else integer(level, name, notes, self.where, default)


class Media(NamedTuple):
    """A representation's segments; or a pattern; or `index_address`, the sidx that must be read first."""

    timescale: int
    time_offset: int
    init: InitSegment | None
    segments: tuple[Segment, ...] | LazySegments
    index_address: Address | None = None
    pattern: SegmentPattern | None = None


@dataclass(slots=True)
class Budget:
    """Segments still allowed in this manifest: text of a few bytes can ask for billions.

    lists: every list of rows met so far, by its identity and the base's scheme; a set's representations share one.
    """

    left: int = MAX_SEGMENTS
    lists: dict[tuple[int, str], CheckedRows] = field(default_factory=dict[tuple[int, str], CheckedRows])

    def take(self, count: int, where: str) -> None:
        self.left -= count
        if self.left < 0:
            raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=where)


@dataclass(frozen=True, slots=True)
class Context:
    """What a description is expanded for."""

    base: Base
    representation_id: str
    bandwidth: int
    period_duration: Fraction | None
    is_live: bool
    notes: Notes
    budget: Budget


class TemplateSegments(LazySegments):
    """A line of segments whose addresses follow a template."""

    __slots__ = ("_line", "_offset", "_template")

    def __init__(self, line: Line, template: Template, offset: int) -> None:
        """offset: media time at the start of the period, ticks."""
        self._line = line
        self._template = template
        self._offset = offset

    def __len__(self) -> int:
        return len(self._line)

    def start_at(self, index: int) -> int:
        return self._line.start_at(index) - self._offset

    def at(self, index: int) -> Segment:
        time, duration, number, sub_number = self._line.at(index)
        spoken = self._line.sequence_time(index) if sub_number else time
        url = self._template.url(number, spoken, sub_number or 1)
        return Segment(Address(url), time - self._offset, duration, number, sub_number=sub_number)

    def total_bytes(self) -> int | None:
        return None


class TemplatePattern(SegmentPattern):
    """Segments without a listed end whose addresses follow a template."""

    __slots__ = ("_number", "_offset", "_template")

    def __init__(self, row: OpenRow, limit: int | None, template: Template, offset: int) -> None:
        super().__init__(row.duration, limit, row.time - offset)
        self._number = row.number
        self._template = template
        self._offset = offset

    def segment(self, index: int) -> Segment:
        start = self.start + index * self.duration
        number = self._number + index
        return Segment(Address(self._template.url(number, start + self._offset, 1)), start, self.duration, number)


def expand(outline: Outline, context: Context) -> Media:
    """The segments a description gives. Raises ManifestError kinds with the place."""
    timescale = outline.integer("timescale", context.notes, 1)
    if timescale <= 0:
        context.notes.repair(f"timescale {timescale} was read as 1", outline.where, "it must be positive")
        timescale = 1
    time_offset = outline.integer("presentationTimeOffset", context.notes, 0)
    if outline.kind == "SegmentTemplate":
        return _expand_template(outline, context, timescale, time_offset)
    if outline.kind == "SegmentList":
        return _expand_list(outline, context, timescale, time_offset)
    return _expand_base(outline, context, timescale, time_offset)


def availability(outline: Outline | None, base_offset: Fraction | None, notes: Notes) -> tuple[Fraction | None, bool]:
    """How many seconds before its end a segment may be asked for (None: at any time), and whether it is whole then.

    The offsets of BaseURL and segment information add up (5.3.9.5.3).
    """
    if outline is None:
        return base_offset, True
    text = outline.attribute("availabilityTimeOffset")
    own = offset_seconds(text, notes, f"{outline.where}@availabilityTimeOffset") if text is not None else Fraction(0)
    total = None if own is None or base_offset is None else own + base_offset
    is_complete = next(
        (
            flag(level, "availabilityTimeComplete", True, notes, outline.where)
            for level in outline.levels
            if "availabilityTimeComplete" in level.attrib
        ),
        True,
    )
    return total, is_complete


def whole_file(context: Context) -> Media:
    """A representation with no segment information: its BaseURL is its only segment."""
    duration = int((context.period_duration or 0) * 1000)
    return Media(1000, 0, None, (Segment(Address(context.base.url), 0, duration, 1),))


# --------------------------------------------------------------------------- where segments lie in time


def _line(
    outline: Outline, context: Context, timescale: int, time_offset: int, count: int | None
) -> tuple[Line, OpenRow | None]:
    """Every segment's time and number, or how they go on. `count` is how many a list has; None for a template."""
    start_number = outline.integer("startNumber", context.notes, 1)
    timeline = outline.element("SegmentTimeline")
    period = context.period_duration
    if timeline is not None:
        end = time_offset + ceil(period * timescale) if period is not None else None
        day = _DAY_S * timescale if context.is_live else None
        where = f"{outline.where}/SegmentTimeline"
        line, open_row = lay_out(timeline, start_number, end, day, context.notes, where)
        context.budget.take(len(line), where)
        return line, open_row
    duration = outline.integer("duration", context.notes, 0)
    if duration <= 0:
        whole = int((period or 0) * timescale)
        if count == 1 or (count is None and whole and outline.attribute("media") is not None):
            return EvenLine(time_offset, whole, 1, start_number), None
        raise ManifestSyntaxError(
            "neither a duration nor a SegmentTimeline says how long segments are", location=outline.where
        )
    fitting = None
    """How many segments of this duration begin before the period ends."""
    if period is not None:
        less = period.numerator * _END_TOLERANCE - period.denominator
        fitting = max(0, -(-less * timescale // (period.denominator * _END_TOLERANCE * duration)))
    if count is None:
        end_number = outline.integer("endNumber", context.notes, 0)
        if end_number:
            count = max(0, end_number - start_number + 1)
        elif fitting is not None:
            count = fitting
        else:
            if not context.is_live:
                what = "segments without a known end were kept as a pattern"
                context.notes.repair(what, outline.where, "5.3.2.1: nothing says how long the period is")
            return Line((), (), (0,)), OpenRow(time_offset, duration, start_number)
    elif fitting is not None and fitting < count:
        what = f"{count - fitting} of {count} listed segments were left out"
        context.notes.repair(what, outline.where, "they begin after the period ends")
        count = fitting
    context.budget.take(count, outline.where)
    end = time_offset + period.numerator * timescale // period.denominator if period is not None else None
    return EvenLine(time_offset, duration, count, start_number, end), None


# --------------------------------------------------------------------------- templates


def _expand_template(outline: Outline, context: Context, timescale: int, time_offset: int) -> Media:
    init = None
    text = outline.attribute("initialization")
    if text is not None:
        where = f"{outline.where}@initialization"
        template = Template(text, context.base, context.representation_id, context.bandwidth, where)
        init = InitSegment(Address(template.url(0, 0, 1)))
    else:
        init = _initialization(outline, context)
    media = outline.attribute("media")
    if media is None:
        if outline.attribute("index") is None and outline.element("SegmentTimeline") is None:
            return Media(timescale, time_offset, init, _as_ticks(whole_file(context).segments, timescale))
        raise ManifestSyntaxError("SegmentTemplate without media", location=outline.where)
    template = Template(media, context.base, context.representation_id, context.bandwidth, f"{outline.where}@media")
    line, open_row = _line(outline, context, timescale, time_offset, None)
    pattern = TemplatePattern(open_row, None, template, time_offset) if open_row is not None else None
    segments = TemplateSegments(line, template, time_offset)
    return Media(timescale, time_offset, init, segments, pattern=pattern)


# --------------------------------------------------------------------------- lists and single files


def _initialization(outline: Outline, context: Context) -> InitSegment | None:
    element = outline.element("Initialization") or outline.element("Initialisation")
    if element is None:
        return None
    where = f"{outline.where}/Initialization"
    return InitSegment(_address(element.attrib, "sourceURL", "range", context, where))


def _address(attributes: dict[str, str], url_name: str, range_name: str, context: Context, where: str) -> Address:
    reference = attributes.get(url_name)
    url = context.base.url if reference is None else context.base.resolve(reference, f"{where}@{url_name}")
    return Address(url, _byte_range(attributes.get(range_name), context, f"{where}@{range_name}"))


def _byte_range(text: str | None, context: Context, where: str) -> ByteRange | None:
    if text is None:
        return None
    return read_byte_range(text, context.notes, where)


def _expand_list(outline: Outline, context: Context, timescale: int, time_offset: int) -> Media:
    rows = rows_of(outline.levels)
    line, _ = _line(outline, context, timescale, time_offset, len(rows)) if rows else (Line((), (), (0,)), None)
    if len(line) != len(rows) and outline.element("SegmentTimeline") is not None:
        context.notes.repair(
            f"{len(rows)} SegmentURLs but {len(line)} times: the shorter of the two was used",
            outline.where,
            "both must agree",
        )
    key = id(rows), context.base.scheme
    checked = context.budget.lists.get(key)
    if checked is None:
        checked = context.budget.lists[key] = check_rows(rows, context.base, context.notes, outline.where)
    checked.check_length(context.base, outline.where)
    segments = ListSegments(line, checked, context.base, time_offset)
    return Media(timescale, time_offset, _initialization(outline, context), segments)


def _expand_base(outline: Outline, context: Context, timescale: int, time_offset: int) -> Media:
    init = _initialization(outline, context)
    index_range = _byte_range(outline.attribute("indexRange"), context, f"{outline.where}@indexRange")
    index = outline.element("RepresentationIndex")
    if index_range is None and index is None:
        return Media(timescale, time_offset, init, _as_ticks(whole_file(context).segments, timescale))
    if init is None and index_range is not None and index_range[0] > 0:
        init = InitSegment(Address(context.base.url, (0, index_range[0] - 1)))
    address = Address(context.base.url, index_range)
    if index is not None:
        own = _address(index.attrib, "sourceURL", "range", context, f"{outline.where}/RepresentationIndex")
        address = Address(own.url, own.byte_range or (index_range if own.url == context.base.url else None))
    return Media(timescale, time_offset, init, (), address)


def _as_ticks(segments: tuple[Segment, ...] | LazySegments, timescale: int) -> tuple[Segment, ...]:
    """Segments in ms as ticks of `timescale`."""
    return tuple(segment._replace(duration=segment.duration * timescale // 1000) for segment in segments)
