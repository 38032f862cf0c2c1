"""The engine's view of a presentation: times and sizes, no addresses.

A Timeline is what a reader's model becomes before the engine sees it, and what a journal records: it holds
nothing secret and nothing that must be fetched. Times are integer µs from the start of the presentation.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum


class TrackKind(StrEnum):
    """What a track carries."""

    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class TrackRung:
    """One quality of a track. `key` names the representation: `video/720p` or what the manifest calls it."""

    key: str
    bitrate_bps: int
    width_px: int = 0
    height_px: int = 0
    codecs: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """One switchable set on the timeline: rungs ascending by bitrate, segments aligned across rungs.

    start_us: (n_segments + 1) ascending boundaries; segment i plays over [start_us[i], start_us[i + 1]).
    sizes_bytes: per segment a tuple of sizes, one a rung; () when unknown (then bitrate × duration is used).
    """

    kind: TrackKind
    key: str
    language: str
    rungs: tuple[TrackRung, ...]
    start_us: tuple[int, ...]
    sizes_bytes: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        assert self.rungs, "a track has at least one rung"
        assert len(self.start_us) >= 2, "a track has at least one segment"
        rates = [rung.bitrate_bps for rung in self.rungs]
        assert rates == sorted(rates), "rungs ascend"

    @property
    def n_segments(self) -> int:
        return len(self.start_us) - 1

    @property
    def sizes_exact(self) -> bool:
        return bool(self.sizes_bytes)

    def end_us(self) -> int:
        return self.start_us[-1]

    def segment_at(self, position_us: int) -> int:
        """Index of the segment that covers `position_us`, clamped to the first and last."""
        return min(max(bisect_right(self.start_us, position_us) - 1, 0), self.n_segments - 1)

    def size_bytes(self, index: int, rung: int) -> int:
        """Real size when known, else nominal."""
        if self.sizes_bytes:
            return self.sizes_bytes[index][rung]
        duration_us = self.start_us[index + 1] - self.start_us[index]
        return max(1, self.rungs[rung].bitrate_bps * duration_us // 8_000_000)


@dataclass(frozen=True, slots=True)
class Timeline:
    """All tracks an engine may schedule. `video` may be absent (audio only) and so may `audio`."""

    tracks: tuple[Track, ...]
    duration_us: int
    is_live: bool = False

    def first(self, kind: TrackKind) -> Track | None:
        return next((track for track in self.tracks if track.kind is kind), None)
