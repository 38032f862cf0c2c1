"""Loudness levelling: brings programmes to one loudness by a gain that moves too slowly to be heard moving."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from av.filter import Graph

from cushion_player.media.stereo import Pcm

_GAIN_RANGE_DB: Final = (-20.0, 12.0)
_SLEW_DB_PER_S: Final = 1.5
"""A change of scene stays what it is; a quiet film is where it should be after some seconds."""
_SILENCE_LUFS: Final = -60.0
"""Quieter than this says nothing about the programme."""
_CEILING: Final = 0.97


class Leveller:
    """Measures by EBU R 128 (FFmpeg's ebur128, integrated over all that was heard) and turns towards a target."""

    def __init__(self, rate_hz: int, target_lufs: float) -> None:
        self.target_lufs = target_lufs
        self.gain_db = 0.0
        self._rate = rate_hz
        self._graph = _meter(rate_hz)
        self._loudness_lufs: float | None = None

    @property
    def loudness_lufs(self) -> float | None:
        """What was measured so far; None before there was anything to measure."""
        return self._loudness_lufs

    def process(self, pcm: Pcm) -> Pcm:
        """The sound at its new level; never beyond full scale where it was within before."""
        if not len(pcm):
            return pcm
        self._measure(pcm)
        before_db = self.gain_db
        self.gain_db = self._next_gain_db(len(pcm) / self._rate)
        peak = float(np.abs(pcm).max())
        if peak * _linear(self.gain_db) > _CEILING:
            self.gain_db = min(self.gain_db, max(20 * float(np.log10(_CEILING / peak)), _GAIN_RANGE_DB[0]))
        if peak * _linear(before_db) > _CEILING:
            before_db = min(before_db, self.gain_db)
        ramp = np.linspace(_linear(before_db), _linear(self.gain_db), len(pcm), dtype=np.float32)
        levelled: Pcm = pcm * ramp[:, None]
        return levelled

    def _next_gain_db(self, seconds: float) -> float:
        if self._loudness_lufs is None:
            return self.gain_db
        low, high = _GAIN_RANGE_DB
        wanted = min(max(self.target_lufs - self._loudness_lufs, low), high)
        step = _SLEW_DB_PER_S * seconds
        return self.gain_db + min(max(wanted - self.gain_db, -step), step)

    def _measure(self, pcm: Pcm) -> None:
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = self._rate
        self._graph.push(frame)
        while True:
            try:
                measured = self._graph.pull()
            except (BlockingIOError, EOFError, FFmpegError):
                return
            loudness = float(measured.metadata.get("lavfi.r128.I", "nan"))
            if loudness > _SILENCE_LUFS:
                self._loudness_lufs = loudness


def _linear(gain_db: float) -> float:
    return float(10 ** (gain_db / 20))


def _meter(rate_hz: int) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate_hz, layout="stereo", time_base=Fraction(1, rate_hz))
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    return graph
