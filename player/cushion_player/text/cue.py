"""Cues: what is read on the picture, when, where and in which looks. Values only.

Places are percent of the picture, colours are 8-bit sRGB with alpha. A cue with the same words and looks as another is
the same cue when their times touch: segments repeat, or cut, what spans their border.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

NEVER_US: Final = 1 << 62
"""The end of what stays until something takes its place."""
_TOUCH_US: Final = 1_000
"""Times are written in milliseconds: what lies no further apart touches."""


class Colour(NamedTuple):
    red: int
    green: int
    blue: int
    alpha: int = 255


class Align(StrEnum):
    """Where a line of text lies in its box. `start` and `end` follow the direction of the script."""

    START = "start"
    CENTER = "center"
    END = "end"
    LEFT = "left"
    RIGHT = "right"


class Edge(StrEnum):
    """Which edge of a box a number is about."""

    START = "start"
    CENTER = "center"
    END = "end"


class Vertical(StrEnum):
    """Columns instead of lines: growing to the left (`rl`) or to the right (`lr`)."""

    NONE = ""
    RL = "rl"
    LR = "lr"


class Style(NamedTuple):
    """Looks of a run of text. Colours None: the viewer's default."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    colour: Colour | None = None
    background: Colour | None = None
    size: float = 1.0
    """Of the default size."""
    flashes: bool = False


PLAIN: Final = Style()


class Span(NamedTuple):
    """A run of text in one style; `\\n` breaks the line."""

    text: str
    style: Style = PLAIN
    ruby: str = ""
    """Small text beside it."""
    voice: str = ""
    """Who says it."""
    language: str = ""
    after_us: int | None = None
    """It is yet to be said before this time (on the line of the cue's own times)."""


class Placement(NamedTuple):
    """Where a cue lies, in WebVTT's terms (its section 3.1)."""

    line: float | None = None
    """Lines from the top (negative: from the bottom) when `snaps_to_lines`, else percent; None: automatic."""
    snaps_to_lines: bool = True
    line_edge: Edge = Edge.START
    position: float | None = None
    """Percent along the line; None: where the alignment says."""
    position_edge: Edge | None = None
    size: float = 100.0
    """Percent of the picture along the line; 0: as wide as its text."""
    align: Align = Align.CENTER
    vertical: Vertical = Vertical.NONE


ANYWHERE: Final = Placement()


@dataclass(frozen=True, slots=True)
class Region:
    """A box that cues lie in. Percent of the picture."""

    id: str = ""
    left: float = 0.0
    top: float = 0.0
    width: float = 100.0
    height: float = 100.0
    stack: Edge = Edge.END
    """To which side its lines gather: top, middle or bottom."""
    scrolls: bool = False
    background: Colour | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """Words on the picture over [start_us, end_us)."""

    start_us: int
    end_us: int
    spans: tuple[Span, ...]
    id: str = ""
    placement: Placement = ANYWHERE
    region: Region | None = None
    is_forced: bool = False
    """To be shown also to those who did not ask for subtitles (foreign speech, signs)."""
    window: Colour | None = None
    """A box behind the whole cue."""

    def __post_init__(self) -> None:
        assert self.start_us < self.end_us, "a cue lasts"

    @property
    def text(self) -> str:
        """The words without their looks."""
        return "".join([span.text for span in self.spans])

    def content(self) -> tuple[object, ...]:
        """All but the times: cues of one content whose times touch are one."""
        return (self.spans, self.id, self.placement, self.region, self.is_forced, self.window)


class Screen(NamedTuple):
    """All that is on the picture from `start_us` on, until the next screen. Its cues end at NEVER_US."""

    start_us: int
    cues: tuple[Cue, ...]


def cues_of_screens(screens: Iterable[Screen], end_us: int) -> list[Cue]:
    """Screens in order as cues; the last one stays until `end_us`."""
    found = CueList()
    shown: Screen | None = None
    for screen in [*screens, Screen(end_us, ())]:
        if shown is not None and screen.start_us > shown.start_us:
            found.add([replace(cue, start_us=shown.start_us, end_us=screen.start_us) for cue in shown.cues])
        shown = screen
    return list(found)


def shifted(cues: Iterable[Cue], by_us: int) -> list[Cue]:
    """The same cues, later by so much."""
    if not by_us:
        return list(cues)
    return [
        replace(
            cue,
            start_us=cue.start_us + by_us,
            end_us=cue.end_us + by_us,
            spans=tuple([_shifted_span(span, by_us) for span in cue.spans]),
        )
        for cue in cues
    ]


def clipped(cues: Iterable[Cue], start_us: int, end_us: int) -> list[Cue]:
    """What of the cues lies within a time."""
    return [
        cue
        if start_us <= cue.start_us and cue.end_us <= end_us
        else replace(cue, start_us=max(cue.start_us, start_us), end_us=min(cue.end_us, end_us))
        for cue in cues
        if cue.start_us < end_us and start_us < cue.end_us
    ]


def _shifted_span(span: Span, by_us: int) -> Span:
    return span if span.after_us is None else span._replace(after_us=span.after_us + by_us)


class CueList:
    """Cues in order of their start (of those that start together, the longer first; then as they came)."""

    def __init__(self, cues: Iterable[Cue] = ()) -> None:
        self._cues: list[Cue] = []
        self._ends: list[int] = []
        self._longest_us = 0
        self._by_content: dict[tuple[object, ...], list[Cue]] = {}
        self.add(cues)

    def __iter__(self) -> Iterator[Cue]:
        return iter(self._cues)

    def __len__(self) -> int:
        return len(self._cues)

    def add(self, cues: Iterable[Cue]) -> None:
        """Take cues in; what is there already, or goes on with what is there, makes no second cue."""
        for cue in cues:
            alike = self._by_content.setdefault(cue.content(), [])
            for other in [other for other in alike if _touch(cue, other)]:
                self._remove(other)
                alike.remove(other)
                cue = replace(cue, start_us=min(cue.start_us, other.start_us), end_us=max(cue.end_us, other.end_us))
            alike.append(cue)
            insort(self._cues, cue, key=_order)
            insort(self._ends, cue.end_us)
            self._longest_us = max(self._longest_us, cue.end_us - cue.start_us)

    def active_at(self, time_us: int) -> tuple[Cue, ...]:
        """The cues whose time it is, in order."""
        first = bisect_left(self._cues, time_us - self._longest_us, key=_start)
        last = bisect_right(self._cues, time_us, key=_start)
        return tuple([cue for cue in self._cues[first:last] if cue.end_us > time_us])

    def next_change_us(self, time_us: int) -> int | None:
        """When a cue begins or ends next, after `time_us`."""
        start = bisect_right(self._cues, time_us, key=_start)
        end = bisect_right(self._ends, time_us)
        times = [cue.start_us for cue in self._cues[start : start + 1]] + self._ends[end : end + 1]
        return min(times, default=None)

    def trim(self, before_us: int, after_us: int = NEVER_US) -> None:
        """Let go of what ended by `before_us` and of what begins at `after_us` or later."""
        kept = [cue for cue in self._cues if cue.end_us > before_us and cue.start_us < after_us]
        if len(kept) == len(self._cues):
            return
        self._cues = kept
        self._ends = sorted([cue.end_us for cue in kept])
        self._longest_us = max([cue.end_us - cue.start_us for cue in kept], default=0)
        self._by_content.clear()
        for cue in kept:
            self._by_content.setdefault(cue.content(), []).append(cue)

    def cut(self, from_us: int) -> None:
        """Nothing lasts past `from_us`."""
        kept = clipped(self._cues, -NEVER_US, from_us)
        self.clear()
        self.add(kept)

    def clear(self) -> None:
        self.trim(NEVER_US)

    def _remove(self, cue: Cue) -> None:
        at = bisect_left(self._cues, _order(cue), key=_order)
        while self._cues[at] is not cue:
            at += 1
        del self._cues[at]
        del self._ends[bisect_left(self._ends, cue.end_us)]


def _start(cue: Cue) -> int:
    return cue.start_us


def _order(cue: Cue) -> tuple[int, int]:
    return cue.start_us, -cue.end_us


def _touch(one: Cue, other: Cue) -> bool:
    return one.start_us <= other.end_us + _TOUCH_US and other.start_us <= one.end_us + _TOUCH_US
