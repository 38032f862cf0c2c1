"""The window with its real parts, and no backend to talk to: nothing may be left running, nothing may be raised."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from cushion_demo_app.app import AppPlan, _Enough, run_app
from cushion_demo_app.catalog_page import CatalogState
from cushion_demo_app.main_window import WISHES_KEY, MainWindow, WindowStart
from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_demo_app.services import AppServices
from cushion_demo_app.window_player import name_of, play_url
from cushion_demo_app.wishes import PlayRequest
from cushion_player.errors import PlaybackError, UsageError
from cushion_sdk.cli.windows import WindowRequest
from cushion_sdk.device import DeviceStores
from cushion_sdk.session_types import SessionOptions, SessionSnapshot, SessionState

NOWHERE = "http://127.0.0.1:9"
PATIENCE_MS = 10_000


def wait_for(signal: QtCore.SignalInstance) -> list[object]:
    """Run the event loop until the signal comes; what it carried."""
    loop = QtCore.QEventLoop()
    carried: list[object] = []

    def take(value: object) -> None:
        carried.append(value)
        loop.quit()

    signal.connect(take)
    QtCore.QTimer.singleShot(PATIENCE_MS, loop, loop.quit)
    loop.exec()
    return carried


def test_a_window_without_a_backend_says_so_and_closes_cleanly(tmp_path: Path) -> None:
    with AppServices(NOWHERE, tmp_path, SessionOptions()) as services:
        window = MainWindow(services, WindowStart())
        window.show()
        assert window.catalog is not None

        (state,) = wait_for(window.catalog.state_changed)

        assert isinstance(state, CatalogState)
        assert NOWHERE in state.offline
        window.close()
        window.deleteLater()
        QtWidgets.QApplication.processEvents()


@pytest.mark.logs_warnings
def test_what_cannot_be_opened_is_said_in_the_window(tmp_path: Path) -> None:
    with AppServices(None, tmp_path, SessionOptions()) as services:
        start = WindowStart(play=PlayRequest(f"{NOWHERE}/manifest.mpd", "nowhere"), link="step", shows_catalog=False)
        window = MainWindow(services, start)
        window.show()
        page = window.player_page

        while not page.banner.isVisibleTo(page):
            assert wait_for(window.player.progressed)

        assert NOWHERE.removeprefix("http://") in page.banner.detail.text()
        assert page.banner.headline.text() == "The server does not answer"
        assert window.player.wishes.link == "step"
        window.close()
        window.deleteLater()
        QtWidgets.QApplication.processEvents()


def test_wishes_are_kept_from_one_run_to_the_next(tmp_path: Path) -> None:
    for volume in (1.0, 0.3):
        with AppServices(None, tmp_path, SessionOptions()) as services:
            window = MainWindow(services, WindowStart(shows_catalog=False))
            assert window.player.wishes.volume == volume
            window.player.set_volume(0.3)
            window.close()

    with DeviceStores.open(tmp_path) as stores:
        kept = stores.setting(WISHES_KEY).result()
    assert kept is not None
    assert json.loads(kept)["volume"] == 0.3


def test_a_run_ends_by_itself_after_the_time_given(tmp_path: Path) -> None:
    outcome = run_app(AppPlan(tmp_path, NOWHERE, seconds=0.05))

    assert (outcome.status, outcome.summary, outcome.problem) == (0, None, "")


def test_ctrl_c_closes_the_window(tmp_path: Path) -> None:
    QtCore.QTimer.singleShot(50, lambda: os.kill(os.getpid(), signal.SIGINT))

    outcome = run_app(AppPlan(tmp_path, NOWHERE, seconds=PATIENCE_MS / 1000))

    assert outcome.status == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_server_that_is_no_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run_app(AppPlan(tmp_path, "not a url"))


@pytest.mark.logs_warnings
def test_a_url_that_cannot_be_played_is_a_playback_error(tmp_path: Path) -> None:
    request = WindowRequest(f"{NOWHERE}/manifest.mpd", SessionOptions(), tmp_path)

    def close_when_it_has_failed() -> None:
        for window in QtWidgets.QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and window.player_page.banner.isVisibleTo(window.player_page):
                window.close()

    timer = QtCore.QTimer()
    timer.timeout.connect(close_when_it_has_failed)
    timer.start(20)
    with pytest.raises(PlaybackError, match=r"127\.0\.0\.1:9"):
        play_url(request)


def test_what_a_seek_jumps_over_is_not_played() -> None:
    ended: list[bool] = []
    enough = _Enough(1.0, lambda: ended.append(True))

    for position_s in (0.0, 0.5, 20.0, 20.4):
        enough(SessionSnapshot(SessionState.PLAYING, position_s))
    assert not ended

    enough(SessionSnapshot(SessionState.PLAYING, 20.6))
    assert ended


def test_a_bare_url_is_called_by_its_last_parts() -> None:
    assert name_of("http://host/titles/film/manifest.mpd?x=1") == "film/manifest.mpd"
    assert name_of("http://host") == "http://host"
