from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from cushion_player.model import Address, Representation, Segment, seconds_to_us, ticks_to_us


@given(ticks=st.integers(-(2**70), 2**70), timescale=st.integers(1, 2**32))
def test_ticks_become_the_nearest_microsecond(ticks: int, timescale: int) -> None:
    assert abs(Fraction(ticks * 1_000_000, timescale) - ticks_to_us(ticks, timescale)) <= Fraction(1, 2)


@given(durations=st.lists(st.integers(1, 10**6), min_size=1), timescale=st.integers(1, 10**6))
def test_boundaries_never_drift_from_the_exact_sum(durations: list[int], timescale: int) -> None:
    total = sum(durations)

    assert abs(ticks_to_us(total, timescale) - Fraction(total * 1_000_000, timescale)) <= Fraction(1, 2)


def test_seconds_round_to_microseconds() -> None:
    assert seconds_to_us(Fraction(1, 3)) == 333_333
    assert seconds_to_us(Fraction(2, 3)) == 666_667


def test_size_is_known_only_from_a_closed_range() -> None:
    assert Address("u", (10, 19)).size_bytes == 10
    assert Address("u", (10, None)).size_bytes is None
    assert Address("u").size_bytes is None


def test_representation_measures_its_span() -> None:
    segments = (Segment(Address("a", (0, 9)), 5, 10), Segment(Address("b"), 15, 10))

    representation = Representation("r", timescale=10, segments=segments)

    assert representation.duration() == 2
    assert not representation.sizes_known
