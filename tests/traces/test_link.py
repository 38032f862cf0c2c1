from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cushion_traces.link import (
    BIT_US_PER_BYTE,
    PACKET_BYTES,
    PIECES_BYTES,
    Link,
    LinkError,
    SharedLink,
    finish_us,
    make_link,
)

Periods = list[tuple[int, int]]

periods = st.lists(
    st.tuples(st.integers(1, 5_000_000), st.one_of(st.just(0), st.integers(1, 50_000_000))), min_size=1, max_size=8
).filter(lambda drawn: any(duration * rate > 100_000_000 for duration, rate in drawn))
starts = st.integers(0, 200_000_000)
sizes = st.integers(0, 20_000)


def link_of(drawn: Periods, latency_us: int = 0) -> Link:
    return make_link([duration for duration, _ in drawn], [rate for _, rate in drawn], latency_us)


def exact_finish(drawn: Periods, start_us: int, n_bytes: int) -> Fraction:
    """The oracle: exact rational time at which the last bit crosses, walking every period from time 0 on."""
    need = Fraction(n_bytes * BIT_US_PER_BYTE)
    end = 0
    index = 0
    while True:
        begin, rate = end, drawn[index % len(drawn)][1]
        end = begin + drawn[index % len(drawn)][0]
        index += 1
        if end <= start_us:
            continue
        now = max(begin, start_us)
        if rate and need <= (end - now) * rate:
            return now + need / rate
        need -= (end - now) * rate


def capacity(drawn: Periods, from_us: int, to_us: int) -> int:
    """Bit·µs that cross between two times."""
    lap_us = sum(duration for duration, _ in drawn)
    lap_capacity = sum(duration * rate for duration, rate in drawn)

    def until(time_us: int) -> int:
        laps, rest = divmod(time_us, lap_us)
        total = laps * lap_capacity
        for duration, rate in drawn:
            total += min(rest, duration) * rate
            rest -= min(rest, duration)
        return total

    return until(to_us) - until(from_us)


@given(periods, st.integers(0, 20_000_000), sizes)
@example([(1, 800_000_000)], 0, 0)
def test_the_finish_is_the_exact_one_rounded_up(drawn: Periods, start_us: int, n_bytes: int) -> None:
    expected = exact_finish(drawn, start_us, n_bytes) if n_bytes else Fraction(start_us)

    assert finish_us(link_of(drawn), start_us, n_bytes) == -(-expected.numerator // expected.denominator)


@given(periods, starts, st.integers(1, 20_000))
def test_a_finish_carries_all_bytes_and_one_microsecond_less_would_not(
    drawn: Periods, start_us: int, n_bytes: int
) -> None:
    end = finish_us(link_of(drawn), start_us, n_bytes)

    assert capacity(drawn, start_us, end - 1) < n_bytes * BIT_US_PER_BYTE <= capacity(drawn, start_us, end)


@given(periods, starts, starts, sizes, sizes)
def test_later_or_more_never_finishes_earlier(drawn: Periods, one_us: int, other_us: int, few: int, many: int) -> None:
    link = link_of(drawn)
    (one_us, other_us), (few, many) = sorted((one_us, other_us)), sorted((few, many))

    assert finish_us(link, one_us, few) <= finish_us(link, other_us, few)
    assert finish_us(link, one_us, few) <= finish_us(link, one_us, many)
    assert finish_us(link, one_us, few) >= one_us


@given(periods, starts, st.integers(1, 20_000), st.integers(1, 20_000))
def test_two_transfers_back_to_back_lose_less_than_a_microsecond_of_capacity(
    drawn: Periods, start_us: int, first: int, second: int
) -> None:
    link = link_of(drawn)

    middle = finish_us(link, start_us, first)
    in_two = finish_us(link, middle, second)

    assert in_two >= finish_us(link, start_us, first + second)
    lost = capacity(drawn, start_us, in_two) - (first + second) * BIT_US_PER_BYTE
    fastest = max(rate for _, rate in drawn)
    assert 0 <= lost < 2 * fastest  # each of the two roundings gives away less than 1 µs


@given(periods, st.lists(st.tuples(starts, sizes), min_size=1, max_size=12))
def test_the_hint_changes_no_result(drawn: Periods, calls: list[tuple[int, int]]) -> None:
    walked = link_of(drawn)

    for start_us, n_bytes in calls:
        assert finish_us(walked, start_us, n_bytes) == finish_us(link_of(drawn), start_us, n_bytes)


@given(periods, starts, sizes, st.integers(1, 50))
def test_a_lap_later_everything_is_a_lap_later(drawn: Periods, start_us: int, n_bytes: int, laps: int) -> None:
    link = link_of(drawn)
    later_us = laps * sum(duration for duration, _ in drawn)

    assert finish_us(link, start_us + later_us, n_bytes) == finish_us(link, start_us, n_bytes) + later_us


def test_bytes_cross_a_step_at_both_rates() -> None:
    link = make_link([1_000_000, 1_000_000], [8_000_000, 800_000])

    assert finish_us(link, 500_000, 550_000) == 1_500_000  # 0.5 MB at 1 MB/s, then 50 kB at 0.1 MB/s


def test_an_outage_is_waited_out() -> None:
    link = make_link([1_000_000, 3_000_000], [8_000_000, 0])

    assert finish_us(link, 1_000_000, 1_000) == 4_001_000
    assert finish_us(link, 999_500, 1_000) == 4_000_500


def test_a_transfer_may_take_many_laps() -> None:
    link = make_link([10, 10], [8_000_000, 0])  # 10 bytes a lap of 20 µs

    assert finish_us(link, 0, 1_000_000) == 1_999_990


@pytest.mark.parametrize(
    ("durations", "rates", "latency_us", "says"),
    [
        ([], [], 0, "at least one"),
        ([1, 2], [1], 0, "as many rates as durations"),
        ([1, 0], [1, 1], 0, "at least 1 µs"),
        ([1], [-1], 0, "not be negative"),
        ([1, 1], [0, 0], 0, "at least one must be positive"),
        ([1], [1], -1, "latency"),
        ([2**40], [2**30], 0, "64-bit"),
    ],
)
def test_a_link_that_cannot_be_one_is_refused(
    durations: list[int], rates: list[int], latency_us: int, says: str
) -> None:
    with pytest.raises(LinkError, match=says):
        make_link(durations, rates, latency_us)


def test_a_link_does_not_follow_its_makers_arrays() -> None:
    import numpy as np

    rates = np.array([8_000_000], dtype=np.int64)
    link = make_link([1_000_000], rates)

    rates[0] = 1

    assert finish_us(link, 0, 1_000) == 1_000
    assert not link.rate_bps.flags.writeable
    assert not link.edge_us.flags.writeable


def test_a_shared_link_serves_in_the_order_asked_and_idles_in_between() -> None:
    shared = SharedLink(make_link([1_000_000], [8_000_000]))  # a byte a µs

    assert shared.reserve(0, 1_000) == 1_000
    assert shared.reserve(200, 1_000) == 2_000
    assert shared.reserve(5_000, 1_000) == 6_000
    assert shared.free_us == 6_000


@given(periods, st.integers(1, 100), st.integers(1, 500))
def test_pieces_through_a_shared_link_keep_its_capacity_up_to_a_microsecond_each(
    drawn: Periods, n_pieces: int, piece: int
) -> None:
    shared = SharedLink(link_of(drawn))

    for _ in range(n_pieces):
        shared.reserve(0, piece)

    lost = capacity(drawn, 0, shared.free_us) - n_pieces * piece * BIT_US_PER_BYTE
    assert 0 <= lost < n_pieces * max(rate for _, rate in drawn)


@given(periods, st.integers(1, 200_000))
def test_a_body_is_sent_whole_a_packet_first(drawn: Periods, n_bytes: int) -> None:
    shared = SharedLink(link_of(drawn))
    left, pieces = n_bytes, list[int]()

    while left:
        size, arrives_us = shared.send(0, left, is_first=not pieces)
        pieces.append(size)
        left -= size

        assert arrives_us == shared.free_us

    assert pieces[0] == min(PACKET_BYTES, n_bytes)
    assert sum(pieces) == n_bytes
    assert max(pieces) <= PIECES_BYTES[0]


def test_pieces_are_smaller_on_a_slow_link_but_never_below_a_packet() -> None:
    def later_piece(rate_bps: int) -> int:
        return SharedLink(make_link([1_000_000], [rate_bps])).send(0, 100_000, is_first=False)[0]

    assert [later_piece(rate) for rate in (2_000_000, 500_000, 50_000)] == [16_384, 4_096, 1_448]
