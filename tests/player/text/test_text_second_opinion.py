"""What FFmpeg makes of the same subtitles and captions: a judge that shares no code with us."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from cushion_player.text import (
    CaptionDecoder,
    Cue,
    NalCodec,
    cues_of_screens,
    from_packet,
    read_srt,
    read_subtitles,
    read_ttml,
)
from tests.player.text.caption_encoder import (
    CR,
    EDM,
    EOC,
    PADDING,
    RDC,
    RU2,
    command,
    control,
    pac,
    pop_on,
    text,
)
from tests.player.text.captioned_media import with_captions

pytestmark = pytest.mark.engine("ffmpeg")
FRAME_US = 33_334
VTT = """WEBVTT

00:01.000 --> 00:02.500
Hello <b>you</b>, &amp; you

00:04.000 --> 00:06.000 line:0
Two
lines

01:00:00.000 --> 01:00:01.001
<i>An</i> hour later
"""


def converted(folder: Path, name: str, data: bytes, form: str) -> bytes:
    """A subtitle file as FFmpeg writes it in another form."""
    (folder / name).write_bytes(data)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", name, "-f", form, "out"], cwd=folder, check=True, timeout=60
    )  # fmt: skip
    return (folder / "out").read_bytes()


def told(cues: Iterable[Cue]) -> list[tuple[int, int, str]]:
    return [(cue.start_us, cue.end_us, cue.text) for cue in cues]


def test_webvtt_reads_as_what_ffmpeg_makes_of_it(tmp_path: Path) -> None:
    ours = told(read_subtitles(VTT))

    assert len(ours) == 3
    assert told(read_srt(converted(tmp_path, "in.vtt", VTT.encode(), "srt"))) == ours
    assert told(read_ttml(converted(tmp_path, "in.vtt", VTT.encode(), "ttml"))) == ours


def test_subrip_reads_as_what_ffmpeg_makes_of_it(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "golden/text/full.srt").read_bytes()
    page = page.replace(b" 5 < 6", b"").replace(b":08.5\n", b":08.500\n")  # it takes these for a tag, and 5 ms

    theirs = told(read_subtitles(converted(tmp_path, "in.srt", page, "webvtt")))

    assert theirs == told(read_srt(page))


def ours(coded: list[tuple[int, bytes]]) -> list[Cue]:
    decoder = CaptionDecoder("CC1")
    screens = [
        screen
        for time_us, data in sorted(coded)
        if (screen := decoder.feed(time_us, from_packet(data, NalCodec.H264, 0))) is not None
    ]
    return cues_of_screens(screens, max(time_us for time_us, _ in coded))


def theirs(folder: Path, stream: bytes) -> list[Cue]:
    (folder / "in.ts").write_bytes(stream)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "movie=in.ts[out0+subcc]", "-map", "s", "-f", "srt", "out.srt"],
        cwd=folder, check=True, timeout=60,
    )  # fmt: skip
    return list(read_srt((folder / "out.srt").read_bytes()))


def test_pop_on_captions_are_what_ffmpeg_decodes(tmp_path: Path) -> None:
    pairs = [PADDING] * 10
    for words, row in (("Hello there", 15), ("Second caption", 2)):
        pairs += [*pop_on(row, words), *command(EOC), *[PADDING] * 20]
    pairs += [*pop_on(14, "ends so"), *control(0x13, 0x34), *pac(15), *text("and below"), *command(EOC)]
    pairs += [*[PADDING] * 20, *command(EDM), *[PADDING] * 20]
    stream, coded = with_captions(pairs)

    judged, found = theirs(tmp_path, stream), ours(coded)

    assert [cue.text for cue in found] == ["Hello there", "Second caption", "ends sß\nand below"]
    assert [cue.text.split("\n") for cue in judged] == [cue.text.split("\n") for cue in found]
    first_us = judged[0].start_us - found[0].start_us
    for judge, cue in zip(judged, found, strict=True):
        assert abs(judge.start_us - cue.start_us - first_us) <= FRAME_US
        assert abs(judge.end_us - cue.end_us - first_us) <= 2 * FRAME_US


@pytest.mark.parametrize("mode", [RU2, RDC])
def test_live_captions_hold_the_lines_that_ffmpeg_decodes(tmp_path: Path, mode: int) -> None:
    pairs = [PADDING] * 10
    for words in ("first line", "second line", "third line"):
        pairs += [*command(mode), *(command(CR) if mode == RU2 else command(EDM)), *pac(15), *text(words)]
        pairs += [PADDING] * 15
    pairs += [*command(EDM), *[PADDING] * 15]
    stream, coded = with_captions(pairs)

    lines = {line.strip() for cue in theirs(tmp_path, stream) for line in cue.text.split("\n")}

    found = {line for cue in ours(coded) for line in cue.text.split("\n")}
    assert {"first line", "second line", "third line"} <= found
    assert {line for line in lines if line} <= found
