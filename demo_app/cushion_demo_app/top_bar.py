"""The upper edge of the player page: back, and what is playing."""

from __future__ import annotations

from cushion_demo_app import theme
from cushion_demo_app.control_buttons import ControlButton
from cushion_demo_app.icons import IconName
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets


class TopBar(QtWidgets.QWidget):
    """Back, and what is playing."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.back_button = ControlButton("Back to the catalog (Esc)", IconName.BACK)
        self.title_label = QtWidgets.QLabel()
        self.title_label.setFont(theme.font(17, bold=True))
        self.title_label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(12, 4, 20, 12)
        row.setSpacing(8)
        row.addWidget(self.back_button)
        row.addWidget(self.title_label, 1)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        shade = QtGui.QLinearGradient(0, 0, 0, self.height())
        shade.setColorAt(0.0, theme.colour("#000000", 0.75))
        shade.setColorAt(1.0, theme.colour("#000000", 0.0))
        painter.fillRect(self.rect(), shade)
        painter.end()
