"""The catalog's cards: a title that can be watched, and one that is still being prepared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cushion_demo_app import theme
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.wording import clock_text, duration_text, initials, ladder_badge, spoken_time
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob, IngestState

_TEXT_PX = 92
_RADIUS = 12.0
Align = QtCore.Qt.AlignmentFlag


@dataclass(frozen=True, slots=True)
class TitleCard:
    """A title as the catalog shows it. `resume_s` is 0 when it starts from the beginning."""

    title: Title
    resume_s: float = 0.0
    poster: QtGui.QImage | None = None

    @property
    def badge(self) -> str:
        video = self.title.ladder.video
        return ladder_badge([rung.height_px for rung in video], len(video))


def job_line(job: IngestJob) -> str:
    """Where an ingest stands, in a few words."""
    if job.state is IngestState.FAILED:
        return job.problem or "It could not be prepared."
    if job.state is IngestState.QUEUED:
        return "Waiting for its turn"
    percent = f" · {100 * job.done_steps // job.total_steps} %" if job.total_steps else ""
    return f"{(job.step or 'Preparing').capitalize()}{percent}"


def _tint(name: str) -> QtGui.QColor:
    return QtGui.QColor(theme.POSTER_TINTS[zlib.crc32(name.encode()) % len(theme.POSTER_TINTS)])


class _Card(QtWidgets.QAbstractButton):
    """A 16:9 picture with lines of text under it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setText(name)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_Hover)

    def fit_width(self, width: int) -> None:
        """Take this width, and the height that goes with it."""
        self.setFixedSize(width, width * 9 // 16 + _TEXT_PX)

    def _poster_rect(self) -> QtCore.QRectF:
        return QtCore.QRectF(1.5, 1.5, self.width() - 3, self.width() * 9 / 16 - 3)

    def _paint_frame(self, painter: QtGui.QPainter) -> None:
        painter.setRenderHints(QtGui.QPainter.RenderHint.Antialiasing | QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        is_hovered = self.underMouse() and self.isEnabled()
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.SURFACE_RAISED if is_hovered else theme.SURFACE))
        painter.drawRoundedRect(self._body(), _RADIUS, _RADIUS)

    def _paint_edge(self, painter: QtGui.QPainter) -> None:
        """Last, so that it lies over the poster."""
        focused = self.hasFocus()
        painter.setPen(QtGui.QPen(theme.colour(theme.COOL if focused else theme.LINE), 2.5 if focused else 1))
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self._body(), _RADIUS, _RADIUS)

    def _body(self) -> QtCore.QRectF:
        return QtCore.QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)

    def _poster_path(self) -> QtGui.QPainterPath:
        room = self._poster_rect()
        path = QtGui.QPainterPath()
        path.setFillRule(QtCore.Qt.FillRule.WindingFill)
        path.addRoundedRect(room, _RADIUS - 1, _RADIUS - 1)
        path.addRect(room.adjusted(0, _RADIUS, 0, 0))
        return path

    def _paint_drawn_poster(self, painter: QtGui.QPainter, name: str, strength: float) -> None:
        room = self._poster_rect()
        shade = QtGui.QLinearGradient(room.topLeft(), room.bottomRight())
        tint = _tint(name)
        tint.setAlphaF(strength)
        deep = tint.darker(220)
        shade.setColorAt(0.0, tint)
        shade.setColorAt(1.0, deep)
        painter.fillPath(self._poster_path(), shade)
        painter.setPen(theme.colour("#ffffff", 0.85 * strength))
        painter.setFont(theme.font(max(20, int(room.height() * 0.30)), bold=True))
        painter.drawText(room, Align.AlignCenter, initials(name))

    def _line(
        self, painter: QtGui.QPainter, top: int, text: str, tint: str, size: int, *, bold: bool = False, left: int = 0
    ) -> int:
        """Write a line, or its rest from `left` px on; returns how far it came, in px."""
        painter.setFont(theme.font(size, bold=bold))
        painter.setPen(theme.colour(tint))
        room = QtCore.QRect(14 + left, self.width() * 9 // 16 + top, self.width() - 28 - left, size + 8)
        shown = painter.fontMetrics().elidedText(text, QtCore.Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Align.AlignVCenter | Align.AlignLeft, shown)
        return left + painter.fontMetrics().horizontalAdvance(shown)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if event.key() in (QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter):
            self.click()
        elif event.key() == QtCore.Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()  # the arrows walk over the whole grid, not just to the next card


class TitleButton(_Card):
    """Press it to watch."""

    def __init__(self, card: TitleCard) -> None:
        super().__init__(card.title.name)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setCursor(QtCore.Qt.CursorShape.PointingHandCursor)
        self.show_card(card)

    def show_card(self, card: TitleCard) -> None:
        """Show this title as it now is."""
        self.card = card
        title = card.title
        self.setAccessibleName(title.name)
        parts = [duration_text(title.duration_s), card.badge, title.note]
        if card.resume_s:
            parts.append(f"resume at {spoken_time(card.resume_s)}")
        self.setAccessibleDescription(", ".join(part for part in parts if part))
        self.setToolTip("\n".join(part for part in (title.name, title.note, title.licence) if part))
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        self._paint_frame(painter)
        title = self.card.title
        if self.card.poster is None:
            self._paint_drawn_poster(painter, title.name, 1.0)
        else:
            self._paint_poster(painter, self.card.poster)
        self._paint_length(painter)
        if self.card.resume_s and title.duration_s:
            self._paint_progress(painter, self.card.resume_s / title.duration_s)
        if self.underMouse() or self.hasFocus():
            self._paint_play(painter)
        self._line(painter, 8, title.name, theme.TEXT, 16, bold=True)
        if self.card.resume_s:
            resume = f"Resume at {clock_text(self.card.resume_s)}"
            used = self._line(painter, 34, resume, theme.ACCENT, 13, bold=True)
            self._line(painter, 34, f" · {self.card.badge}" if self.card.badge else "", theme.TEXT_MUTED, 13, left=used)
        else:
            self._line(painter, 34, self.card.badge, theme.TEXT_MUTED, 13)
        self._line(painter, 57, title.note, theme.TEXT_MUTED, 13)
        self._paint_edge(painter)
        painter.end()

    def _paint_poster(self, painter: QtGui.QPainter, poster: QtGui.QImage) -> None:
        room = self._poster_rect()
        painter.save()
        painter.setClipPath(self._poster_path())
        painter.fillRect(room, QtCore.Qt.GlobalColor.black)
        size = QtCore.QSizeF(poster.size()).scaled(room.size(), QtCore.Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        target = QtCore.QRectF(QtCore.QPointF(), size)
        target.moveCenter(room.center())
        painter.drawImage(target, poster)
        painter.restore()

    def _paint_length(self, painter: QtGui.QPainter) -> None:
        text = duration_text(self.card.title.duration_s)
        painter.setFont(theme.font(12, bold=True))
        width = painter.fontMetrics().horizontalAdvance(text) + 14
        room = self._poster_rect()
        chip = QtCore.QRectF(room.right() - width - 10, room.bottom() - 34, width, 22)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("#05080c", 0.78))
        painter.drawRoundedRect(chip, 6, 6)
        painter.setPen(theme.colour(theme.TEXT))
        painter.drawText(chip, Align.AlignCenter, text)

    def _paint_progress(self, painter: QtGui.QPainter, share: float) -> None:
        room = self._poster_rect()
        bar = QtCore.QRectF(room.left(), room.bottom() - 5, room.width(), 5)
        painter.fillRect(bar, theme.colour("#ffffff", 0.35))
        bar.setWidth(bar.width() * min(1.0, share))
        painter.fillRect(bar, theme.colour(theme.ACCENT))

    def _paint_play(self, painter: QtGui.QPainter) -> None:
        centre = self._poster_rect().center()
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("#05080c", 0.72))
        painter.drawEllipse(centre, 28, 28)
        painter.setBrush(theme.colour(theme.TEXT))
        painter.drawPolygon(
            QtGui.QPolygonF(
                [centre + QtCore.QPointF(-8, -12), centre + QtCore.QPointF(14, 0), centre + QtCore.QPointF(-8, 12)]
            )
        )


class JobPanel(_Card):
    """A title on its way; it cannot be pressed."""

    def __init__(self, job: IngestJob) -> None:
        super().__init__(job.name)
        self.setEnabled(False)
        self.show_job(job)

    def show_job(self, job: IngestJob) -> None:
        """Show where the ingest stands."""
        self.job = job
        self.setAccessibleName(f"{job.name}: {job_line(job)}")
        self.setToolTip(job.problem)
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        self._paint_frame(painter)
        failed = self.job.state is IngestState.FAILED
        self._paint_drawn_poster(painter, self.job.name, 0.35)
        if not failed and self.job.total_steps:
            room = self._poster_rect()
            bar = QtCore.QRectF(room.left(), room.bottom() - 5, room.width(), 5)
            painter.fillRect(bar, theme.colour("#ffffff", 0.2))
            bar.setWidth(bar.width() * self.job.done_steps / self.job.total_steps)
            painter.fillRect(bar, theme.colour(theme.COOL))
        self._line(painter, 8, self.job.name, theme.TEXT, 16, bold=True)
        headline, tint = ("Could not be prepared", theme.DANGER) if failed else ("Being prepared", theme.COOL)
        self._line(painter, 34, headline, tint, 13, bold=True)
        self._line(painter, 57, job_line(self.job), theme.TEXT_MUTED, 13)
        self._paint_edge(painter)
        painter.end()
