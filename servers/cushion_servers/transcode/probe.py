"""Look at a source once: is it video, is it whole, and which frame grid does it get."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat as modes
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from cushion_servers.errors import IngestError, StepCancelled
from cushion_servers.transcode.facts import Source, SourceInfo

_STANDARD_RATES: Final = tuple(Fraction(rate) for rate in (10, 12, 15, 20, 24, 25, 30, 50, 60))
_HIGHEST_RATE: Final = 60
_MISSING_ALLOWED_S: Final = 0.5
"""A picture track this much shorter than the file declares is cut off."""


_CHUNK_BYTES: Final = 1 << 20


class _Extent(NamedTuple):
    """What the packets of the picture track cover, in its time base."""

    first_pts: int
    end_pts: int


def probe(path: str, should_stop: Callable[[], bool] = lambda: False) -> Source:
    """Read the facts of a source file; every packet is walked, one frame is decoded.

    Raises IngestError with one sentence when it cannot become a title, and StepCancelled once `should_stop` says so.
    """
    stat, sha256 = _read_file(path, should_stop)
    with opened(path) as container:
        stream = picture_stream(container, path)
        rate = _grid_rate(stream)
        extent = _walk(container, stream, path, should_stop)
        time_base = stream.time_base or Fraction(1, 1000)
        covered_s = (extent.end_pts - extent.first_pts) * time_base
        declared_s = stream.duration * time_base if stream.duration else covered_s
        if covered_s < declared_s - Fraction(_MISSING_ALLOWED_S):
            raise IngestError(
                f"{path} is cut off: it declares {float(declared_s):.1f} s of video but holds {float(covered_s):.1f} s."
            )
        width, height = _square_size(stream, path)
        sound = next(iter(container.streams.audio), None)
        info = SourceInfo(
            sha256=sha256,
            fps_num=rate.numerator,
            fps_den=rate.denominator,
            frame_count=max(1, round(covered_s * rate)),
            width_px=width,
            height_px=height,
            first_pts=extent.first_pts,
            has_audio=sound is not None,
            audio_language=(sound.metadata.get("language", "und") if sound is not None else "und"),
        )
    _decode_one(path)
    return Source(path=path, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns, info=info)


@contextlib.contextmanager
def opened(path: str) -> Generator[InputContainer, None, None]:
    """A source opened for reading; FFmpeg's errors inside the block become IngestError."""
    try:
        container = av.open(path)
    except (FFmpegError, OSError, ValueError) as exc:
        raise IngestError(f"{path} is not a media file we can read ({_reason(exc)}).") from exc
    with container:
        try:
            yield container
        except FFmpegError as exc:
            raise IngestError(f"{path} is damaged: {_reason(exc)}.") from exc


def picture_stream(container: InputContainer, path: str) -> VideoStream:
    """The first moving-picture stream, set to decode on one thread and to refuse damaged data."""
    for stream in container.streams.video:
        if not stream.disposition & stream.disposition.attached_pic:
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
            return stream
    raise IngestError(f"{path} has no video.")


def check_unchanged(source: Source) -> None:
    """Raise IngestError when the file is no longer the one that was probed."""
    try:
        stat = Path(source.path).stat()
    except OSError as exc:
        raise IngestError(f"{source.path} can no longer be read ({exc.strerror or exc}).") from exc
    if (stat.st_size, stat.st_mtime_ns) != (source.size_bytes, source.mtime_ns):
        raise IngestError(f"{source.path} was changed while it was being ingested.")


def _read_file(path: str, should_stop: Callable[[], bool]) -> tuple[os.stat_result, str]:
    digest = hashlib.sha256()
    try:
        mode = Path(path).stat().st_mode
        if modes.S_ISFIFO(mode):  # opening one would wait for a writer
            raise IngestError(f"{path} is a pipe, not a file.")
        if not modes.S_ISREG(mode) and not modes.S_ISDIR(mode):  # a device may never end
            raise IngestError(f"{path} is a device, not a file.")
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                _check_stop(should_stop)
                digest.update(chunk)
            stat = Path(path).stat()
    except OSError as exc:
        raise IngestError(f"{path} cannot be read ({exc.strerror or exc}).") from exc
    if stat.st_size == 0:
        raise IngestError(f"{path} is empty.")
    return stat, digest.hexdigest()


def _check_stop(should_stop: Callable[[], bool]) -> None:
    if should_stop():
        raise StepCancelled("The backend is stopping.")


def _walk(container: InputContainer, stream: VideoStream, path: str, should_stop: Callable[[], bool]) -> _Extent:
    first: int | None = None
    end = count = 0
    for packet in container.demux(stream):
        _check_stop(should_stop)
        pts = packet.pts if packet.pts is not None else packet.dts
        if packet.size == 0 or pts is None or packet.is_discard:
            continue
        first = pts if first is None else min(first, pts)
        end = max(end, pts + (packet.duration or 0))
        count += 1
    if first is None or count == 0:
        raise IngestError(f"{path} holds no video frames.")
    if end <= first:
        rate, time_base = _grid_rate(stream), stream.time_base or Fraction(1, 1000)
        end = first + round(count / rate / time_base)
    return _Extent(first, end)


def _grid_rate(stream: VideoStream) -> Fraction:
    """The constant frame rate for this stream: its own where that is a plain one, else the nearest standard rate."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    plain = rate.limit_denominator(1001)
    if plain.denominator in (1, 1001) and 1 <= plain <= _HIGHEST_RATE and abs(plain / rate - 1) < Fraction(1, 10_000):
        return plain
    return min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))


def _square_size(stream: VideoStream, path: str) -> tuple[int, int]:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 2 or height < 2:
        raise IngestError(f"{path} has no picture size.")
    aspect = stream.sample_aspect_ratio
    return round(width * aspect) if aspect else width, height


def _decode_one(path: str) -> None:
    with opened(path) as container:
        if next(iter(container.decode(picture_stream(container, path))), None) is None:
            raise IngestError(f"{path} holds no frame that can be decoded.")


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
