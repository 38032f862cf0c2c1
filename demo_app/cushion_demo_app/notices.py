"""What appears over the picture when something is to be said: the spinner, the banner, the passing word."""

from __future__ import annotations

from collections.abc import Sequence

from cushion_demo_app import theme
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.wording import ProblemText

SPINNER_DELAY_MS = 300
"""Waits shorter than this are not worth a spinner: showing one makes them feel longer."""
_TOAST_MS = 1400
_TRIED_LINES = 6
"""Shown at once; the rest is scrolled to."""


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
    """Playback cannot go on: what happened in plain words, a way to try again, a way out, the technical sentence."""

    retry_requested = QtCore.Signal()
    leave_requested = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("Problem")
        self.headline = QtWidgets.QLabel()
        self.headline.setObjectName("headline")
        self.headline.setWordWrap(True)
        self.sentence = QtWidgets.QLabel()
        self.sentence.setWordWrap(True)
        self.detail = QtWidgets.QLabel()
        self.detail.setObjectName("detail")
        self.detail.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.tried = QtWidgets.QPlainTextEdit()
        self.tried.setObjectName("detail")
        self.tried.setAccessibleName("What was tried")
        self.tried.setReadOnly(True)
        self.tried.setTabChangesFocus(True)
        self.tried.setLineWrapMode(QtWidgets.QPlainTextEdit.LineWrapMode.NoWrap)
        self.retry_button = QtWidgets.QPushButton("Try again")
        self.retry_button.setObjectName("primary")
        self.leave_button = QtWidgets.QPushButton("Back to the catalog")
        self.tried_label = QtWidgets.QLabel()
        self.tried_label.setObjectName("section")
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
        column.addWidget(self.detail)
        column.addWidget(self.tried_label)
        column.addWidget(self.tried)
        self.retry_button.clicked.connect(self.retry_requested)
        self.leave_button.clicked.connect(self.leave_requested)
        self.hide()

    def show_problem(self, text: ProblemText, detail: str, tried: Sequence[str] = ()) -> None:
        """Appear with these words, and take the focus so that Enter tries again.

        detail, tried: for those who can use it, the technical sentence and the requests that failed.
        """
        self.headline.setText(text.headline)
        self.sentence.setText(text.advice)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.tried.setPlainText("\n".join(tried))
        self.tried_label.setText(f"What was tried ({len(tried)})")
        line_px = self.tried.fontMetrics().lineSpacing()
        self.tried.setFixedHeight((min(len(tried), _TRIED_LINES) + 2) * line_px)
        for each in (self.tried, self.tried_label):
            each.setVisible(bool(tried))
        self.setAccessibleDescription(f"{text.headline}. {text.advice}")
        self.show()
        self.raise_()
        self.retry_button.setFocus(QtCore.Qt.FocusReason.OtherFocusReason)

    def fit(self, room: QtCore.QRect) -> None:
        """Sit in the middle of `room`."""
        width = min(640 if self.tried.isVisibleTo(self) else 520, room.width() - 32)
        self.setFixedWidth(max(200, width))
        self.resize(self.width(), min(max(self.heightForWidth(self.width()), 120), room.height()))
        self.move(room.x() + (room.width() - self.width()) // 2, room.y() + (room.height() - self.height()) // 2)


class EndPanel(QtWidgets.QWidget):
    """The title is over: it darkens the last picture and offers what can be done next."""

    replay_requested = QtCore.Signal()
    leave_requested = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("The end")
        headline = QtWidgets.QLabel("The end")
        headline.setObjectName("headline")
        self.replay_button = QtWidgets.QPushButton("Play again")
        self.replay_button.setObjectName("primary")
        self.leave_button = QtWidgets.QPushButton("Back to the catalog")
        buttons = QtWidgets.QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch(1)
        buttons.addWidget(self.replay_button)
        buttons.addWidget(self.leave_button)
        buttons.addStretch(1)
        column = QtWidgets.QVBoxLayout(self)
        column.setSpacing(16)
        column.addStretch(1)
        column.addWidget(headline, 0, QtCore.Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(buttons)
        column.addStretch(1)
        for button, signal in (
            (self.replay_button, self.replay_requested),
            (self.leave_button, self.leave_requested),
        ):
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
        self.hide()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), theme.colour("#05080c", 0.78))
        painter.end()


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
