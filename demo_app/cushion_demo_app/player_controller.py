"""Between the player page and a session: what people ask for becomes verbs, snapshots become what the page shows.

It lives on the Qt thread and reads snapshots by a timer, so no callback of another thread ever reaches a widget.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from cushion_demo_app.control_bar import ControlState
from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.qt import QtCore
from cushion_demo_app.stats_overlay import StatsState
from cushion_demo_app.wording import problem_text, track_name
from cushion_player.engine.config import Limits
from cushion_player.timeline import TrackKind
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.session_types import SessionSnapshot, SessionState

POLL_MS = 100
_POLLS_PER_STATS = 3
_SEEK_PATIENCE_POLLS = 20
"""How long the bar stays at the place asked for while the snapshot still tells the old one."""
_NEAR_S = 1.5

_WAITING = frozenset({SessionState.LOADING, SessionState.READY, SessionState.REBUFFERING, SessionState.SEEKING})


class SessionLike(Protocol):
    """What the controller needs of `cushion_sdk.runtime.SyncSession`."""

    def play(self) -> None: ...
    def pause(self) -> None: ...
    def seek(self, position_s: float) -> None: ...
    def set_rate(self, rate: float) -> None: ...
    def set_volume(self, volume: float) -> None: ...
    def set_trace(self, name: str) -> None: ...
    def set_limits(self, limits: Limits) -> None: ...
    def select_audio(self, key: str) -> None: ...
    def select_text(self, key: str | None) -> None: ...
    def snapshot(self) -> SessionSnapshot: ...
    def close_soon(self) -> Future[None]: ...


@dataclass(frozen=True, slots=True)
class PlayRequest:
    """What to play. `start_s` None: where the profile stopped."""

    source: str | Title
    name: str
    heights_px: tuple[int, ...] = ()
    start_s: float | None = None

    @staticmethod
    def of_title(title: Title, start_s: float | None = None) -> PlayRequest:
        """A title of the catalog, with its ladder."""
        heights = tuple(rung.height_px for rung in title.ladder.video)
        return PlayRequest(title, title.name, heights, start_s)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the viewer chose, and keeps from title to title (but for the speed)."""

    volume: float = 1.0
    muted: bool = False
    link: str = "unshaped"
    height_cap_px: int = 0
    speed: float = 1.0

    @property
    def loudness(self) -> float:
        """What the output is told: 0.0 to 1.0."""
        return 0.0 if self.muted else self.volume

    @property
    def limits(self) -> Limits:
        return Limits(max_height_px=self.height_cap_px or None)


OpenSession = Callable[[PlayRequest, Wishes], SessionLike]
Heal = Callable[[], "Future[bool]"]
"""Sets right what playback needs, elsewhere; the future is done when playing can be tried again."""


class PlayerController(QtCore.QObject):
    """Plays one request at a time on a page."""

    left = QtCore.Signal()
    """The viewer wants back to the catalog; the session is closing."""
    wishes_changed = QtCore.Signal(object)
    progressed = QtCore.Signal(object)
    """A SessionSnapshot, as often as it is read."""
    _healed = QtCore.Signal(object)

    def __init__(
        self, page: PlayerPage, open_session: OpenSession, wishes: Wishes | None = None, heal: Heal | None = None
    ) -> None:
        """heal: what a retry begins with."""
        super().__init__(page)
        self.page = page
        self.wishes = wishes or Wishes()
        self.audio_text = ""
        """How sound comes out, for the stats."""
        self._open_session = open_session
        self._heal = heal
        self._healing: Future[bool] | None = None
        self._session: SessionLike | None = None
        self._request: PlayRequest | None = None
        self._closing: list[Future[None]] = []
        self._wants_to_play = True
        self._seek_target_s: float | None = None
        self._seek_polls = 0
        self._polls = 0
        self._problem_shown = False
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
        self._connect()

    def _connect(self) -> None:
        page = self.page
        page.play_toggled.connect(self.toggle_play)
        page.seek_requested.connect(self.seek)
        page.seek_by_requested.connect(self.seek_by)
        page.seek_to_share_requested.connect(self.seek_to_share)
        page.mute_toggled.connect(self.toggle_mute)
        page.volume_requested.connect(self.set_volume)
        page.volume_by_requested.connect(self.change_volume)
        page.height_cap_requested.connect(self.set_height_cap)
        page.link_requested.connect(self.set_link)
        page.speed_requested.connect(self.set_speed)
        page.next_subtitles_requested.connect(self.next_subtitles)
        page.next_sound_requested.connect(self.next_sound)
        page.retry_requested.connect(self.retry)
        page.leave_requested.connect(self.leave)
        self._healed.connect(self._try_again, QtCore.Qt.ConnectionType.QueuedConnection)

    # ------------------------------------------------------------------ one session

    @property
    def session(self) -> SessionLike | None:
        """What plays now."""
        return self._session

    def open(self, request: PlayRequest) -> None:
        """Play this instead of what plays now."""
        self._drop_session()
        self._request = request
        self._wants_to_play = True
        self._seek_target_s = None
        self._problem_shown = False
        self._polls = 0
        self.wishes = replace(self.wishes, speed=1.0)
        self.page.begin(request.name, request.heights_px)
        self._session = self._open_session(request, self.wishes)
        self._timer.start()
        self.poll()

    def retry(self) -> None:
        """Open the same again, where it stopped, once what it needs has been set right."""
        if self._request is None or self._healing is not None:
            return
        if self._heal is None:
            self._open_again()
            return
        self.page.show_retrying()
        self._timer.stop()
        self._healing = self._heal()
        self._healing.add_done_callback(self._healed.emit)

    def _try_again(self, healing: Future[bool]) -> None:
        if healing is self._healing:
            self._healing = None
            self._open_again()

    def _open_again(self) -> None:
        if self._request is None:
            return
        now = self._session.snapshot() if self._session is not None else SessionSnapshot()
        # A start that failed has reached nothing, and nothing can start at the end: then as it was asked for first.
        has_place = now.position_s > 0 and (now.position_s < now.duration_s or not now.duration_s)
        self.open(replace(self._request, start_s=now.position_s) if has_place else self._request)

    def leave(self) -> None:
        """Stop, and say so."""
        self._drop_session()
        self._request = None
        self.left.emit()

    def close(self) -> list[Future[None]]:
        """Stop; the futures are done when every session has saved its position and let go of everything."""
        self._drop_session()
        return self.closing

    @property
    def closing(self) -> list[Future[None]]:
        """Sessions that still save and let go."""
        return [future for future in self._closing if not future.done()]

    def _drop_session(self) -> None:
        self._timer.stop()
        self._healing = None
        self._closing = self.closing
        if self._session is not None:
            self._closing.append(self._session.close_soon())
            self._session = None

    # ------------------------------------------------------------------ what people ask for

    def toggle_play(self) -> None:
        if self._session is None or self._problem_shown:
            return
        if self._session.snapshot().state is SessionState.ENDED:
            self._wants_to_play = True
            self.seek(0.0)
        else:
            self._wants_to_play = not self._wants_to_play
        if self._wants_to_play:
            self._session.play()
        else:
            self._session.pause()
        self.poll()

    def seek(self, position_s: float) -> None:
        """Go to a time; kept inside the title."""
        if self._session is None or self._problem_shown:
            return
        duration_s = self._session.snapshot().duration_s
        self._seek_target_s = max(0.0, min(position_s, duration_s) if duration_s else position_s)
        self._seek_polls = 0
        self._session.seek(self._seek_target_s)
        self.poll()

    def seek_by(self, seconds: float) -> None:
        """Go on or back from where we are, or from where we are just going."""
        if self._session is None:
            return
        self.page.say(f"{seconds:+g} s")
        self.seek(self._shown_position(self._session.snapshot()) + seconds)

    def seek_to_share(self, share: float) -> None:
        """Go to a share of the title, 0 to 1."""
        if self._session is not None:
            self.seek(self._session.snapshot().duration_s * share)

    def toggle_mute(self) -> None:
        self._wish(muted=not self.wishes.muted)
        self.page.say("Sound off" if self.wishes.muted else "Sound on")

    def set_volume(self, volume: float) -> None:
        self._wish(volume=max(0.0, min(1.0, volume)), muted=False)

    def change_volume(self, by: float) -> None:
        self.set_volume(self.wishes.volume + by)
        self.page.say(f"Volume {round(self.wishes.volume * 100)} %")

    def set_height_cap(self, height_px: int) -> None:
        self._wish(height_cap_px=height_px)

    def set_link(self, name: str) -> None:
        self._wish(link=name)

    def set_speed(self, speed: float) -> None:
        self._wish(speed=speed)

    def next_subtitles(self) -> None:
        """The next subtitles of the title; after the last, none."""
        if self._session is None:
            return
        text = [track for track in self._session.snapshot().tracks if track.kind is TrackKind.TEXT]
        if not text:
            self.page.say("No subtitles")
            return
        at = next((index for index, track in enumerate(text) if track.is_selected), -1) + 1
        chosen = text[at] if at < len(text) else None
        self._session.select_text(chosen.key if chosen is not None else None)
        self.page.say(f"Subtitles: {track_name(chosen)}" if chosen is not None else "Subtitles off")

    def next_sound(self) -> None:
        """The next language or commentary; after the last, the first."""
        if self._session is None:
            return
        sounds = [track for track in self._session.snapshot().tracks if track.kind is TrackKind.AUDIO]
        if len(sounds) < 2:
            self.page.say("No other sound")
            return
        at = next((index for index, track in enumerate(sounds) if track.is_selected), -1)
        chosen = sounds[(at + 1) % len(sounds)]
        self._session.select_audio(chosen.key)
        self.page.say(f"Sound: {track_name(chosen)}")

    def _wish(self, **changes: float | bool | str) -> None:
        before = self.wishes
        self.wishes = now = replace(before, **changes)  # type: ignore[arg-type]  # each caller passes its own field
        if self._session is not None:
            if now.loudness != before.loudness:
                self._session.set_volume(now.loudness)
            if now.limits != before.limits:
                self._session.set_limits(now.limits)
            if now.link != before.link:
                self._session.set_trace(now.link)
            if now.speed != before.speed:
                self._session.set_rate(now.speed)
            self.poll()
        self.wishes_changed.emit(now)

    # ------------------------------------------------------------------ what the page shows

    def poll(self) -> None:
        """Read the session and show it."""
        if self._session is None:
            return
        snapshot = self._session.snapshot()
        self.page.show_state(self._control_state(snapshot), waiting=self._wants_to_play and snapshot.state in _WAITING)
        if self._polls % _POLLS_PER_STATS == 0:
            self.page.show_stats(self._stats_state(snapshot))
        self._polls += 1
        if snapshot.state is SessionState.FAILED and not self._problem_shown:
            self._problem_shown = True
            code, detail = (snapshot.error.code, snapshot.error.message) if snapshot.error is not None else ("", "")
            self.page.show_problem(problem_text(code, has_played=snapshot.startup_s is not None), detail)
        self.progressed.emit(snapshot)

    def _shown_position(self, snapshot: SessionSnapshot) -> float:
        target_s = self._seek_target_s
        if target_s is None:
            return snapshot.position_s
        arrived = snapshot.state not in _WAITING and abs(snapshot.position_s - target_s) < _NEAR_S
        if snapshot.state not in _WAITING:
            self._seek_polls += 1
        if arrived or self._seek_polls > _SEEK_PATIENCE_POLLS:
            self._seek_target_s = None
            return snapshot.position_s
        return target_s

    def _control_state(self, snapshot: SessionSnapshot) -> ControlState:
        position_s = self._shown_position(snapshot)
        ended = snapshot.state is SessionState.ENDED and self._seek_target_s is None
        if ended:
            position_s = snapshot.duration_s or position_s
        frame = self.page.surface.last_frame
        return ControlState(
            position_s=position_s,
            duration_s=snapshot.duration_s,
            buffered_until_s=max(position_s, snapshot.position_s + snapshot.buffer_s),
            playing=self._wants_to_play and not ended and snapshot.state is not SessionState.FAILED,
            ended=ended,
            volume=self.wishes.volume,
            muted=self.wishes.muted,
            height_px=frame.height_px if frame is not None else 0,
            height_cap_px=self.wishes.height_cap_px,
            link=self.wishes.link,
            speed=self.wishes.speed,
        )

    def _stats_state(self, snapshot: SessionSnapshot) -> StatsState:
        frame = self.page.surface.last_frame
        is_other = frame is None or frame.rung != snapshot.rung
        return StatsState(
            rung=frame.rung if frame is not None else -1,
            coming_height_px=snapshot.height_px if is_other else 0,
            rung_count=snapshot.n_rungs,
            width_px=frame.width_px if frame is not None else 0,
            height_px=frame.height_px if frame is not None else 0,
            bitrate_bps=snapshot.bitrate_bps,
            buffer_s=snapshot.buffer_s,
            throughput_bps=snapshot.throughput_bps,
            frames_shown=snapshot.frames_shown,
            frames_dropped=snapshot.frames_dropped,
            rebuffer_count=snapshot.rebuffer_count,
            rebuffer_s=snapshot.rebuffer_s,
            startup_s=snapshot.startup_s or 0.0,
            rule=snapshot.rule,
            link=self.wishes.link,
            audio=self.audio_text,
        )
