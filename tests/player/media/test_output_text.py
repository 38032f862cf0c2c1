"""Text through a whole output: beside real pictures, and out of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat, MediaSegment
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import FakeTextRenderer, RecordingListener
from cushion_player.text import read_srt
from cushion_player.timeline import TrackKind
from tests.player.text.caption_encoder import EDM, EOC, PADDING, command, pop_on
from tests.player.text.captioned_media import with_captions

S = 1_000_000
START_S = 10
"""Media time of the first picture."""
SRT = "1\n00:00:00,500 --> 00:00:01,500\nbeside\n"


class Stage:
    def __init__(self) -> None:
        self.clock = FakeClock(3 * S)
        self.text, self.listener = FakeTextRenderer(), RecordingListener()
        renderer = HeadlessRenderer(self.clock, lambda frame: None)
        self.output = DecodedOutput(renderer, NullAudioOutput(self.clock), self.clock, text_renderer=self.text)
        self.output.attach(self.listener)

    async def settle(self) -> None:
        async with asyncio.timeout(20):
            while not self.output.is_settled():  # noqa: ASYNC110 (threads at work cannot be awaited)
                await asyncio.sleep(0.0005)
        await asyncio.sleep(0)

    async def run(self, seconds: float) -> list[tuple[float, list[str]]]:
        """Play; returns when by the media clock what was newly shown."""
        seen: list[tuple[float, list[str]]] = []
        for _ in range(round(seconds * 50)):
            before = len(self.text.shown)
            await self.clock.advance(S // 50)
            await self.settle()
            seen += [(self.output.stats().position_us / S, texts) for texts in self.text.texts[before:]]
        return seen


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    await made.output.close()


async def test_captions_in_a_transport_stream_are_shown_with_their_pictures(stage: Stage) -> None:
    pairs = [*[PADDING] * 8, *pop_on(15, "Out of the picture"), *command(EOC), *[PADDING] * 20, *command(EDM)]
    pairs += [PADDING] * 10
    shown_at_s, gone_at_s = (pairs.index(command(EOC)[0])) / 30, pairs.index(command(EDM)[0]) / 30
    stream, _ = with_captions(pairs, START_S)
    stage.output.select_captions("CC1")
    stage.output.prepare(0, frozenset({TrackKind.VIDEO}))
    stage.output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MPEG_TS, b""))
    stage.output.feed(TrackKind.VIDEO, MediaSegment(0, len(pairs) * S // 30, None, stream))
    stage.output.end_track(TrackKind.VIDEO)
    await stage.settle()

    stage.output.start(0, 1.0)
    seen = await stage.run(len(pairs) / 30)

    assert [texts for _, texts in seen] == [["Out of the picture"], []]
    assert [at for at, _ in seen] == pytest.approx([shown_at_s, gone_at_s], abs=0.06)


async def test_pictures_are_not_searched_for_captions_unasked(stage: Stage) -> None:
    stream, _ = with_captions([*pop_on(15, "unasked"), *command(EOC)])
    stage.output.prepare(0, frozenset({TrackKind.VIDEO}))
    stage.output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MPEG_TS, b""))
    stage.output.feed(TrackKind.VIDEO, MediaSegment(0, S, None, stream))
    await stage.settle()

    stage.output.start(0, 1.0)

    assert await stage.run(1) == []


async def test_subtitles_of_a_file_are_shown_beside_what_plays(stage: Stage) -> None:
    stage.output.set_subtitles(read_srt(SRT))
    stage.output.prepare(0, frozenset({TrackKind.VIDEO}))
    stage.output.end_track(TrackKind.VIDEO)
    stage.output.start(0, 1.0)

    seen = await stage.run(2)

    assert [texts for _, texts in seen] == [["beside"], []]
    assert [at for at, _ in seen] == pytest.approx([0.5, 1.5], abs=0.03)


async def test_hls_text_fed_before_its_pictures_is_placed_once_they_come(stage: Stage) -> None:
    stream, _ = with_captions([PADDING] * 30, START_S)
    page = b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n00:00.000 --> 00:00.500\nmapped\n"
    stage.output.prepare(0, frozenset({TrackKind.VIDEO, TrackKind.TEXT}))
    stage.output.switch_format(TrackKind.TEXT, MediaFormat(0, Container.TEXT, b""))
    stage.output.feed(TrackKind.TEXT, MediaSegment(0, S, None, page))
    await stage.settle()
    assert stage.text.texts == []

    stage.output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MPEG_TS, b""))
    stage.output.feed(TrackKind.VIDEO, MediaSegment(0, S, None, stream))
    stage.output.end_track(TrackKind.VIDEO)
    await stage.settle()
    stage.output.start(0, 1.0)
    seen = await stage.run(1)

    assert stage.text.texts == [["mapped"], []]
    assert [at for at, _ in seen][-1] == pytest.approx(0.5, abs=0.06)
