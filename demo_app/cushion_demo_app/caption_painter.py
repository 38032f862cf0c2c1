"""Painting cues over the picture: white on a dark box unless a cue says otherwise, as large as the picture wants."""

from __future__ import annotations

from typing import NamedTuple

from cushion_demo_app.caption_layout import Placed, align_of, place, region_box
from cushion_demo_app.caption_look import CaptionLook
from cushion_demo_app.geometry import Box
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_player.text import Align, Colour, Cue, Span

FONT_SHARE = 0.044
"""Height of the letters' em, of the picture's."""
_LEAST_FONT_PX = 11
_PADDING_EM = 0.28
_RUBY_EM = 0.5
_BOX = Colour(8, 8, 10, 200)
_TEXT = Colour(255, 255, 255)


class _Run(NamedTuple):
    """A span in the text of its block."""

    start: int
    end: int
    span: Span


class CaptionPainter:
    """Remembers how the cues are laid out until they or the picture's size change."""

    def __init__(self) -> None:
        self._cues: tuple[Cue, ...] = ()
        self._laid_out: list[tuple[Placed, _Block]] = []
        self._made_for: tuple[int, int, int] | None = None
        self._look = CaptionLook()

    def style(self, look: CaptionLook) -> None:
        """As the viewer wants it from the next painting on."""
        self._look = look
        self._made_for = None

    @property
    def cues(self) -> tuple[Cue, ...]:
        return self._cues

    def show(self, cues: tuple[Cue, ...]) -> None:
        """These from the next painting on."""
        self._cues = cues
        self._made_for = None

    def paint(self, painter: QtGui.QPainter, picture: Box, bottom_inset: int) -> None:
        """picture: where it lies, device-independent pixels. bottom_inset: how much of its bottom is covered."""
        if not self._cues or not picture.width or not picture.height:
            return
        made_for = (picture.width, picture.height, bottom_inset)
        if made_for != self._made_for:
            self._lay_out(picture, bottom_inset)
            self._made_for = made_for
        painter.save()
        painter.setClipRect(QtCore.QRect(*picture))
        painter.translate(picture.x, picture.y)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if not self._look.has_background:
            self._fill_regions(painter, picture, bottom_inset)
        for placed, block in self._laid_out:
            block.paint(painter, placed)
        painter.restore()

    def _lay_out(self, picture: Box, bottom_inset: int) -> None:
        font_px = max(_LEAST_FONT_PX, round(picture.height * FONT_SHARE * self._look.size))
        blocks = {id(cue): _Block(cue, font_px, self._look) for cue in self._cues}
        placed = place(
            self._cues,
            picture.width,
            picture.height,
            lambda cue, room: blocks[id(cue)].measure(room),
            bottom_inset=bottom_inset,
        )
        for each in placed:
            blocks[id(each.cue)].measure(each.box.width)
        self._laid_out = [(each, blocks[id(each.cue)]) for each in placed]

    def _fill_regions(self, painter: QtGui.QPainter, picture: Box, bottom_inset: int) -> None:
        for region in {cue.region for cue in self._cues if cue.region is not None}:
            if region.background is not None and region.background.alpha:
                box = region_box(region, picture.width, picture.height, bottom_inset)
                painter.fillRect(QtCore.QRect(*box), QtGui.QColor(*region.background))


class _Block:
    """The lines of one cue."""

    def __init__(self, cue: Cue, font_px: int, look: CaptionLook) -> None:
        self._font_px = font_px
        self._look = look
        self._pad = round(font_px * _PADDING_EM)
        self._ruby_px = round(font_px * _RUBY_EM) if any(span.ruby for span in cue.spans) else 0
        self._has_own_back = cue.window is not None or (cue.region is not None and cue.region.background is not None)
        self._window = cue.window if not look.has_background else None
        self._runs: list[_Run] = []
        text = ""
        for span in cue.spans:
            words = span.text.replace("\n", "\u2028")
            self._runs.append(_Run(len(_utf16(text)) // 2, len(_utf16(text + words)) // 2, span))
            text += words
        font = QtGui.QFont(QtWidgets.QApplication.font())
        font.setPixelSize(font_px)
        font.setWeight(QtGui.QFont.Weight.Medium)
        self._layout = QtGui.QTextLayout(text, font)
        option = QtGui.QTextOption(_QT_ALIGN[align_of(cue.placement)])
        option.setWrapMode(QtGui.QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._layout.setTextOption(option)
        self._layout.setFormats([_format_range(run, font, look) for run in self._runs])
        self._length = len(_utf16(text)) // 2
        self._size = (0, 0)

    def measure(self, room: int) -> tuple[int, int]:
        """Break lines at `room`; returns the longest line's width and the height, padding included."""
        layout = self._layout
        layout.beginLayout()
        y, widest = 0.0, 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(room - 2 * self._pad, 1))
            y += self._ruby_px
            line.setPosition(QtCore.QPointF(self._pad, y))
            y += line.height()
            widest = max(widest, line.naturalTextWidth())
        layout.endLayout()
        self._size = (round(widest) + 2 * self._pad + 1, round(y))
        return self._size

    def paint(self, painter: QtGui.QPainter, placed: Placed) -> None:
        corner = QtCore.QPointF(placed.box.x, placed.box.y)
        if self._window is not None and self._window.alpha:
            painter.fillRect(QtCore.QRectF(corner, QtCore.QSizeF(*placed.box[2:])), QtGui.QColor(*self._window))
        for at in range(self._layout.lineCount()):
            self._paint_back(painter, self._layout.lineAt(at), corner)
        shadow = QtGui.QTextLayout.FormatRange()
        shadow.start, shadow.length = 0, self._length
        dark = QtGui.QTextCharFormat()
        dark.setForeground(QtGui.QColor(0, 0, 0, 200))
        shadow.format = dark
        depth = max(1.0, self._font_px / 18)
        self._layout.draw(painter, corner + QtCore.QPointF(depth, depth), [shadow])
        self._layout.draw(painter, corner)
        for run in self._runs:
            if run.span.ruby:
                self._paint_ruby(painter, run, corner)

    def _paint_back(self, painter: QtGui.QPainter, line: QtGui.QTextLine, corner: QtCore.QPointF) -> None:
        """A box behind each run of a line, a little wider than the line at its ends."""
        start, end = line.textStart(), line.textStart() + line.textLength()
        parts = [run for run in self._runs if run.start < end and start < run.end]
        natural = line.naturalTextRect()
        if not parts or natural.width() <= 0:
            return
        left_end, right_end = natural.left() - self._pad, natural.right() + self._pad
        for run in parts:
            said = run.span.style.background or (None if self._has_own_back else _BOX)
            colour = self._look.back_colour(said)
            left = left_end if run is parts[0] else _x_of(line, max(run.start, start))
            right = right_end if run is parts[-1] else _x_of(line, min(run.end, end))
            if colour is not None and colour.alpha:
                box = QtCore.QRectF(left, line.y() - self._ruby_px, right - left, line.height() + self._ruby_px)
                painter.fillRect(box.translated(corner), QtGui.QColor(*colour))

    def _paint_ruby(self, painter: QtGui.QPainter, run: _Run, corner: QtCore.QPointF) -> None:
        line = self._layout.lineForTextPosition(run.start)
        if not line.isValid():
            return
        left = _x_of(line, run.start)
        right = _x_of(line, min(run.end, line.textStart() + line.textLength()))
        font = QtGui.QFont(self._layout.font())
        font.setPixelSize(max(self._ruby_px, 6))
        painter.setFont(font)
        painter.setPen(QtGui.QColor(*self._look.text_colour(run.span.style.colour or _TEXT)))
        room = QtCore.QRectF(
            left - self._font_px, line.y() - self._ruby_px, right - left + 2 * self._font_px, self._ruby_px * 1.3
        )
        painter.drawText(room.translated(corner), QtCore.Qt.AlignmentFlag.AlignCenter, run.span.ruby)


_QT_ALIGN = {
    Align.LEFT: QtCore.Qt.AlignmentFlag.AlignLeft,
    Align.CENTER: QtCore.Qt.AlignmentFlag.AlignHCenter,
    Align.RIGHT: QtCore.Qt.AlignmentFlag.AlignRight,
}


def _utf16(text: str) -> bytes:
    """Qt counts in units of UTF-16."""
    return text.encode("utf-16-le", "surrogatepass")


def _x_of(line: QtGui.QTextLine, position: int) -> float:
    """Where the character at a position of the text begins."""
    found: object = line.cursorToX(position)
    if isinstance(found, tuple):  # PySide gives the position too, which may have been moved
        found = found[0]
    assert isinstance(found, int | float)
    return float(found)


def _format_range(run: _Run, base: QtGui.QFont, look: CaptionLook) -> QtGui.QTextLayout.FormatRange:
    style = run.span.style
    looks = QtGui.QTextCharFormat()
    font = QtGui.QFont(base)
    font.setBold(style.bold)
    font.setItalic(style.italic)
    font.setUnderline(style.underline)
    font.setPixelSize(max(_LEAST_FONT_PX, round(base.pixelSize() * style.size)))
    looks.setFont(font)
    looks.setForeground(QtGui.QColor(*look.text_colour(style.colour or _TEXT)))
    found = QtGui.QTextLayout.FormatRange()
    found.start, found.length = run.start, run.end - run.start
    found.format = looks
    return found
