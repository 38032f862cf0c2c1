"""The media clock: where on the timeline we are now.

With an audio track it counts the samples that were heard, smoothed; without one, and once the audio has ended, it runs
with the monotonic clock. Any thread may ask.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from cushion_player.clock import Clock
from cushion_player.media.drift import DriftFilter
from cushion_player.outputs import AudioOutput


@dataclass(frozen=True, slots=True)
class _Mark:
    """From sample `first` on, what is written stands for media from `time_us` on, `speed` µs of it each µs of sound."""

    first: int
    time_us: float
    speed: float


class MediaClock:
    """A clock that is prepared at a position, started, stopped and prepared again."""

    def __init__(self, clock: Clock, audio: AudioOutput) -> None:
        self._clock = clock
        self._audio = audio
        self._lock = threading.Lock()
        self._is_running = False
        self._rate = 1.0
        self._anchor_us = 0.0
        self._anchor_now_us = 0
        self._follows_audio = False
        self._marks: list[_Mark] = []
        self._audio_end: int | None = None
        self._drift = DriftFilter()

    @property
    def is_running(self) -> bool:
        return self._is_running

    @property
    def rate(self) -> float:
        return self._rate

    def prepare(self, position_us: int, has_audio: bool) -> None:
        """Stand still at `position_us`. With audio, sample 0 after the output's flush is the sound of that position."""
        with self._lock:
            self._is_running = False
            self._anchor_us = position_us
            self._follows_audio = has_audio
            self._marks = [_Mark(0, position_us, 1.0)]
            self._audio_end = None
            self._drift.reset()

    def start(self, position_us: int, rate: float) -> None:
        """Run. Where the audio leads, `position_us` is ignored: what is heard is where we are."""
        with self._lock:
            self._anchor_us = self._position() if self._follows_audio or self._is_running else position_us
            self._anchor_now_us = self._clock.now_us()
            self._rate = rate
            self._is_running = True

    def stop(self) -> None:
        with self._lock:
            self._anchor_us = self._position()
            self._is_running = False

    def position_us(self) -> int:
        with self._lock:
            return int(self._position())

    def mark_audio(self, first_sample: int, time_us: float, speed: float) -> None:
        """What is written from `first_sample` on is media from `time_us` on, at `speed`."""
        with self._lock:
            self._marks.append(_Mark(first_sample, time_us, speed))

    def end_audio(self, n_samples: int) -> None:
        """Nothing is written after `n_samples`: when they have been heard, the monotonic clock takes over."""
        with self._lock:
            self._audio_end = n_samples

    def has_heard(self, n_samples: int) -> bool:
        """Whether everything written so far has been played."""
        return self._audio.played_samples() >= n_samples

    def _position(self) -> float:
        now_us = self._clock.now_us()
        if not self._follows_audio:
            return self._anchor_us + (self._rate * (now_us - self._anchor_now_us) if self._is_running else 0.0)
        played = self._audio.played_samples()
        while len(self._marks) > 1 and self._marks[1].first <= played:
            self._marks.pop(0)
        mark = self._marks[0]
        heard_us = mark.time_us + (played - mark.first) * mark.speed * 1_000_000 / self._audio.sample_rate_hz
        if not self._is_running:
            self._drift.reset()
            return heard_us
        position = self._drift.follow(heard_us, now_us, mark.speed)
        if self._audio_end is not None and played >= self._audio_end:
            self._follows_audio = False
            self._anchor_us, self._anchor_now_us = position, now_us
        return position
