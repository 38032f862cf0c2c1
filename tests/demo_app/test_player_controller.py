from __future__ import annotations

from concurrent.futures import Future

import pytest

from cushion_demo_app.player_controller import Heal, PlayerController
from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.presenting import stats_state
from cushion_demo_app.qt import QtWidgets
from cushion_demo_app.stats_overlay import stats_lines
from cushion_demo_app.wishes import LinkChoice, PlayRequest, QualityChoice, SpeedChoice, Wishes
from cushion_player.outputs import VideoFrame
from cushion_player.timeline import TrackKind
from cushion_sdk.session_types import SessionProblem, SessionState
from cushion_sdk.tracks import TrackInfo
from tests.demo_app.fakes import FakeSession, make_title


class Rig:
    """A controller whose sessions are fakes."""

    def __init__(self, wishes: Wishes | None = None, heal: Heal | None = None) -> None:
        self.page = PlayerPage()
        self.sessions: list[FakeSession] = []
        self.requests: list[tuple[PlayRequest, Wishes]] = []
        self.controller = PlayerController(self.page, self._open, wishes, heal, links=["unshaped", "step"])

    def _open(self, request: PlayRequest, wishes: Wishes) -> FakeSession:
        self.requests.append((request, wishes))
        self.sessions.append(FakeSession())
        return self.sessions[-1]

    @property
    def session(self) -> FakeSession:
        return self.sessions[-1]

    @property
    def told(self) -> list[object]:
        return self.session.told


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.controller.open(PlayRequest.of_title(make_title()))
    return rig


def test_pause_and_play_alternate(rig: Rig) -> None:
    rig.controller.toggle_play()
    rig.controller.toggle_play()

    assert rig.told == ["pause", "play"]


def test_seeks_stay_inside_the_title(rig: Rig) -> None:
    rig.session.become(position_s=58.0)

    rig.controller.seek_by(10)
    rig.controller.seek(-4)
    rig.controller.seek_to_share(0.5)

    assert rig.told == [("seek", 60.0), ("seek", 0.0), ("seek", 30.0)]


def test_quick_seeks_add_up_before_the_first_has_arrived(rig: Rig) -> None:
    rig.session.become(position_s=10.0, state=SessionState.SEEKING)

    rig.controller.seek_by(5)
    rig.controller.seek_by(5)

    assert rig.told == [("seek", 15.0), ("seek", 20.0)]


def test_the_bar_stays_where_the_viewer_went_until_playback_is_there(rig: Rig) -> None:
    rig.session.become(position_s=5.0)
    rig.controller.seek(40.0)
    bar = rig.page.control_bar.seek_bar
    assert bar.value() == 40_000

    rig.session.become(position_s=40.2)
    rig.controller.poll()

    assert bar.value() == 40_200


def test_a_seek_that_never_arrives_is_given_up(rig: Rig) -> None:
    rig.session.become(position_s=5.0)
    rig.controller.seek(40.0)

    for _ in range(30):
        rig.controller.poll()

    assert rig.page.control_bar.seek_bar.value() == 5_000


def test_mute_keeps_the_volume(rig: Rig) -> None:
    rig.controller.set_volume(0.4)
    rig.controller.toggle_mute()
    rig.controller.toggle_mute()

    assert rig.told == [("volume", 0.4), ("volume", 0.0), ("volume", 0.4)]
    assert rig.controller.wishes == Wishes(volume=0.4)


def test_wishes_reach_the_session_once(rig: Rig) -> None:
    for choice in (LinkChoice("step"), LinkChoice("step"), QualityChoice(360), SpeedChoice(1.5), QualityChoice(0, 1)):
        rig.page.chosen.emit(choice)

    assert rig.told == [("trace", "step"), ("limits", 360, None), ("rate", 1.5), ("limits", None, 1)]


def track(key: str, kind: TrackKind, *, is_selected: bool = False) -> TrackInfo:
    return TrackInfo(key, kind, key, "", (), is_forced=False, is_selected=is_selected)


def test_subtitles_go_round_with_none_at_the_end(rig: Rig) -> None:
    rig.controller.next_subtitles()
    assert rig.told == [], "there are none"
    rig.session.become(tracks=(track("s", TrackKind.AUDIO), track("en", TrackKind.TEXT), track("de", TrackKind.TEXT)))

    for _ in range(4):
        rig.page.next_subtitles_requested.emit()

    assert rig.told == [("text", "en"), ("text", "de"), ("text", None), ("text", "en")]


def test_sound_goes_round(rig: Rig) -> None:
    rig.session.become(tracks=(track("en", TrackKind.AUDIO, is_selected=True),))
    rig.controller.next_sound()
    assert rig.told == [], "there is no other"
    rig.session.become(tracks=(track("en", TrackKind.AUDIO), track("de", TrackKind.AUDIO, is_selected=True)))

    rig.page.next_sound_requested.emit()

    assert rig.told == [("audio", "en")]


def test_wishes_outlive_the_title_but_speed_does_not(rig: Rig) -> None:
    for choice in (LinkChoice("step"), SpeedChoice(2.0), QualityChoice(0, 1)):
        rig.controller.choose(choice)
    rig.controller.toggle_loop()

    rig.controller.open(PlayRequest("http://origin/other.mpd", "other"))

    assert rig.requests[-1][1] == Wishes(link="step")


def test_another_title_closes_the_one_before(rig: Rig) -> None:
    rig.controller.open(PlayRequest("http://origin/other.mpd", "other"))

    assert rig.sessions[0].told == ["close"]


def test_the_end_offers_to_play_again(rig: Rig) -> None:
    rig.session.become(state=SessionState.ENDED, position_s=60.0)
    rig.controller.poll()
    assert rig.page.control_bar.play_button.accessibleName() == "Play again (K)"

    rig.controller.toggle_play()

    assert rig.told == [("seek", 0.0), "play"]


def test_at_the_end_the_position_is_the_duration_and_the_page_says_what_can_be_done(rig: Rig) -> None:
    rig.session.become(state=SessionState.ENDED, position_s=59.2)
    rig.controller.poll()
    page = rig.page

    assert page.control_bar.time_label.text() == "1:00 / 1:00"
    assert page.end_panel.isVisibleTo(page)
    page.end_panel.replay_button.click()

    assert rig.told == [("seek", 0.0), "play"]
    assert not page.end_panel.isVisibleTo(page)


def test_quality_is_that_of_the_picture_on_screen_and_what_loads_is_marked(rig: Rig) -> None:
    rig.session.become(rung=4, n_rungs=5, height_px=1080, bitrate_bps=5_000_000, state=SessionState.PAUSED)
    rig.page.surface._frame = VideoFrame(0, 33_000, 426, 240, 0, None)
    stats = stats_state(rig.session.snapshot(), rig.controller.wishes, rig.page.surface.last_frame, "")

    rig.controller.poll()

    assert rig.page.control_bar.quality_button.text() == "Auto · 240p"
    assert dict(stats_lines(stats))["Picture"] == "426×240 (rung 1 of 5)"
    assert dict(stats_lines(stats))["Bitrate"] == "5.0 Mb/s (1080p, loading)"


def test_a_retry_waits_until_the_backend_was_brought_back() -> None:
    healings: list[Future[bool]] = []

    def heal() -> Future[bool]:
        healings.append(Future())
        return healings[-1]

    rig = Rig(heal=heal)
    rig.controller.open(PlayRequest.of_title(make_title()))
    rig.session.become(state=SessionState.FAILED, error=SessionProblem("connection_lost", "gone"), position_s=9.0)
    rig.controller.poll()

    rig.page.banner.retry_button.click()
    rig.controller.retry()
    assert (len(healings), len(rig.sessions)) == (1, 1)
    assert rig.page.spinner.is_waiting
    healings[0].set_result(True)
    QtWidgets.QApplication.processEvents()

    assert [request.start_s for request, _ in rig.requests] == [None, 9.0]


def test_a_retry_that_was_left_opens_nothing() -> None:
    healing: Future[bool] = Future()
    rig = Rig(heal=lambda: healing)
    rig.controller.open(PlayRequest.of_title(make_title()))

    rig.controller.retry()
    rig.controller.leave()
    healing.set_result(True)
    QtWidgets.QApplication.processEvents()

    assert len(rig.sessions) == 1


def test_a_failure_is_said_once_and_retried_where_it_stopped(rig: Rig) -> None:
    problem = SessionProblem("http_status", "segment 3 of video/720p: HTTP 404 after 3 tries")
    rig.session.become(state=SessionState.FAILED, error=problem, position_s=12.5, startup_s=0.3)
    rig.controller.poll()
    assert "Your position is saved." in rig.page.banner.sentence.text()
    assert rig.page.banner.detail.text() == problem.message

    rig.page.banner.retry_button.click()

    assert rig.requests[-1][0].start_s == 12.5
    assert not rig.page.banner.isVisibleTo(rig.page)


def test_a_failed_start_is_retried_as_it_was_asked_for(rig: Rig) -> None:
    rig.session.become(state=SessionState.FAILED, error=SessionProblem("fetch", "no answer"), position_s=0.0)
    rig.controller.poll()

    rig.controller.retry()

    assert rig.requests[-1][0].start_s is None


def test_commands_to_a_failed_session_do_nothing(rig: Rig) -> None:
    rig.session.become(state=SessionState.FAILED)
    rig.controller.poll()

    rig.controller.toggle_play()
    rig.controller.seek(3)

    assert rig.told == []


def test_leaving_closes_the_session_and_says_so(rig: Rig) -> None:
    left: list[bool] = []
    rig.controller.left.connect(lambda: left.append(True))

    rig.page.leave_requested.emit()

    assert rig.told == ["close"]
    assert left == [True]
    assert rig.controller.session is None


def test_loading_brings_the_spinner_and_pausing_takes_it_away(rig: Rig) -> None:
    rig.session.become(state=SessionState.LOADING)
    rig.controller.poll()
    assert rig.page.spinner.is_waiting

    rig.controller.toggle_play()

    assert not rig.page.spinner.is_waiting
