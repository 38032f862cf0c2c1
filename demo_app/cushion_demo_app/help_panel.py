"""Which key does what, over the picture, while somebody wants to know."""

from __future__ import annotations

from cushion_demo_app import theme
from cushion_demo_app.keyboard import KEYS_HELP
from cushion_demo_app.qt import QtCore, QtWidgets

_KEYS_PX = 150


class HelpPanel(QtWidgets.QFrame):
    """A list of keys; a click on it closes it."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("breakPanel")
        self.setAccessibleName("Keys")
        self.setAccessibleDescription("; ".join(f"{keys}: {what}" for keys, what in KEYS_HELP))
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(24, 16, 24, 16)
        grid.setVerticalSpacing(5)
        grid.setColumnMinimumWidth(0, _KEYS_PX)
        for row, (keys, what) in enumerate(KEYS_HELP):
            for column, text in enumerate((keys, what)):
                label = QtWidgets.QLabel(text)
                label.setFont(theme.font(13, bold=not column))
                label.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
                grid.addWidget(label, row, column)
        self.hide()

    def toggle(self) -> None:
        self.setVisible(self.isHidden())
        self.raise_()

    def fit(self, room: QtCore.QRect) -> None:
        """Sit in the middle of `room`, no larger than it."""
        self.resize(self.sizeHint().boundedTo(room.size()))
        self.move(room.center() - self.rect().center())

    def mousePressEvent(self, event: object) -> None:
        self.hide()
