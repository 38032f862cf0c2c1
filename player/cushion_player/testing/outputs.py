"""Outputs that only write down what happened, and move when a test says so. Nothing here decodes, sleeps or threads.

FakeMediaOutput   what a driver talks to
FakeTextRenderer  keeps what it is to show
FakeRenderer      pulls from a FrameSource when told to
FakeFrameSource   feeds a renderer frames that a test makes due
FakeAudioOutput   plays when told to
RecordingListener an OutputListener that remembers
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cushion_player.outputs import (
    DecodeFailure,
    DecodeFault,
    FrameSource,
    MediaFormat,
    MediaSegment,
    OutputListener,
    OutputStats,
    SoundSettings,
    VideoFrame,
)
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.text.cue import Cue


def make_frame(time_us: int, *, duration_us: int = 33_333, height_px: int = 720, rung: int = 0) -> VideoFrame:
    """A frame without a picture."""
    return VideoFrame(time_us, duration_us, height_px * 16 // 9, height_px, rung, None)


@dataclass(frozen=True, slots=True)
class FedSegment:
    """What `feed` was given, without the bytes. `rung` is that of the format last switched to, -1 before the first."""

    track: TrackKind
    rung: int
    start_us: int
    end_us: int
    offset_us: int | None
    size_bytes: int


@dataclass
class RecordingListener:
    """Remembers what an output told, in order.

    Entries are ("ready",), ("starved",), ("position", µs), ("dropped", n) and
    ("failed", track, message, is_fatal, code).
    """

    told: list[tuple[object, ...]] = field(default_factory=list)

    def on_output_ready(self) -> None:
        self.told.append(("ready",))

    def on_output_starved(self) -> None:
        self.told.append(("starved",))

    def on_position(self, position_us: int) -> None:
        self.told.append(("position", position_us))

    def on_frames_dropped(self, count: int) -> None:
        self.told.append(("dropped", count))

    def on_decode_failed(self, failure: DecodeFailure) -> None:
        self.told.append(("failed", failure.track, failure.message, failure.is_fatal, failure.code))

    def on_metadata(self, time_us: int, data: bytes) -> None:
        self.told.append(("metadata", time_us, data))

    def count(self, what: str) -> int:
        return sum(1 for entry in self.told if entry[0] == what)


class FakeMediaOutput:
    """A MediaOutput that records its calls.

    is_automatic: it becomes ready by itself once every prepared track was fed or ended; otherwise call
    `become_ready`. The other things an output can tell are `starve`, `report_position`, `drop` and `fail`.
    """

    def __init__(self, *, is_automatic: bool = True) -> None:
        self.is_automatic = is_automatic
        self.calls: list[str] = []
        """Names of the methods called, in order."""
        self.fed: list[FedSegment] = []
        """Since the last `prepare`, less what was cut."""
        self.formats: list[tuple[TrackKind, MediaFormat]] = []
        """Every format switched to, in order."""
        self.ended: set[TrackKind] = set()
        self.prepared_us = -1
        self.tracks: frozenset[TrackKind] = frozenset()
        self.is_running = False
        self.is_closed = False
        self.rate = 1.0
        self.volume = 1.0
        self.sound = SoundSettings()
        self.subtitles: tuple[Cue, ...] = ()
        self.captions: str | None = None
        self.statistics = OutputStats()
        self._listener: OutputListener | None = None
        self._awaits_ready = False

    def attach(self, listener: OutputListener) -> None:
        self.calls.append("attach")
        self._listener = listener

    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        self.calls.append("prepare")
        self.prepared_us, self.tracks = position_us, tracks
        self.fed.clear()
        self.ended.clear()
        self.is_running = False
        self._awaits_ready = True
        self.statistics = replace(self.statistics, position_us=position_us)

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        self.calls.append("switch_format")
        self.formats.append((track, media_format))

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        self.calls.append("feed")
        rung = next((entry.rung for kind, entry in reversed(self.formats) if kind is track), -1)
        self.fed.append(FedSegment(track, rung, segment.start_us, segment.end_us, segment.offset_us, len(segment.data)))
        self._look()

    def cut(self, track: TrackKind, from_us: int) -> None:
        self.calls.append("cut")
        self.fed[:] = [entry for entry in self.fed if entry.track is not track or entry.start_us < from_us]
        self.ended.discard(track)

    def end_track(self, track: TrackKind) -> None:
        self.calls.append("end_track")
        self.ended.add(track)
        self._look()

    def start(self, position_us: int, rate: float) -> None:
        self.calls.append("start")
        self.is_running, self.rate = True, rate
        self.statistics = replace(self.statistics, position_us=position_us)

    def stop(self) -> None:
        self.calls.append("stop")
        self.is_running = False

    def set_volume(self, volume: float) -> None:
        self.calls.append("set_volume")
        self.volume = volume

    def set_sound(self, settings: SoundSettings) -> None:
        self.calls.append("set_sound")
        self.sound = settings

    def step(self, frames: int) -> int | None:
        self.calls.append("step")
        return None

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        self.calls.append("set_subtitles")
        self.subtitles = cues

    def select_captions(self, service: str | None) -> None:
        self.calls.append("select_captions")
        self.captions = service

    def stats(self) -> OutputStats:
        return self.statistics

    async def close(self) -> None:
        self.calls.append("close")
        self.is_running, self.is_closed = False, True

    def become_ready(self) -> None:
        self._awaits_ready = False
        self._told.on_output_ready()

    def starve(self) -> None:
        self._told.on_output_starved()

    def report_position(self, position_us: int) -> None:
        self.statistics = replace(self.statistics, position_us=position_us)
        self._told.on_position(position_us)

    def drop(self, count: int) -> None:
        self.statistics = replace(self.statistics, frames_dropped=self.statistics.frames_dropped + count)
        self._told.on_frames_dropped(count)

    def fail(
        self,
        track: TrackKind,
        message: str,
        *,
        fatal: bool = False,
        code: DecodeFault = DecodeFault.DECODE,
        rung: int = 0,
        key: str = "",
        index: int = 0,
    ) -> None:
        self._told.on_decode_failed(DecodeFailure(track, code, message, rung, fatal, key, index))

    @property
    def _told(self) -> OutputListener:
        assert self._listener is not None, "attach comes first"
        return self._listener

    def _look(self) -> None:
        have = {segment.track for segment in self.fed} | self.ended
        if self.is_automatic and self._awaits_ready and not self.is_closed and self.tracks - {TrackKind.TEXT} <= have:
            self.become_ready()


class FakeTextRenderer:
    """A TextRenderer that keeps what it was told to show, the latest last."""

    def __init__(self) -> None:
        self.shown: list[tuple[Cue, ...]] = []

    def show(self, cues: tuple[Cue, ...]) -> None:
        self.shown.append(cues)

    @property
    def texts(self) -> list[list[str]]:
        """The words of each call's cues."""
        return [[cue.text for cue in cues] for cues in self.shown]


class FakeFrameSource:
    """A FrameSource whose frames are due when the test says so."""

    def __init__(self, frames: Iterable[VideoFrame] = ()) -> None:
        self.position_us = -1
        self.is_running = True
        self.asked = 0
        """How often a renderer came for a frame."""
        self._frames = deque(frames)

    def add(self, frame: VideoFrame) -> None:
        self._frames.append(frame)

    def take_due(self) -> VideoFrame | None:
        self.asked += 1
        due: VideoFrame | None = None
        while self._frames and self._frames[0].time_us <= self.position_us:
            due = self._frames.popleft()
        return due

    def next_due_in_us(self) -> int | None:
        if not self.is_running or not self._frames:
            return None
        return max(0, self._frames[0].time_us - self.position_us)


class FakeRenderer:
    """A VideoRenderer that looks for a frame only when `paint` is called."""

    def __init__(self) -> None:
        self.shown: list[VideoFrame] = []
        self._source: FrameSource | None = None

    @property
    def is_attached(self) -> bool:
        return self._source is not None

    def attach(self, source: FrameSource) -> None:
        self._source = source

    def detach(self) -> None:
        self._source = None

    def paint(self) -> VideoFrame | None:
        """Show the frame that is due, if there is one."""
        frame = self._source.take_due() if self._source is not None else None
        if frame is not None:
            self.shown.append(frame)
        return frame


class FakeAudioOutput:
    """An AudioOutput that plays when `play` is called."""

    def __init__(self, sample_rate_hz: int = 48_000, capacity: int = 9_600) -> None:
        self.is_running = False
        self.is_closed = False
        self.volume = 1.0
        self.heard: list[NDArray[np.float32]] = []
        """Everything played since the beginning, in pieces."""
        self._rate = sample_rate_hz
        self._capacity = capacity
        self._queue: NDArray[np.float32] = np.zeros((0, 2), dtype=np.float32)
        self._played = 0

    @property
    def sample_rate_hz(self) -> int:
        return self._rate

    def writable(self) -> int:
        return 0 if self.is_closed else self._capacity - len(self._queue)

    def write(self, pcm: NDArray[np.float32]) -> int:
        taken = min(len(pcm), self.writable())
        self._queue = np.concatenate([self._queue, pcm[:taken]])
        return taken

    def start(self) -> None:
        self.is_running = not self.is_closed

    def stop(self) -> None:
        self.is_running = False

    def flush(self) -> None:
        self._queue = self._queue[:0]
        self._played = 0

    def played_samples(self) -> int:
        return self._played

    def set_volume(self, volume: float) -> None:
        self.volume = volume

    def close(self) -> None:
        self.is_running, self.is_closed = False, True
        self._queue = self._queue[:0]

    def play(self, n_samples: int) -> int:
        """Let the time of `n_samples` pass; returns how many there were to play."""
        if not self.is_running:
            return 0
        part, self._queue = self._queue[:n_samples], self._queue[n_samples:]
        self._played += len(part)
        if len(part):
            self.heard.append(part)
        return len(part)
