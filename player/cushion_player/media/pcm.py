"""Sound on its way to the output: laid end to end on the timeline, resampled, stretched.

Everything here is (n, 2) float32.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from av.filter import Graph
from numpy.typing import NDArray

from cushion_player.errors import DecodeError

Pcm = NDArray[np.float32]

SILENCE: Final[Pcm] = np.zeros((0, 2), dtype=np.float32)
_TOLERANCE_S: Final = 0.004
"""Departures from the timestamps below this are rounding and the resampler's delay, and stay."""
_MAX_GAP_S: Final = 30.0
_TEMPO_RANGE: Final = (0.5, 2.0)
"""What one atempo filter stretches without skipping samples."""


class Aligner:
    """Makes sound contiguous from a position on: trims what is early, fills gaps with silence."""

    def __init__(self, position_us: int, rate_hz: int) -> None:
        self._rate = rate_hz
        self._start = self._next = round(position_us * rate_hz / 1_000_000)

    def align(self, time_us: int, pcm: Pcm) -> Pcm:
        """What to play next of sound that belongs at `time_us`; may be empty.

        Raises DecodeError when it belongs so far ahead that the timestamps must be wrong.
        """
        gap = round(time_us * self._rate / 1_000_000) - self._next
        if self._next != self._start and abs(gap) <= _TOLERANCE_S * self._rate:
            gap = 0
        if gap > _MAX_GAP_S * self._rate:
            raise DecodeError(f"sound for {time_us / 1e6:.3f} s follows that for {self._next / self._rate:.3f} s")
        if gap > 0:
            pcm = np.concatenate([np.zeros((gap, 2), dtype=np.float32), pcm])
        elif gap < 0:
            pcm = pcm[-gap:]
        self._next += len(pcm)
        return pcm


class Resampler:
    """Any audio frame to float32 stereo at one rate."""

    def __init__(self, rate_hz: int) -> None:
        self._rate = rate_hz
        self._resampler: av.AudioResampler | None = None
        self._source: tuple[str, str, int] | None = None

    def convert(self, frame: av.AudioFrame) -> Pcm:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        tail = SILENCE
        if source != self._source or self._resampler is None:
            tail = self.flush()
            self._source = source
            self._resampler = av.AudioResampler(format="flt", layout="stereo", rate=self._rate)
        frame.pts = None
        return np.concatenate([tail, *(_to_pcm(part) for part in self._resampler.resample(frame))])

    def flush(self) -> Pcm:
        """What is still held back; the next frame starts anew."""
        if self._resampler is None:
            return SILENCE
        parts = self._resampler.resample(None)
        self._resampler = None
        return np.concatenate([SILENCE, *(_to_pcm(part) for part in parts)])


class Tempo:
    """Plays sound `speed` times as fast at the same pitch, through FFmpeg's atempo."""

    def __init__(self, speed: float, rate_hz: int) -> None:
        self.speed = speed
        self._rate = rate_hz
        self._graph: Graph | None = None if speed == 1.0 else _tempo_graph(speed, rate_hz)

    def process(self, pcm: Pcm) -> Pcm:
        if self._graph is None or not len(pcm):
            return pcm
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = self._rate
        self._graph.push(frame)
        return self._pull()

    def flush(self) -> Pcm:
        if self._graph is None:
            return SILENCE
        self._graph.push(None)
        tail = self._pull()
        self._graph = None
        return tail

    def _pull(self) -> Pcm:
        assert self._graph is not None
        parts = [SILENCE]
        while True:
            try:
                frame = self._graph.pull()
            except (BlockingIOError, EOFError, FFmpegError):
                return np.concatenate(parts)
            assert isinstance(frame, av.AudioFrame)
            parts.append(_to_pcm(frame))


def _tempo_graph(speed: float, rate_hz: int) -> Graph:
    graph = Graph()
    node = graph.add_abuffer(format="flt", sample_rate=rate_hz, layout="stereo", time_base=Fraction(1, rate_hz))
    low, high = _TEMPO_RANGE
    while speed != 1.0:
        step = min(max(speed, low), high)
        stretch = graph.add("atempo", f"{step:.6f}")
        node.link_to(stretch)
        node = stretch
        speed = 1.0 if step == speed else speed / step
    sink = graph.add("abuffersink")
    node.link_to(sink)
    graph.configure()
    return graph


def _to_pcm(frame: av.AudioFrame) -> Pcm:
    return frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)
