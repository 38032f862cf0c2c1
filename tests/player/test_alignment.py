from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cushion_player.model import Address, PlaylistInfo, Representation, Segment
from cushion_player.planning.alignment import Alignment, Tie, align

LIVE = PlaylistInfo()


def listed(
    number: int, count: int, *, since_us: int | None = None, breaks: tuple[int, ...] = (), info: PlaylistInfo = LIVE
) -> Representation:
    """Segments of 2 s from media sequence number `number`, dated by it; a discontinuity before those in `breaks`."""
    segments = [
        Segment(
            Address(f"{number + i}.ts"),
            i * 2000,
            2000,
            number + i,
            sum(number + i >= at for at in breaks),
            program_time_us=None if since_us is None else since_us + (number + i) * 2_000_000,
        )
        for i in range(count)
    ]
    return Representation("v", timescale=1000, segments=tuple(segments), playlist=replace(info, media_sequence=number))


def test_playlists_that_begin_at_the_beginning_begin_together_whatever_their_numbers() -> None:
    ended = PlaylistInfo(has_ended=True, playlist_type="VOD")

    assert align(listed(0, 5, info=ended), listed(1, 5, info=ended)) == Alignment(Fraction(0), Tie.BEGINNING)


def test_program_date_time_decides_where_it_is_written() -> None:
    found = align(listed(100, 5, since_us=0), listed(7, 5, since_us=190_500_000))

    assert found == Alignment(Fraction("4.5"), Tie.PROGRAM_DATE_TIME)


def test_dates_are_compared_within_one_discontinuity_because_the_clock_may_jump_between_two() -> None:
    reference = listed(10, 5, since_us=0, breaks=(12,))
    before_jump = [item._replace(program_time_us=item.number) for item in reference.segments[:2]]
    reference = replace(reference, segments=(*before_jump, *reference.segments[2:]))

    assert align(reference, listed(12, 5, since_us=0, breaks=(12,))) == Alignment(Fraction(4), Tie.PROGRAM_DATE_TIME)


def test_a_common_discontinuity_decides_where_there_are_no_dates() -> None:
    found = align(listed(10, 8, breaks=(14,)), listed(500, 8, breaks=(502,)))

    assert found == Alignment(Fraction(4), Tie.DISCONTINUITY)


def test_media_sequence_numbers_decide_last() -> None:
    assert align(listed(10, 5), listed(12, 5)) == Alignment(Fraction(4), Tie.MEDIA_SEQUENCE)
    assert align(listed(12, 5), listed(10, 5)) == Alignment(Fraction(-4), Tie.MEDIA_SEQUENCE)


def test_playlists_without_anything_in_common_are_not_aligned() -> None:
    assert align(listed(10, 2), listed(50, 2)) is None
    assert align(listed(10, 2), Representation("a")) is None
