from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.model import (
    AdaptationSet,
    Address,
    ContentKind,
    Latency,
    LiveWindow,
    Period,
    PlaylistInfo,
    Presentation,
    Representation,
    Segment,
    SegmentPattern,
    ServerControl,
    ServiceDescription,
    Start,
)
from cushion_player.planning.availability import (
    Window,
    available_at,
    available_segments,
    join_position,
    presentation_delay,
    window_at,
)

BEGAN = Fraction(1_700_000_000)


class Regular(SegmentPattern):
    def segment(self, index: int) -> Segment:
        return Segment(Address(f"{index}.m4s"), index * self.duration, self.duration, index + 1)


def listed(n: int, duration: int = 2, first: int = 0) -> Representation:
    return Representation(
        "v", segments=tuple(Segment(Address(f"{i}"), first + i * duration, duration) for i in range(n))
    )


def endless(duration: int = 2, limit: int | None = None) -> Representation:
    return Representation("v", pattern=Regular(duration, limit))


def live(*representations: Representation, depth: int | None = None, start: int = 0) -> Presentation:
    sets = tuple(AdaptationSet(str(i), ContentKind.VIDEO, (item,)) for i, item in enumerate(representations))
    window = LiveWindow(BEGAN, time_shift_buffer_depth=None if depth is None else Fraction(depth))
    return Presentation("dash", "u", True, None, (Period("0", Fraction(start), None, sets),), live=window)


def playlist(representation: Representation, info: PlaylistInfo) -> Presentation:
    only = AdaptationSet("0", ContentKind.VIDEO, (replace(representation, playlist=info),))
    return Presentation("hls", "u", not info.has_ended, None, (Period("0", Fraction(0), None, (only,)),))


def available(presentation: Presentation, elapsed: Fraction | int) -> tuple[int, int]:
    period = presentation.periods[0]
    return available_segments(presentation, period, period.adaptation_sets[0].representations[0], BEGAN + elapsed)


@pytest.mark.parametrize("representation", [listed(50), endless()])
def test_a_segment_is_there_once_it_has_ended(representation: Representation) -> None:
    presentation = live(representation)

    assert [available(presentation, elapsed)[1] for elapsed in (-5, 0, 1, 2, 3, 4, 99)] == [0, 0, 0, 1, 1, 2, 49]


@pytest.mark.parametrize("representation", [listed(50), endless()])
def test_an_availability_time_offset_lets_it_be_asked_for_earlier(representation: Representation) -> None:
    presentation = live(replace(representation, availability_time_offset=Fraction(3, 2)))

    assert available(presentation, Fraction(1, 2)) == (0, 1)
    assert available_at(presentation, presentation.periods[0], representation, 0) == BEGAN + 2


def test_an_infinite_offset_makes_all_listed_segments_available_but_no_endless_pattern() -> None:
    assert available(live(replace(listed(50), availability_time_offset=None)), 0) == (0, 50)
    assert available(live(replace(endless(limit=7), availability_time_offset=None)), 0) == (0, 7)
    assert available(live(replace(endless(), availability_time_offset=None)), 9) == (0, 4)


@pytest.mark.parametrize("representation", [listed(50), endless()])
def test_a_segment_is_gone_a_duration_and_the_buffer_depth_after_it_came(representation: Representation) -> None:
    presentation = live(representation, depth=10)

    # Segment 3 spans 6 to 8: it comes at 8 and goes at 8 + 2 + 10 (ISO/IEC 23009-1 5.3.9.5.3).
    assert available(presentation, 20)[0] == 3
    assert available(presentation, Fraction(201, 10))[0] == 4


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 40), st.fractions(-10, 600))
def test_available_segments_are_those_of_the_formula(n: int, duration: int, depth: int, elapsed: Fraction) -> None:
    presentation = live(listed(n, duration), depth=depth)

    first, stop = available(presentation, elapsed)

    expected = [i for i in range(n) if (i + 1) * duration <= elapsed and (i + 2) * duration + depth >= elapsed]
    assert list(range(first, stop)) == expected


@given(st.integers(1, 9), st.fractions(0, 3000), st.fractions(0, 100))
def test_the_edge_never_moves_back(duration: int, elapsed: Fraction, later: Fraction) -> None:
    presentation = live(endless(duration), listed(2000, 3), depth=60)

    before = window_at(presentation, BEGAN + elapsed)
    after = window_at(presentation, BEGAN + elapsed + later)

    if before is not None:
        assert after is not None
        assert after.end >= before.end
        assert after.start >= before.start


def test_nothing_is_there_before_the_period_starts_and_after_availability_ends() -> None:
    presentation = live(endless(), start=100)
    ended = replace(presentation, live=replace(presentation.live, availability_end=BEGAN + 500))

    assert window_at(presentation, BEGAN + 101) is None
    assert window_at(presentation, BEGAN + 105) == Window(Fraction(100), Fraction(104))
    assert window_at(ended, BEGAN + 501) is None


def test_the_window_is_what_all_sets_have() -> None:
    presentation = live(listed(10, 2), listed(6, 3), depth=8)

    assert window_at(presentation, BEGAN + 16) == Window(Fraction(8), Fraction(15))


def test_a_presentation_that_has_ended_is_all_there() -> None:
    only = AdaptationSet("0", ContentKind.VIDEO, (listed(3, 4),))
    presentation = Presentation("dash", "u", False, None, (Period("0", Fraction(0), Fraction(11), (only,)),))

    assert window_at(presentation, Fraction(0)) == Window(Fraction(0), Fraction(11))
    assert join_position(presentation, Fraction(0)) == 0


def test_a_live_mpd_is_joined_at_its_delay_behind_the_clock() -> None:
    presentation = live(endless(), depth=60)
    suggested = replace(presentation, live=replace(presentation.live, suggested_presentation_delay=Fraction(9)))
    targeted = replace(suggested, service_descriptions=(ServiceDescription(latency=Latency(3500)),))

    assert join_position(presentation, BEGAN + 101) == 95
    assert join_position(suggested, BEGAN + 101) == 92
    assert join_position(targeted, BEGAN + 101) == Fraction(195, 2)
    assert presentation_delay(presentation) == 6


def test_a_live_playlist_is_joined_at_its_hold_back() -> None:
    info = PlaylistInfo(target_duration=Fraction(2))
    plain = playlist(listed(10), info)
    held = playlist(listed(10), replace(info, server_control=ServerControl(hold_back=Fraction(9))))
    parts = ServerControl(hold_back=Fraction(9), part_hold_back=Fraction(1))
    low_latency = playlist(listed(10), replace(info, part_target=Fraction(1, 3), server_control=parts))

    assert [join_position(each, BEGAN) for each in (plain, held, low_latency)] == [14, 11, 19]
    assert window_at(plain, BEGAN) == Window(Fraction(0), Fraction(20))


def test_a_start_offset_counts_from_either_end_and_stays_inside() -> None:
    presentation = playlist(listed(10), PlaylistInfo(has_ended=True))

    offsets = (5, -4, 50, -50)

    joined = [join_position(replace(presentation, start=Start(Fraction(offset))), BEGAN) for offset in offsets]
    assert joined == [5, 16, 20, 0]
