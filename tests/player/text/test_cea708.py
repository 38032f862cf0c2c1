"""CEA-708 services against packets that the tests write themselves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cushion_player.text import Align, CaptionDecoder, CcTriple, Colour, Cue, Edge, Screen
from tests.player.text.caption_encoder import define_window, dtvcc_packet, service_block

ETX = b"\x03"
CLW, DSW, HDW, TGW, DLW, DLY, DLC, RST = range(0x88, 0x90)
SPA, SPC, SPL, SWA = 0x90, 0x91, 0x92, 0x97


def screens(*packets: bytes, service: int = 1, step_us: int = 100_000) -> list[Screen]:
    """One packet, of one block, each `step_us`."""
    decoder = CaptionDecoder(f"SERVICE{service}")
    found = [
        decoder.feed(at * step_us, dtvcc_packet([service_block(service, data)], at)) for at, data in enumerate(packets)
    ]
    return [screen for screen in found if screen is not None]


def only_cue(*packets: bytes) -> Cue:
    (cue,) = screens(*packets)[-1].cues
    return cue


def texts(every: Sequence[Screen]) -> list[list[str]]:
    return [[cue.text for cue in screen.cues] for screen in every]


def test_visible_window_shows_what_is_written() -> None:
    cue = only_cue(define_window(0) + b"Hello\rthere" + ETX)

    assert cue.text == "Hello\nthere"
    assert cue.placement.line_edge is Edge.END
    assert cue.placement.position_edge is Edge.CENTER
    assert (cue.placement.line, cue.placement.position) == (84.667, 50.0)


def test_hidden_window_appears_when_it_is_displayed_and_goes_when_hidden() -> None:
    every = screens(
        define_window(2, visible=False) + b"Later", bytes((DSW, 0b100)), bytes((HDW, 0b100)), bytes((TGW, 0b100))
    )

    assert [(screen.start_us, texts([screen])[0]) for screen in every] == [
        (100_000, ["Later"]),
        (200_000, []),
        (300_000, ["Later"]),
    ]


def test_deleted_window_is_gone_and_cleared_one_is_empty() -> None:
    every = screens(define_window(0) + b"a" + define_window(1) + b"b", bytes((CLW, 1)), bytes((DLW, 2)), b"unheard")

    assert texts(every) == [["a", "b"], ["b"], []]


def test_lower_priority_number_lies_on_top() -> None:
    every = screens(define_window(0, priority=0) + b"top" + define_window(1, priority=5) + b"below")

    assert texts(every) == [["below", "top"]]


def test_lines_roll_when_the_window_is_full() -> None:
    cue = only_cue(define_window(0, rows=2) + b"one\rtwo\rthree")

    assert cue.text == "two\nthree"


def test_pen_location_attributes_and_colours_are_obeyed() -> None:
    yellow_on_clear_blue = bytes((SPC, 0b00_11_11_00, 0b10_00_00_11, 0))
    italic_large = bytes((SPA, 0b10, 0b1000_0000))
    cue = only_cue(define_window(0, anchor=0) + bytes((SPL, 1, 3)) + yellow_on_clear_blue + italic_large + b"x")

    assert cue.text == "\n   x"
    style = cue.spans[-1].style
    assert (style.colour, style.background) == (Colour(255, 255, 0), Colour(0, 0, 255, 128))
    assert (style.italic, style.underline, style.size) == (True, False, 1.25)


def test_window_attributes_give_its_fill_and_justification() -> None:
    cue = only_cue(define_window(0) + bytes((SWA, 0b00_11_00_00, 0, 0b10, 0)) + b"x")

    assert cue.window == Colour(255, 0, 0)
    assert cue.placement.align is Align.CENTER


def test_relative_anchor_is_percent_of_the_safe_area() -> None:
    cue = only_cue(define_window(0, relative=True, at=(0, 99), anchor=0) + b"x")

    assert (cue.placement.position, cue.placement.line) == (10.0, 89.2)


@pytest.mark.parametrize(
    ("code", "character"),
    [
        (b"\x7f", "♪"),
        (b"\xe9", "é"),
        (b"\x10\x25", "…"),
        (b"\x10\x79", "⅞"),
        (b"\x10\xa0", "㏄"),
        (b"\x10\x22", "_"),
        (b"\x18\x4e\x2d", "中"),
    ],
)
def test_characters_of_all_sets(code: bytes, character: str) -> None:
    assert only_cue(define_window(0) + code).text == character


def test_unknown_commands_are_skipped_with_their_parameters() -> None:
    unknown = [b"\x11X", b"\x1fXX", b"\x10\x08X", b"\x10\x10XX", b"\x10\x18XXX", b"\x10\x80XXXX", b"\x10\x88XXXXX",
               b"\x10\x90\x02XX", b"\x93"]  # fmt: skip

    for command in unknown:
        assert only_cue(define_window(0) + command + b"y").text == "y", command


def test_command_may_be_cut_by_the_end_of_its_block() -> None:
    window = define_window(0)

    assert only_cue(window[:3], window[3:] + b"whole").text == "whole"


def test_backspace_form_feed_and_clearing_a_row() -> None:
    assert only_cue(define_window(0) + b"abc\x08").text == "ab"
    assert only_cue(define_window(0) + b"abc\x0cd").text == "d"
    assert only_cue(define_window(0) + b"ab\rcd\x0ee").text == "ab\ne"


def test_delay_holds_what_follows_until_it_is_over() -> None:
    late = screens(define_window(0) + b"a" + bytes((DLY, 3)) + b"b", b"c", b"", b"", b"d")

    assert [(screen.start_us, texts([screen])[0]) for screen in late] == [
        (0, ["a"]),
        (300_000, ["abc"]),
        (400_000, ["abcd"]),
    ]


def test_delay_is_cancelled_or_reset_at_once() -> None:
    assert texts(screens(define_window(0) + bytes((DLY, 99)) + b"b", bytes((DLC,)) + b"c")) == [["bc"]]
    assert texts(screens(define_window(0) + b"a" + bytes((DLY, 99)), bytes((RST,)))) == [["a"], []]


def test_services_do_not_hear_each_other() -> None:
    blocks = [service_block(1, define_window(0) + b"one"), service_block(2, define_window(0) + b"two")]
    decoder = CaptionDecoder("SERVICE2")

    screen = decoder.feed(0, dtvcc_packet(blocks))

    assert screen is not None
    assert [cue.text for cue in screen.cues] == ["two"]


def test_packet_may_span_pictures_and_a_lost_end_spoils_only_itself() -> None:
    whole = dtvcc_packet([service_block(1, define_window(0) + b"good")])
    lost = dtvcc_packet([service_block(1, b"never seen")])[:3]
    decoder = CaptionDecoder("SERVICE1")

    assert decoder.feed(0, lost) is None
    assert decoder.feed(1, whole[:4]) is None
    screen = decoder.feed(2, [*whole[4:], CcTriple(2, 0, 0, is_valid=False)])

    assert screen is not None
    assert screen.cues[0].text == "good"
