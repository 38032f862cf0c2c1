"""From a session's snapshot to what the page shows. Pure, but for the memory of where a seek is going."""

from __future__ import annotations

from collections.abc import Sequence

from cushion_demo_app.control_state import ControlState
from cushion_demo_app.menus import SubtitleFile, link_menu, quality_menu, sound_menu, speed_menu, text_menu
from cushion_demo_app.stats_overlay import StatsState
from cushion_demo_app.wishes import Wishes
from cushion_player.outputs import VideoFrame
from cushion_sdk.session_types import SessionSnapshot, SessionState

WAITING = frozenset({SessionState.LOADING, SessionState.READY, SessionState.REBUFFERING, SessionState.SEEKING})
EDGE_S = 3.0
"""So much further behind than wanted still counts as live: a segment more or less, and the waits of one."""
_SEEK_PATIENCE_POLLS = 20
"""How long the bar stays at the place asked for while the snapshot still tells the old one."""
_NEAR_S = 1.5


class SeekTarget:
    """Where the viewer has just gone: shown as the position until playback is there."""

    def __init__(self) -> None:
        self._target_s: float | None = None
        self._polls = 0

    @property
    def is_set(self) -> bool:
        return self._target_s is not None

    def set(self, target_s: float) -> None:
        self._target_s = target_s
        self._polls = 0

    def forget(self) -> None:
        self._target_s = None

    def shown_position(self, now: SessionSnapshot) -> float:
        """The position to show."""
        target_s = self._target_s
        if target_s is None:
            return now.position_s
        has_come = now.state not in WAITING and abs(now.position_s - target_s) < _NEAR_S
        if now.state not in WAITING:
            self._polls += 1
        if has_come or self._polls > _SEEK_PATIENCE_POLLS:
            self._target_s = None
            return now.position_s
        return target_s


def is_at_edge(now: SessionSnapshot) -> bool:
    """Whether a live presentation plays about where it wants to."""
    return now.is_live and now.live_latency_s <= now.target_latency_s + EDGE_S


def control_state(
    now: SessionSnapshot,
    wishes: Wishes,
    position_s: float,
    *,
    is_seeking: bool,
    wants_to_play: bool,
    frame: VideoFrame | None,
    heights_px: Sequence[int],
    links: Sequence[str],
    file: SubtitleFile | None,
) -> ControlState:
    """What the bar shows. While something plays in between, its own times.

    position_s: to show. frame: on screen. heights_px: of the ladder, until the session knows it.
    """
    ended = now.state is SessionState.ENDED and not is_seeking
    start_s, end_s = (now.window_start_s, now.window_end_s) if now.is_live else (0.0, now.duration_s)
    buffered_until_s = max(position_s, now.position_s + now.buffer_s)
    if ended:
        position_s = end_s or position_s
    between = now.interstitial
    if between is not None:
        start_s, position_s, end_s = 0.0, between.position_us / 1e6, between.duration_us / 1e6
        buffered_until_s = position_s
    return ControlState(
        position_s=position_s,
        start_s=start_s,
        end_s=end_s,
        buffered_until_s=buffered_until_s,
        playing=wants_to_play and not ended and now.state is not SessionState.FAILED,
        ended=ended,
        volume=wishes.volume,
        muted=wishes.muted,
        loops=wishes.loops,
        is_live=now.is_live and between is None,
        behind_s=now.live_latency_s,
        is_at_edge=is_at_edge(now) and not is_seeking,
        can_seek=between is None,
        quality=quality_menu(now, wishes, heights_px, frame.height_px if frame is not None else 0),
        sound=sound_menu(now),
        text=text_menu(now, file, wishes.text),
        speed=speed_menu(wishes.speed),
        link=link_menu(links, wishes.link),
    )


def stats_state(now: SessionSnapshot, wishes: Wishes, frame: VideoFrame | None, audio_text: str) -> StatsState:
    """What the overlay shows; `audio_text` is how sound comes out."""
    is_other = frame is None or frame.rung != now.rung
    return StatsState(
        rung=frame.rung if frame is not None else -1,
        coming_height_px=now.height_px if is_other else 0,
        rung_count=now.n_rungs,
        width_px=frame.width_px if frame is not None else 0,
        height_px=frame.height_px if frame is not None else 0,
        bitrate_bps=now.bitrate_bps,
        buffer_s=now.buffer_s,
        throughput_bps=now.throughput_bps,
        frames_shown=now.frames_shown,
        frames_dropped=now.frames_dropped,
        rebuffer_count=now.rebuffer_count,
        rebuffer_s=now.rebuffer_s,
        startup_s=now.startup_s or 0.0,
        rule=now.rule,
        link=wishes.link,
        audio=audio_text,
        cap=f"{now.cap.height_px}p: {now.cap.reason}" if now.cap is not None else "",
        latency=f"{now.live_latency_s:.1f} s (wanted {now.target_latency_s:.1f} s)" if now.is_live else "",
    )
