"""DASH segment information (ISO/IEC 23009-1 5.3.9): templates, lists, timelines and single files become segments.

Levels are merged by the caller; here one effective description meets one representation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import NamedTuple
from xml.etree.ElementTree import Element

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.dash_xml import child, children, integer
from cushion_player.manifest.guard import MAX_SEGMENTS, Base
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import parse_byte_range
from cushion_player.model import Address, ByteRange, InitSegment, Segment

_IDENTIFIER = re.compile(r"\$(?:(RepresentationID|Bandwidth|Number|Time|SubNumber)(?:%0?(\d{0,3})([diux]))?)?\$")
_MAX_WIDTH = 64
_END_TOLERANCE_S = Fraction(1, 1000)
"""A remainder shorter than this at a period's end comes from rounded durations and holds no segment."""


@dataclass(frozen=True, slots=True)
class Outline:
    """SegmentTemplate, SegmentList or SegmentBase in force: the nearest element and what it inherits."""

    kind: str
    levels: tuple[Element, ...]
    """Nearest first."""
    where: str

    def attribute(self, name: str) -> str | None:
        return next((level.attrib[name] for level in self.levels if name in level.attrib), None)

    def element(self, name: str) -> Element | None:
        return next((found for level in self.levels if (found := child(level, name)) is not None), None)

    def elements(self, name: str) -> list[Element]:
        return next((found for level in self.levels if (found := children(level, name))), [])

    def integer(self, name: str, notes: Notes, default: int) -> int:
        level = next((level for level in self.levels if name in level.attrib), None)
        return default if level is None else integer(level, name, notes, self.where, default)


class Span(NamedTuple):
    """One segment's place: ticks of media time, and its number."""

    time: int
    duration: int
    number: int


class Media(NamedTuple):
    """A representation's segments, or in their place `index_address`: the sidx that must be read first."""

    timescale: int
    time_offset: int
    init: InitSegment | None
    segments: tuple[Segment, ...]
    index_address: Address | None = None


@dataclass(slots=True)
class Budget:
    """Segments still allowed in this manifest: text of a few bytes can ask for billions."""

    left: int = MAX_SEGMENTS

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


def whole_file(context: Context) -> Media:
    """A representation with no segment information: its BaseURL is its only segment."""
    duration = int((context.period_duration or 0) * 1000)
    return Media(1000, 0, None, (Segment(Address(context.base.url), 0, duration, 1),))


# --------------------------------------------------------------------------- where segments lie in time


def _spans(outline: Outline, context: Context, timescale: int, time_offset: int, count: int | None) -> list[Span]:
    """Every segment's time and number. `count` is how many a list has; None for a template."""
    start_number = outline.integer("startNumber", context.notes, 1)
    timeline = outline.element("SegmentTimeline")
    if timeline is not None:
        return _timeline_spans(timeline, outline, context, timescale, time_offset, start_number)
    duration = outline.integer("duration", context.notes, 0)
    period = context.period_duration
    if duration <= 0:
        whole = int((period or 0) * timescale)
        if count == 1 or (count is None and whole and outline.attribute("media") is not None):
            return [Span(time_offset, whole, start_number)]
        raise ManifestSyntaxError(
            "neither a duration nor a SegmentTimeline says how long segments are", location=outline.where
        )
    fitting = None
    """How many segments of this duration begin before the period ends."""
    if period is not None:
        fitting = ceil((period - _END_TOLERANCE_S) * timescale / duration) if period > _END_TOLERANCE_S else 0
    if count is None:
        end_number = outline.integer("endNumber", context.notes, 0)
        if end_number:
            count = max(0, end_number - start_number + 1)
        elif fitting is not None:
            count = fitting
        elif context.is_live:
            count = 0  # the window depends on the time of day
        else:
            raise ManifestSyntaxError(
                "the duration of the period is not known, nor how many segments it has", location=outline.where
            )
    elif fitting is not None and fitting < count:
        what = f"{count - fitting} of {count} listed segments were left out"
        context.notes.repair(what, outline.where, "they begin after the period ends")
        count = fitting
    context.budget.take(count, outline.where)
    end = time_offset + int(period * timescale) if period is not None else None
    spans: list[Span] = []
    for index in range(count):
        time = time_offset + index * duration
        last = end is not None and time < end < time + duration
        spans.append(Span(time, end - time if last and end is not None else duration, start_number + index))
    return spans


def _timeline_spans(
    timeline: Element, outline: Outline, context: Context, timescale: int, time_offset: int, number: int
) -> list[Span]:
    where = f"{outline.where}/SegmentTimeline"
    entries = children(timeline, "S")
    period = context.period_duration
    period_end = time_offset + ceil(period * timescale) if period is not None else None
    spans: list[Span] = []
    time = 0
    for index, entry in enumerate(entries):
        attributes = entry.attrib
        try:
            time = int(attributes.get("t", time))
            duration = int(attributes["d"])
            repeat = int(attributes.get("r", 0))
            number = int(attributes.get("n", number))
        except (KeyError, ValueError) as exc:
            raise ManifestSyntaxError(
                f"S needs whole numbers, got {dict(list(attributes.items())[:6])}", location=f"{where}/S[{index}]"
            ) from exc
        if duration <= 0:
            context.notes.repair("an S without duration was left out", f"{where}/S[{index}]", "it covers no time")
            continue
        if repeat < 0:
            end = _next_time(entries, index) or period_end
            repeat = max(0, -(-(end - time) // duration) - 1) if end is not None else 0
        context.budget.take(repeat + 1, f"{where}/S[{index}]")
        if repeat == 0:
            spans.append(Span(time, duration, number))
        else:
            spans.extend([Span(time + k * duration, duration, number + k) for k in range(repeat + 1)])
        time += duration * (repeat + 1)
        number += repeat + 1
    return spans


def _next_time(entries: list[Element], index: int) -> int | None:
    """@t of the following S, where it has one: the end of an open repetition."""
    if index + 1 >= len(entries):
        return None
    text = entries[index + 1].attrib.get("t", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


# --------------------------------------------------------------------------- templates


def _expand_template(outline: Outline, context: Context, timescale: int, time_offset: int) -> Media:
    init = None
    template = outline.attribute("initialization")
    if template is not None:
        pattern = _Pattern(template, context, f"{outline.where}@initialization")
        init = InitSegment(Address(pattern.address(0, 0)))
    else:
        init = _initialization(outline, context)
    media = outline.attribute("media")
    if media is None:
        if outline.attribute("index") is None and outline.element("SegmentTimeline") is None:
            return Media(timescale, time_offset, init, whole_file(context).segments)
        raise ManifestSyntaxError("SegmentTemplate without media", location=outline.where)
    pattern = _Pattern(media, context, f"{outline.where}@media")
    address = pattern.address
    spans = _spans(outline, context, timescale, time_offset, None)
    segments = tuple(
        [
            Segment(Address(address(number, time)), time - time_offset, duration, number)
            for time, duration, number in spans
        ]
    )
    return Media(timescale, time_offset, init, segments)


class _Pattern:
    """A template with everything filled in but the number and the time."""

    def __init__(self, template: str, context: Context, where: str) -> None:
        def fill(found: re.Match[str]) -> str:
            name, width, _ = found.groups()
            if name == "RepresentationID":
                return context.representation_id
            if name == "Bandwidth":
                return f"{context.bandwidth:0{_width(width, where)}d}"
            return found.group(0)

        url = context.base.resolve(_IDENTIFIER.sub(fill, template), where)
        parts: list[str] = []
        at = 0
        for found in _IDENTIFIER.finditer(url):
            parts.append(_escape(url[at : found.start()]))
            at = found.end()
            name, width, form = found.groups()
            field = {"Number": "0", "Time": "1", "SubNumber": "2"}.get(name or "")
            form = "x" if form == "x" else "d"
            parts.append("$" if field is None else f"{{{field}:0{_width(width, where)}{form}}}")
        parts.append(_escape(url[at:]))
        self._format = "".join(parts)

    def address(self, number: int, time: int) -> str:
        return self._format.format(number, time, 1)


def _width(text: str | None, where: str) -> int:
    width = int(text or 1)
    if width > _MAX_WIDTH:
        raise ManifestSyntaxError(f"a template width of {width} digits", location=where)
    return max(1, width)


def _escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


# --------------------------------------------------------------------------- lists and single files


def _initialization(outline: Outline, context: Context) -> InitSegment | None:
    element = outline.element("Initialization")
    if element is None:
        element = outline.element("Initialisation")
    if element is None:
        return None
    where = f"{outline.where}/Initialization"
    return InitSegment(_address(element, "sourceURL", "range", context, where))


def _address(element: Element, url_name: str, range_name: str, context: Context, where: str) -> Address:
    reference = element.attrib.get(url_name)
    url = context.base.url if reference is None else context.base.resolve(reference, f"{where}@{url_name}")
    return Address(url, _byte_range(element.attrib.get(range_name), context, f"{where}@{range_name}"))


def _byte_range(text: str | None, context: Context, where: str) -> ByteRange | None:
    if text is None:
        return None
    parsed = parse_byte_range(text)
    if parsed is None:
        context.notes.repair(
            f"byte range {text[:40]!r} was ignored", where, "it is no range; the whole resource is asked for"
        )
    return parsed


def _expand_list(outline: Outline, context: Context, timescale: int, time_offset: int) -> Media:
    urls = outline.elements("SegmentURL")
    spans = _spans(outline, context, timescale, time_offset, len(urls)) if urls else []
    if len(spans) != len(urls) and outline.element("SegmentTimeline") is not None:
        context.notes.repair(
            f"{len(urls)} SegmentURLs but {len(spans)} times: the shorter of the two was used",
            outline.where,
            "both must agree",
        )
    segments = tuple(
        Segment(
            _address(url, "media", "mediaRange", context, f"{outline.where}/SegmentURL[{index}]"),
            span.time - time_offset,
            span.duration,
            span.number,
        )
        for index, (url, span) in enumerate(zip(urls, spans, strict=False))
    )
    return Media(timescale, time_offset, _initialization(outline, context), segments)


def _expand_base(outline: Outline, context: Context, timescale: int, time_offset: int) -> Media:
    init = _initialization(outline, context)
    index_range = _byte_range(outline.attribute("indexRange"), context, f"{outline.where}@indexRange")
    if index_range is None:
        return Media(timescale, time_offset, init, _as_ticks(whole_file(context).segments, timescale))
    if init is None and index_range[0] > 0:
        init = InitSegment(Address(context.base.url, (0, index_range[0] - 1)))
    index = outline.element("RepresentationIndex")
    address = (
        _address(index, "sourceURL", "range", context, f"{outline.where}/RepresentationIndex")
        if index is not None
        else None
    )
    if address is None or address.byte_range is None:
        address = Address(address.url if address else context.base.url, index_range)
    return Media(timescale, time_offset, init, (), address)


def _as_ticks(segments: tuple[Segment, ...], timescale: int) -> tuple[Segment, ...]:
    """Segments in ms as ticks of `timescale`."""
    return tuple(segment._replace(duration=segment.duration * timescale // 1000) for segment in segments)
