"""Photographs the window once the media clock passes a time, and writes down what ought to be in the picture.

It exists for tests: the reference film carries its frame number as a bar code, so the picture itself proves which
frame was on screen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets

log = logging.getLogger(__name__)

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class ScreenshotOrder:
    """Photograph once `at_s` of media were played since the first picture; the facts go beside `file`, as JSON."""

    at_s: float
    file: Path


class Photographer(QtCore.QObject):
    """Waits for the moment, takes the picture, closes the window. `failed` stays True when the moment never came."""

    def __init__(
        self, window: QtWidgets.QMainWindow, page: PlayerPage, order: ScreenshotOrder, clock_us: Callable[[], int]
    ) -> None:
        """clock_us: the media clock, in µs; -1 before there is one."""
        super().__init__(window)
        self.failed = True
        self._window = window
        self._page = page
        self._order = order
        self._clock_us = clock_us
        self._started_us: int | None = None
        page.surface.frame_shown.connect(self._look)
        QtCore.QTimer.singleShot(round((order.at_s + PATIENCE_S) * 1000), self, self._give_up)

    def _look(self) -> None:
        if self._started_us is None:
            self._started_us = self._clock_us()
        if self.failed and self._clock_us() - self._started_us >= self._order.at_s * 1_000_000:
            self._page.hide_overlays()
            self._page.stats_overlay.hide()
            self._page.surface.repaint()
            clock_us = self._clock_us()
            picture = self._photograph()
            self._write(picture, clock_us)
            self.failed = False
            self._window.close()

    def _photograph(self) -> QtGui.QPixmap:
        """What is on the screen; off screen, what the widgets paint."""
        if QtWidgets.QApplication.platformName() == "xcb":
            QtWidgets.QApplication.processEvents(QtCore.QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
            return self._window.screen().grabWindow(self._window.winId())
        return self._window.grab()

    def _write(self, picture: QtGui.QPixmap, clock_us: int) -> None:
        frame = self._page.surface.last_frame
        assert frame is not None, "a frame was just shown"
        ratio = picture.devicePixelRatio()
        corner = self._page.surface.mapTo(self._window, QtCore.QPoint(0, 0))
        box = self._page.surface.picture_box()
        facts = {
            "frame_time_us": frame.time_us,
            "frame_duration_us": frame.duration_us,
            "clock_us": clock_us,
            "rung": frame.rung,
            "height_px": frame.height_px,
            "is_on_gpu": self._page.surface.is_on_gpu,
            "picture_box_px": [
                round((corner.x() + box.x) * ratio),
                round((corner.y() + box.y) * ratio),
                round(box.width * ratio),
                round(box.height * ratio),
            ],
        }
        self._order.file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(str(self._order.file), "PNG")
        self._order.file.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    def _give_up(self) -> None:
        log.error("the media clock did not reach %.1f s in time: no screenshot", self._order.at_s)
        self._window.close()
