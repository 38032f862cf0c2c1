"""Whatever comes in, readers answer with ordered cues that last, or with an error of ours; in bounded time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.errors import DecodeError, MediaError
from cushion_player.text import Cue, read_srt, read_subtitles, read_text_init, read_text_segment, read_ttml, read_vtt
from tests.player.text.mp4_text import stpp_entry, text_init, text_segment, vttc, wvtt_entry

Reader = Callable[[bytes], tuple[Cue, ...]]
GOLDEN = Path(__file__).parents[2] / "golden" / "text"
PAGES = {name: (GOLDEN / name).read_bytes() for name in ("full.vtt", "full.srt", "full.ttml")}
READERS: dict[str, Reader] = {
    "vtt": lambda data: read_vtt(data).cues,
    "srt": read_srt,
    "ttml": read_ttml,
    "any": read_subtitles,
}
WORDS = st.sampled_from(
    [
        *re.findall(
            r"\S+",
            """WEBVTT STYLE REGION NOTE ::cue(.a){color:red} id:a region:a line:-1 line:50% position:1% 00:01.000 x
            00:02.000 --> <b> <ruby> <rt> </rt> </ruby> <c.a <v > &amp; &#0; 1 2 00:00:01,000 {\\an8} <font color=red>
            <tt> <p> <span> </p> </tt> <body> X-TIMESTAMP-MAP= MPEGTS: LOCAL:""",
        ),
        *(" ", "\n", "\n\n", '<p begin="1s" end="2s">', '<span dur="1s">'),
    ]
)


def check(read: Reader, data: bytes) -> None:
    try:
        cues = read(data)
    except DecodeError:
        return
    starts = [cue.start_us for cue in cues]
    assert starts == sorted(starts)
    assert all(cue.start_us < cue.end_us and cue.spans for cue in cues)


@pytest.mark.parametrize("name", READERS)
@given(data=st.binary(max_size=400))
def test_any_bytes(name: str, data: bytes) -> None:
    check(READERS[name], data)


@pytest.mark.parametrize("name", READERS)
@given(words=st.lists(WORDS, max_size=60), start=st.sampled_from(["", "WEBVTT\n\n", "1\n00:00:01,0 --> 00:00:02,0\n"]))
def test_anything_made_of_their_words(name: str, words: list[str], start: str) -> None:
    check(READERS[name], (start + "".join(words)).encode())


@pytest.mark.parametrize("page", PAGES)
@given(at=st.integers(0, 3000), length=st.integers(0, 40), put=st.binary(max_size=8))
def test_damaged_pages(page: str, at: int, length: int, put: bytes) -> None:
    data = PAGES[page]

    check(read_subtitles, data[:at] + put + data[at + length :])


@given(at=st.integers(0, 500), put=st.binary(max_size=8), wvtt=st.booleans())
def test_damaged_boxes(at: int, put: bytes, wvtt: bool) -> None:
    init = text_init(wvtt_entry() if wvtt else stpp_entry())
    segment = text_segment(0, [(1000, vttc("a<b>b", settings="line:1") if wvtt else PAGES["full.ttml"])])

    try:
        known = read_text_init(init[:at] + put + init[at + len(put) :])
    except MediaError:
        known = read_text_init(init)
    try:
        cues = read_text_segment(segment[:at] + put + segment[at + len(put) :], known, 0)
    except MediaError:
        return
    assert all(cue.start_us < cue.end_us for cue in cues)


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT\n\n" + "00:01.000 --> 00:02.000\n" * 10_000,
        "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<b>" * 60_000,
        "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<" * 200_000,
        "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "&" * 200_000,
        "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<ruby>a<rt>b" * 15_000,
        "WEBVTT\n\nSTYLE\n" + "/*" * 90_000,
        "WEBVTT\n\nSTYLE\n" + "::cue(.a){color:red}" * 9_000 + "\n\n00:01.000 --> 00:02.000\n" + "<c.a>x</c>" * 1_000,
        "WEBVTT\n" + " " * 200_000 + "-->",
        "WEBVTT\n\n" + "1" * 190_000 + " --> x",
        "1\n00:00:01,000 --> 00:00:02,000\n" + "<i" * 90_000,
        "1\n00:00:01,000 --> 00:00:02,000\n" + "{\\" * 90_000,
        "\n" * 100_000 + " " * 100_000 + "-->",
        "00:00:01,000 --> 00:00:02,000\n" * 7_000,
        "<tt>" + "<p>" * 60,
        "<tt><head><styling>"
        + "".join(f'<style xml:id="s{at}" style="s{at + 1} s{at + 1} s{at + 2}"/>' for at in range(1_500))
        + "</styling></head><body/></tt>",
        "<tt><body><div>" + '<p begin="0s" end="1s"/>' * 8_000 + "</div></body></tt>",
        "<tt><body><div>" + '<p>x<span begin="1s" end="2s">y</span></p>' * 3_000 + "</div></body></tt>",
        "<tt>" + " " * 200_000 + "<",
    ],
    ids=lambda text: text[:40].replace("\n", " "),
)
def test_two_hundred_kilobytes_of_the_worst_take_under_two_seconds(text: str) -> None:
    started_s = time.process_time()

    check(read_subtitles, text.encode())

    assert time.process_time() - started_s < 2.0
