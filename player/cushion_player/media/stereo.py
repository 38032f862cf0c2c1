"""From a decoder's audio frames to what outputs take: float32 stereo at one rate, (n, 2).

More than two channels are folded down by ITU-R BS.775-3, annex 4: centre and surrounds at -3 dB, no low-frequency
effects. The sum is scaled by its coefficients, so that it cannot clip whatever the channels hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.float32]

SILENCE: Final[Pcm] = np.zeros((0, 2), dtype=np.float32)
_HALF_POWER: Final = 1 / sqrt(2)
_SIDES: Final = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_HALF_POWER, _HALF_POWER),
    "LFE": (0.0, 0.0),
    "LFE2": (0.0, 0.0),
    "BL": (_HALF_POWER, 0.0),
    "BR": (0.0, _HALF_POWER),
    "SL": (_HALF_POWER, 0.0),
    "SR": (0.0, _HALF_POWER),
    "BC": (0.5, 0.5),
    "FLC": (1.0, 0.0),
    "FRC": (0.0, 1.0),
    "DL": (1.0, 0.0),
    "DR": (0.0, 1.0),
}
"""How much of a channel goes left and right, by FFmpeg's short names; a channel we do not know goes to both at
half power."""

_MOST_PLANES: Final = 7
"""PyAV miscounts the planes of a frame with eight or more."""


def downmix_matrix(channels: Sequence[str]) -> NDArray[np.float32]:
    """(n_channels, 2) float32, each column summing to at most 1. A single channel goes to both sides as it is."""
    if len(channels) == 1:
        return np.ones((1, 2), dtype=np.float32)
    matrix = np.array([_SIDES.get(name, (_HALF_POWER, _HALF_POWER)) for name in channels], dtype=np.float64)
    loudest = matrix.sum(axis=0).max()
    scaled: NDArray[np.float32] = (matrix / max(loudest, 1.0)).astype(np.float32)
    return scaled


class StereoConverter:
    """Any audio frames to float32 stereo at one rate."""

    def __init__(self, rate_hz: int) -> None:
        self._rate = rate_hz
        self._source: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None
        self._n_packed = 0
        self._matrix: NDArray[np.float32] | None = None

    def convert(self, frames: Sequence[av.AudioFrame]) -> Pcm:
        """The sound of frames of one format, less what a resampler holds back; a new format brings out the old's."""
        if not frames:
            return SILENCE
        first = frames[0]
        source = (first.format.name, first.layout.name, first.sample_rate)
        tail = SILENCE
        if source != self._source:
            tail = self.flush()
            self._open(first)
            self._source = source
        if self._resampler is None:
            return self._to_stereo(frames, tail)
        parts: list[av.AudioFrame] = []
        for frame in frames:
            frame.pts = None
            parts += self._resampler.resample(frame)
        return self._to_stereo(parts, tail)

    def flush(self) -> Pcm:
        """What is still held back; the next frame starts anew."""
        parts = self._resampler.resample(None) if self._resampler is not None else []
        pcm = self._to_stereo(parts, SILENCE)
        self._source = self._resampler = None
        return pcm

    def _open(self, frame: av.AudioFrame) -> None:
        layout = frame.layout
        names = [channel.name for channel in layout.channels]
        self._n_packed = len(names) if len(names) > _MOST_PLANES else 0
        wanted = "flt" if self._n_packed else "fltp"
        is_ours = frame.format.name == wanted and frame.sample_rate == self._rate
        self._resampler = None if is_ours else av.AudioResampler(format=wanted, layout=layout, rate=self._rate)
        self._matrix = None if len(names) == 2 else downmix_matrix(names)

    def _to_stereo(self, frames: Sequence[av.AudioFrame], before: Pcm) -> Pcm:
        if not frames:
            return before
        planes: Pcm = np.concatenate([frame.to_ndarray().astype(np.float32, copy=False) for frame in frames], axis=1)
        samples = planes.reshape(-1, self._n_packed) if self._n_packed else planes.T
        pcm: Pcm = np.ascontiguousarray(samples) if self._matrix is None else samples @ self._matrix
        return np.concatenate([before, pcm]) if len(before) else pcm
