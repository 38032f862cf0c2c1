from __future__ import annotations

from dataclasses import replace

import pytest

from cushion_demo_app.control_state import ControlState
from cushion_demo_app.menus import link_menu, quality_menu, speed_menu, text_menu
from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.seek_bar import SeekBar
from cushion_demo_app.stats_overlay import StatsState, stats_lines
from cushion_demo_app.wishes import FileChoice, LinkChoice, QualityChoice, ShiftFile, SpeedChoice, Wishes
from cushion_demo_app.wording import problem_text
from cushion_player.outputs import VideoFrame
from cushion_sdk.session_types import SessionSnapshot

Key = QtCore.Qt.Key
PLAYING = ControlState(position_s=10, end_s=60, buffered_until_s=30, playing=True)


@pytest.fixture
def page() -> PlayerPage:
    page = PlayerPage()
    page.resize(1000, 600)
    page.show()
    page.begin("Bikes")
    page.show_state(PLAYING, waiting=False)
    return page


def state_with(wishes: Wishes, shown_px: int = 0, position_s: float = 10, end_s: float = 60) -> ControlState:
    now = SessionSnapshot()
    return ControlState(
        position_s=position_s,
        end_s=end_s,
        quality=quality_menu(now, wishes, [360, 720], shown_px),
        text=text_menu(now, None, wishes.text),
        speed=speed_menu(wishes.speed),
        link=link_menu(["unshaped", "step", "3g"], wishes.link),
    )


def press(widget: QtWidgets.QWidget, key: int) -> None:
    for kind in (QtCore.QEvent.Type.KeyPress, QtCore.QEvent.Type.KeyRelease):
        QtWidgets.QApplication.sendEvent(widget, QtGui.QKeyEvent(kind, key, QtCore.Qt.KeyboardModifier.NoModifier))


def mouse(widget: QtWidgets.QWidget, kind: QtCore.QEvent.Type, x: float, y: float) -> None:
    place = QtCore.QPointF(x, y)
    button = QtCore.Qt.MouseButton.LeftButton
    event = QtGui.QMouseEvent(
        kind, place, widget.mapToGlobal(place), button, button, QtCore.Qt.KeyboardModifier.NoModifier
    )
    QtWidgets.QApplication.sendEvent(widget, event)


def heard(signal: QtCore.SignalInstance) -> list[object]:
    calls: list[object] = []

    def note(*arguments: object) -> None:
        calls.append(arguments[0] if arguments else None)

    signal.connect(note)
    return calls


@pytest.mark.parametrize(
    ("key", "signal", "said"),
    [
        (Key.Key_Space, "play_toggled", None),
        (Key.Key_Right, "seek_by_requested", 5.0),
        (Key.Key_J, "seek_by_requested", -10.0),
        (Key.Key_3, "seek_to_share_requested", 0.3),
        (Key.Key_M, "mute_toggled", None),
        (Key.Key_Up, "volume_by_requested", 0.05),
        (Key.Key_F, "full_screen_toggled", None),
        (Key.Key_Escape, "leave_requested", None),
        (Key.Key_BracketRight, "speed_step_requested", 1),
        (Key.Key_Comma, "step_requested", -1),
        (Key.Key_Plus, "text_size_step_requested", 1),
        (Key.Key_R, "loop_toggled", None),
        (Key.Key_N, "skip_requested", None),
        (Key.Key_O, "chosen", FileChoice()),
        (Key.Key_G, "chosen", ShiftFile(-0.1)),
    ],
)
def test_keys_become_wishes(page: PlayerPage, key: int, signal: str, said: object) -> None:
    calls = heard(getattr(page, signal))

    press(page, key)

    assert calls == [said]


def test_a_question_mark_lists_the_keys_and_escape_puts_the_list_away(page: PlayerPage) -> None:
    left = heard(page.leave_requested)

    press(page, Key.Key_Question)
    assert page.help_panel.isVisibleTo(page)
    assert page.rect().contains(page.help_panel.geometry())
    press(page, Key.Key_Escape)

    assert not page.help_panel.isVisibleTo(page)
    assert left == []


def test_arrows_seek_also_when_a_button_has_the_focus(page: PlayerPage) -> None:
    calls = heard(page.seek_by_requested)

    press(page.control_bar.mute_button, Key.Key_Left)

    assert calls == [-5.0]


def test_enter_presses_the_button_that_has_the_focus(page: PlayerPage) -> None:
    calls = heard(page.mute_toggled)

    press(page.control_bar.mute_button, Key.Key_Return)

    assert len(calls) == 1


def with_picture(page: PlayerPage) -> None:
    page.surface._frame = VideoFrame(0, 33_000, 426, 240, 0, None)


def test_controls_leave_while_playing_and_come_back_with_the_mouse(page: PlayerPage) -> None:
    with_picture(page)
    page._hide_timer.timeout.emit()
    assert not page.controls_shown

    mouse(page.surface, QtCore.QEvent.Type.MouseMove, 100, 100)

    assert page.controls_shown


def test_controls_stay_where_there_is_sound_alone(page: PlayerPage) -> None:
    page._hide_timer.timeout.emit()

    assert page.controls_shown


def test_controls_that_come_back_show_what_happened_meanwhile(page: PlayerPage) -> None:
    with_picture(page)
    playing = ControlState(position_s=10, end_s=60, playing=True)
    page.show_state(playing, waiting=False)
    page._hide_timer.timeout.emit()
    page.show_state(replace(playing, position_s=42), waiting=False)
    assert not page.controls_shown

    mouse(page.surface, QtCore.QEvent.Type.MouseMove, 100, 100)

    assert page.control_bar.time_label.text().startswith("0:42")


def test_controls_stay_while_paused(page: PlayerPage) -> None:
    page.show_state(ControlState(position_s=10, end_s=60), waiting=False)

    page._hide_timer.timeout.emit()

    assert page.controls_shown


def test_a_double_click_takes_the_pause_of_its_first_click_back(page: PlayerPage) -> None:
    toggles, full = heard(page.play_toggled), heard(page.full_screen_toggled)

    mouse(page.surface, QtCore.QEvent.Type.MouseButtonPress, 300, 300)
    mouse(page.surface, QtCore.QEvent.Type.MouseButtonDblClick, 300, 300)

    assert (len(toggles), len(full)) == (2, 1)


def test_a_problem_is_said_in_plain_words_with_the_detail_and_can_be_tried_again(page: PlayerPage) -> None:
    retries = heard(page.retry_requested)
    text = problem_text("connection_lost", has_played=True)
    page.show_problem(text, "segment 23 of audio/und: no connection (http://127.0.0.1:1/a)")

    assert page.banner.isVisibleTo(page)
    assert page.banner.headline.text() == "The server stopped answering"
    assert page.banner.sentence.text() == "Your position is saved. Try again in a moment."
    assert page.banner.detail.text() == "segment 23 of audio/und: no connection (http://127.0.0.1:1/a)"
    page.banner.retry_button.click()

    assert len(retries) == 1


def test_the_spinner_waits_before_it_shows(page: PlayerPage) -> None:
    page.show_state(PLAYING, waiting=True)
    assert page.spinner.is_waiting
    assert not page.spinner.isVisibleTo(page)

    page.spinner._delay.timeout.emit()
    assert page.spinner.isVisibleTo(page)

    page.show_state(PLAYING, waiting=False)
    assert not page.spinner.isVisibleTo(page)


def test_the_bar_shows_what_holds(page: PlayerPage) -> None:
    bar = page.control_bar
    bar.show_state(state_with(Wishes(height_cap_px=360, link="3g", speed=1.5), shown_px=720, position_s=65, end_s=90))

    assert bar.time_label.text() == "1:05 / 1:30"
    assert bar.quality_button.text() == "≤ 360p · 720p"
    assert bar.link_button.text() == "3G link"
    assert bar.speed_button.text() == "1.5×"
    assert bar.play_button.accessibleName() == "Play (K)"
    assert bar.quality_button.menu_shown is not None
    assert [entry.text for entry in bar.quality_button.menu_shown.entries] == ["Automatic", "Up to 720p", "Up to 360p"]


def test_menus_ask_for_what_was_chosen(page: PlayerPage) -> None:
    choices = heard(page.chosen)
    bar = page.control_bar
    bar.show_state(state_with(Wishes()))

    for button, place in ((bar.quality_button, 2), (bar.link_button, 1), (bar.speed_button, 4)):
        button._menu.actions()[place].trigger()

    assert choices == [QualityChoice(360), LinkChoice("step"), SpeedChoice(1.25)]


def test_every_control_has_a_name_for_screen_readers(page: PlayerPage) -> None:
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QAbstractSlider)
    controls = [child for kind in kinds for child in page.control_bar.findChildren(kind)]

    assert len(controls) >= 9
    assert all(control.accessibleName() for control in controls)


def test_a_click_on_the_seek_bar_seeks_and_a_drag_holds_its_place() -> None:
    bar = SeekBar()
    bar.resize(216, 46)
    calls = heard(bar.seek_requested)
    bar.show_position(ControlState(end_s=100, buffered_until_s=20))

    mouse(bar, QtCore.QEvent.Type.MouseButtonPress, 58, 30)
    mouse(bar, QtCore.QEvent.Type.MouseMove, 108, 30)
    bar.show_position(ControlState(position_s=1, end_s=100, buffered_until_s=20))
    assert bar.value() == 50_000
    assert calls == []
    mouse(bar, QtCore.QEvent.Type.MouseButtonRelease, 108, 30)

    assert calls == [50.0]


def test_stats_read_as_sentences_of_numbers() -> None:
    state = StatsState(
        rung=1, rung_count=4, width_px=640, height_px=360, bitrate_bps=579_000, buffer_s=12.34, throughput_bps=5.4e6,
        frames_shown=100, frames_dropped=2, rebuffer_count=1, rebuffer_s=0.8, startup_s=0.26, rule="bba2", link="step",
    )  # fmt: skip

    assert dict(stats_lines(state)) == {
        "Picture": "640×360 (rung 2 of 4)",
        "Bitrate": "579 kb/s",
        "Throughput": "5.4 Mb/s",
        "Buffer": "12.3 s",
        "Frames": "100 shown, 2 dropped",
        "Stalls": "1 · 0.8 s",
        "Start-up": "0.26 s",
        "Rule": "bba2",
        "Link": "step",
    }
    assert dict(stats_lines(StatsState()))["Picture"] == "–"


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (400, 260)])
def test_the_page_paints_at_every_size(page: PlayerPage, size: tuple[int, int]) -> None:
    page.resize(*size)
    page.toggle_stats()
    page.say("+10 s")
    for count in range(4):
        page.show_stats(StatsState(buffer_s=count, throughput_bps=count * 1e6))

    picture = page.grab()

    assert (picture.width(), picture.height()) == size
    assert page.control_bar.geometry().bottom() == size[1] - 1


@pytest.mark.parametrize("width", [480, 640, 1280])
def test_no_control_is_squeezed_or_cut(page: PlayerPage, width: int) -> None:
    page.resize(width, 320)
    state = state_with(Wishes(height_cap_px=240, speed=1.25), shown_px=240, position_s=3599, end_s=3600)
    page.show_state(state, waiting=False)
    QtWidgets.QApplication.processEvents()
    bar = page.control_bar

    shown = [each for each in bar._row_widgets if each.isVisibleTo(bar)]
    assert all(each.width() >= each.sizeHint().width() for each in shown)
    assert shown[-1].geometry().right() < width
    assert {bar.play_button, bar.quality_button, bar.full_screen_button} <= set(shown)
    assert bar.speed_button.isVisibleTo(bar) == (width >= 640)


@pytest.mark.parametrize(("height", "has_graphs"), [(320, False), (480, False), (720, True)])
def test_stats_stay_between_the_bars(page: PlayerPage, height: int, *, has_graphs: bool) -> None:
    page.resize(480, height)
    page.toggle_stats()
    page.show_stats(StatsState(audio="no audio device, silent"))
    overlay = page.stats_overlay

    assert overlay.geometry().top() >= page.top_bar.geometry().bottom()
    assert overlay.geometry().bottom() <= page.control_bar.y()
    assert overlay.shows_graphs == has_graphs
    assert overlay.shown_lines[0][0] == "Picture"
