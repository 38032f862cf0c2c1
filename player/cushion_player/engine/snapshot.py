"""How a playback stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from cushion_player.engine.phase import Phase


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """How things stand at one moment. Times in µs, sums over the whole playback."""

    phase: Phase
    is_paused: bool
    position_us: int
    duration_us: int
    buffer_us: int
    """Media ahead that every active track has."""
    buffered_to_us: int
    rung: int
    """Of the video (or only) track at the position; -1 before the first segment plays."""
    n_rungs: int
    height_px: int
    bitrate_bps: int
    throughput_bps: float
    """The rule's estimate, 0 when it has none."""
    startup_us: int | None
    rebuffer_count: int
    rebuffer_us: int
    seek_us: int
    frames_dropped: int
    is_live: bool = False
    live_latency_us: int = 0
    """How far behind the live edge; 0 when it is not live."""
    target_latency_us: int = 0
    window_start_us: int = 0
    window_end_us: int = 0
    """What can be played now; on demand, all of it."""
    audio_key: str = ""
    """The audio track that plays; "" when there is none of its own."""
    text_key: str = ""
    wasted_bytes: int = 0
    """Received for the tracks being played, and dropped unused: abandoned, replaced, or broken off."""
