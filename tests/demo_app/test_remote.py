"""Live, breaks, loops, files and previews: what is asked of a session, and what the page shows of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cushion_demo_app.caption_look import CaptionLook
from cushion_demo_app.notices import Banner
from cushion_demo_app.presenting import control_state
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_demo_app.wishes import FileChoice, LookChoice, NoFile, PlayRequest, ShiftFile, TextChoice, Wishes
from cushion_demo_app.wording import problem_text
from cushion_player.player import InterstitialSnapshot
from cushion_player.text import Crop
from cushion_sdk.session_types import SessionProblem, SessionSnapshot, SessionState
from cushion_sdk.thumbnails import ThumbnailPicture
from cushion_sdk.tracks import RungCap
from tests.demo_app.fakes import make_title
from tests.demo_app.test_player_controller import Rig

BREAK = InterstitialSnapshot("ad", 0, 2, 3_000_000, 15_000_000, may_skip=True, is_paused=False)


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.page.resize(1000, 600)
    rig.page.show()
    rig.controller.open(PlayRequest.of_title(make_title()))
    return rig


@pytest.fixture
def live(rig: Rig) -> Rig:
    """Ten minutes on, with a window of a minute, five seconds behind as wanted."""
    rig.session.become(
        is_live=True, position_s=595.0, duration_s=600.0, window_start_s=540.0, window_end_s=600.0,
        live_latency_s=5.0, target_latency_s=4.0,
    )  # fmt: skip
    rig.controller.poll()
    return rig


# ---------------------------------------------------------------------- live


def test_at_the_live_edge_the_badge_says_so(live: Rig) -> None:
    bar = live.page.control_bar

    assert bar.live_badge.isVisibleTo(bar)
    assert bar.live_badge.text() == "● LIVE 5 s"
    assert bar.time_label.text() == ""
    assert (bar.seek_bar.minimum(), bar.seek_bar.maximum(), bar.seek_bar.value()) == (540_000, 600_000, 595_000)


def test_behind_the_edge_the_badge_leads_back(live: Rig) -> None:
    bar = live.page.control_bar
    live.session.become(position_s=550.0, live_latency_s=50.0)
    live.controller.poll()
    assert (bar.live_badge.text(), bar.time_label.text()) == ("● Go live", "−0:50")
    assert bar.live_badge.accessibleName() == "Go to live (End)"

    bar.live_badge.click()

    assert live.told == ["live"]


def test_seeks_stay_inside_the_window_and_its_end_is_live(live: Rig) -> None:
    live.controller.seek(10)
    live.controller.seek(9999)
    live.controller.seek_to_share(0.5)
    live.controller.seek_to_share(1.0)

    assert live.told == [("seek", 540.0), ("seek", 600.0), ("seek", 570.0), "live"]


def test_there_is_nothing_after_live(live: Rig) -> None:
    live.controller.seek_by(5)

    assert live.told == []


def test_on_demand_there_is_no_badge(rig: Rig) -> None:
    assert not rig.page.control_bar.live_badge.isVisibleTo(rig.page)
    rig.controller.go_live()
    assert rig.told == []


# ---------------------------------------------------------------------- what plays in between


def test_a_break_shows_its_own_time_and_can_be_skipped(rig: Rig) -> None:
    rig.session.become(interstitial=BREAK, position_s=30.0)
    rig.controller.poll()
    page = rig.page
    assert page.break_panel.isVisibleTo(page)
    assert page.break_panel.label.text() == "1 of 2 · 0:12 left"
    assert page.control_bar.time_label.text() == "0:03 / 0:15"
    assert not page.control_bar.seek_bar.isEnabled()

    page.break_panel.skip_button.click()

    assert rig.told == ["skip"]
    rig.session.become(interstitial=None)
    rig.controller.poll()
    assert not page.break_panel.isVisibleTo(page)


def test_a_break_that_must_be_watched_offers_no_way_around(rig: Rig) -> None:
    rig.session.become(interstitial=replace(BREAK, may_skip=False))
    rig.controller.poll()
    assert not rig.page.break_panel.skip_button.isVisibleTo(rig.page)

    rig.page.skip_requested.emit()
    rig.controller.seek_by(5)
    rig.controller.seek_to_share(0.5)

    assert rig.told == []
    assert rig.page.toast.text() == "This cannot be skipped"


# ---------------------------------------------------------------------- speed, loop, pictures


def test_speed_loop_and_step_by_keys(rig: Rig) -> None:
    rig.page.speed_step_requested.emit(1)
    rig.page.loop_toggled.emit()
    rig.page.loop_toggled.emit()
    rig.page.step_requested.emit(-1)

    assert rig.told == [("rate", 1.25), ("loop", 0.0, None), "end loop", ("step", -1)]
    assert rig.page.control_bar.play_button.accessibleName() == "Play (K)", "a step pauses"


def test_a_cap_is_said_once(rig: Rig) -> None:
    rig.session.become(cap=RungCap(0, 240, "30 frames were dropped"))
    rig.controller.poll()
    assert rig.page.toast.text() == "At most 240p for now: this machine cannot keep up"

    rig.page.say("something else")
    rig.controller.poll()

    assert rig.page.toast.text() == "something else"


# ---------------------------------------------------------------------- subtitles


def test_captions_and_subtitles_change_together(rig: Rig) -> None:
    rig.page.chosen.emit(TextChoice(service="CC1"))

    assert rig.told == [("captions", "CC1"), ("text", None)]


def test_a_subtitle_file_is_shown_moved_and_put_away(rig: Rig) -> None:
    for choice in (ShiftFile(0.1), FileChoice(Path("/a/film.srt")), ShiftFile(0.1), ShiftFile(0.1), NoFile()):
        rig.page.chosen.emit(choice)
        QtWidgets.QApplication.processEvents()

    assert rig.told == [
        ("file", "film.srt", 0.0),
        ("file", "film.srt", 0.1),
        ("file", "film.srt", 0.2),
        ("file", None, 0.0),
    ]
    menu = rig.page.control_bar.text_button.menu_shown
    assert menu is not None
    assert menu.label == "CC off"


def test_a_subtitle_file_that_the_session_was_opened_with_can_be_moved_and_put_away(rig: Rig) -> None:
    rig.controller.open(replace(PlayRequest.of_title(make_title()), file=FileChoice(Path("/a/film.srt"), 1.0)))
    rig.told.clear()
    button = rig.page.control_bar.text_button
    assert button.menu_shown is not None
    assert button.menu_shown.label == "CC file"

    rig.page.chosen.emit(ShiftFile(0.1))
    QtWidgets.QApplication.processEvents()
    rig.page.next_subtitles_requested.emit()

    assert rig.told == [("file", "film.srt", 1.1), ("file", None, 0.0)]
    assert button.menu_shown.label == "CC off"


def test_quick_moves_of_a_file_add_up(rig: Rig) -> None:
    rig.controller.choose(FileChoice(Path("/a/film.srt")))
    QtWidgets.QApplication.processEvents()

    for _ in range(2):
        rig.controller.choose(ShiftFile(-0.1))

    assert rig.told[-1] == ("file", "film.srt", -0.2)


def test_a_file_that_cannot_be_read_is_said_and_the_one_before_stays(rig: Rig) -> None:
    for name in ("good.srt", "bad.srt"):
        rig.controller.choose(FileChoice(Path("/a") / name))
        QtWidgets.QApplication.processEvents()

    assert "cannot be read" in rig.page.toast.text()
    menu = rig.page.control_bar.text_button.menu_shown
    assert menu is not None
    assert menu.label == "CC file"
    assert "good.srt" in menu.spoken


# ---------------------------------------------------------------------- small pictures


def png(width: int, height: int) -> bytes:
    """Left half red, right half blue."""
    image = QtGui.QImage(width, height, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtCore.Qt.GlobalColor.red)
    painter = QtGui.QPainter(image)
    painter.fillRect(width // 2, 0, width // 2, height, QtCore.Qt.GlobalColor.blue)
    painter.end()
    data = QtCore.QByteArray()
    buffer = QtCore.QBuffer(data)
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    QtGui.QImageWriter(buffer, QtCore.QByteArray(b"png")).write(image)
    return bytes(data.data())


def look_at(rig: Rig, time_s: float) -> None:
    rig.page.control_bar.seek_bar.looked_at.emit(time_s)
    QtWidgets.QApplication.processEvents()


def answer(rig: Rig, number: int, picture: ThumbnailPicture | None) -> None:
    rig.session.thumbnails[number][1].set_result(picture)
    QtWidgets.QApplication.processEvents()


def test_pointing_at_a_time_brings_its_picture_and_only_the_newest_wish_is_asked_for(rig: Rig) -> None:
    look_at(rig, 3.0)
    assert rig.session.thumbnails == [], "the title has none"
    rig.session.become(has_thumbnails=True)

    for time_s in (3.0, 10.0, 25.0, 31.0):
        look_at(rig, time_s)
    assert [time_s for time_s, _ in rig.session.thumbnails] == [3.0]
    sheet = png(64, 18)
    answer(rig, 0, ThumbnailPicture(0, 10, sheet, Crop(0, 0, 0.5, 1, is_share=True)))
    assert [time_s for time_s, _ in rig.session.thumbnails] == [3.0, 31.0]
    assert not rig.page.preview.isVisibleTo(rig.page), "nobody looks at 3 s any more"
    answer(rig, 1, ThumbnailPicture(30, 40, sheet, Crop(0.5, 0, 0.5, 1, is_share=True)))

    preview = rig.page.preview
    assert preview.isVisibleTo(rig.page)
    assert (preview.image.width(), preview.image.height()) == (32, 18)
    assert preview.image.pixelColor(5, 5) == QtGui.QColor("blue")
    look_at(rig, 39.0)
    assert len(rig.session.thumbnails) == 2, "the same picture serves"
    rig.page.control_bar.seek_bar.looked_away.emit()
    assert not preview.isVisibleTo(rig.page)


@pytest.mark.parametrize("found", [None, ThumbnailPicture(0, 10, b"no image")])
def test_without_a_picture_nothing_is_shown(rig: Rig, found: ThumbnailPicture | None) -> None:
    rig.session.become(has_thumbnails=True)
    look_at(rig, 3.0)

    answer(rig, 0, found)

    assert not rig.page.preview.isVisibleTo(rig.page)


def test_a_session_that_closes_meanwhile_is_not_missed(rig: Rig) -> None:
    rig.session.become(has_thumbnails=True)
    look_at(rig, 3.0)
    waiting = rig.session.thumbnails[0][1]

    rig.controller.leave()
    waiting.cancel()
    waiting.set_running_or_notify_cancel()
    QtWidgets.QApplication.processEvents()

    assert not rig.page.preview.isVisibleTo(rig.page)


# ---------------------------------------------------------------------- dragging


def test_a_drag_scrubs_by_the_newest_place_and_ends_where_it_is_let_go(rig: Rig) -> None:
    bar, timer = rig.page.control_bar.seek_bar, rig.controller._scrub_timer
    rig.session.become(state=SessionState.SEEKING)
    for time_s in (10.0, 11.0, 12.0):
        bar.dragged.emit(time_s)
    assert rig.told == [("scrubbing", True), ("seek", 10.0)]
    rig.controller.poll()
    assert not rig.page.spinner.is_waiting, "the pictures themselves show that something happens"

    timer.timeout.emit()
    timer.timeout.emit()
    bar.seek_requested.emit(13.0)

    assert rig.told[2:] == [("seek", 12.0), ("seek", 13.0), ("scrubbing", False)]
    assert not timer.isActive()


def test_a_click_scrubs_nothing(rig: Rig) -> None:
    rig.page.control_bar.seek_bar.seek_requested.emit(13.0)

    assert rig.told == [("seek", 13.0)]


def test_another_title_ends_the_drag(rig: Rig) -> None:
    rig.page.control_bar.seek_bar.dragged.emit(10.0)

    rig.controller.open(PlayRequest("http://origin/other.mpd", "other"))

    assert not rig.controller._scrub_timer.isActive()
    assert rig.sessions[1].told == []


# ---------------------------------------------------------------------- what was tried


def test_the_error_page_says_what_was_tried(rig: Rig) -> None:
    rig.session.become(
        state=SessionState.FAILED,
        error=SessionProblem("http_status", "gone"),
        attempts=("segment 3 of video/720p: HTTP 404", "segment 3 of video/360p: HTTP 503") + ("no answer",) * 3,
    )
    rig.controller.poll()
    banner = rig.page.banner

    assert banner.tried_label.text() == "What was tried (3)"
    assert banner.tried.toPlainText().split("\n") == [
        "segment 3 of video/720p: HTTP 404",
        "segment 3 of video/360p: HTTP 503",
        "no answer (3 times)",
    ]
    assert rig.page.rect().contains(banner.geometry())


def test_without_attempts_there_is_no_list() -> None:
    banner = Banner()
    banner.show_problem(problem_text("codec", has_played=False), "why")

    assert not banner.tried.isVisibleTo(banner)


def test_a_break_is_what_the_bar_is_about() -> None:
    now = SessionSnapshot(is_live=True, window_end_s=600.0, interstitial=BREAK)

    state = control_state(
        now, Wishes(), 600.0, is_seeking=False, wants_to_play=True, frame=None, heights_px=(), links=(), file=None
    )

    assert (state.position_s, state.end_s, state.is_live, state.can_seek) == (3.0, 15.0, False, False)


def test_how_text_looks_is_kept_from_title_to_title(rig: Rig) -> None:
    rig.page.text_size_step_requested.emit(1)
    rig.page.chosen.emit(LookChoice(replace(rig.controller.wishes.text, colour="yellow")))

    rig.controller.open(PlayRequest("http://origin/other.mpd", "other"))

    assert rig.controller.wishes.text == CaptionLook(1.4, "yellow")
    assert rig.page.surface._captions._look == CaptionLook(1.4, "yellow")
