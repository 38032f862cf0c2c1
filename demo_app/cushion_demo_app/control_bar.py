"""The controls under the picture: they say by signals what a person wants, show what they are told, decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cushion_demo_app import theme
from cushion_demo_app.icons import IconName, icon
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.seek_bar import SeekBar
from cushion_demo_app.wording import clock_text, speed_text

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)

_SIDE_PX = 14
_GAP_PX = 4

Choice = tuple[str, object]


@dataclass(frozen=True, slots=True)
class ControlState:
    """Everything the bar shows."""

    position_s: float = 0.0
    duration_s: float = 0.0
    buffered_until_s: float = 0.0
    playing: bool = False
    ended: bool = False
    volume: float = 1.0
    muted: bool = False
    height_px: int = 0
    """Of the picture on screen; 0 before the first."""
    height_cap_px: int = 0
    """0: no cap."""
    link: str = "unshaped"
    speed: float = 1.0


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


class ChoiceButton(ControlButton):
    """A button that opens a menu of choices, one of which holds."""

    def __init__(self, name: str, on_chosen: Callable[[object], None]) -> None:
        super().__init__(name)
        self._on_chosen = on_chosen
        self._menu = QtWidgets.QMenu(self)
        self._menu.setAccessibleName(name)
        self._group = QtGui.QActionGroup(self)
        self.clicked.connect(self._open)
        self._menu.triggered.connect(self._chosen)

    def offer(self, choices: Sequence[Choice]) -> None:
        """Replace what the menu holds: (text, value) pairs."""
        self._menu.clear()
        for action in self._group.actions():
            self._group.removeAction(action)
        for text, value in choices:
            action = self._menu.addAction(text)
            action.setData(value)
            action.setCheckable(True)
            self._group.addAction(action)

    def values(self) -> list[object]:
        """What is on offer, in order."""
        return [action.data() for action in self._group.actions()]

    def show_chosen(self, value: object, text: str) -> None:
        """Mark the choice that holds, and say it on the button."""
        self.setText(text)
        self.setAccessibleDescription(text)
        for action in self._group.actions():
            action.setChecked(action.data() == value)

    def _open(self) -> None:
        """Upwards: the button sits at the bottom of the window."""
        corner = self.mapToGlobal(QtCore.QPoint(0, -self._menu.sizeHint().height() - 4))
        self._menu.popup(corner)

    def _chosen(self, action: QtGui.QAction) -> None:
        self._on_chosen(action.data())


class ControlBar(QtWidgets.QWidget):
    """Seek bar above, buttons below."""

    play_toggled = QtCore.Signal()
    seek_requested = QtCore.Signal(float)
    mute_toggled = QtCore.Signal()
    volume_requested = QtCore.Signal(float)
    height_cap_requested = QtCore.Signal(int)
    link_requested = QtCore.Signal(str)
    speed_requested = QtCore.Signal(float)
    stats_toggled = QtCore.Signal()
    full_screen_toggled = QtCore.Signal()

    def __init__(self, links: Sequence[str], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("controlBar")
        self.seek_bar = SeekBar()
        self.play_button = ControlButton("Play", IconName.PLAY)
        self.mute_button = ControlButton("Mute", IconName.VOLUME)
        self.volume_slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.time_label = QtWidgets.QLabel("0:00 / 0:00")
        self.quality_button = ChoiceButton("Quality", lambda value: self.height_cap_requested.emit(value))
        self.link_button = ChoiceButton("Simulated link", lambda value: self.link_requested.emit(value))
        self.speed_button = ChoiceButton("Speed", lambda value: self.speed_requested.emit(value))
        self.stats_button = ControlButton("Stats (I)", IconName.STATS)
        self.full_screen_button = ControlButton("Full screen (F)", IconName.FULL_SCREEN)
        self._row_widgets: tuple[QtWidgets.QWidget, ...] = (
            self.play_button,
            self.mute_button,
            self.volume_slider,
            self.time_label,
            self.quality_button,
            self.link_button,
            self.speed_button,
            self.stats_button,
            self.full_screen_button,
        )
        self._dispensable = (self.link_button, self.speed_button, self.stats_button, self.volume_slider)
        self._build()
        self.link_button.offer([(_link_text(name), name) for name in links])
        self.speed_button.offer([(speed_text(speed), speed) for speed in SPEEDS])
        self.offer_heights([])
        self.show_state(ControlState())

    def _build(self) -> None:
        self.volume_slider.setRange(0, 100)
        self.volume_slider.setFixedWidth(90)
        self.volume_slider.setAccessibleName("Volume")
        self.volume_slider.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.time_label.setFont(theme.font(14))
        self.stats_button.setCheckable(True)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(_GAP_PX)
        for each in self._row_widgets:
            if each is self.time_label:
                row.addSpacing(8)
            row.addWidget(each)
            if each is self.time_label:
                row.addStretch(1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(_SIDE_PX, 0, _SIDE_PX, 8)
        column.setSpacing(0)
        column.addWidget(self.seek_bar)
        column.addLayout(row)
        self.seek_bar.seek_requested.connect(self.seek_requested)
        self.play_button.clicked.connect(self.play_toggled)
        self.mute_button.clicked.connect(self.mute_toggled)
        self.volume_slider.valueChanged.connect(self._volume_moved)
        self.stats_button.clicked.connect(self.stats_toggled)
        self.full_screen_button.clicked.connect(self.full_screen_toggled)

    def _volume_moved(self, percent: int) -> None:
        self.volume_requested.emit(percent / 100)

    def offer_heights(self, heights_px: Sequence[int]) -> None:
        """The caps a viewer may choose from, besides automatic."""
        caps = [(f"Up to {height}p", height) for height in sorted(set(heights_px), reverse=True)]
        self.quality_button.offer([("Automatic", 0), *caps])

    def show_state(self, state: ControlState) -> None:
        """Make everything visible agree with `state`, without emitting anything."""
        self.seek_bar.show_position(state.position_s, state.duration_s, state.buffered_until_s)
        shown_s = self.seek_bar.value() / 1000 if self.seek_bar.is_dragged else state.position_s
        self.time_label.setText(f"{clock_text(shown_s)} / {clock_text(state.duration_s)}")
        self._show_play(state)
        silent = state.muted or state.volume <= 0
        if silent:
            self.mute_button.turn_over("Unmute (M)", IconName.MUTED)
        else:
            self.mute_button.turn_over("Mute (M)", IconName.VOLUME)
        with QtCore.QSignalBlocker(self.volume_slider):
            self.volume_slider.setValue(0 if state.muted else round(state.volume * 100))
        playing_now = f" · {state.height_px}p" if state.height_px else ""
        limit = f"≤ {state.height_cap_px}p" if state.height_cap_px else "Auto"
        self.quality_button.show_chosen(state.height_cap_px, f"{limit}{playing_now}")
        self.link_button.show_chosen(state.link, _link_text(state.link))
        self.speed_button.show_chosen(state.speed, speed_text(state.speed))
        self._fit(self.width())

    def _show_play(self, state: ControlState) -> None:
        if state.ended:
            self.play_button.turn_over("Play again (K)", IconName.REPLAY)
        elif state.playing:
            self.play_button.turn_over("Pause (K)", IconName.PAUSE)
        else:
            self.play_button.turn_over("Play (K)", IconName.PLAY)

    def show_full_screen(self, is_full: bool) -> None:
        """Turn the full-screen button over."""
        if is_full:
            self.full_screen_button.turn_over("Leave full screen (F)", IconName.LEAVE_FULL_SCREEN)
        else:
            self.full_screen_button.turn_over("Full screen (F)", IconName.FULL_SCREEN)

    def has_open_menu(self) -> bool:
        """Whether a choice is being made right now (then the bar must not hide)."""
        popup = QtWidgets.QApplication.activePopupWidget()
        return popup is not None and popup.parent() in (self.quality_button, self.link_button, self.speed_button)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        """Put away what there is no room for, so that nothing is squeezed; what a key does too goes first."""
        always = [each for each in self._row_widgets if each not in self._dispensable]
        room = width - 2 * _SIDE_PX - 8 - sum(_width_of(each) + _GAP_PX for each in always)
        for each in self._dispensable:
            needed = _width_of(each) + _GAP_PX
            each.setVisible(needed <= room)
            room -= needed if needed <= room else 0

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        shade = QtGui.QLinearGradient(0, 0, 0, self.height())
        shade.setColorAt(0.0, theme.colour("#000000", 0.0))
        shade.setColorAt(0.45, theme.colour("#000000", 0.55))
        shade.setColorAt(1.0, theme.colour("#000000", 0.82))
        painter.fillRect(self.rect(), shade)
        painter.end()


def _width_of(widget: QtWidgets.QWidget) -> int:
    return max(widget.sizeHint().width(), widget.minimumWidth())


_LINK_TEXTS = {
    "unshaped": "Real link",
    "constant": "Constant link",
    "step": "Step link",
    "3g": "3G link",
    "4g": "4G link",
}


def _link_text(name: str) -> str:
    return _LINK_TEXTS.get(name, name.rsplit("/", 1)[-1])
