"""Source frames on the constant frame grid: slot i shows what the source shows at i / fps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cushion_servers.errors import IngestError, StepCancelled
from cushion_servers.transcode.facts import Source
from cushion_servers.transcode.probe import check_unchanged, opened, picture_stream

StopCheck = Callable[[], bool]
"""Asked between frames; True drops the step."""


def grid_frames(source: Source, first: int, count: int, should_stop: StopCheck) -> Iterator[VideoFrame]:
    """Frames for slots first … first + count - 1, in order: late frames repeat, crowded ones are dropped.

    Raises IngestError when the source is damaged there and StepCancelled when asked to stop.
    """
    check_unchanged(source)
    with opened(source.path) as container:
        slots = _slots(source, container, first)
        current: VideoFrame | None = None
        upcoming = next(slots, None)
        for slot in range(first, first + count):
            if should_stop():
                raise StepCancelled("The backend is stopping.")
            while upcoming is not None and (upcoming[0] <= slot or current is None):
                current = upcoming[1]
                upcoming = next(slots, None)
            if current is None:
                raise IngestError(f"{source.path} holds no frame at {float(slot / source.info.fps):.2f} s.")
            yield current


def _slots(source: Source, container: InputContainer, first: int) -> Iterator[tuple[int, VideoFrame]]:
    """(slot, frame) in presentation order, from at or before slot `first` on where the file allows it."""
    stream = picture_stream(container, source.path)
    time_base = stream.time_base or Fraction(1, 1000)
    fps, origin = source.info.fps, source.info.first_pts
    if first > 0:
        container.seek(origin + int(first / fps / time_base), stream=stream)
    landed = False
    for frame in container.decode(stream):
        if frame.pts is None:
            continue
        slot = round((frame.pts - origin) * time_base * fps)
        if not landed and slot > first > 0:
            container.seek(origin, stream=stream)
            yield from _from_start(container, stream, source, time_base)
            return
        landed = True
        if frame.is_corrupt and slot >= first:
            raise IngestError(f"{source.path} is damaged at {float(slot / fps):.2f} s.")
        yield slot, frame


def _from_start(
    container: InputContainer, stream: VideoStream, source: Source, time_base: Fraction
) -> Iterator[tuple[int, VideoFrame]]:
    """All frames from the beginning: for files that cannot be entered at a key frame before a given time."""
    for frame in container.decode(stream):
        if frame.pts is not None:
            yield round((frame.pts - source.info.first_pts) * time_base * source.info.fps), frame
