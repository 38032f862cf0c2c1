"""Cues of WebM files: where the clusters of a single file lie and when they begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from cushion_player.boxes.ebml import Element, elements, number, real
from cushion_player.errors import DecodeError

EBML_MARK: Final = b"\x1a\x45\xdf\xa3"
CUES_MARK: Final = b"\x1c\x53\xbb\x6b"
NS_PER_S: Final = 1_000_000_000

_SEGMENT: Final = 0x18538067
_INFO: Final = 0x1549A966
_TIMESTAMP_SCALE: Final = 0x2AD7B1
_DURATION: Final = 0x4489
_CUES: Final = 0x1C53BB6B
_CUE_POINT: Final = 0xBB
_CUE_TIME: Final = 0xB3
_CUE_TRACK_POSITIONS: Final = 0xB7
_CUE_CLUSTER_POSITION: Final = 0xF1
_CLUSTER: Final = 0x1F43B675
_MAX_DURATION_S: Final = 1_000_000


class ClusterReference(NamedTuple):
    """Bytes [start, end) of the file (end None: to its end), and the time they begin at and last, ns."""

    start: int
    end: int | None
    time_ns: int
    duration_ns: int


@dataclass(frozen=True, slots=True)
class _Head:
    """Where positions count from, where the file's media ends (None: not said), ns a tick, and ticks in all."""

    base: int
    end: int | None
    scale_ns: int
    ticks: float


def read_cues(data: bytes | memoryview) -> tuple[ClusterReference, ...]:
    """The clusters of a file by its cues. data: the file from its first byte to the end of the cues at least.

    Raises DecodeError when there are no whole cues in it.
    """
    view = memoryview(data)
    scale_ns, ticks, base, end = 1_000_000, 0.0, None, None
    for element in elements(view, 0, len(view), frozenset({_SEGMENT})):
        if element.id == _SEGMENT:
            base = element.payload
            end = base + element.length if element.length >= 0 else None
        elif element.id == _INFO:
            for child in elements(view, element.payload, element.end):
                if child.id == _TIMESTAMP_SCALE:
                    scale_ns = number(view, child)
                elif child.id == _DURATION:
                    ticks = real(view, child)
        elif element.id == _CUES and base is not None:
            if element.is_cut:
                raise DecodeError(f"the cues ({element}) are truncated")
            if not 0 <= ticks * scale_ns <= _MAX_DURATION_S * NS_PER_S:
                ticks = 0.0
            return _references(_points(view, element, scale_ns), _Head(base, end, scale_ns, ticks))
        elif element.id == _CLUSTER:
            break
    raise DecodeError(f"no cues in the first {len(view)} bytes of the WebM file")


def _points(view: memoryview, cues: Element, scale_ns: int) -> list[tuple[int, int]]:
    """Time in ns and position of each cluster, in file order."""
    found: dict[int, int] = {}
    for point in elements(view, cues.payload, cues.end):
        if point.id != _CUE_POINT:
            continue
        time, position = None, None
        for child in elements(view, point.payload, point.end):
            if child.id == _CUE_TIME:
                time = number(view, child)
            elif child.id == _CUE_TRACK_POSITIONS and position is None:
                for each in elements(view, child.payload, child.end):
                    if each.id == _CUE_CLUSTER_POSITION:
                        position = number(view, each)
        if time is None or position is None:
            raise DecodeError(f"the cue ({point}) lacks its time or its position")
        found.setdefault(position, time * scale_ns)
    return [(found[position], position) for position in sorted(found)]


def _references(points: list[tuple[int, int]], head: _Head) -> tuple[ClusterReference, ...]:
    references: list[ClusterReference] = []
    last_ns = 0
    for index, (time_ns, position) in enumerate(points):
        start = head.base + position
        end: int | None
        if index + 1 < len(points):
            next_ns, next_position = points[index + 1]
            last_ns, end = next_ns - time_ns, head.base + next_position
        else:
            whole_ns = round(head.ticks * head.scale_ns)
            last_ns, end = (whole_ns - time_ns if whole_ns > time_ns else last_ns), head.end
        if last_ns <= 0:
            raise DecodeError("the cues are not in the order of time")
        references.append(ClusterReference(start, end, time_ns, last_ns))
    return tuple(references)
