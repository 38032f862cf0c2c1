"""Qt without a screen, for every test of the app."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_demo_app.theme import apply_theme


@pytest.fixture(scope="session")
def application() -> Iterator[QtWidgets.QApplication]:
    """The one application of the test run."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["cushion-tests"])
    assert isinstance(application, QtWidgets.QApplication)
    QtCore.qInstallMessageHandler(lambda _kind, _context, _message: None)
    apply_theme(application)
    yield application
    QtCore.qInstallMessageHandler(None)


@pytest.fixture(autouse=True)
def _with_qt(application: QtWidgets.QApplication) -> Iterator[None]:
    """Every test finds an application, and leaves no event behind."""
    yield
    for window in application.topLevelWidgets():
        window.close()
        window.deleteLater()
    application.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    application.processEvents()
