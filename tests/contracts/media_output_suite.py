"""What every MediaOutput owes its driver. Inherit it, say how to make one and how to let it work."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod

from cushion_player.model import Container
from cushion_player.outputs import MediaFormat, MediaOutput, MediaSegment
from cushion_player.testing.outputs import RecordingListener
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import SEGMENT_US, FilmLadder

BOTH = frozenset({TrackKind.VIDEO, TrackKind.AUDIO})


def segment_at(index: int, data: bytes, offset_us: int | None = 0) -> MediaSegment:
    return MediaSegment(index * SEGMENT_US, (index + 1) * SEGMENT_US, offset_us, data)


def feed_video(output: MediaOutput, ladder: FilmLadder, index: int, rung: int = 0) -> None:
    output.switch_format(TrackKind.VIDEO, MediaFormat(rung, Container.MP4, ladder.inits[rung]))
    output.feed(TrackKind.VIDEO, segment_at(index, ladder.segments[rung][index]))


def feed_audio(output: MediaOutput, ladder: FilmLadder, index: int) -> None:
    output.switch_format(TrackKind.AUDIO, MediaFormat(0, Container.MP4, ladder.audio_init))
    output.feed(TrackKind.AUDIO, segment_at(index, ladder.audio_segments[index]))


class MediaOutputSuite(ABC):
    @abstractmethod
    def make(self) -> MediaOutput: ...

    @abstractmethod
    async def settle(self, output: MediaOutput) -> None:
        """Wait until the output has done all it can."""

    def prepared(self, position_us: int = 0) -> tuple[MediaOutput, RecordingListener]:
        output, listener = self.make(), RecordingListener()
        output.attach(listener)
        output.prepare(position_us, BOTH)
        return output, listener

    async def test_is_ready_once_every_track_has_its_first_output(self, ladder: FilmLadder) -> None:
        output, listener = self.prepared()
        feed_video(output, ladder, 0)
        await self.settle(output)
        assert listener.told == []

        feed_audio(output, ladder, 0)
        await self.settle(output)

        assert listener.told == [("ready",)]
        await output.close()

    async def test_waits_for_no_text(self, ladder: FilmLadder) -> None:
        output, listener = self.make(), RecordingListener()
        output.attach(listener)
        output.prepare(0, BOTH | {TrackKind.TEXT})
        output.set_subtitles(())
        feed_video(output, ladder, 0)
        feed_audio(output, ladder, 0)
        await self.settle(output)

        assert listener.told == [("ready",)]
        await output.close()

    async def test_tells_ready_once_until_prepared_again(self, ladder: FilmLadder) -> None:
        output, listener = self.prepared()
        for index in range(2):
            feed_video(output, ladder, index)
            feed_audio(output, ladder, index)
        await self.settle(output)
        assert listener.count("ready") == 1

        output.prepare(SEGMENT_US, BOTH)
        feed_video(output, ladder, 1)
        feed_audio(output, ladder, 1)
        await self.settle(output)

        assert listener.count("ready") == 2
        await output.close()

    async def test_a_track_that_ends_without_media_does_not_hold_up(self, ladder: FilmLadder) -> None:
        output, listener = self.prepared()
        feed_video(output, ladder, 0)

        output.end_track(TrackKind.AUDIO)
        await self.settle(output)

        assert listener.told == [("ready",)]
        await output.close()

    async def test_stands_at_the_prepared_position_until_started(self, ladder: FilmLadder) -> None:
        output, _ = self.prepared(1_500_000)
        feed_video(output, ladder, 1)
        feed_audio(output, ladder, 1)
        await self.settle(output)

        assert output.stats().position_us == 1_500_000
        await output.close()

    async def test_close_leaves_no_thread_and_no_task(self, ladder: FilmLadder) -> None:
        threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
        output, _ = self.prepared()
        feed_video(output, ladder, 0)
        feed_audio(output, ladder, 0)
        await self.settle(output)
        output.start(0, 1.0)

        await output.close()

        assert set(threading.enumerate()) == threads
        assert asyncio.all_tasks() == tasks

    async def test_close_in_the_middle_of_decoding_tells_nothing_more(self, ladder: FilmLadder) -> None:
        output, listener = self.prepared()
        for index in range(ladder.n_segments):
            feed_video(output, ladder, index, rung=2)

        await output.close()
        told = len(listener.told)
        await asyncio.sleep(0)

        assert len(listener.told) == told

    async def test_close_may_come_twice_and_before_anything(self) -> None:
        output = self.make()

        await output.close()
        await output.close()
