"""The numbers behind the picture, and two small graphs of the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from cushion_demo_app import theme
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.wording import rate_text

_HISTORY = 240
"""Points of a graph: a minute at four a second."""
_ROW_PX = 20
_PAD_PX = 14
_GRAPH_PX = 40
_GRAPHS_PX = 8 + 2 * (_GRAPH_PX + 6)
_WIDTH_PX = 330
_LABEL_PX = 96


@dataclass(frozen=True, slots=True)
class StatsState:
    """What the overlay shows, as the session sees it now."""

    rung: int = -1
    """Of the picture on screen, as are the size and `height_px`."""
    coming_height_px: int = 0
    """Of the rung that is loading, when the picture is of another; `bitrate_bps` is then of that rung. 0: the same."""
    rung_count: int = 0
    width_px: int = 0
    height_px: int = 0
    bitrate_bps: float = 0.0
    buffer_s: float = 0.0
    throughput_bps: float = 0.0
    frames_shown: int = 0
    frames_dropped: int = 0
    rebuffer_count: int = 0
    rebuffer_s: float = 0.0
    startup_s: float = 0.0
    rule: str = ""
    link: str = ""
    audio: str = ""
    cap: str = ""
    """The quality that is not exceeded just now, and why."""
    latency: str = ""
    """Of live play."""


def stats_lines(state: StatsState) -> list[tuple[str, str]]:
    """(label, value) pairs, in reading order."""
    if state.rung < 0:
        quality = "–"
    else:
        size = f"{state.width_px}×{state.height_px}" if state.width_px else f"{state.height_px}p"
        quality = f"{size} (rung {state.rung + 1} of {state.rung_count})"
    bitrate = rate_text(state.bitrate_bps)
    if state.coming_height_px:
        bitrate += f" ({state.coming_height_px}p, loading)"
    stalls = "none" if not state.rebuffer_count else f"{state.rebuffer_count} · {state.rebuffer_s:.1f} s"
    lines = [
        ("Picture", quality),
        ("Bitrate", bitrate),
        ("Throughput", rate_text(state.throughput_bps)),
        ("Buffer", f"{state.buffer_s:.1f} s"),
        ("Frames", f"{state.frames_shown} shown, {state.frames_dropped} dropped"),
        ("Stalls", stalls),
        ("Start-up", f"{state.startup_s:.2f} s" if state.startup_s else "–"),
        ("Rule", state.rule or "–"),
        ("Link", state.link or "–"),
    ]
    extra = [("Latency", state.latency), ("At most", state.cap), ("Sound", state.audio)]
    return lines + [(label, text) for label, text in extra if text]


class StatsOverlay(QtWidgets.QWidget):
    """A translucent panel; mouse clicks go through it."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Stats")
        self._state = StatsState()
        self._buffers: deque[float] = deque(maxlen=_HISTORY)
        self._throughputs: deque[float] = deque(maxlen=_HISTORY)
        self._room = QtCore.QRect(0, 0, _WIDTH_PX, 10_000)
        self._fit()

    def fit(self, room: QtCore.QRect) -> None:
        """Sit at the top left of `room`, and show no more than there is room for: the graphs go first."""
        self._room = room
        self._fit()

    @property
    def shows_graphs(self) -> bool:
        """Whether there is room for them."""
        return self._height(len(stats_lines(self._state)), graphs=True) <= self._room.height()

    @property
    def shown_lines(self) -> list[tuple[str, str]]:
        """As many lines as there is room for, the first ones."""
        lines = stats_lines(self._state)
        return lines[: max(1, (self._room.height() - 2 * _PAD_PX) // _ROW_PX)]

    def show_stats(self, state: StatsState) -> None:
        """Show these numbers and remember them for the graphs; call it at a steady pace."""
        self._state = state
        self._buffers.append(state.buffer_s)
        self._throughputs.append(state.throughput_bps)
        self.setAccessibleDescription(", ".join(f"{label}: {value}" for label, value in stats_lines(state)))
        self._fit()
        if self.isVisible():
            self.update()

    def forget(self) -> None:
        """Start the graphs anew, for another title."""
        self._buffers.clear()
        self._throughputs.clear()

    def _fit(self) -> None:
        height = self._height(len(self.shown_lines), graphs=self.shows_graphs)
        self.setGeometry(self._room.x(), self._room.y(), min(_WIDTH_PX, self._room.width()), height)

    @staticmethod
    def _height(rows: int, *, graphs: bool) -> int:
        return 2 * _PAD_PX + rows * _ROW_PX + (_GRAPHS_PX if graphs else 0)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("#05080c", 0.82))
        painter.drawRoundedRect(self.rect(), 10, 10)
        top = _PAD_PX
        left_aligned = QtCore.Qt.AlignmentFlag.AlignVCenter | QtCore.Qt.AlignmentFlag.AlignLeft
        for label, value in self.shown_lines:
            painter.setFont(theme.font(12))
            painter.setPen(theme.colour(theme.TEXT_MUTED))
            painter.drawText(QtCore.QRect(_PAD_PX, top, _LABEL_PX, _ROW_PX), left_aligned, label)
            painter.setFont(theme.font(12, bold=True))
            painter.setPen(theme.colour(theme.TEXT))
            room = QtCore.QRect(_PAD_PX + _LABEL_PX, top, self.width() - 2 * _PAD_PX - _LABEL_PX, _ROW_PX)
            text = painter.fontMetrics().elidedText(value, QtCore.Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, left_aligned, text)
            top += _ROW_PX
        if self.shows_graphs:
            self._paint_graphs(painter, top + 8)
        painter.end()

    def _paint_graphs(self, painter: QtGui.QPainter, top: int) -> None:
        left_aligned = QtCore.Qt.AlignmentFlag.AlignVCenter | QtCore.Qt.AlignmentFlag.AlignLeft
        for label, history, tint, scale_floor in (
            ("Buffer", self._buffers, theme.ACCENT, 5.0),
            ("Throughput", self._throughputs, theme.COOL, 1_000_000.0),
        ):
            room = QtCore.QRect(_PAD_PX + _LABEL_PX, top, self.width() - 2 * _PAD_PX - _LABEL_PX, _GRAPH_PX)
            painter.setFont(theme.font(12))
            painter.setPen(theme.colour(theme.TEXT_MUTED))
            painter.drawText(QtCore.QRect(_PAD_PX, top, _LABEL_PX, _GRAPH_PX), left_aligned, label)
            _paint_graph(painter, room, list(history), tint, scale_floor)
            top += _GRAPH_PX + 6


def _paint_graph(
    painter: QtGui.QPainter, room: QtCore.QRect, values: list[float], tint: str, scale_floor: float
) -> None:
    painter.setPen(QtCore.Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("#ffffff", 0.06))
    painter.drawRoundedRect(room, 4, 4)
    if len(values) < 2:
        return
    top_value = max(scale_floor, *values) * 1.1
    step = room.width() / (_HISTORY - 1)
    first_x = room.right() - step * (len(values) - 1)
    line = QtGui.QPainterPath()
    for count, value in enumerate(values):
        point = QtCore.QPointF(first_x + count * step, room.bottom() - room.height() * value / top_value)
        if count:
            line.lineTo(point)
        else:
            line.moveTo(point)
    area = QtGui.QPainterPath(line)
    area.lineTo(room.right(), room.bottom())
    area.lineTo(first_x, room.bottom())
    area.closeSubpath()
    painter.fillPath(area, theme.colour(tint, 0.22))
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    painter.setPen(QtGui.QPen(theme.colour(tint), 1.6))
    painter.drawPath(line)
