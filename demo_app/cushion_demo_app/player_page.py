"""The page a title plays on: the picture, and over it everything that comes and goes.

It lays things out, shows and hides them, and turns keys and clicks into signals. It knows no session.
"""

from __future__ import annotations

from collections.abc import Sequence

from cushion_demo_app.break_panel import BreakPanel
from cushion_demo_app.control_bar import ControlBar
from cushion_demo_app.control_state import ControlState
from cushion_demo_app.help_panel import HelpPanel
from cushion_demo_app.keyboard import Action, KeyCommand, command_for
from cushion_demo_app.notices import Banner, EndPanel, Spinner, Toast
from cushion_demo_app.preview import ThumbnailPreview
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.stats_overlay import StatsOverlay, StatsState
from cushion_demo_app.top_bar import TopBar
from cushion_demo_app.video_surface import VideoSurface
from cushion_demo_app.wishes import FileChoice, ShiftFile
from cushion_demo_app.wording import ProblemText
from cushion_player.player import InterstitialSnapshot

CONTROLS_LINGER_MS = 3000
_TOP_BAR_PX = 64
_MARGIN_PX = 16

Event = QtCore.QEvent.Type
Modifier = QtCore.Qt.KeyboardModifier


class PlayerPage(QtWidgets.QWidget):
    """Picture, controls, stats, notices."""

    play_toggled = QtCore.Signal()
    seek_requested = QtCore.Signal(float)
    seek_by_requested = QtCore.Signal(float)
    seek_to_share_requested = QtCore.Signal(float)
    mute_toggled = QtCore.Signal()
    volume_requested = QtCore.Signal(float)
    volume_by_requested = QtCore.Signal(float)
    chosen = QtCore.Signal(object)
    """A Choice of the menus, or of a key that stands for one."""
    speed_step_requested = QtCore.Signal(int)
    text_size_step_requested = QtCore.Signal(int)
    step_requested = QtCore.Signal(int)
    loop_toggled = QtCore.Signal()
    live_requested = QtCore.Signal()
    skip_requested = QtCore.Signal()
    full_screen_toggled = QtCore.Signal()
    next_subtitles_requested = QtCore.Signal()
    next_sound_requested = QtCore.Signal()
    retry_requested = QtCore.Signal()
    leave_requested = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(360, 240)
        self.surface = VideoSurface(self)
        self.end_panel = EndPanel(self)  # over the picture, under everything else
        self.top_bar = TopBar(self)
        self.control_bar = ControlBar(self)
        self.preview = ThumbnailPreview(self)
        self.break_panel = BreakPanel(self)
        self.stats_overlay = StatsOverlay(self)
        self.spinner = Spinner(self)
        self.toast = Toast(self)
        self.help_panel = HelpPanel(self)
        self.banner = Banner(self)
        self.stats_overlay.hide()
        self.stats_overlay.stackUnder(self.top_bar)
        self._state = ControlState()
        self._hide_timer = QtCore.QTimer(self)
        self._hide_timer.setSingleShot(True)
        self._hide_timer.setInterval(CONTROLS_LINGER_MS)
        self._hide_timer.timeout.connect(self._hide_controls)
        self._connect()
        for watched in (self.surface, self.top_bar, self.control_bar, self.control_bar.seek_bar):
            watched.setMouseTracking(True)
            watched.installEventFilter(self)

    def _connect(self) -> None:
        bar = self.control_bar
        for theirs, ours in (
            (bar.play_toggled, self.play_toggled),
            (bar.seek_requested, self.seek_requested),
            (bar.mute_toggled, self.mute_toggled),
            (bar.volume_requested, self.volume_requested),
            (bar.chosen, self.chosen),
            (bar.loop_toggled, self.loop_toggled),
            (bar.live_requested, self.live_requested),
            (self.break_panel.skip_requested, self.skip_requested),
            (bar.full_screen_toggled, self.full_screen_toggled),
            (self.banner.retry_requested, self.retry_requested),
            (self.banner.leave_requested, self.leave_requested),
            (self.end_panel.replay_requested, self.play_toggled),
            (self.end_panel.leave_requested, self.leave_requested),
            (self.top_bar.back_button.clicked, self.leave_requested),
            (self.surface.clicked, self.play_toggled),
        ):
            theirs.connect(ours)
        bar.stats_toggled.connect(self.toggle_stats)
        self.surface.double_clicked.connect(self._double_clicked)

    # ------------------------------------------------------------------ what it is told

    def begin(self, name: str) -> None:
        """Get ready for another title."""
        self.top_bar.title_label.setText(name)
        self.top_bar.title_label.setAccessibleName(f"Playing {name}")
        self.preview.hide()
        self.show_break(None)
        self.stats_overlay.forget()
        self.clear_problem()
        self.reveal_controls()
        self.setFocus()

    def show_state(self, state: ControlState, *, waiting: bool) -> None:
        """Make the controls agree with `state`; `waiting` brings the spinner."""
        was_playing = self._state.playing
        self._state = state
        if self.controls_shown:
            self.control_bar.show_state(state)
        self.end_panel.setVisible(state.ended)
        self.spinner.set_waiting(waiting and self.banner.isHidden())
        if state.playing != was_playing:
            self.reveal_controls()

    def show_break(self, now: InterstitialSnapshot | None) -> None:
        """What plays in between, None for nothing."""
        self.break_panel.show_break(now)
        self._place_panel()

    def show_preview(self, image: QtGui.QImage | None, time_s: float) -> None:
        """The small picture for a time that is pointed at; None for none."""
        if image is None or not self.controls_shown:
            self.preview.hide()
            return
        bar = self.control_bar.seek_bar
        middle = bar.mapTo(self, QtCore.QPoint(round(bar.x_of_time(time_s)), 0))
        self.preview.show_image(image, middle.x(), middle.y())

    def show_stats(self, state: StatsState) -> None:
        """Feed the overlay, shown or not, so that its graphs are there when it opens."""
        self.stats_overlay.show_stats(state)

    def show_problem(self, text: ProblemText, detail: str, tried: Sequence[str] = ()) -> None:
        """Playback cannot go on: say so. `detail`: the technical sentence. `tried`: what failed before."""
        self.spinner.set_waiting(False)
        self.banner.show_problem(text, detail, tried)
        self._lay_out()
        self.reveal_controls()

    def show_retrying(self) -> None:
        """What is needed to play again is on its way."""
        self.clear_problem()
        self.spinner.set_waiting(True)

    def rename_leaving(self, name: str) -> None:
        """Where leaving leads to, when that is not the catalog."""
        self.top_bar.back_button.rename(f"{name} (Esc)")
        self.banner.leave_button.setText(name)
        self.end_panel.leave_button.setText(name)

    def clear_problem(self) -> None:
        """Playback goes on."""
        if not self.banner.isHidden():
            self.banner.hide()
            self.setFocus()

    def say(self, text: str) -> None:
        """A passing word over the picture."""
        self.toast.say(text, self.rect())

    def toggle_stats(self) -> None:
        """Show or hide the numbers."""
        shown = not self.stats_overlay.isVisible()
        self.stats_overlay.setVisible(shown)
        self.control_bar.stats_button.setChecked(shown)

    def show_full_screen(self, is_full: bool) -> None:
        """The window became full screen, or stopped being it."""
        self.control_bar.show_full_screen(is_full)

    # ------------------------------------------------------------------ coming and going

    @property
    def controls_shown(self) -> bool:
        """Whether the bars are over the picture now."""
        return self.control_bar.isVisibleTo(self)

    def reveal_controls(self) -> None:
        """Show the bars; they leave again after a while of playing undisturbed."""
        if not self.controls_shown:
            self.control_bar.show_state(self._state)
            self.control_bar.show()
            self.top_bar.show()
            self.unsetCursor()
            self._place_stats()
        self._hide_timer.start()

    def hide_overlays(self) -> None:
        """Leave nothing but the picture."""
        self.toast.hide()
        self._put_controls_away()

    def _hide_controls(self) -> None:
        bar = self.control_bar
        is_in_use = bar.seek_bar.is_dragged or bar.has_open_menu() or not self.banner.isHidden()
        if not self._state.playing or is_in_use or self.surface.last_frame is None:  # of sound there is nothing to see
            self._hide_timer.start()
            return
        self._put_controls_away()

    def _put_controls_away(self) -> None:
        self._hide_timer.stop()
        self.setFocus()  # a button that is gone cannot keep it
        self.control_bar.hide()
        self.top_bar.hide()
        self.setCursor(QtCore.Qt.CursorShape.BlankCursor)
        self._place_stats()

    # ------------------------------------------------------------------ keys and mouse

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        modifiers = event.modifiers()
        command = command_for(
            event.key(),
            shift=bool(modifiers & Modifier.ShiftModifier),
            other_modifier=bool(modifiers & (Modifier.ControlModifier | Modifier.AltModifier | Modifier.MetaModifier)),
        )
        if command is None:
            if event.key() == QtCore.Qt.Key.Key_Tab:
                self.reveal_controls()
            super().keyPressEvent(event)
            return
        self.obey(command)

    def obey(self, command: KeyCommand) -> None:
        """Do what a key asks."""
        self.reveal_controls()
        match command.action:
            case Action.TOGGLE_PLAY:
                self.play_toggled.emit()
            case Action.SEEK_BY:
                self.seek_by_requested.emit(command.amount)
            case Action.SEEK_TO_SHARE:
                self.seek_to_share_requested.emit(command.amount)
            case Action.TOGGLE_MUTE:
                self.mute_toggled.emit()
            case Action.VOLUME_BY:
                self.volume_by_requested.emit(command.amount)
            case Action.TOGGLE_FULL_SCREEN:
                self.full_screen_toggled.emit()
            case Action.TOGGLE_STATS:
                self.toggle_stats()
            case Action.NEXT_SUBTITLES:
                self.next_subtitles_requested.emit()
            case Action.NEXT_SOUND:
                self.next_sound_requested.emit()
            case Action.OPEN_SUBTITLES:
                self.chosen.emit(FileChoice())
            case Action.SHIFT_SUBTITLES:
                self.chosen.emit(ShiftFile(command.amount))
            case Action.OPEN_QUALITY:
                self.control_bar.quality_button.open()
            case Action.SPEED_STEP:
                self.speed_step_requested.emit(round(command.amount))
            case Action.TEXT_SIZE_STEP:
                self.text_size_step_requested.emit(round(command.amount))
            case Action.STEP:
                self.step_requested.emit(round(command.amount))
            case Action.TOGGLE_LOOP:
                self.loop_toggled.emit()
            case Action.SKIP:
                self.skip_requested.emit()
            case Action.TOGGLE_HELP:
                self.help_panel.toggle()
            case Action.LEAVE:
                self._leave()

    def _leave(self) -> None:
        if self.help_panel.isVisibleTo(self):
            self.help_panel.hide()
        elif self.window().isFullScreen():
            self.full_screen_toggled.emit()
        else:
            self.leave_requested.emit()

    def focusNextPrevChild(self, forward: bool) -> bool:
        self.reveal_controls()  # hidden buttons cannot take the focus
        return super().focusNextPrevChild(forward)

    def _double_clicked(self) -> None:
        self.play_toggled.emit()  # takes back what the first click of the two did
        self.full_screen_toggled.emit()

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        if event.type() in (Event.MouseMove, Event.MouseButtonPress, Event.FocusIn):
            self.reveal_controls()
        return False

    # ------------------------------------------------------------------ layout

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.width(), self.height()
        self.surface.setGeometry(0, 0, width, height)
        self.end_panel.setGeometry(0, 0, width, height)
        self.top_bar.setGeometry(0, 0, width, _TOP_BAR_PX)
        bar_height = self.control_bar.sizeHint().height()
        self.control_bar.setGeometry(0, height - bar_height, width, bar_height)
        self.spinner.move((width - self.spinner.width()) // 2, (height - self.spinner.height()) // 2)
        self.banner.fit(self.rect())
        self.help_panel.fit(self.rect())
        self._place_stats()

    def _place_stats(self) -> None:
        """The stats keep between the bars while these are there, and subtitles above the lower one."""
        self.surface.cover_bottom(self.height() - self.control_bar.y() if self.controls_shown else 0)
        top = _TOP_BAR_PX if self.controls_shown else _MARGIN_PX
        bottom = self.control_bar.y() if self.controls_shown else self.height() - _MARGIN_PX
        self.stats_overlay.fit(QtCore.QRect(_MARGIN_PX, top, self.width() - 2 * _MARGIN_PX, bottom - top))
        self._place_panel()

    def _place_panel(self) -> None:
        bottom = self.control_bar.y() if self.controls_shown else self.height()
        self.break_panel.fit(QtCore.QRect(0, 0, self.width(), bottom))
