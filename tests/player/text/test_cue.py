"""Lists of cues: no doubles, what is active when, and what a list lets go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cushion_player.text import NEVER_US, Cue, CueList, Placement, Span, shifted

S = 1_000_000


def cue(start_s: float, end_s: float, text: str = "x") -> Cue:
    return Cue(round(start_s * S), round(end_s * S), (Span(text),))


CUES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from("abc")).map(
        lambda item: cue(item[0], item[0] + item[1], item[2])
    ),
    max_size=25,
)


def test_cue_that_is_there_already_is_not_added_again() -> None:
    cues = CueList([cue(1, 3), cue(1, 3), cue(1, 3, "y")])

    assert [each.text for each in cues] == ["x", "y"]


def test_pieces_of_a_cue_that_a_border_cut_become_one() -> None:
    cues = CueList([cue(1, 4), cue(8, 9)])

    cues.add([cue(4, 8)])

    assert list(cues) == [cue(1, 9)]


def test_words_that_are_said_again_later_are_another_cue() -> None:
    assert len(CueList([cue(1, 2), cue(2.1, 3)])) == 2


def test_same_words_at_another_place_are_another_cue() -> None:
    other = Cue(S, 2 * S, (Span("x"),), placement=Placement(line=0.0))

    assert len(CueList([cue(1, 2), other])) == 2


def test_longer_of_two_that_start_together_comes_first() -> None:
    assert [each.text for each in CueList([cue(1, 2, "short"), cue(1, 5, "long")]).active_at(S)] == ["long", "short"]


def test_start_belongs_to_a_cue_and_its_end_does_not() -> None:
    cues = CueList([cue(1, 2), cue(2, 3, "y")])

    assert [len(cues.active_at(time_us)) for time_us in (S - 1, S, 2 * S - 1, 3 * S)] == [0, 1, 1, 0]
    assert [each.text for each in cues.active_at(2 * S)] == ["y"]


@given(CUES, st.integers(-1, 90))
def test_active_cues_are_those_whose_time_it_is(cues: list[Cue], second: int) -> None:
    active = CueList(cues).active_at(second * S)

    wanted = {each.text for each in cues if each.start_us <= second * S < each.end_us}
    assert {each.text for each in active} == wanted
    assert all(each.start_us <= second * S < each.end_us for each in active)


@given(CUES, st.integers(-1, 90))
def test_nothing_changes_before_the_next_change(cues: list[Cue], second: int) -> None:
    every = CueList(cues)
    now = every.active_at(second * S)

    following = every.next_change_us(second * S)

    if following is None:
        assert all(each.end_us <= second * S for each in every)
    else:
        assert following > second * S
        assert every.active_at(following - 1) == now
        assert every.active_at(following) != now


@given(CUES, st.permutations(range(25)))
def test_order_of_arrival_does_not_matter(cues: list[Cue], order: list[int]) -> None:
    shuffled = [cues[index] for index in order if index < len(cues)]

    one, other = CueList(cues), CueList(shuffled)

    assert set(one) == set(other)
    starts = [(each.start_us, -each.end_us) for each in one]
    assert starts == sorted(starts)


@given(CUES, st.integers(0, 80), st.integers(0, 80))
def test_trimming_keeps_what_can_still_be_shown(cues: list[Cue], before: int, after: int) -> None:
    whole, trimmed = CueList(cues), CueList(cues)

    trimmed.trim(before * S, after * S)

    for second in range(before, after):
        assert trimmed.active_at(second * S) == whole.active_at(second * S)
    assert all(each.end_us > before * S and each.start_us < after * S for each in trimmed)
    trimmed.add(cues)
    assert set(trimmed) == set(whole)


def test_cleared_list_is_empty() -> None:
    cues = CueList([cue(1, 2), Cue(0, NEVER_US, (Span("x"),))])

    cues.clear()

    assert (len(cues), cues.next_change_us(0)) == (0, None)


def test_shift_moves_the_times_within_too() -> None:
    karaoke = Cue(S, 2 * S, (Span("a"), Span("b", after_us=S + 1)))

    (later,) = shifted([karaoke], 10)

    assert (later.start_us, later.end_us, later.spans[1].after_us) == (S + 10, 2 * S + 10, S + 11)
    assert shifted([karaoke], 0) == [karaoke]
