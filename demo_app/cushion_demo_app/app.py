"""Running the window: the Qt application, what it owns, and how it ends."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from cushion_demo_app.main_window import MainWindow
from cushion_demo_app.player_controller import PlayRequest
from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_demo_app.screenshot import Photographer, ScreenshotOrder
from cushion_demo_app.services import AppServices
from cushion_demo_app.theme import apply_theme
from cushion_sdk.session_types import SessionOptions

log = logging.getLogger(__name__)

_QUIET = "qt.multimedia.*=false\nqt.qpa.*=false"


@dataclass(frozen=True, slots=True)
class AppPlan:
    """What a run of the window is for.

    server_url: the backend whose catalog is shown; None shows no catalog. play: opens at once.
    title_id: a title's id or name, opens as soon as the catalog has it.
    """

    data_dir: Path
    server_url: str | None = None
    play: PlayRequest | None = None
    title_id: str = ""
    link: str | None = None
    """The link to start with, instead of the one chosen last time."""
    screenshot: ScreenshotOrder | None = None
    seconds: float | None = None
    """Close the window by itself after this long."""
    options: SessionOptions = field(default_factory=SessionOptions)


def run_app(plan: AppPlan) -> int:
    """Show the window until it is closed; returns the exit status. Raises UsageError for a server URL that is none."""
    QtCore.QLoggingCategory.setFilterRules(_QUIET)
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
    assert isinstance(application, QtWidgets.QApplication)
    application.setApplicationName("Cushion")
    application.setDesktopFileName("cushion")
    apply_theme(application)
    with AppServices(plan.server_url, plan.data_dir, plan.options) as services:
        window = MainWindow(services, first=plan.play, title_id=plan.title_id, link=plan.link)
        photographer = None
        if plan.screenshot is not None:
            photographer = Photographer(window, window.player_page, plan.screenshot, services.media_clock_us)
        if plan.seconds is not None:
            QtCore.QTimer.singleShot(round(plan.seconds * 1000), window, window.close)
        with _ends_by_signal(window.close):
            window.show()
            application.exec()
        window.close()
        window.deleteLater()
        application.processEvents()  # what was sent to the window from other threads has nowhere to go later
    return 1 if photographer is not None and photographer.failed else 0


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
