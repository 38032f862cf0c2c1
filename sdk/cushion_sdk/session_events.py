"""What a session says while it runs: frozen values in the past tense, times in seconds.

The player's notices (cushion_player.notices, integer µs) become these once, in `from_notice`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cushion_player import notices
from cushion_player.timed import TimedEvent
from cushion_player.timeline import TrackKind


class ResumeSource(StrEnum):
    """Why playback starts where it starts."""

    BEGINNING = "beginning"
    ARGUMENT = "argument"
    DEVICE = "device"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The presentation is known and will start at `position_s`."""

    title: str
    duration_s: float
    n_rungs: int
    position_s: float
    source: ResumeSource


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The clock ran for the first time."""

    position_s: float
    startup_s: float


@dataclass(frozen=True, slots=True)
class PlaybackPaused:
    position_s: float


@dataclass(frozen=True, slots=True)
class PlaybackResumed:
    position_s: float


@dataclass(frozen=True, slots=True)
class RebufferStarted:
    """Playback stands still. cause: a StallCause of cushion_player.notices, as far as it is known by now."""

    position_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class RebufferEnded:
    """Playback goes on. cause: what it was in the end; recovery: what ended it, in words."""

    position_s: float
    duration_s: float
    cause: str = ""
    recovery: str = ""


@dataclass(frozen=True, slots=True)
class GapSkipped:
    """Playback jumped over a stretch of time for which there is no media."""

    from_s: float
    to_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class TrackSwitched:
    """Another audio or subtitle track is used from `position_s` on. key: "" when none is any more."""

    kind: TrackKind
    key: str
    position_s: float


@dataclass(frozen=True, slots=True)
class TrackDropped:
    """A track that playback can do without could not be had."""

    kind: TrackKind
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class RungCapped:
    """Rungs above `rung` are not used for now, because of `reason`. rung: -1 when that is over."""

    rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class RungLost:
    """A rung is used no more: its initialisation segment or key cannot be had, or cannot be read."""

    kind: TrackKind
    rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class LoopedBack:
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class LiveJumped:
    """Live playback went on elsewhere: what would have been next has left the window, or is not there yet."""

    from_s: float
    to_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class LiveStale:
    """A live presentation has brought nothing new for `since_s`, or cannot be asked."""

    since_s: float
    message: str


@dataclass(frozen=True, slots=True)
class LiveEnded:
    """A live presentation has ended; playback goes on to its end."""

    end_s: float


@dataclass(frozen=True, slots=True)
class SeekStarted:
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class SeekEnded:
    position_s: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class RungSelected:
    """The rule chose another rung for a segment that is now being requested; `reason` says why in words."""

    index: int
    from_rung: int
    to_rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class RungShown:
    """The picture changed to this rung (also said for the first one)."""

    position_s: float
    rung: int
    height_px: int
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class SegmentLoaded:
    kind: TrackKind
    rung: int
    index: int
    size_bytes: int
    latency_s: float
    """Request to first byte."""
    transfer_s: float
    """First byte to last."""
    buffer_s: float


@dataclass(frozen=True, slots=True)
class SegmentRetried:
    kind: TrackKind
    rung: int
    index: int
    attempt: int
    delay_s: float
    failure: str


@dataclass(frozen=True, slots=True)
class MediaDamaged:
    """Part of a segment could not be decoded and was skipped; playback goes on."""

    kind: TrackKind
    position_s: float
    message: str


@dataclass(frozen=True, slots=True)
class PartMissing:
    """A part of the presentation could not be had and is left out: a rung less, no sound."""

    what: str
    message: str


@dataclass(frozen=True, slots=True)
class TimedEventBegan:
    """An event of the title is due: of an MPD, a segment, an ID3 tag or a date range, SCTE-35 read where it is that."""

    event: TimedEvent
    position_s: float


@dataclass(frozen=True, slots=True)
class TimedEventEnded:
    event: TimedEvent
    position_s: float


@dataclass(frozen=True, slots=True)
class InterstitialStarted:
    """Other presentations play in between; the title waits. `reason` says why now."""

    id: str
    position_s: float
    n_assets: int
    may_skip: bool
    reason: str


@dataclass(frozen=True, slots=True)
class InterstitialAssetFailed:
    """One of them could not be played, and is left out."""

    id: str
    number: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InterstitialEnded:
    """The title goes on at `resume_s`. `reason`: `played`, `skipped`, or why nothing was."""

    id: str
    resume_s: float
    played_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    position_s: float


@dataclass(frozen=True, slots=True)
class PlaybackFailed:
    """Playback cannot continue. `code` is a code of cushion_player.errors."""

    position_s: float
    code: str
    message: str
    attempts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventsMissed:
    """Said to a listener that was too slow: so many events before the next one were dropped for it."""

    count: int


SessionEvent = (
    SessionOpened
    | PlaybackStarted
    | PlaybackPaused
    | PlaybackResumed
    | RebufferStarted
    | RebufferEnded
    | SeekStarted
    | SeekEnded
    | GapSkipped
    | TrackSwitched
    | TrackDropped
    | RungCapped
    | RungLost
    | LoopedBack
    | LiveJumped
    | LiveStale
    | LiveEnded
    | RungSelected
    | RungShown
    | SegmentLoaded
    | SegmentRetried
    | MediaDamaged
    | PartMissing
    | TimedEventBegan
    | TimedEventEnded
    | InterstitialStarted
    | InterstitialAssetFailed
    | InterstitialEnded
    | PlaybackEnded
    | PlaybackFailed
    | EventsMissed
)


def seconds(time_us: int) -> float:
    """Microseconds as seconds."""
    return time_us / 1_000_000


def from_notice(notice: notices.Notice) -> SessionEvent | None:
    """A player's notice as a session event; None for what only the engine cares about (an audio rung)."""
    match notice:
        case notices.PlaybackStarted(position_us, startup_us):
            return PlaybackStarted(seconds(position_us), seconds(startup_us))
        case notices.PlaybackPaused(position_us):
            return PlaybackPaused(seconds(position_us))
        case notices.PlaybackResumed(position_us):
            return PlaybackResumed(seconds(position_us))
        case notices.RebufferStarted(position_us, cause):
            return RebufferStarted(seconds(position_us), cause)
        case notices.RebufferEnded(position_us, duration_us, cause, recovery):
            return RebufferEnded(seconds(position_us), seconds(duration_us), cause, recovery)
        case notices.GapSkipped(_, from_us, to_us, cause):
            return GapSkipped(seconds(from_us), seconds(to_us), cause)
        case notices.TrackSwitched(track, key, position_us):
            return TrackSwitched(track, key, seconds(position_us))
        case notices.TrackDropped(track, key, _, message):
            return TrackDropped(track, key, message)
        case notices.RungCapped(_, rung, reason):
            return RungCapped(rung, reason)
        case notices.RungLost(track, rung, reason):
            return RungLost(track, rung, reason)
        case notices.LoopedBack(from_us, to_us):
            return LoopedBack(seconds(from_us), seconds(to_us))
        case notices.LiveJumped(from_us, to_us, reason):
            return LiveJumped(seconds(from_us), seconds(to_us), reason)
        case notices.LiveStale(_, since_us, message):
            return LiveStale(seconds(since_us), message)
        case notices.LiveEnded(end_us):
            return LiveEnded(seconds(end_us))
        case notices.SeekStarted(from_us, to_us):
            return SeekStarted(seconds(from_us), seconds(to_us))
        case notices.SeekEnded(position_us, delay_us):
            return SeekEnded(seconds(position_us), seconds(delay_us))
        case notices.RungSelected(TrackKind.VIDEO, index, from_rung, to_rung, reason):
            return RungSelected(index, from_rung, to_rung, reason)
        case notices.RepresentationChanged(TrackKind.VIDEO, position_us, rung, bitrate_bps, height_px):
            return RungShown(seconds(position_us), rung, height_px, bitrate_bps)
        case notices.SegmentLoaded():
            return SegmentLoaded(
                kind=notice.track,
                rung=notice.rung,
                index=notice.index,
                size_bytes=notice.size_bytes,
                latency_s=seconds(notice.first_byte_us - notice.request_us),
                transfer_s=seconds(notice.end_us - notice.first_byte_us),
                buffer_s=seconds(notice.buffer_us),
            )
        case notices.SegmentRetried():
            return SegmentRetried(
                notice.track, notice.rung, notice.index, notice.attempt, seconds(notice.delay_us), notice.failure
            )
        case notices.MediaDamaged(track, position_us, message):
            return MediaDamaged(track, seconds(position_us), message)
        case notices.PartMissing(what, message):
            return PartMissing(what, message)
        case notices.TimedEventBegan(event, position_us):
            return TimedEventBegan(event, seconds(position_us))
        case notices.TimedEventEnded(event, position_us):
            return TimedEventEnded(event, seconds(position_us))
        case notices.InterstitialStarted(identity, position_us, n_assets, may_skip, reason):
            return InterstitialStarted(identity, seconds(position_us), n_assets, may_skip, reason)
        case notices.InterstitialAssetFailed(identity, number, code, message):
            return InterstitialAssetFailed(identity, number, code, message)
        case notices.InterstitialEnded(identity, resume_us, played_us, reason):
            return InterstitialEnded(identity, seconds(resume_us), seconds(played_us), reason)
        case notices.PlaybackEnded(position_us):
            return PlaybackEnded(seconds(position_us))
        case notices.PlaybackFailed(position_us, code, message, attempts):
            return PlaybackFailed(seconds(position_us), code, message, tuple(map(str, attempts)))
        case _:
            return None
