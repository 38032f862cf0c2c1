"""HDR light on an SDR screen: a table from PQ or HLG signal in BT.2020 to BT.709 signal, and a filter that looks it up.

Light is brought down by the spline of ITU-R BT.2390-11, 5.4.1, applied to the brightest of the three colours, so that
hues stay; the screen's white is HDR reference white, 203 nits (BT.2408). Colours outside BT.709 are clipped.
"""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from cushion_player.outputs import DynamicRange

Floats = NDArray[np.float64]

WHITE_NITS: Final = 203.0
"""What SDR white is worth (BT.2408)."""
_USUAL_PEAK_NITS: Final = 1_000.0
"""Of content that does not say; and of an HLG display (BT.2100)."""
_BRIGHTEST_NITS: Final = 10_000.0
_POINTS: Final = 33
"""Of the table along each colour, between which the filter interpolates."""
_SCREEN_GAMMA: Final = 2.4
"""BT.1886."""
_HLG_SYSTEM_GAMMA: Final = 1.2
_LUMINANCE_2020: Final = np.array([0.2627, 0.6780, 0.0593])
_TO_BT709: Final = np.array([
    [1.660491, -0.587641, -0.072850],
    [-0.124550, 1.132900, -0.008349],
    [-0.018151, -0.100579, 1.118730],
])  # fmt: skip
"""BT.2407, annex 2: linear BT.2020 to linear BT.709."""
_ANY_TIME: Final = Fraction(1, 1000)
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_to_nits(signal: Floats) -> Floats:
    """SMPTE ST 2084: signal 0..1 to light."""
    power = np.clip(signal, 0, 1) ** (1 / _M2)
    light: Floats = (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1) * _BRIGHTEST_NITS
    return light


def nits_to_pq(nits: Floats) -> Floats:
    """The inverse of `pq_to_nits`."""
    power = (np.clip(nits, 0, _BRIGHTEST_NITS) / _BRIGHTEST_NITS) ** _M1
    signal: Floats = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return signal


def hlg_to_nits(signal: Floats) -> Floats:
    """BT.2100: (n, 3) HLG signal to light on a display of 1,000 nits."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.clip(signal, 0, 1)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ _LUMINANCE_2020
    light: Floats = _USUAL_PEAK_NITS * scene * (luminance ** (_HLG_SYSTEM_GAMMA - 1))[:, None]
    return light


def bring_down(nits: Floats, peak_nits: float) -> Floats:
    """(n, 3) light of content that reaches `peak_nits`, to what a screen with a white of 203 nits can show."""
    peak = float(nits_to_pq(np.array(peak_nits)))
    ceiling = float(nits_to_pq(np.array(WHITE_NITS))) / peak
    if ceiling >= 1:
        return nits
    knee = 1.5 * ceiling - 0.5
    brightest = nits.max(axis=1)
    signal = np.minimum(nits_to_pq(brightest) / peak, 1)
    t = (signal - knee) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * ceiling
    target = pq_to_nits(np.where(signal < knee, signal, spline) * peak)
    scaled: Floats = nits * (target / np.maximum(brightest, 1e-9))[:, None]
    return scaled


def to_sdr(signal: Floats, dynamic_range: DynamicRange, peak_nits: int = 0) -> Floats:
    """(n, 3) R'G'B' of PQ or HLG in BT.2020, 0..1, to R'G'B' for an SDR screen in BT.709."""
    nits = pq_to_nits(signal) if dynamic_range is DynamicRange.PQ else hlg_to_nits(signal)
    peak = float(peak_nits) if peak_nits and dynamic_range is DynamicRange.PQ else _USUAL_PEAK_NITS
    light = bring_down(nits, peak) @ _TO_BT709.T / WHITE_NITS
    shown: Floats = np.clip(light, 0, 1) ** (1 / _SCREEN_GAMMA)
    return shown


class ToneMapper:
    """Turns RGB frames of one kind of light into SDR ones of the same size, by FFmpeg's lut3d."""

    def __init__(self, dynamic_range: DynamicRange, peak_nits: int) -> None:
        self.made_for = dynamic_range, peak_nits
        self._table = _cube(dynamic_range, peak_nits)
        self._graph: Graph | None = None
        self._size = (0, 0)

    def map(self, frame: av.VideoFrame) -> av.VideoFrame:
        """frame: gbrp10le; out comes gbrp10le."""
        if self._graph is None or self._size != (frame.width, frame.height):
            self._open(frame)
        assert self._graph is not None
        frame.pts = None
        self._graph.push(frame)
        mapped = self._graph.pull()
        assert isinstance(mapped, av.VideoFrame)
        return mapped

    def _open(self, frame: av.VideoFrame) -> None:
        descriptor, name = tempfile.mkstemp(suffix=".cube", prefix="cushion-")
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(self._table)
            graph = Graph()
            source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_ANY_TIME)
            lookup = graph.add("lut3d", f"file={name}:interp=tetrahedral")
            sink = graph.add("buffersink")
            source.link_to(lookup)
            lookup.link_to(sink)
            graph.configure()
        finally:
            Path(name).unlink()
        self._graph, self._size = graph, (frame.width, frame.height)


def _cube(dynamic_range: DynamicRange, peak_nits: int) -> str:
    """The table as a .cube file, red running fastest."""
    axis = np.linspace(0, 1, _POINTS)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    entries = to_sdr(np.stack([red.ravel(), green.ravel(), blue.ravel()], axis=1), dynamic_range, peak_nits)
    rows = "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in entries.tolist())
    return f"LUT_3D_SIZE {_POINTS}\n{rows}\n"
