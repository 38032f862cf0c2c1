"""What plays in between says so at the lower right, how long it still lasts, and how to be done with it."""

from __future__ import annotations

from cushion_demo_app.control_buttons import ControlButton
from cushion_demo_app.icons import IconName
from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_demo_app.wording import break_text
from cushion_player.player import InterstitialSnapshot

_MARGIN_PX = 16


class BreakPanel(QtWidgets.QFrame):
    """Shown while an interstitial plays. It stays when the controls leave: its button must be found."""

    skip_requested = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("breakPanel")
        self.setAccessibleName("In between")
        self.label = QtWidgets.QLabel()
        self.skip_button = ControlButton("Skip (N)", IconName.SKIP)
        self.skip_button.setText("Skip")
        self.skip_button.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.skip_button.clicked.connect(self.skip_requested)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(16, 6, 6, 6)
        row.addWidget(self.label)
        row.addWidget(self.skip_button)
        self.hide()

    def show_break(self, now: InterstitialSnapshot | None) -> None:
        """None: nothing plays in between any more."""
        self.setVisible(now is not None)
        if now is None:
            return
        text = break_text(now.number, now.n_assets, max(0, now.duration_us - now.position_us) / 1e6)
        self.label.setText(text)
        self.setAccessibleDescription(text)
        self.skip_button.setVisible(now.may_skip)
        self.label.setContentsMargins(0, 0, 0 if now.may_skip else 10, 0)

    def fit(self, room: QtCore.QRect) -> None:
        """Sit at the lower right of `room`."""
        self.resize(self.sizeHint())
        self.move(room.right() - self.width() - _MARGIN_PX, room.bottom() - self.height() - _MARGIN_PX)
