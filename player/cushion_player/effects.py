"""What the engine tells its driver to do: effects, in the imperative.

Frozen values only; times are integer µs. Every decision carries its reason in words. `track` is the kind, of which one
plays at a time; `key` names the very track among those of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from cushion_player.timeline import TrackKind


@dataclass(frozen=True, slots=True)
class FetchInit:
    """Bring the initialisation segment of a rung; answer with `init_received` or `segment_failed`.

    index: a segment that needs it: rungs may have other ones in other stretches. source: as for `FetchSegment`.
    """

    request_id: int
    track: TrackKind
    key: str
    rung: int
    index: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class AcquireKey:
    """Get what unlocks segment `index` at this rung; answer with `key_received` or `segment_failed`."""

    request_id: int
    track: TrackKind
    key: str
    rung: int
    index: int


@dataclass(frozen=True, slots=True)
class FetchSegment:
    """Bring a media segment; answer with `segment_progress`, then `segment_received` or `segment_failed`.

    Where the timeline says that segments come in chunks, `chunk_received` tells of those that are whole.

    source: the service location or pathway to ask, "" where there is one place only. resumes: a failed request whose
    kept bytes begin this segment: only the rest is wanted, if it is the rest of the same (0: all is wanted).
    """

    request_id: int
    track: TrackKind
    key: str
    rung: int
    index: int
    start_us: int
    duration_us: int
    reason: str
    source: str = ""
    resumes: int = 0


@dataclass(frozen=True, slots=True)
class AbandonSegment:
    """Stop fetching; the answer, if it still comes, is ignored."""

    request_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class PrepareOutput:
    """Drop all that is queued and get ready to show `position_us`; answer `output_ready` once its frame is decoded.

    tracks: what will be fed. Text may be among them; nobody waits for it.
    """

    position_us: int
    tracks: frozenset[TrackKind]


@dataclass(frozen=True, slots=True)
class SwitchInit:
    """What is fed next on this track, from segment `index` on, is of another format: drain, then a new decoder."""

    track: TrackKind
    key: str
    rung: int
    index: int


@dataclass(frozen=True, slots=True)
class FeedSegment:
    """Hand the bytes of this finished request to the output."""

    request_id: int
    track: TrackKind
    key: str
    rung: int
    index: int


@dataclass(frozen=True, slots=True)
class FeedChunk:
    """Hand bytes from_bytes … to_bytes - 1 of a segment on its way (or broken off) to the output; more will follow.

    They play over [start_us, end_us) of the timeline.
    """

    request_id: int
    track: TrackKind
    key: str
    rung: int
    index: int
    from_bytes: int
    to_bytes: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class DiscardSegment:
    """The bytes of this finished (or failed and kept) request will not be asked for again: drop them."""

    request_id: int


@dataclass(frozen=True, slots=True)
class CutTrack:
    """Forget what was fed on this track and starts at or after `from_us`: other media follows from there."""

    track: TrackKind
    from_us: int


@dataclass(frozen=True, slots=True)
class EndTrack:
    """No segment follows on this track: drain the decoder."""

    track: TrackKind


@dataclass(frozen=True, slots=True)
class StartOutput:
    """Run the output clock from `position_us` at `rate`."""

    position_us: int
    rate: float


@dataclass(frozen=True, slots=True)
class StopOutput:
    """Hold the output clock; what is queued stays queued."""


@dataclass(frozen=True, slots=True)
class RefreshManifest:
    """Find out how a live presentation goes on; answer with `timeline_updated` or `refresh_failed`.

    keys: the tracks that are played, or are to be: where each has a playlist of its own, the others are let be.
    sources: the order in which a steering server wants sources to be asked; () where there is none.
    """

    keys: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskSteering:
    """Ask the steering server which source to use; answer with `steering_answered` or `steering_failed`.

    sources: what was requested from since it was asked last, the current one last; throughputs_bps: what each brought.
    """

    sources: tuple[str, ...]
    throughputs_bps: tuple[int, ...]


Effect = (
    FetchInit
    | AcquireKey
    | FetchSegment
    | AbandonSegment
    | PrepareOutput
    | SwitchInit
    | FeedSegment
    | FeedChunk
    | DiscardSegment
    | CutTrack
    | EndTrack
    | StartOutput
    | StopOutput
    | RefreshManifest
    | AskSteering
)
