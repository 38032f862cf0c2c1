"""The window: the catalog, or the title that plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from cushion_demo_app.cards import TitleCard
from cushion_demo_app.catalog_controller import CatalogController
from cushion_demo_app.catalog_page import CatalogPage, CatalogState
from cushion_demo_app.catalog_source import CatalogSource
from cushion_demo_app.player_controller import PlayerController
from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.services import CLOSE_TIMEOUT_S, AppServices
from cushion_demo_app.session_port import SessionLike
from cushion_demo_app.video_sink import AUTO, GPU, choose_renderer
from cushion_demo_app.wishes import PlayRequest, Wishes
from cushion_sdk.contracts.ingest import IngestJob
from cushion_traces.named import NAMES

WISHES_KEY = "app.wishes"
_SIZE = QtCore.QSize(1280, 720)


@dataclass(frozen=True, slots=True)
class WindowStart:
    """What a window starts with.

    play: plays at once. title_id: a title's id or name, plays once the catalog has it. link, volume: instead of those
    kept from last time. preparing: what somebody else is bringing to the catalog just now. advice: a sentence, what to
    do when the backend is gone. renderer: who draws the picture, a word of `video_sink`. revive: brings the backend
    back, True when it did; it blocks, and is called on another thread.
    """

    play: PlayRequest | None = None
    title_id: str = ""
    link: str | None = None
    volume: float | None = None
    shows_catalog: bool = True
    preparing: Callable[[], tuple[IngestJob, ...]] = tuple
    advice: str = ""
    renderer: str = AUTO
    revive: Callable[[], bool] | None = None


class MainWindow(QtWidgets.QMainWindow):
    """Shows a page, and ends everything when it is closed."""

    _session_saved = QtCore.Signal()
    """From any thread: a session has ended and its position is on the device."""

    def __init__(self, services: AppServices, start: WindowStart) -> None:
        super().__init__()
        self._services = services
        self._awaited_title_id = start.title_id
        self._was_maximized = False
        self._was_focused = False
        self.setWindowTitle("Cushion")
        self.setMinimumSize(480, 320)
        self.resize(_SIZE)
        self.catalog_page = CatalogPage()
        self.player_page = PlayerPage()
        if choose_renderer(start.renderer) == GPU:
            self.player_page.surface.use_gpu()
        self.pages = QtWidgets.QStackedWidget()
        self.pages.addWidget(self.catalog_page)
        self.pages.addWidget(self.player_page)
        self.setCentralWidget(self.pages)
        revive = start.revive
        heal = None if revive is None else lambda: services.runtime.submit(asyncio.to_thread(revive))
        self.player = PlayerController(
            self.player_page, self._open_session, self._first_wishes(start), heal, links=NAMES
        )
        self.catalog: CatalogController | None = None
        if not start.shows_catalog:
            self.player_page.rename_leaving("Close")
        if services.backend is not None and start.shows_catalog:
            source = CatalogSource(
                services.backend, services.stores, preparing=start.preparing, advice=start.advice, revive=revive
            )
            self.catalog = CatalogController(
                self.catalog_page,
                lambda: services.runtime.submit(source.look()),
                lambda titles: services.runtime.submit(source.resume_points(titles)),
            )
            self._session_saved.connect(self.catalog.refresh_points, QtCore.Qt.ConnectionType.QueuedConnection)
            self.catalog.state_changed.connect(self._catalog_changed)
        self.catalog_page.title_chosen.connect(self._card_chosen)
        self.player.left.connect(self._show_catalog)
        self.player.wishes_changed.connect(self._keep_wishes)
        self.player_page.full_screen_toggled.connect(self._toggle_full_screen)
        if start.play is not None:
            self.play(start.play)
        elif self.catalog is not None:
            self.catalog.watch()

    # ------------------------------------------------------------------ pages

    def play(self, request: PlayRequest) -> None:
        """Play this on the player page."""
        if self.catalog is not None:
            self.catalog.rest()
        self.pages.setCurrentWidget(self.player_page)
        self.setWindowTitle(f"{request.name} – Cushion")
        self.player.open(request)

    def _card_chosen(self, card: TitleCard) -> None:
        self.play(PlayRequest.of_title(card.title))

    def _show_catalog(self) -> None:
        if self.catalog is None:
            self.close()
            return
        if self.isFullScreen():
            self._toggle_full_screen()
        self.setWindowTitle("Cushion")
        self.pages.setCurrentWidget(self.catalog_page)
        self.catalog_page.focus_card()
        self.catalog.refresh_points()
        for closing in self.player.closing:
            closing.add_done_callback(lambda _closed: self._session_saved.emit())
        self.catalog.watch()

    def _catalog_changed(self, state: CatalogState) -> None:
        if not self._awaited_title_id:
            if state.titles and not self._was_focused:
                self._was_focused = True
                self.catalog_page.focus_card()
            return
        for card in state.titles:
            if self._awaited_title_id in (card.title.title_id, card.title.name):
                self._awaited_title_id = ""
                self.play(PlayRequest.of_title(card.title))
                return

    def _open_session(self, request: PlayRequest, wishes: Wishes) -> SessionLike:
        session = self._services.open_session(self.player_page.surface, request, wishes)
        self.player.audio_text = "" if self._services.sounds_real else "no audio device, silent"
        return session

    # ------------------------------------------------------------------ wishes, from one run to the next

    def _first_wishes(self, start: WindowStart) -> Wishes:
        kept = self._services.stores.setting(WISHES_KEY).result()
        try:
            wishes = msgspec.json.decode(kept, type=Wishes) if kept else Wishes()
        except msgspec.DecodeError:
            wishes = Wishes()
        if start.link is not None:
            wishes = replace(wishes, link=start.link)
        return wishes if start.volume is None else replace(wishes, volume=start.volume, muted=False)

    def _keep_wishes(self, wishes: Wishes) -> None:
        self._services.stores.set_setting(WISHES_KEY, msgspec.json.encode(wishes).decode())

    # ------------------------------------------------------------------ window

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            if self._was_maximized:
                self.showMaximized()
            else:
                self.showNormal()
        else:
            self._was_maximized = self.isMaximized()
            self.showFullScreen()
        self.player_page.show_full_screen(self.isFullScreen())

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        if self.catalog is not None:
            self.catalog.close()
        for closing in self.player.close():
            try:
                closing.result(CLOSE_TIMEOUT_S)
            except TimeoutError:
                closing.cancel()
        event.accept()
