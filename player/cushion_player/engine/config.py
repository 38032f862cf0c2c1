"""What an engine is told: its configuration, the viewer's limits, and why a fetch failed. Values only."""

from __future__ import annotations

from dataclasses import dataclass

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Thresholds of one playback. All times in µs of media time unless said otherwise.

    start_threshold_us and rebuffer_threshold_us follow Media3's shipped defaults (start 1 s, after a rebuffer 2 s);
    buffer_goal_us is the 30 s that hls.js ships, and what the rules scale their maps to.
    """

    buffer_goal_us: int = 30 * SECOND_US
    """Media ahead of the position beyond which nothing is requested."""
    back_buffer_us: int = 10 * SECOND_US
    """Media behind the position kept for seeking back without fetching."""
    buffer_limit_bytes: int = 128 * 1024 * 1024
    """Bytes held for all tracks together; requests wait while it is exceeded and playback can go on."""
    start_threshold_us: int = 1 * SECOND_US
    rebuffer_threshold_us: int = 2 * SECOND_US
    max_attempts: int = 3
    """Tries of one segment that fail in a retryable way before playback fails."""
    retry_base_us: int = SECOND_US // 2
    """Wall time before the first retry; doubles with each."""
    starved_hold_us: int = SECOND_US // 5
    """Wall time that the clock stays stopped at least when the output, not the buffer, ran dry."""

    def __post_init__(self) -> None:
        for name in ("buffer_goal_us", "start_threshold_us", "rebuffer_threshold_us", "max_attempts", "retry_base_us"):
            if getattr(self, name) <= 0:
                raise ValueError(f"EngineConfig.{name} must be positive, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the viewer or the device allows. None means no limit; the lowest rung is always allowed."""

    max_height_px: int | None = None
    max_bitrate_bps: int | None = None
    pinned_rung: int | None = None
    """Play exactly this rung (clamped to the ladder) whatever the rule says."""


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """Why a fetch failed, as far as the engine cares. `code` is an error code of cushion_player.errors."""

    code: str
    message: str
    retryable: bool
    retry_after_us: int = 0
