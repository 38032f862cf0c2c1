"""The reference film: the test instrument of the project, made on the spot, of any size, rate and length.

Colour bars, moving balls, a drifting texture with grain, a timecode and frame number for people and a bar code of the
frame number for machines. A flash lights every second and a beep starts exactly with it. The same spec always gives
the same pictures and samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from cushion_player.media.film_code import (
    CODE_AREA,
    FLASH_AREA,
    MAX_FRAMES,
    Area,
    beep_onsets,
    is_flash,
    read_frame_code,
)
from cushion_player.media.film_picture import FilmPainter

__all__ = [
    "CODE_AREA", "FLASH_AREA", "Area", "FilmSpec", "beep_onsets", "beep_samples", "film_audio", "film_frame",
    "is_flash", "onsets", "read_frame_code", "render_frame", "write_film",
]  # fmt: skip

SAMPLE_RATE_HZ: Final = 48_000
BEEP_HZ: Final = 1_000
BEEP_S: Final = 0.08
_BEEP_LEVEL: Final = 0.5
_AAC_FRAME: Final = 1024
MAX_WIDTH_PX: Final = 7680
MAX_HEIGHT_PX: Final = 4320
_X264_THREADS: Final = "4"
"""Fixed, because the number of threads changes what x264 writes."""


@dataclass(frozen=True, slots=True)
class FilmSpec:
    """What film to make. Width and height are even, 160 × 90 to 7680 × 4320."""

    width_px: int = 1280
    height_px: int = 720
    frame_rate: Fraction = Fraction(30)
    seconds: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width_px < 160 or self.height_px < 90 or self.width_px % 2 or self.height_px % 2:
            raise ValueError(f"a film of {self.width_px}x{self.height_px} cannot be made: even sizes from 160x90 up")
        if self.width_px > MAX_WIDTH_PX or self.height_px > MAX_HEIGHT_PX:
            raise ValueError(
                f"a film of {self.width_px}x{self.height_px} cannot be made: {MAX_WIDTH_PX}x{MAX_HEIGHT_PX} at most"
            )
        if not 1 <= self.frame_rate <= 240:
            raise ValueError(f"a film at {self.frame_rate} frames per second cannot be made: 1 to 240")
        if not 0 < self.n_frames < MAX_FRAMES:
            raise ValueError(f"a film of {self.seconds} s cannot be made: it must hold 1 to {MAX_FRAMES - 1} frames")

    @property
    def nominal_fps(self) -> int:
        """Frames from one flash to the next: 30 for 30000/1001."""
        return round(self.frame_rate)

    @property
    def n_frames(self) -> int:
        return round(Fraction(self.seconds).limit_denominator(1_000_000) * self.frame_rate)

    @property
    def n_samples(self) -> int:
        """Audio ends with the last frame."""
        return round(self.n_frames / self.frame_rate * SAMPLE_RATE_HZ)

    def frame_time_s(self, frame: int) -> float:
        return float(frame / self.frame_rate)


def render_frame(spec: FilmSpec, frame: int) -> NDArray[np.uint8]:
    """The picture as planar YUV 4:2:0, (H × 3 / 2, W) uint8, BT.709 limited range; the first H rows are the luma."""
    return _painter(spec).paint(frame)


def film_frame(spec: FilmSpec, frame: int) -> av.VideoFrame:
    """The picture as a tagged av.VideoFrame, its pts the frame number."""
    picture = av.VideoFrame.from_ndarray(render_frame(spec, frame), format="yuv420p")
    picture.pts = frame
    picture.time_base = 1 / spec.frame_rate
    picture.colorspace = Colorspace.ITU709
    picture.color_range = ColorRange.MPEG
    return picture


def beep_samples(spec: FilmSpec) -> list[int]:
    """The sample at which each beep starts."""
    return [round(frame / spec.frame_rate * SAMPLE_RATE_HZ) for frame in range(0, spec.n_frames, spec.nominal_fps)]


def film_audio(spec: FilmSpec, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
    """Samples `start` to `stop` (default: all), (n, 2) float32 at 48 kHz: a 1 kHz beep a second, else silence."""
    stop = spec.n_samples if stop is None else min(stop, spec.n_samples)
    sound = np.zeros((max(stop - start, 0), 2), dtype=np.float32)
    length = round(BEEP_S * SAMPLE_RATE_HZ)
    beep = (_BEEP_LEVEL * np.sin(np.arange(length) * (2 * np.pi * BEEP_HZ / SAMPLE_RATE_HZ))).astype(np.float32)
    step = spec.nominal_fps / spec.frame_rate * SAMPLE_RATE_HZ
    for count in range(max(0, int((start - length) / step)), int(stop / step) + 1):
        first = round(count * step)
        low, high = max(first, start), min(first + length, stop)
        if low < high:
            sound[low - start : high - start] = beep[low - first : high - first, None]
    return sound


def onsets(times_s: list[float], lit: list[bool]) -> list[float]:
    """The times at which `lit` turns from False to True; a leading True counts as an onset."""
    before = [False, *lit[:-1]]
    return [time for time, now, last in zip(times_s, lit, before, strict=True) if now and not last]


def write_film(path: Path | str, spec: FilmSpec, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Write an mp4: H.264 (x264 veryfast, CRF 17, 1 s between key frames) and AAC-LC 128 kb/s.

    on_progress: called with (frames done, frames in all) about every second of film. An unfinished file is removed.
    Raises OSError when the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _encode(part, spec, on_progress)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _encode(path: Path, spec: FilmSpec, on_progress: Callable[[int, int], None] | None) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        options = {"preset": "veryfast", "crf": "17", "threads": _X264_THREADS, "sc_threshold": "0"}
        video = container.add_stream("libx264", rate=spec.frame_rate, options=options)
        video.width, video.height, video.pix_fmt = spec.width_px, spec.height_px, "yuv420p"
        video.gop_size = spec.nominal_fps
        video.codec_context.time_base = 1 / spec.frame_rate
        video.codec_context.colorspace = Colorspace.ITU709
        video.codec_context.color_primaries = ColorPrimaries.BT709
        video.codec_context.color_trc = ColorTrc.BT709
        video.codec_context.color_range = ColorRange.MPEG
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        audio.bit_rate = 128_000
        written = 0
        for frame in range(spec.n_frames):
            container.mux(video.encode(film_frame(spec, frame)))
            if (frame + 1) % spec.nominal_fps and frame + 1 < spec.n_frames:
                continue
            due = spec.n_samples if frame + 1 == spec.n_frames else int((frame + 1) / spec.frame_rate * SAMPLE_RATE_HZ)
            while written < due:
                chunk = film_audio(spec, written, written + _AAC_FRAME)
                container.mux(audio.encode(_audio_frame(chunk, written)))
                written += len(chunk)
            if on_progress is not None:
                on_progress(frame + 1, spec.n_frames)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def _audio_frame(pcm: NDArray[np.float32], first_sample: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm.T), format="fltp", layout="stereo")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts = first_sample
    frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
    return frame


@lru_cache(maxsize=8)
def _painter(spec: FilmSpec) -> FilmPainter:
    rate = f"{float(spec.frame_rate):.3f}".rstrip("0").rstrip(".")
    caption = f"CUSHION REFERENCE FILM  {spec.width_px}X{spec.height_px}  {rate} FPS  SEED {spec.seed}"
    return FilmPainter(spec.width_px, spec.height_px, spec.nominal_fps, spec.seed, caption)
