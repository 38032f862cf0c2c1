"""An audio output without a device: it consumes samples at the pace of a clock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cushion_player.clock import Clock

_CAPACITY_S: Final = 0.4
"""More is woken for less often, but a change of the rate is heard once all of it has been played."""


class NullAudioOutput:
    """An AudioOutput that plays into nothing, sample-exactly by the clock it is given.

    on_play: called with (pcm, start_clock_us) for samples as they are "heard", and when their first one was. It runs on
    whichever thread looked at the output, with its lock held: be quick, and do not call back.
    """

    def __init__(
        self,
        clock: Clock,
        sample_rate_hz: int = 48_000,
        on_play: Callable[[NDArray[np.float32], int], None] | None = None,
    ) -> None:
        self._clock = clock
        self._rate = sample_rate_hz
        self._on_play = on_play
        self._capacity = round(sample_rate_hz * _CAPACITY_S)
        self._lock = threading.Lock()
        self._queue: deque[NDArray[np.float32]] = deque()
        self._queued = 0
        self._played = 0
        self._is_running = False
        self._is_closed = False
        self._since_us = 0
        self._since_played = 0
        """Playing without a break since `_since_us`, when `_since_played` samples had been heard."""

    @property
    def sample_rate_hz(self) -> int:
        return self._rate

    def writable(self) -> int:
        with self._lock:
            self._advance()
            return self._capacity - self._queued

    def write(self, pcm: NDArray[np.float32]) -> int:
        with self._lock:
            self._advance()
            taken = 0 if self._is_closed else min(len(pcm), self._capacity - self._queued)
            if taken:
                if not self._queued:
                    self._begin()
                self._queue.append(pcm[:taken].copy())
                self._queued += taken
            return taken

    def start(self) -> None:
        with self._lock:
            if not self._is_running and not self._is_closed:
                self._is_running = True
                self._begin()

    def stop(self) -> None:
        with self._lock:
            self._advance()
            self._is_running = False

    def flush(self) -> None:
        with self._lock:
            self._advance()
            self._queue.clear()
            self._queued = self._played = 0
            self._begin()

    def played_samples(self) -> int:
        with self._lock:
            self._advance()
            return self._played

    def set_volume(self, volume: float) -> None:
        """Nothing is heard at any volume; `on_play` gets the samples as written."""

    def close(self) -> None:
        with self._lock:
            self._advance()
            self._is_running, self._is_closed = False, True
            self._queue.clear()
            self._queued = 0

    def _begin(self) -> None:
        self._since_us, self._since_played = self._clock.now_us(), self._played

    def _advance(self) -> None:
        """Play what the clock says has been played by now."""
        if not self._is_running or not self._queued:
            return
        due = self._since_played + (self._clock.now_us() - self._since_us) * self._rate // 1_000_000 - self._played
        due = min(due, self._queued)
        while due > 0:
            pcm = self._queue.popleft()
            part, rest = pcm[:due], pcm[due:]
            if len(rest):
                self._queue.appendleft(rest)
            if self._on_play is not None:
                ago = (self._played - self._since_played) * 1_000_000 // self._rate
                self._on_play(part, self._since_us + ago)
            self._played += len(part)
            self._queued -= len(part)
            due -= len(part)
