"""Small generated clips for tests: pictures that tell their frame number, and sound with a click each second."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

CODE_BITS: Final = 10
CLICK_SAMPLES: Final = 96
_RATE_HZ: Final = 48_000
_BLOCK: Final = 1024


def write_clip(
    path: Path,
    *,
    frames: int = 100,
    fps: Fraction | int = 25,
    width_px: int = 160,
    height_px: int = 90,
    sound: bool = True,
    picture: bool = True,
    pts: list[int] | None = None,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Write a clip. `pts` gives each frame's time in units of 1 / fps (default 0, 1, 2, …); returns `path`."""
    fps = Fraction(fps)
    with av.open(str(path), "w") as container:
        time_base = Fraction(1, fps.numerator)
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "18", "g": "20"})
        video.width, video.height, video.pix_fmt, video.time_base = width_px, height_px, pix_fmt, time_base
        video.codec_context.time_base, video.codec_context.thread_count = time_base, 1
        audio = container.add_stream("aac", rate=_RATE_HZ, layout="stereo") if sound else None
        for index, when in enumerate(pts or range(frames) if picture else ()):
            frame = VideoFrame.from_ndarray(picture_of(index, width_px, height_px), format="gray8").reformat(
                format=pix_fmt, threads=1
            )
            frame.pts, frame.time_base = when * fps.denominator, time_base
            container.mux(video.encode(frame))
        if picture:
            container.mux(video.encode(None))
        if audio is not None:
            _write_sound(container, audio, round(frames / fps * _RATE_HZ))
    return path


def picture_of(index: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """(height_px, width_px) uint8: `index` in CODE_BITS black or white columns over a grey gradient."""
    image = np.linspace(64, 192, width_px, dtype=np.uint8)[None, :].repeat(height_px, 0)
    edges = np.linspace(0, width_px, CODE_BITS + 1).astype(int)
    for bit in range(CODE_BITS):
        image[: height_px // 2, edges[bit] : edges[bit + 1]] = 235 if index >> bit & 1 else 16
    return np.ascontiguousarray(image)


def index_of(frame: VideoFrame) -> int:
    """The frame number a picture tells, at whatever size it was encoded."""
    image = np.asarray(frame.to_ndarray(format="gray8"))
    edges = np.linspace(0, image.shape[1], CODE_BITS + 1).astype(int)
    top = image[: image.shape[0] // 2 - 4]
    return sum(int(top[:, edges[bit] + 3 : edges[bit + 1] - 3].mean() > 128) << bit for bit in range(CODE_BITS))


def _write_sound(container: OutputContainer, stream: AudioStream, samples: int) -> None:
    """Silence with a click of CLICK_SAMPLES samples at each whole second."""
    signal = np.zeros((2, samples), np.float32)
    for start in range(0, samples, _RATE_HZ):
        signal[:, start : start + CLICK_SAMPLES] = 0.5
    for at in range(0, samples, _BLOCK):
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(signal[:, at : at + _BLOCK]), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = _RATE_HZ, at, Fraction(1, _RATE_HZ)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
