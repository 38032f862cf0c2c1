"""What the engine and its driver say of a playback: notices, in the past tense, for whoever listens.

Frozen values only; times are integer µs. `track` is the kind, of which one plays at a time; `key` names the very track
among those of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cushion_player.timed.event import TimedEvent
from cushion_player.timeline import TrackKind


class StallCause(StrEnum):
    """Why playback stood still."""

    NETWORK = "network"
    """What was asked for came too slowly."""
    SERVER = "server"
    """Requests were refused or broken off, and had to be tried again."""
    GAP = "gap"
    """The presentation has nothing there."""
    DECODER = "decoder"
    """The media was there, but was not decoded in time."""
    KEY = "key"
    """A key was not there in time."""
    EDGE = "edge"
    """A live presentation had no more yet."""
    CLOCK = "clock"
    """Segments were asked for before they were there: the clocks disagree."""


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The clock ran for the first time. `startup_us` counts from `start`, or from `play` when that came later."""

    position_us: int
    startup_us: int


@dataclass(frozen=True, slots=True)
class PlaybackPaused:
    position_us: int


@dataclass(frozen=True, slots=True)
class PlaybackResumed:
    position_us: int


@dataclass(frozen=True, slots=True)
class RebufferStarted:
    """The clock stopped for want of media.

    track: which ran dry. detected: `buffer` (by arithmetic) or `output` (the output ran dry first).
    """

    position_us: int
    cause: StallCause
    track: TrackKind
    detected: str


@dataclass(frozen=True, slots=True)
class RebufferEnded:
    """The clock runs again, or the viewer went elsewhere. `duration_us` leaves out what was spent paused.

    recovery: what ended it, in words.
    """

    position_us: int
    duration_us: int
    cause: StallCause
    recovery: str


@dataclass(frozen=True, slots=True)
class SeekStarted:
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class SeekEnded:
    """The clock runs at the new position. `delay_us` leaves out what was spent paused."""

    position_us: int
    delay_us: int


@dataclass(frozen=True, slots=True)
class GapSkipped:
    """Playback jumped over a stretch of time for which there is no media."""

    track: TrackKind
    from_us: int
    to_us: int
    cause: StallCause


@dataclass(frozen=True, slots=True)
class LiveJumped:
    """Live playback went on elsewhere: what would have been next has left the window, or is not there yet."""

    from_us: int
    to_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class LiveStale:
    """A live presentation brings nothing new, or cannot be asked; `since_us` is how long already. Said once."""

    position_us: int
    since_us: int
    message: str


@dataclass(frozen=True, slots=True)
class LiveEnded:
    """A live presentation has ended; playback goes on to its end."""

    end_us: int


@dataclass(frozen=True, slots=True)
class TrackDropped:
    """A track that playback can do without was given up."""

    track: TrackKind
    key: str
    position_us: int
    message: str


@dataclass(frozen=True, slots=True)
class TrackSwitched:
    """Another track of its kind plays from `position_us` on. key: "" when none does any more."""

    track: TrackKind
    key: str
    position_us: int


@dataclass(frozen=True, slots=True)
class RungCapped:
    """Rungs above `rung` are not used for now. rung: -1 when the cap was lifted."""

    track: TrackKind
    rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class RungLost:
    """A rung is used no more: its initialisation segment or key cannot be had, or cannot be read."""

    track: TrackKind
    rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class LoopedBack:
    """The end of the loop was reached; playback goes on from its start."""

    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class RungSelected:
    """A rung was chosen for a segment that is now being requested; only emitted when it differs from the last."""

    track: TrackKind
    index: int
    from_rung: int
    to_rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class RepresentationChanged:
    """The playback position crossed into a segment of another rung (also emitted for the first segment)."""

    track: TrackKind
    position_us: int
    rung: int
    bitrate_bps: int
    height_px: int


@dataclass(frozen=True, slots=True)
class SegmentLoaded:
    """A segment arrived. Times by the driver's clock."""

    track: TrackKind
    rung: int
    index: int
    size_bytes: int
    request_us: int
    first_byte_us: int
    end_us: int
    buffer_us: int


@dataclass(frozen=True, slots=True)
class SegmentRetried:
    """A request failed and will be tried again after `delay_us`."""

    track: TrackKind
    rung: int
    index: int
    attempt: int
    delay_us: int
    failure: str


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """A track is requested from another service location or pathway from now on."""

    track: TrackKind
    from_source: str
    to_source: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourcesSteered:
    """The steering server wants another order of sources. `ttl_us`: when it is asked again."""

    order: tuple[str, ...]
    ttl_us: int


@dataclass(frozen=True, slots=True)
class SteeringFailed:
    """The steering server gave no order: what was known goes on. `again_us`: when it is asked again; None is never."""

    message: str
    again_us: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that failed. `status`: of its HTTP answer, 0 without one. `what`: `segment 3`, `init`, `key`.

    rung_key: the representation's. source: "" where there is one place only. time_us: by the driver's clock.
    """

    time_us: int
    track: TrackKind
    what: str
    rung: int
    rung_key: str
    source: str
    code: str
    status: int
    message: str

    def __str__(self) -> str:
        """A sentence; most messages name what they are about themselves."""
        place = f" from {self.source}" if self.source else ""
        if self.message.startswith(self.what):
            return f"{self.message}{place}"
        return f"{self.what} of {self.rung_key or self.track}{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class MediaDamaged:
    """Part of a segment could not be decoded and was skipped; playback goes on."""

    track: TrackKind
    position_us: int
    message: str


@dataclass(frozen=True, slots=True)
class PartMissing:
    """A part of the presentation could not be had and is left out; said by the driver, which loads it."""

    what: str
    message: str


@dataclass(frozen=True, slots=True)
class EventBegan:
    """The position came to the start of an event; whoever listed it knows what it is."""

    event_id: int
    position_us: int


@dataclass(frozen=True, slots=True)
class EventEnded:
    event_id: int
    position_us: int


@dataclass(frozen=True, slots=True)
class TimedEventBegan:
    """An event of the presentation is due; said by the driver, which knows what it is."""

    event: TimedEvent
    position_us: int


@dataclass(frozen=True, slots=True)
class TimedEventEnded:
    event: TimedEvent
    position_us: int


@dataclass(frozen=True, slots=True)
class InterstitialStarted:
    """Other presentations play in between; the main one waits. `reason` says why now."""

    id: str
    position_us: int
    n_assets: int
    may_skip: bool
    reason: str


@dataclass(frozen=True, slots=True)
class InterstitialAssetStarted:
    id: str
    number: int


@dataclass(frozen=True, slots=True)
class InterstitialAssetFailed:
    """One of them could not be played, and is left out."""

    id: str
    number: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InterstitialEnded:
    """The main presentation goes on at `resume_us`. `reason`: `played`, `skipped`, or why nothing was."""

    id: str
    resume_us: int
    played_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """The last frame's time has passed."""

    position_us: int


@dataclass(frozen=True, slots=True)
class PlaybackFailed:
    """Playback cannot continue. `code` is an error code of cushion_player.errors.

    attempts: every request that failed for what is missing, oldest first.
    """

    position_us: int
    code: str
    message: str
    attempts: tuple[Attempt, ...]


Notice = (
    PlaybackStarted
    | PlaybackPaused
    | PlaybackResumed
    | RebufferStarted
    | RebufferEnded
    | SeekStarted
    | SeekEnded
    | GapSkipped
    | LiveJumped
    | LiveStale
    | LiveEnded
    | TrackDropped
    | TrackSwitched
    | RungCapped
    | RungLost
    | LoopedBack
    | RungSelected
    | RepresentationChanged
    | SegmentLoaded
    | SegmentRetried
    | SourceChanged
    | SourcesSteered
    | SteeringFailed
    | MediaDamaged
    | PartMissing
    | EventBegan
    | EventEnded
    | TimedEventBegan
    | TimedEventEnded
    | InterstitialStarted
    | InterstitialAssetStarted
    | InterstitialAssetFailed
    | InterstitialEnded
    | PlaybackEnded
    | PlaybackFailed
)
