"""When a renderer looks for its next frame: in time for it while frames flow, now and then while none do."""

from __future__ import annotations

from collections.abc import Callable

from cushion_demo_app.qt import QtCore
from cushion_player.outputs import FrameSource, VideoFrame

_TICK_MS = 24
"""Longest sleep, so that a seek or another rate is soon noticed."""
_EAGER_TICK_MS = 4
_EAGER_LOOKS = 120
"""So often at first, when there is a new source or no further frame: half a second in which a start or a seek ends."""


class FramePuller(QtCore.QObject):
    """Takes due frames from a source on the Qt thread. `attach` and `detach` may be called from any thread."""

    _source_changed = QtCore.Signal()

    def __init__(self, show: Callable[[VideoFrame], None], parent: QtCore.QObject) -> None:
        """show: called on the Qt thread with each frame that is due."""
        super().__init__(parent)
        self._show = show
        self._source: FrameSource | None = None
        self._looks = 0
        """In a row that found nothing queued."""
        self._timer = QtCore.QTimer(self)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.pull)
        self._source_changed.connect(self._follow_source)

    def attach(self, source: FrameSource) -> None:
        self._source = source
        self._source_changed.emit()

    def detach(self) -> None:
        self._source = None
        self._source_changed.emit()

    def _follow_source(self) -> None:
        if self._source is None:
            self._timer.stop()
        else:
            self._looks = 0
            self.pull()

    def pull(self) -> None:
        """Look for a frame that is due, and come again in time for the next. The timer calls it."""
        source = self._source
        if source is None:
            return
        frame = source.take_due()
        if frame is not None:
            self._show(frame)
        due_us = source.next_due_in_us()
        if due_us is None:
            self._looks += 1
            self._timer.start(_EAGER_TICK_MS if self._looks <= _EAGER_LOOKS else _TICK_MS)
        else:
            self._looks = 0
            self._timer.start(max(1, min(_TICK_MS, -(-due_us // 1000))))
