"""CEA-608 channels against captions that the tests write themselves, byte by byte."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.text import CaptionDecoder, CcTriple, Colour, Cue, Screen, cues_of_screens
from tests.player.text.caption_encoder import (
    BS,
    CR,
    DER,
    EDM,
    ENM,
    EOC,
    PADDING,
    RCL,
    RDC,
    RU2,
    RU3,
    TR,
    Pair,
    command,
    control,
    on_field,
    pac,
    pop_on,
    text,
)

FRAME_US = 33_333


def screens(pairs: Iterable[Pair], service: str = "CC1", field: int = 0) -> list[Screen]:
    """One pair a frame."""
    decoder = CaptionDecoder(service)
    found = [decoder.feed(at * FRAME_US, on_field([pair], field)) for at, pair in enumerate(pairs)]
    return [screen for screen in found if screen is not None]


def shown(pairs: Iterable[Pair], service: str = "CC1", field: int = 0) -> list[str]:
    """The text of the last screen, cue by cue."""
    every = screens(pairs, service, field)
    return [cue.text for cue in every[-1].cues] if every else []


def only_cue(pairs: Iterable[Pair]) -> Cue:
    (cue,) = screens(pairs)[-1].cues
    return cue


def test_pop_on_caption_appears_at_its_end_code_and_not_before() -> None:
    pairs = pop_on(15, "Hello there")
    before = len(pairs)

    every = screens([*pairs, *command(EOC)])

    assert [(screen.start_us, [cue.text for cue in screen.cues]) for screen in every] == [
        (before * FRAME_US, ["Hello there"])
    ]


def test_erase_takes_the_caption_away_and_screens_become_cues() -> None:
    pairs = [*pop_on(15, "One"), *command(EOC), *[PADDING] * 10, *command(EDM)]
    at_end = (len(pairs) - 2) * FRAME_US

    cues = cues_of_screens(screens(pairs), 99_000_000)

    assert [(cue.text, cue.start_us, cue.end_us) for cue in cues] == [("One", 8 * FRAME_US, at_end)]


def test_pop_on_caption_replaces_the_one_before_it() -> None:
    pairs = [*pop_on(15, "One"), *command(EOC), *pop_on(14, "Two"), *command(EOC)]

    assert [[cue.text for cue in screen.cues] for screen in screens(pairs)] == [["One"], ["Two"]]


def test_neighbouring_rows_are_one_cue_and_others_another() -> None:
    pairs = [*pop_on(2, "Top"), *pac(14, indent=8), *text("Left"), *pac(15, indent=12), *text("Right"), *command(EOC)]

    top, bottom = screens(pairs)[-1].cues

    assert top.text == "Top"
    assert bottom.text == "Left\n    Right"
    assert (top.placement.line, bottom.placement.line) == (15.333, 79.333)
    assert (top.placement.position, bottom.placement.position) == (10.0, 30.0)


def test_roll_up_moves_lines_up_and_drops_the_oldest() -> None:
    pairs = [*command(RU2)]
    for words in ("first", "second", "third"):
        pairs += [*command(CR), *pac(15), *text(words)]

    assert shown(pairs) == ["second\nthird"]


def test_roll_up_shows_characters_as_they_come() -> None:
    pairs = [*command(RU3), *command(CR), *pac(15), *text("abcd")]

    assert [screen.cues[0].text for screen in screens(pairs)] == ["ab", "abcd"]


def test_roll_up_window_follows_its_base_row() -> None:
    pairs = [*command(RU2), *pac(15), *text("one"), *command(CR), *text("two"), *pac(4)]

    cue = only_cue(pairs)

    assert (cue.text, cue.placement.line) == ("one\ntwo", 20.667)


def test_paint_on_writes_onto_the_picture() -> None:
    pairs = [*command(RDC), *pac(1), *text("now")]

    assert [screen.cues[0].text for screen in screens(pairs)] == ["no", "now"]


def test_row_and_looks_come_from_the_address_and_mid_row_codes() -> None:
    red_underlined = control(0x11, 0x29)
    italics = control(0x11, 0x2E)
    pairs = [
        *command(RDC), *pac(11, colour=2), *text("blue"), *red_underlined, *text("red"), *italics, *text("slanted"),
    ]  # fmt: skip

    cue = only_cue(pairs)

    assert cue.placement.line == 63.333
    looks = [(span.text.strip(), span.style.colour, span.style.italic, span.style.underline) for span in cue.spans]
    assert looks == [
        ("blue", Colour(0, 0, 255), False, False),
        ("red", Colour(255, 0, 0), False, True),
        ("slanted", Colour(255, 0, 0), True, False),
    ]


@pytest.mark.parametrize("row", range(1, 16))
def test_every_row_has_its_address(row: int) -> None:
    cue = only_cue([*command(RDC), *pac(row), *text("x")])

    assert cue.placement.line == round(10 + (row - 1) * 80 / 15, 3)


def test_special_and_extended_characters_stand_for_themselves() -> None:
    pairs = [
        *command(RDC), *pac(1), *control(0x11, 0x37), *text("A"), *control(0x12, 0x20), *text("?"),
        *control(0x13, 0x34), *text("\x2a"),
    ]  # fmt: skip

    assert shown(pairs) == ["♪Áßá"], "an extended character replaces the one before it"


def test_control_codes_sent_twice_count_once_and_thrice_twice() -> None:
    once = [*command(RDC), *pac(1), *text("abcd"), *command(BS)]
    twice = [*once, command(BS)[0]]

    assert shown(once) == ["abc"]
    assert shown(twice) == ["ab"]


def test_same_control_code_after_text_is_a_new_one() -> None:
    note = control(0x11, 0x37)
    pairs = [*command(RDC), *pac(1), *note, *text("a"), *note]

    assert shown(pairs) == ["♪a♪"]


def test_tab_offsets_move_the_pen() -> None:
    assert shown([*command(RDC), *pac(1), *text("a"), *control(0x17, 0x23), *text("b")]) == ["a   b"]


def test_delete_to_end_of_row_keeps_what_is_before_the_pen() -> None:
    pairs = [*command(RDC), *pac(1), *text("keep gone"), *pac(1, indent=4), *command(DER)]

    assert shown(pairs) == ["keep"]


def test_text_past_the_right_edge_overwrites_the_last_column() -> None:
    cue = only_cue([*command(RDC), *pac(1, indent=28), *text("abcdef")])

    assert cue.text == "abcf"


def test_background_code_takes_the_place_of_a_space() -> None:
    cue = only_cue([*command(RDC), *pac(1), *text("a "), *control(0x10, 0x28), *text("b")])

    assert cue.text == "a b"
    assert cue.spans[-1].style.background == Colour(255, 0, 0)


@pytest.mark.parametrize(("channel", "service", "field"), [(1, "CC1", 0), (2, "CC2", 0), (3, "CC3", 1), (4, "CC4", 1)])
def test_each_channel_hears_only_its_own(channel: int, service: str, field: int) -> None:
    other = {1: 2, 2: 1, 3: 4, 4: 3}[channel]
    pairs = [
        *pop_on(15, "mine", channel=channel), *pop_on(15, "other", channel=other), *command(EOC, channel=channel),
        *command(EOC, channel=other),
    ]  # fmt: skip

    assert shown(pairs, service, field) == ["mine"]
    assert shown(pairs, service, 1 - field) == []


def test_text_mode_and_data_services_are_passed_over() -> None:
    xds = [(0x01, 0x83), *text("Film"), (0x8F, 0x20)]
    pairs = [*command(RCL, channel=3), *command(TR, channel=3), *text("news"), *xds]
    pairs += [*command(RDC, channel=3), *pac(1, channel=3), *text("ok")]

    assert shown([*pairs, *xds], "CC3", 1) == ["ok"]


def test_erasing_the_hidden_memory_leaves_the_picture() -> None:
    pairs = [*pop_on(15, "stays"), *command(EOC), *command(RCL), *command(ENM)]

    assert shown(pairs) == ["stays"]


def test_reset_forgets_what_was_shown() -> None:
    decoder = CaptionDecoder("CC1")
    for pair in [*pop_on(15, "old"), *command(EOC)]:
        decoder.feed(0, on_field([pair]))

    decoder.reset()

    assert decoder.feed(1, on_field(text("x"))) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 255), st.integers(0, 255), st.booleans()), max_size=400))
def test_any_bytes_give_screens_inside_the_grid(items: list[tuple[int, int, int, bool]]) -> None:
    for service in ("CC1", "CC4", "SERVICE1"):
        decoder = CaptionDecoder(service)
        for at, item in enumerate(items):
            screen = decoder.feed(at, [CcTriple(*item)])
            for cue in screen.cues if screen else ():
                assert cue.text.strip()
                assert cue.start_us == at
                assert 0 <= (cue.placement.line or 0) <= 100
                assert 0 <= (cue.placement.position or 0) <= 100
                assert max(len(line) for line in cue.text.split("\n")) <= 42
