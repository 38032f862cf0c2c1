"""What an engine is told: its configuration, the viewer's limits, and why a fetch failed. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from cushion_player.engine.retry import TRANSIENT, FailureClass, RetryPolicy, classify

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Thresholds of one playback. All times in µs of media time unless said otherwise.

    start_threshold_us and rebuffer_threshold_us follow Media3's shipped defaults (start 1 s, after a rebuffer 2 s);
    buffer_goal_us is the 30 s that hls.js ships, and what the rules scale their maps to. docs/abr-evidence.md says what
    other values come to.
    """

    buffer_goal_us: int = 30 * SECOND_US
    """Media ahead of the position beyond which nothing is requested."""
    back_buffer_us: int = 10 * SECOND_US
    """Media behind the position kept for seeking back without fetching."""
    buffer_limit_bytes: int = 128 * 1024 * 1024
    """Bytes held for all tracks together: buffered, in flight, and decoded frames as far as the output tells.

    The back buffer gives way first, then rungs that do not fit; requests wait while nothing fits. Only the two
    lowest segments that playback cannot do without are requested beyond it.
    """
    replaces_low_rungs: bool = False
    """Fetch buffered segments of low rungs again at a better one when there is time: better pictures, more bytes."""
    dropped_frames_limit: int = 24
    """Frames dropped within `dropped_frames_window_us` of playing one rung that cap playback below it."""
    dropped_frames_window_us: int = 4 * SECOND_US
    cap_hold_us: int = 60 * SECOND_US
    """How long such a cap holds; doubles each time the rung above it fails again."""
    start_threshold_us: int = 1 * SECOND_US
    rebuffer_threshold_us: int = 2 * SECOND_US
    starved_hold_us: int = SECOND_US // 5
    """Wall time that the clock stays stopped at least when the output, not the buffer, ran dry."""
    catch_up_zone_us: int = SECOND_US // 2
    """How far live playback may be from its wanted latency before its rate changes; back within a quarter of it."""
    stale_limit_us: int = 30 * SECOND_US
    """Wall time without anything new in a live presentation, or any answer, before waiting for it is given up."""
    measured_sources: tuple[str, ...] = ("network",)
    """Where bytes must have come from to say something about the link: `network`, `cache`, `local`."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    """What is done about failed requests."""

    def __post_init__(self) -> None:
        for name in ("buffer_goal_us", "start_threshold_us", "rebuffer_threshold_us"):
            if getattr(self, name) <= 0:
                raise ValueError(f"EngineConfig.{name} must be positive, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class TrackSelection:
    """Which tracks are wanted, by their keys in the timeline."""

    audio: str = ""
    """Empty: the preferred one."""
    text: str = ""
    """Empty: none."""


@dataclass(frozen=True, slots=True)
class Loop:
    """What is played again and again: from `start_us` to `end_us`, None being the end of the presentation."""

    start_us: int = 0
    end_us: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the viewer or the device allows. None means no limit; the lowest rung is always allowed.

    Upper limits win over lower ones.
    """

    max_height_px: int | None = None
    max_bitrate_bps: int | None = None
    min_height_px: int | None = None
    min_bitrate_bps: int | None = None
    viewport_height_px: int | None = None
    """The height of the picture on the screen: rungs above the first that fills it are not used."""
    pinned_rung: int | None = None
    """Play exactly this rung (clamped to the ladder) whatever the rule says."""


@dataclass(frozen=True, slots=True)
class SteeringAnswer:
    """What a steering server says: sources in the order it wants, after how long to ask again, and new sources.

    clones: (base, name) of sources that have all that their base has.
    """

    order: tuple[str, ...]
    ttl_us: int
    clones: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """Why a fetch failed, as far as the engine cares. `code` is an error code of cushion_player.errors.

    status: of the HTTP answer, 0 without one. kept_bytes: of the segment's beginning, which the driver keeps for a
    request that resumes this one. is_whole: all of it came, but it is spoilt; it may yet be taken as it is.
    """

    code: str
    message: str
    retryable: bool
    retry_after_us: int = 0
    status: int = 0
    kept_bytes: int = 0
    is_whole: bool = False

    @property
    def is_transient(self) -> bool:
        """Whether time may heal it."""
        return self.kind in TRANSIENT

    @property
    def kind(self) -> FailureClass:
        return classify(self.code, self.status, retryable=self.retryable, retry_after_us=self.retry_after_us)
