"""A session's snapshot: what the player says at one moment, with what the session itself knows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cushion_player.engine import EngineSnapshot, Phase
from cushion_player.timeline import Track
from cushion_sdk.session_events import seconds
from cushion_sdk.session_types import SessionProblem, SessionSnapshot, SessionState
from cushion_sdk.tracks import CaptionInfo, RungCap, list_rungs, list_tracks

if TYPE_CHECKING:
    from cushion_player.player import PlayerSnapshot


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a session knows beside its player; the fields are those of SessionSnapshot."""

    rule: str
    title: str
    trace: str
    volume: float
    startup_s: float | None = None
    error: SessionProblem | None = None
    attempts: tuple[str, ...] = ()
    cap: RungCap | None = None
    captions: tuple[CaptionInfo, ...] = ()
    captions_shown: str = ""
    has_thumbnails: bool = False
    is_loaded: bool = False


def snapshot_of(now: PlayerSnapshot, tracks: tuple[Track, ...], facts: SessionFacts) -> SessionSnapshot:
    """Both as one value, times in seconds. While something plays in between, that is what plays."""
    engine, output = now.engine, now.output
    waits_for_break = now.interstitial is not None and not now.interstitial.is_paused
    return SessionSnapshot(
        state=SessionState.PLAYING if waits_for_break else _state(engine, is_loaded=facts.is_loaded),
        position_s=seconds(engine.position_us),
        duration_s=seconds(engine.duration_us),
        buffer_s=seconds(engine.buffer_us),
        rung=engine.rung,
        n_rungs=engine.n_rungs,
        height_px=engine.height_px,
        bitrate_bps=engine.bitrate_bps,
        interstitial=now.interstitial,
        tracks=list_tracks(tracks, engine),
        rungs=list_rungs(tracks, engine.position_us),
        cap=facts.cap,
        captions=facts.captions,
        captions_shown=facts.captions_shown,
        has_thumbnails=facts.has_thumbnails,
        throughput_bps=engine.throughput_bps,
        frames_shown=output.frames_shown,
        frames_dropped=output.frames_dropped,
        rebuffer_count=engine.rebuffer_count,
        rebuffer_s=seconds(engine.rebuffer_us),
        startup_s=facts.startup_s,
        trace=facts.trace,
        rule=facts.rule,
        title=facts.title,
        volume=facts.volume,
        error=facts.error,
        attempts=facts.attempts,
        is_live=engine.is_live,
        live_latency_s=seconds(engine.live_latency_us),
        target_latency_s=seconds(engine.target_latency_us),
        window_start_s=seconds(engine.window_start_us),
        window_end_s=seconds(engine.window_end_us),
    )


def _state(engine: EngineSnapshot, *, is_loaded: bool) -> SessionState:
    match engine.phase:
        case Phase.IDLE:
            return SessionState.LOADING
        case Phase.STARTUP:
            return SessionState.READY if engine.is_paused and is_loaded else SessionState.LOADING
        case Phase.ENDED:
            return SessionState.ENDED
        case Phase.FAILED:
            return SessionState.FAILED
        case _ if engine.is_paused:
            return SessionState.PAUSED
        case Phase.REBUFFERING:
            return SessionState.REBUFFERING
        case Phase.SEEKING:
            return SessionState.SEEKING
        case Phase.STEADY:
            return SessionState.PLAYING
