from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from cushion_player.model import (
    AdaptationSet,
    Address,
    ContentKind,
    LazySegments,
    Period,
    Presentation,
    Representation,
    Segment,
    SegmentPattern,
)
from cushion_player.planning.lookup import Place, period_boundaries, period_index_at, place_at, segment_at, span_of


class Counted(LazySegments):
    """Segments that count how often they are looked at."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments
        self.looks = 0

    def at(self, index: int) -> Segment:
        self.looks += 1
        return self.segments[index]

    def start_at(self, index: int) -> int:
        self.looks += 1
        return self.segments[index].start

    def __len__(self) -> int:
        return len(self.segments)


class Regular(SegmentPattern):
    def segment(self, index: int) -> Segment:
        return Segment(Address(f"{index}.m4s"), index * self.duration, self.duration, index + 1)


def listed(*durations: int, first: int = 0, timescale: int = 1) -> Representation:
    segments: list[Segment] = []
    start = first
    for duration in durations:
        segments.append(Segment(Address(f"{start}.m4s"), start, duration))
        start += duration
    return Representation("v", timescale=timescale, segments=tuple(segments))


def two_periods() -> Presentation:
    def period(identity: str, start: int, length: int, *durations: int) -> Period:
        only = AdaptationSet("0", ContentKind.VIDEO, (listed(*durations),))
        return Period(identity, Fraction(start), Fraction(length), (only,))

    periods = (period("a", 0, 10, 4, 4, 4), period("b", 10, 6, 3, 3), period("c", 20, 4, 4))
    return Presentation("dash", "u", False, Fraction(24), periods)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.integers(-500, 500), st.fractions(-600, 70_000))
def test_a_segment_is_found_exactly_when_it_covers_the_time(durations: list[int], first: int, time: Fraction) -> None:
    representation = listed(*durations, first=first, timescale=7)

    covering = [
        index for index, segment in enumerate(representation.segments) if segment.start <= time * 7 < segment.end
    ]

    found = segment_at(representation, time)
    assert ([] if found is None else [found]) == covering


def test_a_look_up_among_100_000_segments_takes_a_handful_of_looks() -> None:
    segments = Counted(listed(*[2] * 100_000).segments)
    representation = Representation("v", segments=segments)

    assert segment_at(representation, Fraction(150_001)) == 75_000
    assert segments.looks <= 20


def test_a_pattern_is_looked_up_by_arithmetic() -> None:
    representation = Representation("v", timescale=1000, pattern=Regular(2000, None))

    assert segment_at(representation, Fraction(10**9)) == 5 * 10**8
    assert segment_at(representation, Fraction(-1, 1000)) is None
    assert segment_at(Representation("v", pattern=Regular(2, 3)), Fraction(6)) is None


def test_a_hole_between_segments_has_none() -> None:
    first, second = Segment(Address("a"), 0, 4), Segment(Address("b"), 6, 4)
    representation = Representation("v", segments=(first, second))

    assert [segment_at(representation, Fraction(time)) for time in (3, 4, 5, 6, 10)] == [0, None, None, 1, None]


def test_periods_are_found_by_time_and_holes_have_none() -> None:
    presentation = two_periods()

    found = [period_index_at(presentation, Fraction(time)) for time in (-1, 0, 9, 10, 15, 16, 19, 20, 24)]

    assert found == [None, 0, 0, 1, 1, None, None, 2, None]
    assert list(period_boundaries(presentation)) == [0, 10, 20, 24]


def test_a_place_is_a_period_and_a_segment_in_it() -> None:
    presentation = two_periods()

    assert place_at(presentation, "v", Fraction(9)) == Place(0, 2)
    assert place_at(presentation, "v", Fraction(13)) == Place(1, 1)
    assert place_at(presentation, "w", Fraction(13)) is None
    assert place_at(presentation, "v", Fraction(17)) is None


def test_a_span_is_cut_to_its_period() -> None:
    period = two_periods().periods[0]

    assert list(span_of(period, period.adaptation_sets[0].representations[0], 2)) == [8, 10]
    early = listed(4, first=-1)
    assert list(span_of(period, early, 0)) == [0, 3]
