"""A body that grows: how far it can be played, and what its reads say of the link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.boxes import read_init
from cushion_player.chunks import LEAST_BYTES, ONE_READ_US, Busy, BusyMeter, ChunkedBody, Playable
from cushion_player.driving.arriving import Arrival
from cushion_player.driving.receiving import Body
from cushion_player.errors import DecodeError
from cushion_player.testing.live import made_up_asset
from cushion_player.timeline import TrackKind

ASSET = made_up_asset(bitrates_bps=(400_000,), n_chunks=4)
TRACK = ASSET.tracks[0]
CHUNKS = TRACK.rungs[0].segments[0]
SEGMENT = b"".join(CHUNKS)
INIT = read_init(TRACK.rungs[0].init)
START_US = 10_000_000


def ends() -> list[Playable]:
    """What can be played after each chunk of half a second."""
    sizes = [sum(map(len, CHUNKS[: count + 1])) for count in range(len(CHUNKS))]
    return [Playable(size, START_US + (count + 1) * 500_000) for count, size in enumerate(sizes)]


@given(cuts=st.lists(st.integers(0, len(SEGMENT)), max_size=30))
def test_every_whole_chunk_is_told_however_the_bytes_come(cuts: list[int]) -> None:
    body, data, told = ChunkedBody(INIT, START_US), bytearray(), []

    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), len(SEGMENT)], strict=True):
        data += SEGMENT[start:stop]
        playable = body.look(data)
        told += [playable] if playable is not None else []

    assert told == [each for each in ends() if each in told]
    assert told[-1] == ends()[-1]
    assert body.is_between


def test_it_rests_only_between_chunks() -> None:
    body = ChunkedBody(INIT, START_US)

    seen = []
    for size in (100, len(CHUNKS[0]), len(CHUNKS[0]) + 4, len(SEGMENT)):
        body.look(SEGMENT[:size])
        seen.append(body.is_between)

    assert seen == [False, True, False, True]


def test_what_cannot_be_read_is_an_error() -> None:
    with pytest.raises(DecodeError):
        ChunkedBody(INIT, START_US).look(b"\0\0\0\x04moof" + bytes(40))


# --------------------------------------------------------------------------- arrivals


def arrival(init: bytes) -> tuple[Arrival, list[Playable]]:
    told: list[Playable] = []
    found = Arrival(TrackKind.VIDEO, START_US, lambda: init, lambda playable, _: told.append(playable))
    return found, told


def test_chunks_that_came_before_the_initialisation_segment_are_told_once_it_is_there() -> None:
    inits = [b""]
    told: list[Playable] = []
    found = Arrival(TrackKind.VIDEO, START_US, lambda: inits[0], lambda playable, _: told.append(playable))
    body = Body(bytearray(SEGMENT[:-10]))

    found.begin(Body())
    found.body.data += body.data
    found.read(len(body.data), now=5)
    before = list(told)
    inits[0] = TRACK.rungs[0].init
    found.look_again()

    assert before == []
    assert told == ends()[2:3]


def test_a_body_that_goes_on_from_what_was_kept_tells_all_of_it() -> None:
    found, told = arrival(TRACK.rungs[0].init)
    body = Body(bytearray(CHUNKS[0]))

    found.begin(body)
    body.data += CHUNKS[1]
    found.read(len(CHUNKS[1]), now=5)

    assert told == ends()[1:2]


def test_a_body_that_cannot_be_read_is_left_to_who_takes_it_whole() -> None:
    found, told = arrival(TRACK.rungs[0].init)
    body = Body(bytearray(CHUNKS[0] + b"\0\0\0\x04moof" + bytes(40)))
    found.begin(Body())
    found.body.data += body.data

    found.read(len(body.data), now=5)
    found.look_again()

    assert told == []
    assert not found.has_told


# --------------------------------------------------------------------------- the link


def busy(*reads: tuple[int, int, int, bool]) -> Busy:
    """reads: (when, own bytes, bytes of others since the last, whether a chunk ended with it)."""
    meter, total = BusyMeter(), 0
    for now, own, others, is_between in reads:
        total += own + others
        meter.read(own, total, is_between=is_between, now=now)
    return meter.figures()


def test_bytes_are_counted_from_the_first_read_of_a_chunk_on() -> None:
    found = busy((0, 1_500, 0, False), (50_000, 9_000, 0, False), (90_000, 8_000, 0, True))

    assert found == Busy(90_000, 17_000, 0)


def test_the_rests_between_chunks_do_not_count() -> None:
    one = [(0, 1_000, 0, False), (40_000, 7_500, 0, True)]
    later = [(now + 500_000, *rest) for now, *rest in one]

    assert busy(*one, *later) == Busy(80_000, 15_000, 0)  # type: ignore[arg-type]  # four of them each


def test_what_others_bring_meanwhile_is_told_apart() -> None:
    assert busy((0, 1_000, 0, False), (40_000, 5_000, 2_500, True)) == Busy(40_000, 5_000, 2_500)


def test_what_others_brought_during_a_rest_is_not_counted() -> None:
    first = [(0, 1_000, 0, False), (40_000, 5_000, 0, True)]

    assert busy(*first, (900_000, 1_000, 90_000, False), (940_000, 5_000, 0, True)) == Busy(80_000, 10_000, 0)


def test_chunks_of_one_read_say_no_more_than_that_the_link_is_fast() -> None:
    assert busy((0, LEAST_BYTES, 0, True)) == Busy(ONE_READ_US, LEAST_BYTES, 0)
    assert busy((0, LEAST_BYTES - 1, 0, True)) == Busy()


def test_what_was_timed_counts_before_what_was_bounded() -> None:
    found = busy((0, 50_000, 0, True), (500_000, 1_000, 0, False), (540_000, 9_000, 0, True))

    assert found == Busy(40_000, 9_000, 0)


@given(
    rate_bps=st.integers(200_000, 50_000_000),
    sizes=st.lists(st.integers(20_000, 80_000), min_size=1, max_size=20),
    piece=st.integers(500, 8_000),
)
def test_a_link_of_constant_rate_is_measured_as_it_is(rate_bps: int, sizes: list[int], piece: int) -> None:
    meter, total, began = BusyMeter(), 0, 0
    for size in sizes:
        sent = 0
        while sent < size:
            step = min(piece, size - sent)
            sent += step
            total += step
            meter.read(step, total, is_between=sent == size, now=began + sent * 8_000_000 // rate_bps)
        began += 10_000_000

    found = meter.figures()
    if found.busy_bytes != sum(sizes) or found.busy_us != ONE_READ_US * len(sizes):
        assert found.busy_bytes * 8_000_000 / found.busy_us == pytest.approx(rate_bps, rel=0.01)
