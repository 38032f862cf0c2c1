"""From a time to a period and a segment, and back. Pure; every look-up is a bisection, whatever the length.

Times are exact: Fractions of a second, on the presentation timeline (where `Period.start` lies) unless said otherwise.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from math import floor
from typing import NamedTuple

from cushion_player.model import Period, Presentation, Representation, Segment, segment_index_at


class Place(NamedTuple):
    """A segment of one representation, by its period's position in the presentation and its own in the period."""

    period: int
    segment: int


def period_boundaries(presentation: Presentation) -> tuple[Fraction, ...]:
    """Where each period starts, ascending, and where the last one ends if that is known."""
    starts = [period.start for period in presentation.periods]
    last = presentation.periods[-1]
    return (*starts, last.start + last.duration) if last.duration is not None else tuple(starts)


def period_index_at(presentation: Presentation, position: Fraction) -> int | None:
    """The period that plays at `position`; None before the first, after the end, and in a hole between two."""
    index = bisect_right(presentation.periods, position, key=lambda period: period.start) - 1
    if index < 0:
        return None
    period = presentation.periods[index]
    ended = period.duration is not None and position >= period.start + period.duration
    return None if ended else index


def segment_at(representation: Representation, time: Fraction) -> int | None:
    """Index of the segment that covers `time`, counted from the start of its period; None where there is none."""
    ticks = floor(time * representation.timescale)
    if representation.pattern is not None:
        pattern = representation.pattern
        index = (ticks - pattern.start) // pattern.duration
        return index if index >= 0 and (pattern.limit is None or index < pattern.limit) else None
    index = segment_index_at(representation.segments, ticks)
    if index < 0 or ticks >= representation.segments[index].end:
        return None
    return index


def segment(representation: Representation, index: int) -> Segment:
    """Segment `index` of a representation, listed or made from a pattern."""
    if representation.pattern is not None:
        return representation.pattern.segment(index)
    return representation.segments[index]


def span_of(period: Period, representation: Representation, index: int) -> tuple[Fraction, Fraction]:
    """Where a segment starts and ends on the presentation timeline, cut to its period."""
    found = segment(representation, index)
    start = period.start + Fraction(found.start, representation.timescale)
    end = period.start + Fraction(found.end, representation.timescale)
    if period.duration is not None:
        end = min(end, period.start + period.duration)
    return max(start, period.start), end


def place_at(presentation: Presentation, representation_id: str, position: Fraction) -> Place | None:
    """Where in a representation `position` is played from; None when nothing covers it.

    representation_id: looked for in the period that plays then, because ids need only be unique in a period.
    """
    at = period_index_at(presentation, position)
    if at is None:
        return None
    period = presentation.periods[at]
    for adaptation_set in period.adaptation_sets:
        for representation in adaptation_set.representations:
            if representation.id == representation_id:
                index = segment_at(representation, position - period.start)
                return None if index is None else Place(at, index)
    return None
