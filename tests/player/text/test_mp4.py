"""Text in fragmented MP4, from boxes that the tests write."""

from __future__ import annotations

import pytest

from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.text import Colour, CueList, read_text_init, read_text_segment
from tests.player.text.mp4_text import VTTE, box, stpp_entry, text_init, text_segment, vttc, wvtt_entry

TTML = (
    '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="10s" end="14s">a</p><p begin="13s" end="20s">b</p>'
    "</div></body></tt>"
)


def test_wvtt_samples_are_cues_over_their_time() -> None:
    init = read_text_init(text_init(wvtt_entry()))
    segment = text_segment(
        2000,
        [(500, VTTE), (1500, vttc("Hello <b>you</b>", settings="line:0", name="7")), (1000, vttc("a") + vttc("b"))],
    )

    cues = read_text_segment(segment, init, offset_us=1_000_000)

    assert init.codec == "wvtt"
    assert [(cue.text, cue.start_us, cue.end_us) for cue in cues] == [
        ("Hello you", 1_500_000, 3_000_000),
        ("a", 3_000_000, 4_000_000),
        ("b", 3_000_000, 4_000_000),
    ]
    assert (cues[0].id, cues[0].placement.line, cues[0].spans[1].style.bold) == ("7", 0.0, True)


def test_wvtt_header_has_styles_and_regions_for_its_cues() -> None:
    header = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:r\nwidth:50%\n"
    init = read_text_init(text_init(wvtt_entry(header)))

    (cue,) = read_text_segment(text_segment(0, [(1000, vttc("x", settings="region:r"))]), init, 0)

    assert cue.spans[0].style.colour == Colour(255, 0, 0)
    assert cue.region is not None
    assert cue.region.width == 50.0


def test_cue_over_a_segment_border_is_one_in_a_list() -> None:
    init = read_text_init(text_init(wvtt_entry()))
    cues = CueList()

    for start in (0, 2000, 4000):
        cues.add(read_text_segment(text_segment(start, [(2000, vttc("long"))]), init, 0))

    assert [(cue.start_us, cue.end_us) for cue in cues] == [(0, 6_000_000)]


def test_stpp_document_is_clipped_to_its_sample() -> None:
    init = read_text_init(text_init(stpp_entry(), handler=b"subt"))
    segment = text_segment(12_000, [(6000, TTML.encode())])

    cues = read_text_segment(segment, init, offset_us=10_000_000)

    assert [(cue.text, cue.start_us, cue.end_us) for cue in cues] == [
        ("a", 2_000_000, 4_000_000),
        ("b", 3_000_000, 8_000_000),
    ]


def test_other_sample_entries_and_missing_tracks_are_told() -> None:
    with pytest.raises(UnsupportedCodec, match="tx3g"):
        read_text_init(text_init(box(b"tx3g", bytes(8))))
    with pytest.raises(DecodeError, match="moov"):
        read_text_init(box(b"ftyp", b"iso6"))


@pytest.mark.parametrize("cut", [9, 40, 90, 120])
def test_truncated_segment_is_refused(cut: int) -> None:
    init = read_text_init(text_init(wvtt_entry()))

    with pytest.raises(DecodeError):
        read_text_segment(text_segment(0, [(1000, vttc("x"))])[:cut], init, 0)


def test_broken_box_inside_a_sample_is_refused() -> None:
    init = read_text_init(text_init(wvtt_entry()))

    with pytest.raises(DecodeError):
        read_text_segment(text_segment(0, [(1000, vttc("x")[:-1])]), init, 0)
