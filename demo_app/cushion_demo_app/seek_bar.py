"""The bar that shows where we are, what is buffered, and takes us elsewhere."""

from __future__ import annotations

from cushion_demo_app import theme
from cushion_demo_app.control_state import ControlState
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.wording import clock_text, spoken_time

_MARGIN_PX = 8
_HEIGHT_PX = 46
_LINE_FROM_BOTTOM_PX = 12


class SeekBar(QtWidgets.QSlider):
    """A slider over the title in ms. It moves by `show_position`; only people make it emit `seek_requested`."""

    seek_requested = QtCore.Signal(float)
    """Seconds of the title."""
    dragged = QtCore.Signal(float)
    """The handle is on its way over this time; `seek_requested` comes when it is let go."""
    looked_at = QtCore.Signal(float)
    """Somebody points at a time, or drags the handle to it."""
    looked_away = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(QtCore.Qt.Orientation.Horizontal, parent)
        self.setObjectName("seekBar")
        self.setAccessibleName("Position")
        self.setFixedHeight(_HEIGHT_PX)
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.setCursor(QtCore.Qt.CursorShape.PointingHandCursor)
        self.setRange(0, 0)
        self._buffered_until_ms = 0
        self._hover_x: float | None = None
        self._dragged_to_ms: int | None = None
        self._is_live = False

    def show_position(self, state: ControlState) -> None:
        """Move to where playback is; a drag in progress keeps its own place."""
        start_ms, end_ms = round(state.start_s * 1000), round(state.end_s * 1000)
        self.setRange(start_ms, max(start_ms, end_ms))
        self.setEnabled(state.can_seek)
        self._is_live = state.is_live
        self._buffered_until_ms = round(state.buffered_until_s * 1000)
        if self._dragged_to_ms is None:
            self.setValue(round(state.position_s * 1000))
        if state.is_live:
            self.setAccessibleDescription(f"{spoken_time(state.behind_s)} behind live")
        else:
            self.setAccessibleDescription(f"{spoken_time(state.position_s)} of {spoken_time(state.end_s)}")
        self.update()

    @property
    def is_dragged(self) -> bool:
        """Whether a person holds the handle."""
        return self._dragged_to_ms is not None

    def time_at(self, x: float) -> float:
        """Seconds of the title under a horizontal coordinate of this widget."""
        room = max(1, self.width() - 2 * _MARGIN_PX)
        share = min(1.0, max(0.0, (x - _MARGIN_PX) / room))
        return (self.minimum() + share * self._length_ms) / 1000

    def x_of_time(self, time_s: float) -> float:
        """Where a time of the title lies, in coordinates of this widget."""
        return self._x_of(round(time_s * 1000))

    @property
    def _length_ms(self) -> int:
        return self.maximum() - self.minimum()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        if event.button() is not QtCore.Qt.MouseButton.LeftButton or not self._length_ms:
            event.ignore()
            return
        self._drag_to(event.position().x())

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        self._hover_x = event.position().x()
        if self._dragged_to_ms is not None:
            self._drag_to(event.position().x())
            self.dragged.emit(self._dragged_to_ms / 1000)
        else:
            self._look()
        self.update()

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        if self._dragged_to_ms is None:
            event.ignore()
            return
        target_s = self._dragged_to_ms / 1000
        self._dragged_to_ms = None
        self.seek_requested.emit(target_s)
        if not self.rect().contains(event.position().toPoint()):
            self._look_away()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        if not self.is_dragged:
            self._look_away()

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        self._look_away()

    def _look(self) -> None:
        if self._hover_x is not None and self._length_ms and self.isEnabled():
            self.looked_at.emit(self.time_at(self._hover_x))

    def _look_away(self) -> None:
        self._hover_x = None
        self.looked_away.emit()
        self.update()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        event.ignore()  # the page's keys seek, the same with and without focus here

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        event.ignore()

    def _drag_to(self, x: float) -> None:
        self._dragged_to_ms = round(self.time_at(x) * 1000)
        self._hover_x = x
        self.setValue(self._dragged_to_ms)
        self._look()
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        room = self.width() - 2 * _MARGIN_PX
        middle = self.height() - _LINE_FROM_BOTTOM_PX
        lively = self._hover_x is not None or self.hasFocus() or self.is_dragged
        thickness = 6.0 if lively else 4.0
        played = self._x_of(self.value())
        for until_x, tint in (
            (float(_MARGIN_PX + room), theme.colour("#ffffff", 0.25)),
            (self._x_of(self._buffered_until_ms), theme.colour("#ffffff", 0.45)),
            (played, theme.colour(theme.ACCENT)),
        ):
            painter.setBrush(tint)
            bar = QtCore.QRectF(_MARGIN_PX, middle - thickness / 2, max(0.0, until_x - _MARGIN_PX), thickness)
            painter.drawRoundedRect(bar, thickness / 2, thickness / 2)
        if self.hasFocus():
            painter.setBrush(theme.colour(theme.COOL, 0.55))
            painter.drawEllipse(QtCore.QPointF(played, middle), 11, 11)
        painter.setBrush(theme.colour(theme.ACCENT))
        radius = 7.5 if lively else 5.5
        painter.drawEllipse(QtCore.QPointF(played, middle), radius, radius)
        if self._hover_x is not None and self._length_ms and self.isEnabled():
            self._paint_time(painter, self._hover_x)
        painter.end()

    def _paint_time(self, painter: QtGui.QPainter, x: float) -> None:
        painter.setFont(theme.font(12, bold=True))
        time_s = self.time_at(x)
        text = f"−{clock_text(self.maximum() / 1000 - time_s)}" if self._is_live else clock_text(time_s)
        width = painter.fontMetrics().horizontalAdvance(text) + 16
        left = min(max(x - width / 2, 2.0), self.width() - width - 2.0)
        bubble = QtCore.QRectF(left, 1, width, 22)
        painter.setBrush(theme.colour(theme.SURFACE_RAISED, 0.96))
        painter.setPen(theme.colour(theme.LINE))
        painter.drawRoundedRect(bubble, 6, 6)
        painter.setPen(theme.colour(theme.TEXT))
        painter.drawText(bubble, QtCore.Qt.AlignmentFlag.AlignCenter, text)

    def _x_of(self, time_ms: int) -> float:
        room = self.width() - 2 * _MARGIN_PX
        inside = min(max(time_ms, self.minimum()), self.maximum()) - self.minimum()
        return _MARGIN_PX + room * (inside / self._length_ms if self._length_ms else 0.0)
