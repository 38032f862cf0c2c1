"""WebVTT, SubRip and TTML: golden pages, the rules one by one, and what must be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cushion_player.errors import DecodeError
from cushion_player.text import Align, Colour, TimestampMap, read_srt, read_subtitles, read_ttml, read_vtt
from cushion_player.text.colours import read_colour
from tests.player.text.dumping import dump

GOLDEN = Path(__file__).parents[2] / "golden" / "text"


@pytest.mark.parametrize("name", ["full.vtt", "full.srt", "full.ttml"])
def test_page_reads_as_its_golden_dump(name: str) -> None:
    cues = read_subtitles((GOLDEN / name).read_bytes())

    assert dump(cues) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def with_crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def with_cr_and_mark(text: str) -> bytes:
    return text.replace("\n", "\r").encode("utf-8-sig")


def as_utf_16(text: str) -> bytes:
    return text.replace('encoding="UTF-8"', "").encode("utf-16")


@pytest.mark.parametrize("name", ["full.vtt", "full.srt", "full.ttml"])
@pytest.mark.parametrize("encode", [with_crlf, with_cr_and_mark, as_utf_16])
def test_line_ends_and_encodings_change_nothing(name: str, encode: Callable[[str], bytes]) -> None:
    text = (GOLDEN / name).read_text(encoding="utf-8")

    assert read_subtitles(encode(text)) == read_subtitles(text)


def test_latin_1_and_its_windows_form_are_recognised() -> None:
    line = "1\n00:00:01,000 --> 00:00:02,000\nfiancé “x”\n"

    assert read_subtitles(line.encode("cp1252"))[0].text == "fiancé “x”"
    assert read_subtitles(line.replace("“x”", "x").encode("latin-1"))[0].text == "fiancé x"
    assert read_subtitles(line.encode("utf-16-le"))[0].text == "fiancé “x”"


def test_offset_shifts_everything_times_within_too() -> None:
    page = (GOLDEN / "full.vtt").read_bytes()

    before, after = read_subtitles(page), read_subtitles(page, 2_500_000)

    assert [cue.start_us + 2_500_000 for cue in before] == [cue.start_us for cue in after]
    late = next(cue for cue in after if cue.id == "four")
    assert [span.after_us for span in late.spans][-1] == 9_500_000


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "line 1"),
        (b"\x89PNG\r\n\x1a\n", "line 1"),
        (b"WEBVTTX\n", "line 1"),
        (b"<html><body>404 Not Found</body></html>", "line 1"),
        (b"#EXTM3U\n", "line 1"),
        (b"<tt>\n<body>\n</tt>", "line 3"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE tt [<!ENTITY a 'b'>]>\n<tt/>", "line 2"),
    ],
)
def test_what_is_no_subtitle_file_is_refused_with_its_line(data: bytes, told: str) -> None:
    with pytest.raises(DecodeError, match=told):
        read_subtitles(data)


@pytest.mark.parametrize("read", [read_vtt, read_srt, read_ttml, read_subtitles])
def test_file_beyond_all_measure_is_refused(read: Callable[[bytes], object]) -> None:
    with pytest.raises(DecodeError, match="16 MiB"):
        read(b"WEBVTT\n" + b" " * (16 << 20))


def test_subtitles_from_another_project_are_read(shared_path: Callable[[str], Path]) -> None:
    cues = read_subtitles(shared_path("corpus/media/rx-player/texttracks/subtitle_example.xml").read_bytes())

    assert [(cue.start_us, cue.end_us) for cue in cues] == [
        (760_000, 3_450_000), (5_000_000, 10_000_000), (10_000_000, 16_000_000), (17_200_000, 23_000_000),
        (23_000_000, 27_000_000),
    ]  # fmt: skip
    assert cues[1].text == "that the image formed on\nthe Retina should be inverted?"
    assert cues[2].spans[0].style.colour == Colour(255, 255, 0)
    assert cues[0].window == Colour(0, 0, 0), "a region of unknown size does not black out the picture"


# --------------------------------------------------------------------------- WebVTT


def test_timestamp_map_is_read_and_places_cues() -> None:
    page = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:05.000\n\n00:06.000 --> 00:07.000\nx\n"

    document = read_vtt(page)

    assert document.timestamp_map is not None
    assert document.timestamp_map == TimestampMap(local_us=5_000_000, mpegts=900_000)
    # Media of this discontinuity starts at 8 s, which is 0 on the timeline; the cue says 5 s is 10 s of media.
    assert document.cues[0].start_us + document.timestamp_map.shift_us(8_000_000, 2_000_000) == 3_000_000


@pytest.mark.parametrize("rounds", [0, 1, 2, 5])
def test_timestamp_map_follows_the_rollover_of_its_clock(rounds: int) -> None:
    day_us = (1 << 33) * 1_000_000 // 90_000
    media_us = 1_000_000 + rounds * day_us
    ticks = (media_us * 90_000 // 1_000_000) % (1 << 33)

    shift_us = TimestampMap(0, ticks).shift_us(0, near_us=media_us + 3_000_000)

    assert abs(shift_us - media_us) < 50


def test_timestamp_map_just_before_the_rollover_of_media_just_after() -> None:
    before = TimestampMap(0, (1 << 33) - 90_000)

    assert before.shift_us(offset_us=0, near_us=500_000) == -1_000_000


@pytest.mark.parametrize("header", ["", "X-TIMESTAMP-MAP=LOCAL:00:00,MPEGTS:1", "X-TIMESTAMP-MAP=MPEGTS:1"])
def test_header_without_a_whole_map_has_none(header: str) -> None:
    assert read_vtt(f"WEBVTT\n{header}\n").timestamp_map is None


def test_cue_that_is_placed_by_itself_leaves_its_region() -> None:
    region = "REGION\nid:a\n\n"
    timing = "00:01.000 --> 00:02.000 region:a"
    cues = read_vtt(f"WEBVTT\n\n{region}{timing}\nx\n\n{timing} line:1\ny\n\n{timing} size:50%\nz\n").cues

    assert [cue.region is not None for cue in cues] == [True, False, False]


def test_bytes_that_are_not_utf_8_are_replaced_not_guessed() -> None:
    cue = read_vtt(b"WEBVTT\n\n00:01.000 --> 00:02.000\ncaf\xe9 \xe4\xbd\xa0\n").cues[0]

    assert cue.text == "caf\ufffd 你"


# --------------------------------------------------------------------------- TTML


def ttml(body: str, attributes: str = "") -> str:
    return (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
        f'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" {attributes}>{body}</tt>'
    )


@pytest.mark.parametrize(
    ("attributes", "begin", "start_us"),
    [
        ("", "1.5s", 1_500_000),
        ("", "90m", 5_400_000_000),
        ("", "250ms", 250_000),
        ("", "00:00:01", 1_000_000),
        ("", "100:00:00.001", 360_000_001_000),
        ("", "00:00:01:15", 1_500_000),
        ('ttp:frameRate="25"', "00:00:01:05", 1_200_000),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', "24f", 1_001_000),
        ('ttp:frameRate="25" ttp:subFrameRate="2"', "00:00:00:01.1", 60_000),
        ('ttp:frameRate="25"', "50t", 2_000_000),
        ('ttp:tickRate="90000"', "45000t", 500_000),
        ('ttp:frameRate="0" ttp:tickRate="x" ttp:frameRateMultiplier="0 0"', "30f", 1_000_000),
    ],
)
def test_time_expressions(attributes: str, begin: str, start_us: int) -> None:
    (cue,) = read_ttml(ttml(f'<body><div><p begin="{begin}" dur="1s">x</p></div></body>', attributes))

    assert (cue.start_us, cue.end_us) == (start_us, start_us + 1_000_000)


def test_children_never_outlast_what_they_are_in() -> None:
    body = '<body begin="1s" end="5s"><div begin="1s"><p begin="1s" end="100s">x</p><p begin="9s">y</p></div></body>'

    assert [(cue.start_us, cue.end_us) for cue in read_ttml(ttml(body))] == [(3_000_000, 5_000_000)]


def test_region_styles_hold_where_the_body_says_nothing() -> None:
    head = '<head><layout><region xml:id="r" tts:color="red" tts:textAlign="right"/></layout></head>'
    body = '<body tts:fontStyle="italic"><div><p region="r" end="1s">a<span tts:color="blue">b</span></p></div></body>'

    (cue,) = read_ttml(ttml(head + body))

    assert [(span.style.colour, span.style.italic) for span in cue.spans] == [
        (Colour(255, 0, 0), True),
        (Colour(0, 0, 255), True),
    ]
    assert cue.placement.align is Align.RIGHT


def test_older_namespaces_and_other_prefixes_are_understood() -> None:
    page = """<x:tt xmlns:x="http://www.w3.org/2006/10/ttaf1" xmlns:y="http://www.w3.org/2006/10/ttaf1#style">
        <x:body><x:div><x:p begin="0s" end="1s" y:color="lime">old</x:p></x:div></x:body></x:tt>"""

    (cue,) = read_subtitles(page)

    assert cue.spans[0].style.colour == Colour(0, 255, 0)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("<tt>" * 70, "line 1"),
        ("<tt " + " ".join(f'a{at}="1"' for at in range(100)) + "/>", "line 1"),
        ("<tt><body>" + "<p/>" * 200_001 + "</body></tt>", "200000 elements"),
        ("<smil/>", "<smil>"),
    ],
)
def test_hostile_and_other_xml_is_refused(page: str, told: str) -> None:
    with pytest.raises(DecodeError, match=told):
        read_ttml(page)


def test_paragraph_with_endless_times_is_shown_as_a_whole() -> None:
    spans = "".join(f'<span begin="{at}ms">x</span>' for at in range(500))

    (cue,) = read_ttml(ttml(f'<body><div><p end="1s">{spans}</p></div></body>'))

    assert (cue.text, cue.end_us) == ("x" * 500, 1_000_000)


# --------------------------------------------------------------------------- colours


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("red", Colour(255, 0, 0)),
        (" #0F0 ", Colour(0, 255, 0)),
        ("#0000ff80", Colour(0, 0, 255, 128)),
        ("rgb(1, 2, 3)", Colour(1, 2, 3)),
        ("rgba(255 0 0 / 50%)", Colour(255, 0, 0, 128)),
        ("rgba(10%, 300, -5, 0.5)", Colour(26, 255, 0, 128)),
        ("transparent", Colour(0, 0, 0, 0)),
        ("reddish", None),
        ("#12", None),
        ("rgb(1,2)", None),
        ("rgb(nan,1,x)", None),
    ],
)
def test_colours(text: str, colour: Colour | None) -> None:
    assert read_colour(text) == colour


def test_fourth_number_of_ttml_is_a_byte() -> None:
    assert read_colour("rgba(0,0,0,128)", alpha_is_byte=True) == Colour(0, 0, 0, 128)
