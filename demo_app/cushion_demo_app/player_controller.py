"""Between the player page and a session: what people ask for becomes verbs, snapshots become what the page shows.

It lives on the Qt thread and reads snapshots by a timer, so no callback of another thread ever reaches a widget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.presenting import WAITING, control_state, stats_state
from cushion_demo_app.qt import QtCore
from cushion_demo_app.remote import Remote
from cushion_demo_app.session_port import SessionLike
from cushion_demo_app.wishes import PlayRequest, Wishes
from cushion_demo_app.wording import problem_text, tried_lines
from cushion_sdk.session_types import SessionSnapshot, SessionState
from cushion_sdk.tracks import RungCap

POLL_MS = 100
_POLLS_PER_STATS = 3


OpenSession = Callable[[PlayRequest, Wishes], SessionLike]
Heal = Callable[[], "Future[bool]"]
"""Sets right what playback needs, elsewhere; the future is done when playing can be tried again."""


class PlayerController(Remote):
    """Plays one request at a time on a page."""

    left = QtCore.Signal()
    """The viewer wants back to the catalog; the session is closing."""
    progressed = QtCore.Signal(object)
    """A SessionSnapshot, as often as it is read."""
    _healed = QtCore.Signal(object)

    def __init__(
        self,
        page: PlayerPage,
        open_session: OpenSession,
        wishes: Wishes | None = None,
        heal: Heal | None = None,
        *,
        links: Sequence[str] = (),
    ) -> None:
        """heal: what a retry begins with. links: names of those that can be played over."""
        super().__init__(page, wishes or Wishes())
        self.audio_text = ""
        """How sound comes out, for the stats."""
        self._open_session = open_session
        self._heal = heal
        self._healing: Future[bool] | None = None
        self._request: PlayRequest | None = None
        self._closing: list[Future[None]] = []
        self._polls = 0
        self._cap_said: RungCap | None = None
        self._links = links
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
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
        self._cap_said = None
        self._polls = 0
        self.wishes = replace(self.wishes, speed=1.0, pinned_rung=None, loops=False)
        self.page.begin(request.name)
        self._follow(self._open_session(request, self.wishes), request.file)
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
            self._follow(None)

    # ------------------------------------------------------------------ what the page shows

    def poll(self) -> None:
        """Read the session and show it."""
        if self._session is None:
            return
        now = self._session.snapshot()
        frame = self.page.surface.last_frame
        position_s = self._target.shown_position(now)
        state = control_state(
            now,
            self.wishes,
            position_s,
            is_seeking=self._target.is_set,
            wants_to_play=self._wants_to_play,
            frame=frame,
            heights_px=self._request.heights_px if self._request is not None else (),
            links=self._links,
            file=self._file.shown,
        )
        is_waiting = self._wants_to_play and now.state in WAITING and not self._scrub_timer.isActive()
        self.page.show_state(state, waiting=is_waiting)
        self.page.show_break(now.interstitial)
        if self._polls % _POLLS_PER_STATS == 0:
            self.page.show_stats(stats_state(now, self.wishes, frame, self.audio_text))
        self._polls += 1
        self._say_cap(now.cap)
        if now.state is SessionState.FAILED and not self._problem_shown:
            self._problem_shown = True
            code, detail = (now.error.code, now.error.message) if now.error is not None else ("", "")
            text = problem_text(code, has_played=now.startup_s is not None)
            self.page.show_problem(text, detail, tried_lines(now.attempts))
        self.progressed.emit(now)

    def _say_cap(self, cap: RungCap | None) -> None:
        """Once, when the player begins to keep below a quality."""
        if cap is not None and cap != self._cap_said:
            self.page.say(f"At most {cap.height_px}p for now: this machine cannot keep up")
        self._cap_said = cap
