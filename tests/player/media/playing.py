"""Plays a ladder through a DecodedOutput in virtual time, and writes down what was seen and heard when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cushion_player.media.film import beep_onsets, is_flash, onsets, read_frame_code
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.media.pixels import luma
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat, VideoFrame
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import RecordingListener
from cushion_player.timeline import TrackKind
from tests.contracts.media_output_suite import segment_at
from tests.player.media.film_ladder import FilmLadder

BOTH = frozenset({TrackKind.VIDEO, TrackKind.AUDIO})
STEP_US = 20_000


@dataclass(frozen=True)
class Seen:
    """A frame as it was shown: when by the clock, its timestamp, its film code, whether its flash was lit."""

    clock_us: int
    time_us: int
    code: int | None
    flash: bool
    height_px: int
    rung: int


@dataclass
class Playing:
    ladder: FilmLadder
    clock: FakeClock = field(default_factory=lambda: FakeClock(7_000_000))
    seen: list[Seen] = field(default_factory=list)
    heard: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = RecordingListener()
        self.audio = NullAudioOutput(self.clock, on_play=lambda pcm, start_us: self.heard.append((start_us, pcm)))
        self.output = DecodedOutput(HeadlessRenderer(self.clock, self._on_frame), self.audio, self.clock)
        self.output.attach(self.listener)

    async def __aenter__(self) -> Playing:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.output.close()

    def feed_video(self, indices: range, rungs: tuple[int, ...] = (1,), offset_us: int | None = 0) -> None:
        for index in indices:
            rung = rungs[index % len(rungs)]
            self.switch_video(rung)
            self.output.feed(TrackKind.VIDEO, segment_at(index, self.ladder.segments[rung][index], offset_us))

    def feed_audio(self, indices: range, offset_us: int | None = 0) -> None:
        self.switch_audio()
        for index in indices:
            self.output.feed(TrackKind.AUDIO, segment_at(index, self.ladder.audio_segments[index], offset_us))

    def switch_video(self, rung: int) -> None:
        self.output.switch_format(TrackKind.VIDEO, MediaFormat(rung, Container.MP4, self.ladder.inits[rung]))

    def switch_audio(self) -> None:
        self.output.switch_format(TrackKind.AUDIO, MediaFormat(0, Container.MP4, self.ladder.audio_init))

    def end(self) -> None:
        self.output.end_track(TrackKind.VIDEO)
        self.output.end_track(TrackKind.AUDIO)

    async def settle(self) -> None:
        async with asyncio.timeout(20):
            while not self.output.is_settled():  # noqa: ASYNC110 (threads at work cannot be awaited)
                await asyncio.sleep(0.0005)
        await asyncio.sleep(0)

    async def run(self, duration_us: int) -> None:
        """Let virtual time pass, giving the decoders what real time they need."""
        end_us = self.clock.now_us() + duration_us
        await self.settle()
        while self.clock.now_us() < end_us:
            await self.clock.advance(min(STEP_US, end_us - self.clock.now_us()))
            await self.settle()

    def codes(self) -> list[int | None]:
        return [frame.code for frame in self.seen]

    def flash_times_s(self) -> list[float]:
        return onsets([frame.clock_us / 1e6 for frame in self.seen], [frame.flash for frame in self.seen])

    def beep_times_s(self) -> list[float]:
        """Clock times at which the beeps were heard; sound must have played without a break."""
        pcm = np.concatenate([pcm for _, pcm in self.heard])
        return [self.heard[0][0] / 1e6 + onset for onset in beep_onsets(pcm, self.audio.sample_rate_hz)]

    def _on_frame(self, frame: VideoFrame) -> None:
        picture = luma(frame)
        self.seen.append(
            Seen(
                self.clock.now_us(),
                frame.time_us,
                read_frame_code(picture),
                is_flash(picture),
                frame.height_px,
                frame.rung,
            )
        )
