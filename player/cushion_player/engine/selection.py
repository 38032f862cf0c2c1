"""Small choices: which tracks play, which rung when no rule is asked, and what a rule is told."""

from __future__ import annotations

from typing import NamedTuple

from cushion_abr.contract import PHASE_REBUFFER, PHASE_SEEK, PHASE_STARTUP, PHASE_STEADY, Situation
from cushion_player.engine.config import Limits
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.track import TrackState
from cushion_player.timeline import TrackRung

AUDIO_CEILING_BPS = 200_000
"""The highest audio rung below this is played: audio adaptation is not worth a rebuffer."""
AUDIO_SHARE = 0.2
"""Of the throughput, what audio may take at most: about what it has of the ladders that are in use."""

PHASE_CODES = {
    Phase.STARTUP: PHASE_STARTUP,
    Phase.STEADY: PHASE_STEADY,
    Phase.REBUFFERING: PHASE_REBUFFER,
    Phase.SEEKING: PHASE_SEEK,
}


class RungRange(NamedTuple):
    """The rungs a rule may choose from, among those that can be had."""

    floor: int
    top: int


def allowed_rungs(track: TrackState, limits: Limits, below_bps: int | None = None) -> RungRange:
    """The lowest and highest usable rung within the limits; the lowest usable one alone when none is.

    below_bps: a bitrate that must not be reached, for want of a faster machine.
    """
    usable = track.usable_rungs()
    rungs = track.stretch.rungs
    if limits.pinned_rung is not None:
        wanted = min(max(limits.pinned_rung, 0), len(rungs) - 1)
        pinned = min(usable, key=lambda rung: abs(rung - wanted))
        return RungRange(pinned, pinned)
    max_height_px = limits.max_height_px
    if limits.viewport_height_px is not None:
        filling = [rung.height_px for rung in rungs if rung.height_px >= limits.viewport_height_px]
        if filling:
            max_height_px = min(filling) if max_height_px is None else min(max_height_px, *filling)
    allowed = [
        rung
        for rung in usable
        if (limits.max_bitrate_bps is None or rungs[rung].bitrate_bps <= limits.max_bitrate_bps)
        and (max_height_px is None or rungs[rung].height_px <= max_height_px)
        and (below_bps is None or rungs[rung].bitrate_bps < below_bps)
    ]
    if not allowed:
        return RungRange(usable[0], usable[0])
    high_enough = [
        rung
        for rung in allowed
        if (limits.min_bitrate_bps is None or rungs[rung].bitrate_bps >= limits.min_bitrate_bps)
        and (limits.min_height_px is None or rungs[rung].height_px >= limits.min_height_px)
    ]
    return RungRange(high_enough[0] if high_enough else allowed[-1], allowed[-1])


def choose_audio_rung(track: TrackState, throughput_bps: float) -> int:
    """The highest usable rung below the ceiling that takes no more than its share; the lowest when none does.

    throughput_bps: 0 before anything is known of it.
    """
    usable = track.usable_rungs()
    rungs = track.stretch.rungs
    limit_bps = min(AUDIO_CEILING_BPS, throughput_bps * AUDIO_SHARE) if throughput_bps else AUDIO_CEILING_BPS
    allowed = [rung for rung in usable if rungs[rung].bitrate_bps <= limit_bps]
    return allowed[-1] if allowed else usable[0]


def nearest_rung(rungs: tuple[TrackRung, ...], bitrate_bps: int) -> int:
    """The rung of another ladder that is most like one of this bitrate."""
    return min(range(len(rungs)), key=lambda rung: abs(rungs[rung].bitrate_bps - bitrate_bps))


def describe_situation(
    track: TrackState,
    phase: Phase,
    playhead: Playhead,
    buffer_goal_us: int,
    *,
    max_rung: int,
    now: int,
    live_latency_us: int = 0,
) -> Situation:
    """What a rule is told about the segment that is next on `track`."""
    index = track.next_index
    rungs = track.stretch.rungs
    last = track.last_rung
    if last >= 0 and (last >= len(rungs) or rungs[last].bitrate_bps != track.last_bitrate_bps):
        last = nearest_rung(rungs, track.last_bitrate_bps)
    return Situation(
        now_us=now,
        buffer_us=track.buffer.ahead_us(playhead.position_us(now)),
        buffer_max_us=buffer_goal_us,
        segment_us=track.track.segment_us(index),
        index=index,
        n_left=track.track.stop_index - index,
        last_rung=last,
        max_rung=max_rung,
        phase=PHASE_CODES[phase],
        live_latency_us=live_latency_us,
        rate=playhead.rate,
        sizes_exact=int(track.track.sizes_exact),
    )
