"""What appears over the picture when something is to be said: the spinner, the banner, the passing word."""

from __future__ import annotations

from cushion_demo_app import theme
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets

SPINNER_DELAY_MS = 300
"""Waits shorter than this are not worth a spinner: showing one makes them feel longer."""
_TOAST_MS = 1400


class Spinner(QtWidgets.QWidget):
    """Turns while waiting; shows itself only when the wait has lasted `SPINNER_DELAY_MS`."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Loading")
        self.resize(64, 64)
        self.hide()
        self._angle = 0
        self._delay = QtCore.QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SPINNER_DELAY_MS)
        self._delay.timeout.connect(self._appear)
        self._turn = QtCore.QTimer(self)
        self._turn.setInterval(40)
        self._turn.timeout.connect(self._advance)

    @property
    def is_waiting(self) -> bool:
        """Whether a wait is going on, shown or not yet."""
        return self._delay.isActive() or self._turn.isActive()

    def set_waiting(self, waiting: bool) -> None:
        """Say whether there is something to wait for."""
        if waiting == self.is_waiting:
            return
        if waiting:
            self._delay.start()
        else:
            self._delay.stop()
            self._turn.stop()
            self.hide()

    def _appear(self) -> None:
        self._turn.start()
        self.show()
        self.raise_()

    def _advance(self) -> None:
        self._angle = (self._angle - 18) % 360
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("#05080c", 0.55))
        painter.drawEllipse(self.rect())
        ring = QtCore.QRectF(self.rect()).adjusted(16, 16, -16, -16)
        for tint, start, span in (
            (theme.colour("#ffffff", 0.2), 0, 360),
            (theme.colour(theme.ACCENT), self._angle, 100),
        ):
            pen = QtGui.QPen(tint, 4.0)
            pen.setCapStyle(QtCore.Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawArc(ring, start * 16, span * 16)
        painter.end()


class Banner(QtWidgets.QFrame):
    """Playback cannot go on: one plain sentence, a way to try again, a way out."""

    retry_requested = QtCore.Signal()
    leave_requested = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("Problem")
        self.headline = QtWidgets.QLabel("This title cannot be played right now")
        self.headline.setObjectName("headline")
        self.headline.setWordWrap(True)
        self.sentence = QtWidgets.QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry_button = QtWidgets.QPushButton("Try again")
        self.retry_button.setObjectName("primary")
        self.leave_button = QtWidgets.QPushButton("Back to the catalog")
        buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self.retry_button)
        buttons.addWidget(self.leave_button)
        buttons.addStretch(1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(self.headline)
        column.addWidget(self.sentence)
        column.addLayout(buttons)
        self.retry_button.clicked.connect(self.retry_requested)
        self.leave_button.clicked.connect(self.leave_requested)
        self.hide()

    def show_problem(self, sentence: str) -> None:
        """Appear with a sentence, and take the focus so that Enter tries again."""
        self.sentence.setText(sentence)
        self.setAccessibleDescription(sentence)
        self.show()
        self.raise_()
        self.retry_button.setFocus(QtCore.Qt.FocusReason.OtherFocusReason)

    def fit(self, room: QtCore.QRect) -> None:
        """Sit in the middle of `room`."""
        width = min(520, room.width() - 32)
        self.setFixedWidth(max(200, width))
        self.resize(self.width(), max(self.heightForWidth(self.width()), 120))
        self.move(room.x() + (room.width() - self.width()) // 2, room.y() + (room.height() - self.height()) // 2)


class Toast(QtWidgets.QLabel):
    """A passing word in the middle of the picture: `+10 s`, `Volume 65 %`."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(
            f"background: rgba(5, 8, 12, 190); border-radius: 10px; padding: 8px 18px; color: {theme.TEXT};"
            " font-size: 16px; font-weight: 600;"
        )
        self.hide()
        self._away = QtCore.QTimer(self)
        self._away.setSingleShot(True)
        self._away.setInterval(_TOAST_MS)
        self._away.timeout.connect(self.hide)

    def say(self, text: str, room: QtCore.QRect) -> None:
        """Show `text` near the top of `room` for a moment."""
        self.setText(text)
        self.adjustSize()
        self.move(room.x() + (room.width() - self.width()) // 2, room.y() + max(72, room.height() // 6))
        self.show()
        self.raise_()
        self._away.start()
