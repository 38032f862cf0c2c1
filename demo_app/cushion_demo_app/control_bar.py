"""The controls under the picture: they say by signals what a person wants, show what they are told, decide nothing."""

from __future__ import annotations

from cushion_demo_app import theme
from cushion_demo_app.control_buttons import ControlButton, LiveBadge, MenuButton
from cushion_demo_app.control_state import ControlState
from cushion_demo_app.icons import IconName
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.seek_bar import SeekBar
from cushion_demo_app.wording import clock_text

_SIDE_PX = 14
_GAP_PX = 4


class ControlBar(QtWidgets.QWidget):
    """Seek bar above, buttons below."""

    play_toggled = QtCore.Signal()
    seek_requested = QtCore.Signal(float)
    mute_toggled = QtCore.Signal()
    volume_requested = QtCore.Signal(float)
    chosen = QtCore.Signal(object)
    """A Choice out of one of the menus."""
    loop_toggled = QtCore.Signal()
    live_requested = QtCore.Signal()
    stats_toggled = QtCore.Signal()
    full_screen_toggled = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("controlBar")
        self.seek_bar = SeekBar()
        self.play_button = ControlButton("Play", IconName.PLAY)
        self.mute_button = ControlButton("Mute", IconName.VOLUME)
        self.volume_slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.time_label = QtWidgets.QLabel("0:00 / 0:00")
        self.live_badge = LiveBadge()
        self.quality_button = MenuButton("Quality")
        self.sound_button = MenuButton("Sound")
        self.text_button = MenuButton("Subtitles")
        self.speed_button = MenuButton("Speed")
        self.link_button = MenuButton("Simulated link")
        self.loop_button = ControlButton("Play over and over (R)", IconName.LOOP)
        self.stats_button = ControlButton("Stats (I)", IconName.STATS)
        self.full_screen_button = ControlButton("Full screen (F)", IconName.FULL_SCREEN)
        self._row_widgets: tuple[QtWidgets.QWidget, ...] = (
            self.play_button,
            self.mute_button,
            self.volume_slider,
            self.time_label,
            self.live_badge,
            self.quality_button,
            self.sound_button,
            self.text_button,
            self.link_button,
            self.speed_button,
            self.loop_button,
            self.stats_button,
            self.full_screen_button,
        )
        self._dispensable = (
            self.text_button,
            self.sound_button,
            self.speed_button,
            self.link_button,
            self.volume_slider,
            self.stats_button,
            self.loop_button,
        )
        """What goes when there is no room for it, the last first: keys do the same."""
        self._state = ControlState()
        self._build()
        self.show_state(ControlState())

    def _build(self) -> None:
        self.volume_slider.setRange(0, 100)
        self.volume_slider.setFixedWidth(90)
        self.volume_slider.setAccessibleName("Volume")
        self.volume_slider.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.time_label.setFont(theme.font(14))
        self.stats_button.setCheckable(True)
        self.loop_button.setCheckable(True)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(_GAP_PX)
        for each in self._row_widgets:
            if each is self.time_label:
                row.addSpacing(8)
            row.addWidget(each)
            if each is self.live_badge:
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
        self.live_badge.clicked.connect(self.live_requested)
        self.loop_button.clicked.connect(self.loop_toggled)
        self.stats_button.clicked.connect(self.stats_toggled)
        self.full_screen_button.clicked.connect(self.full_screen_toggled)
        for button in self.menu_buttons:
            button.chosen.connect(self.chosen)

    @property
    def menu_buttons(self) -> tuple[MenuButton, ...]:
        return self.quality_button, self.sound_button, self.text_button, self.link_button, self.speed_button

    def _volume_moved(self, percent: int) -> None:
        self.volume_requested.emit(percent / 100)

    def show_state(self, state: ControlState) -> None:
        """Make everything visible agree with `state`, without emitting anything."""
        self._state = state
        self.seek_bar.show_position(state)
        self._show_time(state)
        self._show_play(state)
        silent = state.muted or state.volume <= 0
        if silent:
            self.mute_button.turn_over("Unmute (M)", IconName.MUTED)
        else:
            self.mute_button.turn_over("Mute (M)", IconName.VOLUME)
        with QtCore.QSignalBlocker(self.volume_slider):
            self.volume_slider.setValue(0 if state.muted else round(state.volume * 100))
        self.loop_button.setChecked(state.loops)
        for button, menu in zip(
            self.menu_buttons, (state.quality, state.sound, state.text, state.link, state.speed), strict=True
        ):
            if menu is not None:
                button.show_menu(menu)
        self._fit(self.width())

    def _show_time(self, state: ControlState) -> None:
        shown_s = self.seek_bar.value() / 1000 if self.seek_bar.is_dragged else state.position_s
        if state.is_live:
            behind_s = state.end_s - shown_s if self.seek_bar.is_dragged else state.behind_s
            is_at_edge = state.is_at_edge and not self.seek_bar.is_dragged
            self.time_label.setText("" if is_at_edge else f"−{clock_text(behind_s)}")
            self.live_badge.show_live(state.behind_s, is_at_edge=state.is_at_edge)
        else:
            self.time_label.setText(f"{clock_text(shown_s)} / {clock_text(state.end_s)}")

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
        return any(button.has_open_menu() for button in self.menu_buttons)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        """Put away what there is no room for, so that nothing is squeezed, and what has nothing to offer."""
        idle: set[QtWidgets.QWidget] = set()
        if not self._state.is_live:
            idle.add(self.live_badge)
        if self._state.sound is None:
            idle.add(self.sound_button)
        always = [each for each in self._row_widgets if each not in self._dispensable and each not in idle]
        room = width - 2 * _SIDE_PX - 8 - sum(_width_of(each) + _GAP_PX for each in always)
        self.live_badge.setVisible(self.live_badge not in idle)
        for each in self._dispensable:
            needed = _width_of(each) + _GAP_PX
            is_shown = each not in idle and needed <= room
            each.setVisible(is_shown)
            room -= needed if is_shown else 0

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
