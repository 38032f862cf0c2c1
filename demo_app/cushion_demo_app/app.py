"""Running the window: the Qt application, what it owns, and how it ends."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from cushion_demo_app.main_window import MainWindow, WindowStart
from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_demo_app.screenshot import Photographer, ScreenshotOrder
from cushion_demo_app.services import AppServices
from cushion_demo_app.theme import apply_theme
from cushion_sdk.session_types import SessionOptions, SessionSnapshot, SessionState, SessionSummary

log = logging.getLogger(__name__)

_LEVELS = {
    QtCore.QtMsgType.QtDebugMsg: logging.DEBUG,
    QtCore.QtMsgType.QtInfoMsg: logging.DEBUG,
    QtCore.QtMsgType.QtWarningMsg: logging.INFO,  # Qt warns of what is ordinary: no sound server, no size hints
    QtCore.QtMsgType.QtCriticalMsg: logging.WARNING,
}
_SEEK_S = 2.0
"""A longer way between two looks, a tenth of a second apart, was not played."""


@dataclass(frozen=True, slots=True)
class AppPlan:
    """What a run of the window is for. `server_url` None: no backend. `options`: what every session starts from."""

    device_dir: Path
    server_url: str | None = None
    start: WindowStart = field(default_factory=WindowStart)
    options: SessionOptions = field(default_factory=SessionOptions)
    screenshot: ScreenshotOrder | None = None
    seconds: float | None = None
    """Close the window by itself after this long."""
    media_seconds: float | None = None
    """Close it once so much has been played, or at the end of what plays."""


@dataclass(frozen=True, slots=True)
class AppOutcome:
    """How it went. `summary` is of the session opened last, None if it never came to play: then `problem` says why."""

    status: int
    summary: SessionSummary | None
    problem: str


def run_app(plan: AppPlan) -> AppOutcome:
    """Show the window until it is closed. Raises UsageError for a server URL that is none."""
    QtCore.qInstallMessageHandler(_pass_on)
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
    assert isinstance(application, QtWidgets.QApplication)
    application.setApplicationName("Cushion")
    application.setDesktopFileName("cushion")
    apply_theme(application)
    with AppServices(plan.server_url, plan.device_dir, plan.options) as services:
        window = MainWindow(services, plan.start)
        photographer = None
        if plan.screenshot is not None:
            photographer = Photographer(window, window.player_page, plan.screenshot, services.media_clock_us)
        if plan.seconds is not None:
            QtCore.QTimer.singleShot(round(plan.seconds * 1000), window, window.close)
        if plan.media_seconds is not None:
            window.player.progressed.connect(_Enough(plan.media_seconds, window.close))
        with _ends_by_signal(window.close):
            window.show()
            application.exec()
        window.close()
        window.deleteLater()
        application.processEvents()  # what other threads sent to the window has nowhere to go later
        session = services.last_session
    summary = session.summary() if session is not None else None
    error = session.snapshot().error if session is not None else None
    failed = photographer is not None and photographer.failed
    return AppOutcome(1 if failed else 0, summary, error.message if error is not None else "")


def _pass_on(kind: QtCore.QtMsgType, _context: QtCore.QMessageLogContext, message: str) -> None:
    """What Qt has to say goes where our own words go. After a fatal message Qt would abort, and leave a core dump."""
    if kind is QtCore.QtMsgType.QtFatalMsg:
        sys.stderr.write(f"cushion: no window can be opened here: {' '.join(message.split())}\n")
        sys.stderr.flush()
        os._exit(1)
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.ERROR), "%s", message)


class _Enough:
    """Ends the window when so much media has been played, or all there was. What a seek jumps over does not count."""

    def __init__(self, seconds: float, end: Callable[[], object]) -> None:
        self._seconds = seconds
        self._end = end
        self._played_s = 0.0
        self._last_s: float | None = None

    def __call__(self, snapshot: SessionSnapshot) -> None:
        is_playing = snapshot.state is SessionState.PLAYING
        if is_playing and self._last_s is not None and 0 < snapshot.position_s - self._last_s < _SEEK_S:
            self._played_s += snapshot.position_s - self._last_s
        self._last_s = snapshot.position_s if is_playing else None
        if self._played_s >= self._seconds or snapshot.state is SessionState.ENDED:
            self._end()


@contextlib.contextmanager
def _ends_by_signal(end: Callable[[], object]) -> Generator[None, None, None]:
    """On Ctrl-C or SIGTERM call `end` on the Qt thread, at once: Python's handlers alone wait for the next event."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        notifier = QtCore.QSocketNotifier(ours.fileno(), QtCore.QSocketNotifier.Type.Read)

        def wake() -> None:
            with contextlib.suppress(BlockingIOError):
                ours.recv(16)
            end()

        notifier.activated.connect(wake)
        before_fd = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        before = {each: signal.signal(each, lambda _number, _frame: None) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
            signal.set_wakeup_fd(before_fd)
            notifier.setEnabled(False)
