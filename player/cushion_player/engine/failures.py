"""What a failed fetch is called, and how long to wait before the next try."""

from __future__ import annotations

from cushion_player.engine.config import EngineConfig, FetchFailure
from cushion_player.engine.prerequisites import NeedKind
from cushion_player.engine.track import TrackState

MAX_RETRY_DELAY_US = 8_000_000


def retry_delay_us(config: EngineConfig, attempt: int, failure: FetchFailure) -> int:
    """Exponential backoff; a server's Retry-After is honoured up to the same limit."""
    backoff = config.retry_base_us << (attempt - 1)
    return min(max(backoff, failure.retry_after_us), MAX_RETRY_DELAY_US)


def describe_failure(track: TrackState, index: int, rung: int, failure: FetchFailure, need: NeedKind | None) -> str:
    """One line for the list of attempts. need: what failed when it was not the segment itself."""
    what = f"segment {index}" if need is None else str(need)
    return f"{what} of {track.kind}/{track.track.stretch_of(index).rungs[rung].key}: {failure.message}"
