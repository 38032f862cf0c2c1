"""How a playback stands at one moment: the value, and how it is gathered."""

from __future__ import annotations

from dataclasses import dataclass

from cushion_player.engine.following import Following
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.phase import Phase
from cushion_player.engine.waits import Waits
from cushion_player.timeline import TrackKind


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
    """Received and dropped unused: abandoned, replaced, or broken off."""


def take_snapshot(
    waits: Waits,
    lineup: Lineup,
    following: Following | None,
    *,
    position_us: int,
    duration_us: int,
    throughput_bps: float,
    frames_dropped: int,
    now: int,
) -> EngineSnapshot:
    """How things stand at `now`; changes nothing."""
    required = lineup.required()
    ends = [track.end_us(position_us) for track in required or lineup.active() if not track.is_complete()]
    buffered_to = min(ends) if ends else duration_us
    window_start, window_end, latency, target = 0, duration_us, 0, 0
    if following is not None:
        live = following.live
        window_start, window_end = live.window_us(required, now)
        latency, target = live.latency_us(position_us, now), live.edge.target_latency_us
    rung, n_rungs, height, bitrate = _picture(lineup)
    return EngineSnapshot(
        phase=waits.phase,
        is_paused=not waits.wants_play,
        position_us=min(position_us, duration_us),
        duration_us=duration_us,
        buffer_us=max(0, buffered_to - position_us),
        buffered_to_us=buffered_to,
        rung=rung,
        n_rungs=n_rungs,
        height_px=height,
        bitrate_bps=bitrate,
        throughput_bps=throughput_bps,
        startup_us=waits.startup_us,
        rebuffer_count=waits.rebuffer_count,
        rebuffer_us=waits.rebuffer_us(now),
        seek_us=waits.seek_us,
        frames_dropped=frames_dropped,
        wasted_bytes=lineup.wasted_bytes,
        is_live=following is not None,
        live_latency_us=latency,
        target_latency_us=target,
        window_start_us=window_start,
        window_end_us=window_end,
        audio_key=_key_of(lineup, TrackKind.AUDIO),
        text_key=_key_of(lineup, TrackKind.TEXT),
    )


def _picture(lineup: Lineup) -> tuple[int, int, int, int]:
    """Of the main track: the rung that plays, of how many, its height and bitrate."""
    if not lineup.tracks:
        return -1, 0, 0, 0
    main = next((track for track in lineup.tracks if track.is_required), lineup.main)
    n_rungs = len(main.track.stretch_of(max(main.playing_index, main.track.first_index)).rungs)
    playing = main.playing
    height, bitrate = (playing.height_px, playing.bitrate_bps) if playing is not None else (0, 0)
    return main.playing_rung, n_rungs, height, bitrate


def _key_of(lineup: Lineup, kind: TrackKind) -> str:
    track = lineup.playing(kind)
    return track.track.key if track is not None else ""
