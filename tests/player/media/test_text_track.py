"""Text appears and goes on the media clock, whatever it came in, and holds nothing else up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cushion_player.media.caption_tap import CaptionTap
from cushion_player.media.demux import CodecConfig, CodedFrame, Stretch
from cushion_player.media.media_clock import MediaClock
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.text_track import TextTrack
from cushion_player.model import Container
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import FakeTextRenderer
from cushion_player.text import Screen, read_vtt
from tests.player.text.caption_encoder import EDM, EOC, command, length_prefixed, on_field, pop_on, sei_unit
from tests.player.text.mp4_text import stpp_entry, text_init, text_segment, vttc, wvtt_entry

S = 1_000_000
RAW = MediaFormat(0, Container.TEXT, b"")


def vtt(*cues: tuple[float, float, str], header: str = "") -> bytes:
    lines = [f"{_time(start)} --> {_time(end)}\n{words}\n" for start, end, words in cues]
    return ("WEBVTT\n" + header + "\n\n" + "\n".join(lines)).encode()


def _time(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{seconds % 60:06.3f}"


def segment(data: bytes, start_s: float = 0, end_s: float = 10, offset_us: int | None = 0) -> MediaSegment:
    return MediaSegment(round(start_s * S), round(end_s * S), offset_us, data)


class Stage:
    """A text track with a clock that the test moves and a renderer that remembers."""

    def __init__(self) -> None:
        self.clock = FakeClock(5 * S)
        self.media_clock = MediaClock(self.clock, NullAudioOutput(self.clock))
        self.renderer = FakeTextRenderer()
        self.offsets: dict[int, int] = {}
        self.failures: list[DecodeFailure] = []
        self.track = TextTrack(self.renderer, self.clock, self.media_clock, self.offsets.get, self.failures.append)

    def prepare(self, position_s: float = 0) -> None:
        self.track.stop()
        self.track.prepare()
        self.media_clock.prepare(round(position_s * S), has_audio=False)
        self.track.refresh()

    def start(self, position_s: float = 0, rate: float = 1.0) -> None:
        self.media_clock.start(round(position_s * S), rate)
        self.track.start()

    async def feed(self, *segments: MediaSegment, media_format: MediaFormat = RAW) -> None:
        self.track.switch_format(media_format)
        for each in segments:
            self.track.feed(each)
        reader = self.track._reader
        if reader is not None:
            await reader

    async def run(self, seconds: float) -> list[tuple[float, list[str]]]:
        """Let time pass in small steps; returns when by the media clock what was newly shown."""
        seen: list[tuple[float, list[str]]] = []
        for _ in range(round(seconds * 100)):
            before = len(self.renderer.shown)
            await self.clock.advance(S // 100)
            seen += [(self.media_clock.position_us() / S, texts) for texts in self.renderer.texts[before:]]
        return seen


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    await made.track.close()


async def test_cues_come_and_go_on_the_media_clock(stage: Stage) -> None:
    stage.prepare()
    await stage.feed(segment(vtt((1, 2, "one"), (1.5, 3, "two"))))
    stage.start()

    seen = await stage.run(4)

    assert [texts for _, texts in seen] == [["one"], ["one", "two"], ["two"], []]
    assert [at for at, _ in seen] == pytest.approx([1, 1.5, 2, 3], abs=0.015)


async def test_cues_follow_the_rate(stage: Stage) -> None:
    stage.prepare()
    await stage.feed(segment(vtt((2, 4, "fast"))))
    stage.start(rate=2.0)

    seen = await stage.run(3)

    assert [at for at, _ in seen] == pytest.approx([2, 4], abs=0.03)


async def test_paused_text_stays_and_a_jump_replaces_it(stage: Stage) -> None:
    stage.prepare(1)
    await stage.feed(segment(vtt((0, 9, "here"))))
    assert stage.renderer.texts == [["here"]]

    stage.prepare(20)
    await stage.feed(segment(vtt((20, 29, "there")), 20, 30))

    assert stage.renderer.texts == [["here"], [], ["there"]]


async def test_segments_that_repeat_a_cue_show_it_once(stage: Stage) -> None:
    stage.prepare(4)

    await stage.feed(segment(vtt((2, 8, "border")), 0, 5), segment(vtt((2, 8, "border")), 5, 10))

    assert stage.renderer.texts == [["border"]]


async def test_text_that_is_still_being_read_at_a_cut_obeys_it(stage: Stage) -> None:
    stage.prepare(1)
    stage.track.switch_format(RAW)
    stage.track.feed(segment(vtt((0, 9, "old"))))
    reader = stage.track._reader
    assert reader is not None
    await asyncio.sleep(0)
    assert not stage.track._queue, "it is on its way"

    stage.track.cut(3 * S)
    await reader
    stage.start(1)

    assert stage.renderer.texts == [["old"]]
    assert [texts for _, texts in await stage.run(3)] == [[]]


async def test_without_a_renderer_nothing_is_read(stage: Stage) -> None:
    track = TextTrack(None, stage.clock, stage.media_clock, stage.offsets.get, stage.failures.append)
    track.prepare()

    track.switch_format(RAW)
    track.feed(segment(b"nonsense"))

    assert track.is_settled()
    assert track.tap("CC1", direct) is None
    await track.close()


@pytest.mark.parametrize("codec", ["wvtt", "stpp"])
async def test_text_in_mp4_is_placed_by_the_offset_of_its_media(stage: Stage, codec: str) -> None:
    ttml = b'<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="101s" end="103s">in mp4</p></div></body></tt>'
    entry, samples = (
        (wvtt_entry(), [(1000, b""), (2000, vttc("in mp4"))]) if codec == "wvtt" else (stpp_entry(), [(4000, ttml)])
    )
    stage.prepare(1)

    await stage.feed(
        segment(text_segment(100_000, samples), offset_us=100 * S),
        media_format=MediaFormat(0, Container.MP4, text_init(entry), codec),
    )

    assert stage.renderer.texts == [["in mp4"]]
    stage.prepare(3.5)
    assert stage.renderer.texts[-1] == []


async def test_timestamp_map_waits_for_the_time_of_its_discontinuity(stage: Stage) -> None:
    stage.prepare(2)
    page = vtt((0, 5, "mapped"), header="X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000")

    await stage.feed(segment(page, offset_us=None), media_format=MediaFormat(0, Container.TEXT, b"", discontinuity=3))
    assert stage.renderer.texts == []
    stage.offsets[3] = 9 * S  # media time 10 s is 1 s on the timeline
    stage.track.place()

    assert stage.renderer.texts == [["mapped"]]
    stage.prepare(0.5)
    assert stage.renderer.texts[-1] == []


@pytest.mark.parametrize(("words_at_s", "why"), [(21, "timeline"), (121, "media time")])
async def test_hls_text_without_a_map_is_where_its_segment_is(stage: Stage, words_at_s: int, why: str) -> None:
    stage.offsets[0] = 100 * S
    stage.prepare(22)

    await stage.feed(segment(vtt((words_at_s, words_at_s + 2, why)), 20, 30, offset_us=None))

    assert stage.renderer.texts == [[why]]


async def test_cut_ends_what_is_shown_and_forgets_what_follows(stage: Stage) -> None:
    stage.prepare()
    await stage.feed(segment(vtt((1, 9, "old"), (6, 8, "later"))))
    stage.track.cut(4 * S)
    await stage.feed(segment(vtt((5, 6, "new")), 4, 10), media_format=MediaFormat(1, Container.TEXT, b""))
    stage.start()

    assert [texts for _, texts in await stage.run(7)] == [["old"], [], ["new"], []]


async def test_forced_cues_alone_are_shown_on_request(stage: Stage) -> None:
    forced = (
        b'<tt xmlns="http://www.w3.org/ns/ttml" xmlns:i="http://www.w3.org/ns/ttml/profile/imsc1#styling"><body><div>'
        b'<p end="9s">talk</p><p end="9s" i:forcedDisplay="true">sign</p></div></body></tt>'
    )
    stage.prepare(1)
    stage.track.show_only_forced(True)

    await stage.feed(segment(forced))
    stage.track.show_only_forced(False)

    assert stage.renderer.texts == [["sign"], ["talk", "sign"]]


async def test_file_beside_the_presentation_survives_jumps(stage: Stage) -> None:
    stage.prepare(1)

    stage.track.set_beside(read_vtt(vtt((0, 2, "a"), (50, 60, "b"))).cues)
    stage.prepare(55)
    stage.track.set_beside(())

    assert stage.renderer.texts == [["a"], ["b"], []]


async def test_broken_text_is_told_and_the_next_segment_read(stage: Stage) -> None:
    stage.prepare(6)

    await stage.feed(segment(b"<html>", 0, 5), segment(vtt((5, 9, "good")), 5, 10))

    assert [(failure.code, failure.is_fatal) for failure in stage.failures] == [(DecodeFault.DECODE, False)]
    assert "text segment at 0.000 s" in stage.failures[0].message
    assert stage.renderer.texts == [["good"]]


@pytest.mark.parametrize(
    ("media_format", "code"),
    [
        (MediaFormat(2, Container.MP4, b"\0\0\0\x08free"), DecodeFault.INIT),
        (MediaFormat(2, Container.MP4, text_init(b"\0\0\0\x08tx3g")), DecodeFault.CODEC),
        (MediaFormat(2, Container.MPEG_TS, b""), DecodeFault.CODEC),
    ],
)
async def test_formats_that_cannot_be_read_are_told(stage: Stage, media_format: MediaFormat, code: DecodeFault) -> None:
    stage.prepare()

    await stage.feed(segment(b""), media_format=media_format)

    assert [(failure.code, failure.rung) for failure in stage.failures] == [(code, 2)]


async def test_closing_takes_text_away(stage: Stage) -> None:
    stage.prepare(1)
    await stage.feed(segment(vtt((0, 9, "x"))))

    await stage.track.close()
    stage.track.set_beside(read_vtt(vtt((0, 9, "y"))).cues)

    assert stage.renderer.texts == [["x"], []]


# --------------------------------------------------------------------------- captions in the picture


def stretch(pairs: list[tuple[int, int]], start_us: int, offset_us: int = 0) -> Stretch:
    """Pictures with a pair each, 100 ms apart, in the order in which B-frames are coded."""
    first_us = start_us + offset_us
    units = [length_prefixed([sei_unit(on_field([pair]))]) for pair in pairs]
    frames = [CodedFrame(unit, first_us + at * 100_000, 0, 100_000, False) for at, unit in enumerate(units)]
    for at in range(1, len(frames) - 1, 2):
        frames[at], frames[at + 1] = frames[at + 1], frames[at]
    return Stretch(CodecConfig("h264", "avc1", b"\x01\x64\0\x1f\xff\xe1"), frames)


def direct(callback: object, *arguments: object) -> None:
    assert callable(callback)
    callback(*arguments)


async def test_captions_are_decoded_in_display_order_and_shown_in_time(stage: Stage) -> None:
    stage.prepare()
    tap = stage.track.tap("CC1", direct)
    assert tap is not None
    pairs = [*pop_on(15, "Hello"), *command(EOC), *command(EDM)]
    shown_at_s = (len(pairs) - 4) * 0.1

    tap.take(stretch(pairs, 0, offset_us=50 * S), 50 * S)
    stage.start()
    seen = await stage.run(3)

    assert [texts for _, texts in seen] == [["Hello"], []]
    assert [at for at, _ in seen] == pytest.approx([shown_at_s, shown_at_s + 0.2], abs=0.015)


async def test_captions_of_before_a_jump_are_not_shown_after_it(stage: Stage) -> None:
    stage.prepare()
    tap = stage.track.tap("CC1", direct)
    assert tap is not None
    pairs = [*pop_on(15, "old"), *command(EOC)]

    stage.prepare(0.5)
    tap.take(stretch(pairs, -2 * S), 0)
    assert stage.renderer.texts == []
    tap.reset()
    tap.take(stretch(pairs, -2 * S), 0)

    assert stage.renderer.texts == [["old"]]


async def test_captions_can_be_switched_off_and_to_another_service(stage: Stage) -> None:
    stage.prepare(5)
    tap = stage.track.tap("CC1", direct)
    assert tap is not None
    tap.take(stretch([*pop_on(15, "one"), *command(EOC)], 0), 0)

    assert stage.track.tap(None, direct) is None
    tap.take(stretch([*pop_on(15, "late"), *command(EOC)], 3 * S), 0)

    assert stage.renderer.texts == [["one"], []]


def test_pictures_of_other_codecs_are_left_alone() -> None:
    told: list[list[Screen]] = []
    tap = CaptionTap("CC1", lambda _, screens: told.append(list(screens)), 0)
    of_h264 = stretch([*pop_on(15, "x"), *command(EOC)], 0)

    tap.take(Stretch(CodecConfig("vp9", "vp09"), of_h264.frames), 0)
    assert told == []
    tap.take(of_h264, 0)

    assert [screen.cues[0].text for screen in told[0]] == ["x"]
