"""Keeps the catalog page true: looks often while something is being prepared or the backend is away, else seldom."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from cushion_demo_app.cards import TitleCard
from cushion_demo_app.catalog_page import CatalogPage, CatalogState
from cushion_demo_app.catalog_source import CatalogReply
from cushion_demo_app.qt import QtCore, QtGui
from cushion_sdk.contracts.catalog import Title

log = logging.getLogger(__name__)

SOON_MS = 1_000
LATER_MS = 10_000
_AWAY_MS = 4_000

StartLook = Callable[[], "Future[CatalogReply]"]
StartPoints = Callable[[list[Title]], "Future[dict[str, float]]"]
"""Reads where this device stopped, in seconds by title id."""


class CatalogController(QtCore.QObject):
    """Looks by `start_look`, which runs elsewhere; the answer comes back to the Qt thread by a queued signal."""

    state_changed = QtCore.Signal(object)
    """A CatalogState from a finished look."""
    _arrived = QtCore.Signal(object)
    _points_arrived = QtCore.Signal(object)

    def __init__(self, page: CatalogPage, start_look: StartLook, start_points: StartPoints | None = None) -> None:
        super().__init__(page)
        self.page = page
        self.state = CatalogState(loading=True)
        self._start_look = start_look
        self._start_points = start_points
        self._points: Future[dict[str, float]] | None = None
        self._posters: dict[str, QtGui.QImage] = {}
        self._look: Future[CatalogReply] | None = None
        self._is_watching = False
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        self._arrived.connect(self._take, QtCore.Qt.ConnectionType.QueuedConnection)
        self._points_arrived.connect(self._take_points, QtCore.Qt.ConnectionType.QueuedConnection)
        page.retry_requested.connect(self._retry)

    def watch(self) -> None:
        """The page is in view: look now, and keep looking."""
        self._is_watching = True
        self.look()

    def rest(self) -> None:
        """The page is out of view."""
        self._is_watching = False
        self._timer.stop()

    def look(self) -> None:
        """Look once, unless a look is under way."""
        if self._look is not None:
            return
        self._timer.stop()
        self._look = self._start_look()
        self._look.add_done_callback(self._arrived.emit)

    def refresh_points(self) -> None:
        """Show where this device stopped without waiting for the backend, which may be away or slow."""
        if self._start_points is not None and self.state.titles:
            self._points = self._start_points([card.title for card in self.state.titles])
            self._points.add_done_callback(self._points_arrived.emit)

    def _take_points(self, points: Future[dict[str, float]]) -> None:
        if points is not self._points:
            return  # called off, or asked again since
        self._points = None
        if points.cancelled() or points.exception() is not None:
            return
        resume_s = points.result()
        cards = tuple(replace(card, resume_s=resume_s.get(card.title.title_id, 0.0)) for card in self.state.titles)
        self._show(replace(self.state, titles=cards))

    def close(self) -> None:
        """Look no more; a look under way is called off."""
        self.rest()
        self._points = None
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _retry(self) -> None:
        self._show(CatalogState(self.state.titles, self.state.jobs, loading=True))
        self.look()

    def _take(self, look: Future[CatalogReply]) -> None:
        if look is not self._look:
            return  # called off
        self._look = None
        if look.cancelled():
            return
        error = look.exception()
        if error is not None:
            log.error("the catalog could not be read", exc_info=error)
            reply = CatalogReply(
                tuple(card.title for card in self.state.titles),
                resume_s={card.title.title_id: card.resume_s for card in self.state.titles},
                offline=f"The catalog could not be read: {error}.",
            )
        else:
            reply = look.result()
        for path, encoded in reply.posters.items():
            image = QtGui.QImage.fromData(encoded)
            if not image.isNull():
                self._posters[path] = image
        self._show(self._state_of(reply))
        if self._is_watching:
            self._timer.start(_AWAY_MS if reply.offline else LATER_MS if reply.is_settled else SOON_MS)
        self.state_changed.emit(self.state)

    def _state_of(self, reply: CatalogReply) -> CatalogState:
        cards = tuple(
            TitleCard(title, reply.resume_s.get(title.title_id, 0.0), self._posters.get(title.poster_path))
            for title in reply.titles
        )
        return CatalogState(cards, reply.jobs, offline=reply.offline)

    def _show(self, state: CatalogState) -> None:
        self.state = state
        self.page.show_state(state)
