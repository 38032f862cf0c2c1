"""Icons drawn as paths on a 24 × 24 grid, so that they need no files, no SVG module, and follow the theme's colours."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from cushion_demo_app import theme
from cushion_demo_app.qt import QtCore, QtGui

_GRID = 24.0


class IconName(StrEnum):
    """Every icon there is."""

    PLAY = "play"
    PAUSE = "pause"
    REPLAY = "replay"
    LOOP = "loop"
    SKIP = "skip"
    BACK = "back"
    VOLUME = "volume"
    MUTED = "muted"
    FULL_SCREEN = "full_screen"
    LEAVE_FULL_SCREEN = "leave_full_screen"
    STATS = "stats"


def icon(name: IconName, tint: str = theme.TEXT) -> QtGui.QIcon:
    """The icon at the sizes the app uses, sharp at ordinary and double pixel density."""
    result = QtGui.QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(_pixmap(name, 24, ratio, tint))
    return result


def _pixmap(name: IconName, size_px: int, ratio: float, tint: str) -> QtGui.QPixmap:
    pixmap = QtGui.QPixmap(round(size_px * ratio), round(size_px * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(pixmap)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.scale(size_px / _GRID, size_px / _GRID)
    _DRAW[name](painter, QtGui.QColor(tint))
    painter.end()
    return pixmap


def _stroke(painter: QtGui.QPainter, tint: QtGui.QColor, *lines: tuple[tuple[float, float], ...]) -> None:
    pen = QtGui.QPen(tint, 2.0)
    pen.setCapStyle(QtCore.Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(QtCore.Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    for line in lines:
        painter.drawPolyline(QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in line]))


def _fill(painter: QtGui.QPainter, tint: QtGui.QColor, *points: tuple[float, float]) -> None:
    pen = QtGui.QPen(tint, 1.5)
    pen.setJoinStyle(QtCore.Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(tint)
    painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in points]))


def _arc(
    painter: QtGui.QPainter, tint: QtGui.QColor, box: tuple[float, float, float, float], start: int, span: int
) -> None:
    _stroke(painter, tint)
    painter.drawArc(QtCore.QRectF(*box), start * 16, span * 16)


def _play(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _fill(painter, tint, (7, 4.5), (19, 12), (7, 19.5))


def _pause(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _fill(painter, tint, (6.5, 5), (9, 5), (9, 19), (6.5, 19))
    _fill(painter, tint, (15, 5), (17.5, 5), (17.5, 19), (15, 19))


def _replay(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _arc(painter, tint, (5, 5, 14, 14), 60, -300)
    _stroke(painter, tint, ((10.5, 2.5), (15.2, 5.9), (11.6, 10)))


def _loop(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _stroke(painter, tint, ((4, 12), (4, 9.5), (6.5, 7), (19.5, 7)), ((16.5, 3.5), (20, 7), (16.5, 10.5)))
    _stroke(painter, tint, ((20, 12), (20, 14.5), (17.5, 17), (4.5, 17)), ((7.5, 13.5), (4, 17), (7.5, 20.5)))


def _skip(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _fill(painter, tint, (5, 5), (14, 12), (5, 19))
    _stroke(painter, tint, ((18, 5), (18, 19)))


def _back(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _stroke(painter, tint, ((11, 5), (4, 12), (11, 19)), ((4.5, 12), (20, 12)))


def _speaker(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _fill(painter, tint, (3.5, 9.5), (7, 9.5), (11.5, 5.5), (11.5, 18.5), (7, 14.5), (3.5, 14.5))


def _volume(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _speaker(painter, tint)
    _arc(painter, tint, (10, 8.5, 7, 7), -55, 110)
    _arc(painter, tint, (7.5, 5, 14, 14), -50, 100)


def _muted(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _speaker(painter, tint)
    _stroke(painter, tint, ((15, 9), (21, 15)), ((21, 9), (15, 15)))


def _full_screen(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _stroke(painter, tint, ((4, 9), (4, 4), (9, 4)), ((15, 4), (20, 4), (20, 9)))
    _stroke(painter, tint, ((20, 15), (20, 20), (15, 20)), ((9, 20), (4, 20), (4, 15)))


def _leave_full_screen(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _stroke(painter, tint, ((9, 4), (9, 9), (4, 9)), ((20, 9), (15, 9), (15, 4)))
    _stroke(painter, tint, ((15, 20), (15, 15), (20, 15)), ((4, 15), (9, 15), (9, 20)))


def _stats(painter: QtGui.QPainter, tint: QtGui.QColor) -> None:
    _stroke(painter, tint, ((4, 4), (4, 20), (20, 20)), ((8, 15), (11.5, 10), (14.5, 13), (19.5, 6)))


_DRAW: dict[IconName, Callable[[QtGui.QPainter, QtGui.QColor], None]] = {
    IconName.PLAY: _play,
    IconName.PAUSE: _pause,
    IconName.REPLAY: _replay,
    IconName.LOOP: _loop,
    IconName.SKIP: _skip,
    IconName.BACK: _back,
    IconName.VOLUME: _volume,
    IconName.MUTED: _muted,
    IconName.FULL_SCREEN: _full_screen,
    IconName.LEAVE_FULL_SCREEN: _leave_full_screen,
    IconName.STATS: _stats,
}
