"""Sound on its way to the output: laid end to end on the timeline, stretched.

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
from cushion_player.media.stereo import SILENCE, Pcm

TOLERANCE_S: Final = 0.004
"""Departures from the timestamps below this are rounding and the resampler's delay, and stay."""
_MAX_GAP_S: Final = 30.0
_FADE_S: Final = 0.004
"""How long a step at a join takes to die away: 4 ms leave nothing that is heard as a click."""
_TEMPO_RANGE: Final = (0.5, 2.0)
"""What one atempo filter stretches without skipping samples."""


class Aligner:
    """Makes sound contiguous from a position on: trims what is early, fills gaps with silence.

    Where sound does not continue what went before, the step between the two is let die away over a few
    milliseconds, so that a join makes no click.
    """

    def __init__(self, position_us: int, rate_hz: int) -> None:
        self._rate = rate_hz
        self._start = self._next = round(position_us * rate_hz / 1_000_000)
        self._edge = np.zeros((2, 2), dtype=np.float32)
        self._fade = _fade(rate_hz)
        self._is_apart = False

    def part(self) -> None:
        """What comes next is from elsewhere: it joins softly even where the timestamps go on."""
        self._is_apart = True

    def align(self, time_us: int, pcm: Pcm, *, is_exact: bool = False) -> Pcm:
        """What to play next of sound that belongs at `time_us`; may be empty.

        is_exact: small departures count too. Raises DecodeError when it belongs so far ahead that the timestamps
        must be wrong.
        """
        has_begun = self._next != self._start
        gap = round(time_us * self._rate / 1_000_000) - self._next
        if has_begun and not is_exact and abs(gap) <= TOLERANCE_S * self._rate:
            gap = 0
        if gap > _MAX_GAP_S * self._rate:
            raise DecodeError(f"sound for {time_us / 1e6:.3f} s follows that for {self._next / self._rate:.3f} s")
        if gap < 0:
            pcm = pcm[-gap:]
        if (gap or self._is_apart) and has_begun and len(pcm):
            pcm = self._soften(pcm, np.zeros(2, dtype=np.float32) if gap > 0 else self._continuation())
        if gap > 0:
            silence = np.zeros((gap, 2), dtype=np.float32)
            pcm = np.concatenate([self._soften(silence, self._continuation()), pcm])
        self._next += len(pcm)
        if len(pcm):
            self._is_apart = False
            self._edge = pcm[-2:] if len(pcm) > 1 else np.concatenate([self._edge[1:], pcm])
        return pcm

    def silence(self, end_us: int, most_s: float) -> Pcm:
        """What to play next where there is no sound up to `end_us`, `most_s` of it at most; empty at the end."""
        missing = round(end_us * self._rate / 1_000_000) - self._next
        count = max(0, min(missing, round(most_s * self._rate)))
        return self.align(round((self._next + count) * 1_000_000 / self._rate), SILENCE, is_exact=True)

    def _continuation(self) -> NDArray[np.float32]:
        """(2,): where the sound was heading, had it gone on."""
        following: NDArray[np.float32] = 2 * self._edge[1] - self._edge[0]
        return following

    def _soften(self, pcm: Pcm, begin: NDArray[np.float32]) -> Pcm:
        """The sound, beginning at the values `begin` and soon what it was."""
        softened = pcm.copy()
        length = min(len(pcm), len(self._fade))
        softened[:length] += (begin - pcm[0]) * self._fade[:length, None]
        return softened


def _fade(rate_hz: int) -> NDArray[np.float32]:
    """(n,) float32 from 1 to 0, without a corner at either end."""
    return (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, round(_FADE_S * rate_hz)))).astype(np.float32)


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
