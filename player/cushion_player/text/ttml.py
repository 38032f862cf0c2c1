"""TTML and its text profile IMSC 1.1 (W3C): documents, and samples of MP4 (`stpp`).

A paragraph becomes a cue; where its spans have times of their own, one for each stretch in which the same spans are
shown. Not read: images (SMPTE-TT, the IMSC image profile), animation (`set`), wall-clock times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from cushion_player.errors import DecodeError
from cushion_player.model import ticks_to_us
from cushion_player.text.cue import ANYWHERE, NEVER_US, Cue, Placement, Region, Span
from cushion_player.text.ttml_style import Properties, Styling, background, text_align, text_style, writing
from cushion_player.text.ttml_time import Exact, TimeBase, read_time_base
from cushion_player.text.ttml_xml import Element, parse

_SPACES: Final = re.compile(r"[ \t\n\r]+")
MAX_CUES: Final = 50_000
_MAX_TIMES: Final = 200
"""Different times inside one paragraph; more are nonsense, and the paragraph is shown as a whole."""


class _Span(NamedTuple):
    """A time. The end is NEVER_US when nothing says it."""

    begin: Exact
    end: Exact


class _Run(NamedTuple):
    """A piece of a paragraph and when it is shown."""

    span: Span
    time: _Span


@dataclass(frozen=True, slots=True)
class _Place:
    """What comes down to an element from those around it."""

    time: _Span
    properties: Properties
    region: str
    keeps_spaces: bool


def read_ttml(data: bytes | str) -> tuple[Cue, ...]:
    """The cues of a document, by start.

    Raises DecodeError when it is no XML (with the line), no TTML, hostile or past a limit.
    """
    root = parse(data)
    if root.name != "tt":
        raise DecodeError(f"not TTML: line 1 opens <{root.name[:40]}>, not <tt>")
    reader = _Reader(root)
    for body in root.elements("body"):
        reader.read(body, _Place(_Span(0, NEVER_US), {}, "", root.get("xml:space") == "preserve"))
    return tuple(sorted(reader.cues, key=lambda cue: cue.start_us))


class _Reader:
    def __init__(self, root: Element) -> None:
        self.times: TimeBase = read_time_base(root)
        self.styling = Styling.of(root)
        self.cues: list[Cue] = []

    def read(self, element: Element, place: _Place) -> _Span:
        """Add the cues of a body, div or p; returns its time."""
        time = self.time_of(element, place.time)
        region = element.get("region") or place.region
        properties = self.styling.computed(element, place.properties)
        if element.name == "p":
            properties = self.styling.inherited(region) | properties
        inner = _Place(time, properties, region, _keeps_spaces(element, place.keeps_spaces))
        is_absent = "none" in (
            properties.get("tts:display"),
            self.styling.region_styles.get(region, {}).get("tts:display"),
        )
        if is_absent or time.begin >= time.end:
            return time
        if element.name == "p":
            self.read_paragraph(element, inner)
            return time
        is_sequence = element.get("timeContainer") == "seq"
        began = time.begin
        for child in element.elements("div", "p"):
            if len(self.cues) >= MAX_CUES:
                break
            taken = self.read(child, _Place(_Span(began, time.end), properties, region, inner.keeps_spaces))
            if is_sequence:
                began = min(taken.end, time.end)
        return time

    def time_of(self, element: Element, outer: _Span) -> _Span:
        """begin, end and dur count from where the container, or in a sequence the one before, put us (12.2)."""
        attributes = element.attributes
        begin, end = outer.begin, outer.end
        if "begin" in attributes:
            begin += self.times.time(attributes["begin"]) or 0
        if "dur" in attributes and (duration := self.times.time(attributes["dur"])) is not None:
            end = min(end, begin + duration)
        if "end" in attributes and (until := self.times.time(attributes["end"])) is not None:
            end = min(end, outer.begin + until)
        return _Span(begin, end)

    def read_paragraph(self, element: Element, place: _Place) -> None:
        runs: list[_Run] = []
        self.gather(element, place, runs, "")
        region = self.styling.region(place.region)
        for time, shown in _stretches(runs, place.time):
            spans = _trimmed(shown, place.keeps_spaces)
            start_us, end_us = _us(time.begin), min(_us(time.end), NEVER_US)
            if spans and start_us < end_us and len(self.cues) < MAX_CUES:
                self.cues.append(self.cue(element, place, region, (start_us, end_us), spans))

    def cue(self, element: Element, place: _Place, region: Region, times: tuple[int, int], spans: list[Span]) -> Cue:
        properties = place.properties
        of_region = self.styling.region_styles.get(place.region, {})
        vertical = writing(of_region)
        placement = Placement(align=text_align(properties), vertical=vertical)
        if not self.styling.regions and "tts:textAlign" not in properties:
            placement = ANYWHERE
        return Cue(
            *times,
            tuple(spans),
            element.get("xml:id"),
            placement,
            region,
            properties.get("tts:forcedDisplay") == "true",
            background(properties) or (background(of_region) if not region.background else None),
        )

    def gather(self, element: Element, place: _Place, runs: list[_Run], ruby: str) -> None:
        """The runs of text inside a p or span."""
        style = text_style(place.properties)
        if element.name == "p":
            style = style._replace(background=None)  # its window
        is_hidden = place.properties.get("tts:visibility") == "hidden"
        language = element.get("xml:lang")
        for item in element.content:
            if isinstance(item, str):
                text = item if place.keeps_spaces else _SPACES.sub(" ", item)
                if text and not is_hidden:
                    runs.append(_Run(Span(text, style, language=language), place.time))
            elif item.name == "br":
                runs.append(_Run(Span("\n", style), place.time))
            elif item.name == "span":
                self.gather_span(item, place, runs, ruby)

    def gather_span(self, element: Element, place: _Place, runs: list[_Run], ruby: str) -> None:
        properties = self.styling.computed(element, place.properties)
        kind = properties.get("tts:ruby", "")
        time = self.time_of(element, place.time)
        if properties.get("tts:display") == "none" or time.begin >= time.end or kind == "delimiter":
            return
        inner = _Place(time, properties, place.region, _keeps_spaces(element, place.keeps_spaces))
        if kind not in ("text", "textContainer") or ruby == "text":
            self.gather(element, inner, runs, kind or ruby)
            return
        above: list[_Run] = []
        self.gather(element, inner, above, "text")
        if runs:
            words = runs[-1].span.ruby + "".join([run.span.text for run in above]).strip()
            runs[-1] = runs[-1]._replace(span=runs[-1].span._replace(ruby=words))


def _keeps_spaces(element: Element, outer: bool) -> bool:
    said = element.get("xml:space")
    return said == "preserve" if said else outer


def _stretches(runs: list[_Run], whole: _Span) -> list[tuple[_Span, list[Span]]]:
    """The times in which the same runs are shown, and the runs of each."""
    own = {run.time for run in runs} - {whole}
    edges = sorted({whole.begin, whole.end, *[time.begin for time in own], *[time.end for time in own]})
    if not own or len(edges) > _MAX_TIMES:
        return [(whole, [run.span for run in runs])]
    return [
        (_Span(begin, end), [run.span for run in runs if run.time.begin <= begin and end <= run.time.end])
        for begin, end in pairwise(edges)
    ]


def _trimmed(spans: list[Span], keeps_spaces: bool) -> list[Span]:
    """Spans joined where they look alike; without the spaces around line breaks and at the ends; [] when blank."""
    joined: list[Span] = []
    for span in spans:
        text = span.text
        if not keeps_spaces:
            before = joined[-1].text if joined else "\n"
            if before.endswith((" ", "\n")) and not (joined and joined[-1].ruby):
                text = text.lstrip(" ")
            if text == "\n" and joined:
                joined[-1] = joined[-1]._replace(text=joined[-1].text.rstrip(" "))
        if not text:
            continue
        if joined and not span.ruby and not joined[-1].ruby and joined[-1] == span._replace(text=joined[-1].text):
            joined[-1] = span._replace(text=joined[-1].text + text)
        else:
            joined.append(span._replace(text=text))
    if joined and not keeps_spaces:
        joined[-1] = joined[-1]._replace(text=joined[-1].text.rstrip(" "))
    joined = [span for span in joined if span.text]
    return joined if any(span.text.strip() for span in joined) else []


def _us(time: Exact) -> int:
    return time if isinstance(time, int) else ticks_to_us(time.numerator, time.denominator * 1_000_000)
