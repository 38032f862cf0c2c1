from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import msgspec
import pytest

from cushion_demo_app.cards import TitleButton, TitleCard, job_line
from cushion_demo_app.catalog_controller import LATER_MS, SOON_MS, CatalogController
from cushion_demo_app.catalog_page import CatalogPage, CatalogState
from cushion_demo_app.catalog_source import CatalogReply, CatalogSource, open_jobs
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_player.errors import ServiceUnavailable
from cushion_player.testing.clock import FakeClock
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob, IngestState
from cushion_sdk.contracts.resume import Position, PositionReport
from cushion_sdk.device_schema import StoredPosition
from cushion_sdk.testing import InlineStores
from tests.demo_app.fakes import make_job, make_title

Key = QtCore.Qt.Key


def report(position_s: float, *, session_id: str = "s", started_ms: int = 1) -> PositionReport:
    return PositionReport(
        device_id="d", session_id=session_id, session_started_ms=started_ms, sequence=1,
        position_s=position_s, duration_s=60.0, reported_ms=1,
    )  # fmt: skip


class FakeCatalogBackend:
    """As much of BackendClient as the catalog asks for."""

    base_url = "http://127.0.0.1:9"

    def __init__(self) -> None:
        self.is_down = False
        self.held_titles = [make_title()]
        self.jobs: list[IngestJob] = []
        self.held: list[Position] = []

    async def titles(self) -> list[Title]:
        if self.is_down:
            raise ServiceUnavailable("GET /v1/titles: connection refused")
        return self.held_titles

    async def ingest_jobs(self) -> list[IngestJob]:
        return self.jobs

    async def positions(self, profile_id: str) -> list[Position]:
        return self.held

    def media_url(self, path: str) -> str:
        return self.base_url + path


@pytest.fixture
def backend() -> FakeCatalogBackend:
    return FakeCatalogBackend()


@pytest.fixture
def stores() -> Iterator[InlineStores]:
    with InlineStores() as opened:
        yield opened


def look(backend: FakeCatalogBackend, stores: InlineStores) -> CatalogReply:
    source = CatalogSource(backend, stores)  # type: ignore[arg-type]  # the fake has what is asked for
    return FakeClock().run(source.look())


def test_the_later_position_of_device_and_backend_counts(backend: FakeCatalogBackend, stores: InlineStores) -> None:
    stores.save_position(StoredPosition("default", "t1", report(10)))
    backend.held = [Position(profile_id="default", title_id="t1", report=report(25, session_id="x", started_ms=2))]

    assert look(backend, stores).resume_s == {"t1": 25.0}


def test_a_watched_title_starts_anew(backend: FakeCatalogBackend, stores: InlineStores) -> None:
    stores.save_position(StoredPosition("default", "t1", report(59.5)))

    assert look(backend, stores).resume_s == {}


def test_with_the_backend_away_the_titles_of_last_time_are_listed(
    backend: FakeCatalogBackend, stores: InlineStores
) -> None:
    look(backend, stores)
    stores.save_position(StoredPosition("default", "t1", report(10)))
    backend.is_down = True

    reply = look(backend, stores)

    assert [title.name for title in reply.titles] == ["Bikes"]
    assert reply.resume_s == {"t1": 10.0}
    assert "Nothing answers at http://127.0.0.1:9" in reply.offline


def test_jobs_that_became_titles_are_not_shown_twice() -> None:
    jobs = [
        make_job("done", IngestState.PUBLISHED),
        make_job("Bikes", title_id="t1"),
        make_job("Bunny"),
        make_job("broken", IngestState.FAILED),
    ]

    assert [job.name for job in open_jobs(jobs, [make_title("t1")])] == ["Bunny", "broken"]


def test_job_lines() -> None:
    assert job_line(make_job()) == "Encoding 720p · 50 %"
    assert job_line(make_job(state=IngestState.QUEUED)) == "Waiting for its turn"
    assert job_line(make_job(state=IngestState.FAILED, problem="No video.")) == "No video."


# --------------------------------------------------------------------------- page


@pytest.fixture
def page() -> CatalogPage:
    page = CatalogPage()
    page.resize(1000, 700)
    page.show()
    return page


def cards(*names: str) -> tuple[TitleCard, ...]:
    return tuple(TitleCard(make_title(f"id-{name}", name)) for name in names)


def test_pressing_a_card_chooses_its_title(page: CatalogPage) -> None:
    chosen: list[TitleCard] = []
    page.title_chosen.connect(chosen.append)
    page.show_state(CatalogState(cards("a", "b")))

    page.grid.cards[1].click()

    assert [card.title.name for card in chosen] == ["b"]


def test_cards_that_stay_keep_their_widget(page: CatalogPage) -> None:
    page.show_state(CatalogState(cards("a", "b"), (make_job(),)))
    first = page.grid.cards[0]
    resumed = replace(cards("a")[0], resume_s=42.0)

    page.show_state(CatalogState((resumed, *cards("b", "c"))))

    assert page.grid.cards[0] is first
    assert [card.text() for card in page.grid.cards] == ["a", "b", "c"]
    assert "resume at 42 seconds" in first.accessibleDescription()


def test_arrows_walk_over_the_grid(page: CatalogPage) -> None:
    page.show_state(CatalogState(cards("a", "b", "c", "d", "e")))
    page.activateWindow()
    QtWidgets.QApplication.processEvents()
    page.focus_card()
    columns = page.grid._columns

    for key in (Key.Key_Right, Key.Key_Down):
        focused = page.focusWidget()
        event = QtGui.QKeyEvent(QtCore.QEvent.Type.KeyPress, key, QtCore.Qt.KeyboardModifier.NoModifier)
        QtWidgets.QApplication.sendEvent(focused, event)

    assert page.grid.cards.index(page.focusWidget()) == 1 + columns  # type: ignore[arg-type]  # it is a card


def test_an_absent_backend_is_said_with_a_way_to_try_again(page: CatalogPage) -> None:
    tries: list[bool] = []
    page.retry_requested.connect(lambda: tries.append(True))
    page.show_state(CatalogState(cards("a"), offline="Nothing answers at http://127.0.0.1:9."))

    assert page.notice.isVisibleTo(page)
    assert page.grid.cards[0].isVisibleTo(page)
    page.retry_button.click()

    assert tries == [True]


def test_an_empty_catalog_says_how_to_fill_it(page: CatalogPage) -> None:
    page.show_state(CatalogState())

    assert page.empty.isVisibleTo(page)
    assert "cushion ingest" in page.empty.text()


@pytest.mark.parametrize("width", [480, 640, 1280])
def test_cards_lie_inside_the_page(page: CatalogPage, width: int) -> None:
    poster = QtGui.QImage(64, 36, QtGui.QImage.Format.Format_RGB32)
    poster.fill(QtCore.Qt.GlobalColor.red)
    page.resize(width, 500)
    page.show_state(CatalogState((replace(cards("a")[0], poster=poster), *cards("b")), (make_job(),)))
    QtWidgets.QApplication.processEvents()

    assert all(card.geometry().right() < page.grid.width() for card in page.grid.cards)
    assert not page.grab().isNull()


# --------------------------------------------------------------------------- controller


class Looks:
    """Looks that a test answers."""

    def __init__(self) -> None:
        self.open: list[Future[CatalogReply]] = []

    def __call__(self) -> Future[CatalogReply]:
        self.open.append(Future())
        return self.open[-1]

    def answer(self, reply: CatalogReply) -> None:
        self.open[-1].set_result(reply)
        QtWidgets.QApplication.processEvents()


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def controller(page: CatalogPage, looks: Looks) -> CatalogController:
    controller = CatalogController(page, looks)
    controller.watch()
    return controller


def test_one_look_at_a_time(controller: CatalogController, looks: Looks) -> None:
    controller.look()

    assert len(looks.open) == 1


def test_it_looks_again_soon_while_something_is_prepared(controller: CatalogController, looks: Looks) -> None:
    looks.answer(CatalogReply((make_title(),), (make_job(),)))
    assert controller._timer.interval() == SOON_MS

    controller.look()
    looks.answer(CatalogReply((make_title(),)))

    assert controller._timer.interval() == LATER_MS


def test_posters_come_once_and_stay(controller: CatalogController, looks: Looks) -> None:
    image = QtGui.QImage(16, 9, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtCore.Qt.GlobalColor.blue)
    buffer = QtCore.QBuffer()
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes, Qt wants str
    title = msgspec.structs.replace(make_title(), poster_path="/p")

    looks.answer(CatalogReply((title,), posters={"/p": bytes(buffer.data().data())}))
    controller.look()
    looks.answer(CatalogReply((title,)))

    poster = controller.state.titles[0].poster
    assert poster is not None
    assert poster.width() == 16


def test_an_answer_after_the_end_is_ignored(controller: CatalogController, looks: Looks, page: CatalogPage) -> None:
    late = looks.open[-1]
    late.set_running_or_notify_cancel()
    controller.close()
    late.set_result(CatalogReply((make_title(),)))

    QtWidgets.QApplication.processEvents()

    assert page.grid.cards == []
    assert not controller._timer.isActive()


def test_resting_stops_the_looking(controller: CatalogController, looks: Looks) -> None:
    controller.rest()
    looks.answer(CatalogReply((make_title(),), (make_job(),)))

    assert not controller._timer.isActive()


def test_where_this_device_stopped_is_shown_before_the_backend_answers(page: CatalogPage, looks: Looks) -> None:
    asked: list[list[str]] = []

    def points(titles: list[Title]) -> Future[dict[str, float]]:
        asked.append([title.title_id for title in titles])
        done: Future[dict[str, float]] = Future()
        done.set_result({"t1": 33.0})
        return done

    controller = CatalogController(page, looks, points)
    controller.watch()
    looks.answer(CatalogReply((make_title(),), resume_s={"t1": 10.0}))
    controller.look()

    controller.refresh_points()
    QtWidgets.QApplication.processEvents()

    assert asked == [["t1"]]
    assert [card.resume_s for card in controller.state.titles] == [33.0]


def test_resume_points_of_the_device_need_no_backend(backend: FakeCatalogBackend, stores: InlineStores) -> None:
    stores.save_position(StoredPosition("default", "t1", report(10)))
    backend.is_down = True
    source = CatalogSource(backend, stores)  # type: ignore[arg-type]  # the fake has what is asked for

    assert FakeClock().run(source.resume_points([make_title()])) == {"t1": 10.0}


def test_a_backend_that_is_gone_is_brought_back_and_asked_again(stores: InlineStores) -> None:
    backend = FakeCatalogBackend()
    backend.is_down = True

    def revive() -> bool:
        backend.is_down = False
        return True

    source = CatalogSource(backend, stores, revive=revive)  # type: ignore[arg-type]  # as above
    reply = asyncio.run(source.look())

    assert [title.name for title in reply.titles] == ["Bikes"]
    assert reply.offline == ""


def test_the_advice_for_an_absent_backend_is_the_callers(stores: InlineStores) -> None:
    backend = FakeCatalogBackend()
    backend.is_down = True
    source = CatalogSource(backend, stores, advice="Do this.", revive=lambda: False)  # type: ignore[arg-type]  # as above

    assert "Nothing answers at http://127.0.0.1:9. Do this." in asyncio.run(source.look()).offline


def test_a_resumed_card_says_all_of_its_note(monkeypatch: pytest.MonkeyPatch) -> None:
    title = make_title(note="12.4 s clip, repeated 5 times")
    button = TitleButton(TitleCard(title, resume_s=42.0))
    button.fit_width(270)
    written: list[str] = []
    elide = QtGui.QFontMetrics.elidedText

    def listen(metrics: QtGui.QFontMetrics, text: str, mode: QtCore.Qt.TextElideMode, width: int) -> str:
        written.append(elide(metrics, text, mode, width))
        return written[-1]

    monkeypatch.setattr(QtGui.QFontMetrics, "elidedText", listen)
    button.grab()

    assert written == ["Bikes", "Resume at 0:42", " · 720p · 2 qualities", title.note]
