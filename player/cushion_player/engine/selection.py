"""Small choices: which tracks play, which rung when no rule is asked, and what a rule is told."""

from __future__ import annotations

from cushion_abr.contract import PHASE_REBUFFER, PHASE_SEEK, PHASE_STARTUP, PHASE_STEADY, Situation
from cushion_player.engine.config import Limits
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.track import TrackState
from cushion_player.timeline import Timeline, Track, TrackKind

AUDIO_CEILING_BPS = 200_000
"""The highest audio rung below this is played: audio adaptation is not worth a rebuffer."""

PHASE_CODES = {
    Phase.STARTUP: PHASE_STARTUP,
    Phase.STEADY: PHASE_STEADY,
    Phase.REBUFFERING: PHASE_REBUFFER,
    Phase.SEEKING: PHASE_SEEK,
}


def choose_tracks(timeline: Timeline) -> list[Track]:
    """Video first (the main track), then audio; audio alone when there is no video."""
    tracks = [timeline.first(TrackKind.VIDEO), timeline.first(TrackKind.AUDIO)]
    chosen = [track for track in tracks if track is not None]
    assert chosen, "a timeline has video or audio"
    return chosen


def choose_rung(track: TrackState, limits: Limits) -> int:
    """The highest usable rung within the limits (for audio: within the ceiling); the lowest when none is."""
    usable = track.usable_rungs()
    if limits.pinned_rung is not None:
        wanted = min(max(limits.pinned_rung, 0), len(track.track.rungs) - 1)
        return min(usable, key=lambda rung: abs(rung - wanted))
    ceiling_bps = AUDIO_CEILING_BPS if track.kind is TrackKind.AUDIO else limits.max_bitrate_bps
    allowed = [
        rung
        for rung in usable
        if (ceiling_bps is None or track.track.rungs[rung].bitrate_bps <= ceiling_bps)
        and (limits.max_height_px is None or track.track.rungs[rung].height_px <= limits.max_height_px)
    ]
    return allowed[-1] if allowed else usable[0]


def describe_situation(
    track: TrackState, phase: Phase, playhead: Playhead, buffer_goal_us: int, *, max_rung: int, now: int
) -> Situation:
    """What a rule is told about the segment that is next on `track`."""
    index = track.next_index
    start = track.track.start_us
    return Situation(
        now_us=now,
        buffer_us=track.buffer.ahead_us(playhead.position_us(now)),
        buffer_max_us=buffer_goal_us,
        segment_us=start[index + 1] - start[index],
        index=index,
        n_left=track.track.n_segments - index,
        last_rung=track.last_rung,
        max_rung=max_rung,
        phase=PHASE_CODES[phase],
        live_latency_us=0,
        rate=playhead.rate,
        sizes_exact=int(track.track.sizes_exact),
    )
