"""The fakes keep the promises of the real thing."""

from __future__ import annotations

import asyncio

import pytest

from cushion_player.model import Container
from cushion_player.outputs import AudioOutput, DecodeFault, MediaFormat, MediaOutput, MediaSegment, VideoRenderer
from cushion_player.testing.outputs import (
    FakeAudioOutput,
    FakeFrameSource,
    FakeMediaOutput,
    FakeRenderer,
    FedSegment,
    RecordingListener,
    make_frame,
)
from cushion_player.timeline import TrackKind
from tests.contracts.audio_output_suite import AudioOutputSuite
from tests.contracts.media_output_suite import MediaOutputSuite
from tests.contracts.video_renderer_suite import VideoRendererSuite
from tests.player.media.film_ladder import SHORT_FILM, FilmLadder, make_ladder


@pytest.fixture
def ladder() -> FilmLadder:
    return make_ladder(SHORT_FILM)


class TestFakeMediaOutput(MediaOutputSuite):
    def make(self) -> MediaOutput:
        return FakeMediaOutput()

    async def settle(self, output: MediaOutput) -> None:
        await asyncio.sleep(0)


class TestFakeRenderer(VideoRendererSuite):
    def make(self) -> VideoRenderer:
        return FakeRenderer()

    async def settle(self, renderer: VideoRenderer) -> None:
        assert isinstance(renderer, FakeRenderer)
        renderer.paint()

    def shown_us(self, renderer: VideoRenderer) -> list[int]:
        assert isinstance(renderer, FakeRenderer)
        return [frame.time_us for frame in renderer.shown]


class TestFakeAudioOutput(AudioOutputSuite):
    def make(self) -> AudioOutput:
        return FakeAudioOutput()

    def elapse(self, output: AudioOutput, seconds: float) -> None:
        assert isinstance(output, FakeAudioOutput)
        output.play(round(seconds * output.sample_rate_hz))


def test_a_fake_output_is_ready_only_when_told_unless_automatic() -> None:
    output, listener = FakeMediaOutput(is_automatic=False), RecordingListener()
    output.attach(listener)
    output.prepare(0, frozenset({TrackKind.VIDEO}))
    output.switch_format(TrackKind.VIDEO, MediaFormat(2, Container.MP4, b""))
    output.feed(TrackKind.VIDEO, MediaSegment(0, 9, None, b"abc"))
    assert listener.told == []

    output.become_ready()
    output.starve()
    output.report_position(4)
    output.drop(3)
    output.fail(TrackKind.VIDEO, "broken", fatal=True)

    assert output.fed == [FedSegment(TrackKind.VIDEO, 2, 0, 9, None, 3)]
    assert listener.told == [
        ("ready",), ("starved",), ("position", 4), ("dropped", 3),
        ("failed", TrackKind.VIDEO, "broken", True, DecodeFault.DECODE),
    ]  # fmt: skip
    assert (output.stats().position_us, output.stats().frames_dropped) == (4, 3)


def test_a_fake_source_gives_the_newest_due_frame() -> None:
    source = FakeFrameSource([make_frame(0), make_frame(10), make_frame(20)])
    source.position_us = 15

    frame = source.take_due()

    assert frame is not None
    assert frame.time_us == 10
    assert source.next_due_in_us() == 5


def test_a_fake_output_forgets_what_is_cut() -> None:
    output = FakeMediaOutput()
    output.attach(RecordingListener())
    output.prepare(0, frozenset({TrackKind.VIDEO, TrackKind.AUDIO}))
    for track in (TrackKind.VIDEO, TrackKind.AUDIO):
        for start_us in (0, 5, 10):
            output.feed(track, MediaSegment(start_us, start_us + 5, 0, b""))
        output.end_track(track)

    output.cut(TrackKind.AUDIO, 5)

    assert [entry.start_us for entry in output.fed if entry.track is TrackKind.AUDIO] == [0]
    assert [entry.start_us for entry in output.fed if entry.track is TrackKind.VIDEO] == [0, 5, 10]
    assert output.ended == {TrackKind.VIDEO}
