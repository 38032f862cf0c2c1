"""The buttons of the player page: flat, named for screen readers, and those that open a menu."""

from __future__ import annotations

from cushion_demo_app import theme
from cushion_demo_app.icons import IconName, icon
from cushion_demo_app.menus import Entry, Menu
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets


class ControlButton(QtWidgets.QToolButton):
    """A flat button with a name for screen readers. Space and Enter press it; every other key is the page's."""

    def __init__(self, name: str, picture: IconName | None = None) -> None:
        super().__init__()
        self.setAutoRaise(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.setMinimumSize(40, 40)
        if picture is not None:
            self.setIcon(icon(picture))
            self.setIconSize(QtCore.QSize(24, 24))
        self.rename(name)

    def rename(self, name: str) -> None:
        """What it does now, for the tool tip and for screen readers."""
        self.setToolTip(name)
        self.setAccessibleName(name)

    def turn_over(self, name: str, picture: IconName) -> None:
        """Change name and picture together; nothing is redrawn when the name holds already."""
        if self.accessibleName() != name:
            self.rename(name)
            self.setIcon(icon(picture))

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if event.key() in (QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter):
            self.click()
        elif event.key() == QtCore.Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()


class MenuButton(ControlButton):
    """A button that opens a menu; it shows the Menu it is told, and emits what was chosen."""

    chosen = QtCore.Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._menu = QtWidgets.QMenu(self)
        self._menu.setAccessibleName(name)
        self._shown: Menu | None = None
        self._below: list[QtWidgets.QMenu] = []
        self.clicked.connect(self.open)
        self._menu.triggered.connect(self._triggered)

    def show_menu(self, menu: Menu) -> None:
        """Make button and menu agree with it; an open menu keeps its lines, so that nothing moves under a hand."""
        if menu == self._shown or self._menu.isVisible():
            return
        self._shown = menu
        self.setText(menu.label)
        self.rename(menu.spoken.partition(": ")[0])
        self.setToolTip(menu.spoken)
        self.setAccessibleDescription(menu.spoken.partition(": ")[2])
        self._menu.clear()
        for below in self._below:
            below.deleteLater()
        self._below.clear()
        self._fill(self._menu, menu.entries)

    def _fill(self, menu: QtWidgets.QMenu, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            text = entry.text.replace("&", "&&")
            if not text:
                menu.addSeparator()
            elif entry.below:
                below = QtWidgets.QMenu(text, menu)
                self._below.append(below)
                self._fill(below, entry.below)
                menu.addMenu(below)
            else:
                action = menu.addAction(text)
                action.setData(entry.choice)
                action.setCheckable(entry.holds)
                action.setChecked(entry.holds)
                action.setEnabled(entry.choice is not None)

    @property
    def menu_shown(self) -> Menu | None:
        """What it offers now."""
        return self._shown

    def has_open_menu(self) -> bool:
        """Whether a choice is being made right now."""
        return self._menu.isVisible()

    def open(self) -> None:
        """Upwards: the button sits at the bottom of the window. The line that holds is the one keys start from."""
        corner = self.mapToGlobal(QtCore.QPoint(0, -self._menu.sizeHint().height() - 4))
        self._menu.popup(corner)
        held = next((action for action in self._menu.actions() if action.isChecked()), None)
        if held is not None:
            self._menu.setActiveAction(held)

    def _triggered(self, action: QtGui.QAction) -> None:
        self.chosen.emit(action.data())


class LiveBadge(ControlButton):
    """Says whether playback is near the live edge, and goes there."""

    def __init__(self) -> None:
        super().__init__("Live")
        self.hide()

    def show_live(self, behind_s: float, *, is_at_edge: bool) -> None:
        """behind_s: how far behind the edge."""
        self.setText(f"● LIVE {behind_s:.0f} s" if is_at_edge else "● Go live")
        tint = theme.LIVE if is_at_edge else theme.TEXT_MUTED
        self.setStyleSheet(f"QToolButton {{ color: {tint}; font-weight: 700; }}")
        self.rename("Live" if is_at_edge else "Go to live (End)")
        self.setAccessibleDescription(f"{behind_s:.0f} seconds behind the live edge")
