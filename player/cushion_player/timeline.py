"""The engine's view of a presentation: times and sizes, no addresses.

A Timeline is what a reader's model becomes before the engine sees it, and what a journal records: it holds
nothing secret and nothing that must be fetched. Times are integer µs from the start of the presentation. Segments
are counted on over the whole track: in a live one, from the first that was ever listed.
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
    frame_us: int = 0
    """How long a picture is shown; 0 when the manifest does not say."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Segments that one set of rungs serves: a period, or what lies between two discontinuities.

    first_index: of its first segment. discontinuity: stretches of one number share a media timeline.
    inits, keys, sources: see the fields; () where no rung needs any.
    """

    first_index: int
    rungs: tuple[TrackRung, ...]
    inits: tuple[str, ...] = ()
    """By rung, the name of its initialisation segment: the same bytes under the same name; "" when it needs none."""
    keys: tuple[str, ...] = ()
    """By rung, the name of what must be unlocked before it is decoded; "" in the clear."""
    discontinuity: int = 0
    sources: tuple[str, ...] = ()
    """Service locations (DASH) or pathways (HLS) that all have it, preferred first.

    () where there is one place without a name; one with a name may be cloned by a steering server.
    """

    def __post_init__(self) -> None:
        assert self.rungs, "a stretch has at least one rung"
        rates = [rung.bitrate_bps for rung in self.rungs]
        assert rates == sorted(rates), "rungs ascend"

    def init_of(self, rung: int) -> str:
        return self.inits[rung] if self.inits else ""

    def key_of(self, rung: int) -> str:
        return self.keys[rung] if self.keys else ""


@dataclass(frozen=True, slots=True)
class Track:
    """What one decoder plays from beginning to end: rungs ascending by bitrate, segments aligned across rungs.

    rungs: of the first stretch; most tracks have one.
    start_us: (n_segments + 1) ascending boundaries; segment first_index + i plays over [start_us[i], start_us[i + 1]).
    sizes_bytes: per segment a tuple of sizes, one a rung; () when unknown (then bitrate × duration is used).
    gaps: segments that are not there though the timeline has them: playback skips them.
    blanks: segments over which this track has nothing to play, and playback goes on without it.
    """

    kind: TrackKind
    key: str
    language: str
    rungs: tuple[TrackRung, ...]
    start_us: tuple[int, ...]
    sizes_bytes: tuple[tuple[int, ...], ...] = ()
    stretches: tuple[Stretch, ...] = ()
    first_index: int = 0
    gaps: frozenset[int] = frozenset()
    blanks: frozenset[int] = frozenset()
    label: str = ""
    roles: tuple[str, ...] = ()
    is_forced: bool = False

    def __post_init__(self) -> None:
        assert len(self.start_us) >= 2, "a track has at least one segment"
        if not self.stretches:
            object.__setattr__(self, "stretches", (Stretch(self.first_index, self.rungs),))
        assert self.rungs == self.stretches[0].rungs, "the rungs are the first stretch's"

    @property
    def n_segments(self) -> int:
        """How many segments are listed."""
        return len(self.start_us) - 1

    @property
    def stop_index(self) -> int:
        """One past the last segment."""
        return self.first_index + len(self.start_us) - 1

    @property
    def sizes_exact(self) -> bool:
        return bool(self.sizes_bytes)

    def end_us(self) -> int:
        return self.start_us[-1]

    def segment_start_us(self, index: int) -> int:
        """Where a segment starts; for `stop_index`, where the last one ends."""
        return self.start_us[index - self.first_index]

    def segment_us(self, index: int) -> int:
        """How long a segment plays."""
        at = index - self.first_index
        return self.start_us[at + 1] - self.start_us[at]

    def segment_at(self, position_us: int) -> int:
        """Index of the segment that covers `position_us`, clamped to the first and last."""
        return self.first_index + min(max(bisect_right(self.start_us, position_us) - 1, 0), self.n_segments - 1)

    def stretch_number(self, index: int) -> int:
        """Which stretch a segment belongs to, counted from 0."""
        if len(self.stretches) == 1:
            return 0
        return max(0, bisect_right(self.stretches, index, key=lambda stretch: stretch.first_index) - 1)

    def stretch_of(self, index: int) -> Stretch:
        return self.stretches[self.stretch_number(index)]

    def is_there(self, index: int) -> bool:
        """Whether a segment can be fetched: neither a gap nor a blank."""
        return index not in self.gaps and index not in self.blanks

    def size_bytes(self, index: int, rung: int) -> int:
        """Real size when known, else nominal."""
        if self.sizes_bytes and self.sizes_bytes[index - self.first_index]:
            return self.sizes_bytes[index - self.first_index][rung]
        return max(1, self.stretch_of(index).rungs[rung].bitrate_bps * self.segment_us(index) // 8_000_000)


@dataclass(frozen=True, slots=True)
class LiveEdge:
    """How a live timeline moves, by the engine's clock.

    edge_offset_us: the live edge lies at position now + edge_offset_us.
    target, min, max latency: wanted distance from the edge; min_rate, max_rate: how far playback may speed to keep it.
    refresh_us: after how long the manifest is to be asked for again; None: it will not change.
    depth_us: how far behind the edge playback may be; None: all that is listed.
    early_us: how long before its end a segment may be asked for.
    chunk_us: segments come in chunks of this length as they are made, each to be played at once; 0: they come whole.
    follows_clock: what is listed may not be there yet, only the clock says so (DASH); False: what is listed is there.
    """

    edge_offset_us: int
    target_latency_us: int
    min_latency_us: int | None = None
    max_latency_us: int | None = None
    min_rate: float = 1.0
    max_rate: float = 1.0
    refresh_us: int | None = None
    depth_us: int | None = None
    early_us: int = 0
    follows_clock: bool = True
    chunk_us: int = 0


@dataclass(frozen=True, slots=True)
class SteeringHint:
    """That a steering server orders the sources.

    default: those to begin with, preferred first. asks_first: nothing is requested before it has answered.
    """

    default: tuple[str, ...] = ()
    asks_first: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """All tracks an engine may schedule, the preferred of each kind first. Video may be absent, and so may audio.

    duration_us: of a live presentation, where it ends so far. live: None once it has ended, and on demand.
    start_us: where its author wants playback to begin; None leaves it to the player.
    """

    tracks: tuple[Track, ...]
    duration_us: int
    is_live: bool = False
    live: LiveEdge | None = None
    start_us: int | None = None
    steering: SteeringHint | None = None

    def first(self, kind: TrackKind) -> Track | None:
        return next((track for track in self.tracks if track.kind is kind), None)

    def find(self, key: str) -> Track | None:
        return next((track for track in self.tracks if track.key == key), None)
