"""Live in the engine: the edge, the window, latency, refreshes, pauses, ends, and clocks that disagree."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cushion_player.effects import FetchSegment
from cushion_player.engine import EngineConfig, FetchFailure, PlaybackEngine, TrackSelection
from cushion_player.engine.snapshot import EngineSnapshot
from cushion_player.journal import JournalWriter, replay
from cushion_player.notices import (
    GapSkipped,
    LiveEnded,
    LiveJumped,
    LiveStale,
    PlaybackEnded,
    PlaybackFailed,
    RebufferEnded,
    RebufferStarted,
    StallCause,
    TrackDropped,
)
from cushion_player.testing.timelines import LiveProgramme
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline_update import TimelineUpdate
from cushion_traces.link import make_link

SECOND = 1_000_000
FAST = make_link([SECOND], [20_000_000], 20_000)
NOT_FOUND = FetchFailure("http_status", "HTTP 404", retryable=False, status=404)


class Session:
    """One engine that follows a programme. `late_us`: by how much the server's clock is behind what we believe."""

    def __init__(self, programme: LiveProgramme, *, late_us: int = 0, rule: str = "throughput") -> None:
        self.programme = programme
        self.journal = io.StringIO()
        config = EngineConfig()
        writer = JournalWriter(self.journal, config, rule, {}, 0)
        self.engine = PlaybackEngine(config, rule, on_verb=writer.write)
        self.is_stuck = False
        self.refresh_failure: FetchFailure | None = None
        self._late_us = late_us
        self.driver = VirtualDriver(self.engine, programme.timeline(0), FAST, fail=self._fail, refresh=self._refresh)

    def _fail(self, effect: FetchSegment) -> FetchFailure | None:
        edge = self.driver.now_us + self.programme.edge_us - self._late_us
        end = effect.start_us + effect.duration_us
        is_there = end <= edge and end > edge - self.programme.window_us - self.programme.segment_us
        return None if is_there else NOT_FOUND

    def _refresh(self, now: int) -> TimelineUpdate | FetchFailure:
        if self.refresh_failure is not None:
            return self.refresh_failure
        return self.programme.update(self.stuck_at_us if self.is_stuck else now)

    def stick(self) -> None:
        """From now on the manifest does not change."""
        self.is_stuck = True
        self.stuck_at_us = self.driver.now_us

    def start(self, position_us: int | None = None) -> None:
        self.driver.start(position_us)

    def run(self, seconds: float) -> EngineSnapshot:
        self.driver.run(self.driver.now_us + round(seconds * SECOND))
        return self.snapshot()

    def longest_gap_us(self) -> int:
        """Between two refreshes."""
        return max(later - sooner for sooner, later in pairwise(self.driver.refreshes))

    def snapshot(self) -> EngineSnapshot:
        return self.engine.snapshot(self.driver.now_us)

    def noticed(self, *kinds: type) -> list[object]:
        return [notice for _, notice in self.driver.notices if isinstance(notice, kinds)]


def test_a_live_presentation_is_joined_at_the_wanted_latency() -> None:
    session = Session(LiveProgramme())

    session.start()
    snapshot = session.run(20)

    assert snapshot.is_live
    assert abs(snapshot.live_latency_us - 6 * SECOND) < SECOND
    assert not session.noticed(RebufferStarted, LiveJumped)


@pytest.mark.parametrize("ahead_s", [0, 30])
def test_segments_are_asked_for_once_they_are_there(ahead_s: int) -> None:
    programme = LiveProgramme(ahead_us=ahead_s * SECOND)
    session = Session(programme)

    session.start()
    session.run(60)

    assert len(session.driver.requests) > 50
    assert all(fetch.start_us + fetch.duration_us <= now + programme.edge_us for now, fetch in session.driver.requests)
    assert not session.noticed(RebufferStarted)


def test_latency_that_has_grown_is_caught_up_by_playing_faster() -> None:
    session = Session(LiveProgramme(window_us=120 * SECOND))
    session.start()
    session.run(10)
    heard_us = session.snapshot().position_us - 3 * SECOND
    session.driver.call(lambda now: session.engine.position_observed(heard_us, now=now))

    late = session.run(2)
    caught_up = session.run(120)

    assert late.live_latency_us > 7 * SECOND
    assert abs(caught_up.live_latency_us - 6 * SECOND) <= SECOND // 2
    assert caught_up.rebuffer_count == 0


def test_a_pause_is_resumed_where_it_was_and_not_caught_up() -> None:
    session = Session(LiveProgramme(window_us=120 * SECOND))
    session.start()
    before = session.run(10)
    session.driver.call(lambda now: session.engine.pause(now=now))
    paused = session.run(30)
    session.driver.call(lambda now: session.engine.play(now=now))
    after = session.run(30)

    assert paused.position_us == before.position_us
    assert abs(after.live_latency_us - before.live_latency_us - 30 * SECOND) < SECOND
    assert not session.noticed(LiveJumped)


def test_a_pause_that_outlasts_the_window_jumps_to_its_beginning() -> None:
    session = Session(LiveProgramme(window_us=30 * SECOND))
    session.start()
    session.run(10)
    session.driver.call(lambda now: session.engine.pause(now=now))
    session.run(300)
    session.driver.call(lambda now: session.engine.play(now=now))
    after = session.run(5)

    jumps = session.noticed(LiveJumped)
    assert len(jumps) == 1
    assert after.window_start_us - SECOND <= after.position_us <= after.window_end_us
    assert 25 * SECOND < after.live_latency_us < 31 * SECOND


def test_a_seek_stays_within_the_window_and_back_to_live_is_one_verb() -> None:
    session = Session(LiveProgramme(window_us=60 * SECOND))
    session.start()
    session.run(5)
    session.driver.call(lambda now: session.engine.seek(0, now=now))
    behind = session.run(5)
    session.driver.call(lambda now: session.engine.seek_to_live(now=now))
    live = session.run(5)

    assert 50 * SECOND < behind.live_latency_us <= 60 * SECOND
    assert behind.position_us >= behind.window_start_us - 2 * SECOND
    assert abs(live.live_latency_us - 6 * SECOND) < 2 * SECOND


def test_a_live_presentation_that_ends_is_played_to_its_end() -> None:
    session = Session(LiveProgramme(ends_us=80 * SECOND))

    session.start()
    session.driver.run(100 * SECOND)

    assert session.noticed(LiveEnded) == [LiveEnded(80 * SECOND)]
    assert session.noticed(PlaybackEnded) == [PlaybackEnded(80 * SECOND)]
    assert not session.snapshot().is_live


def test_a_manifest_that_goes_stale_is_asked_for_less_often_and_then_ends_playback() -> None:
    session = Session(LiveProgramme())
    session.start()
    session.run(10)
    session.stick()

    session.driver.run(200 * SECOND)

    [stale] = session.noticed(LiveStale)
    [failed] = session.noticed(PlaybackFailed)
    [stall] = session.noticed(RebufferStarted)
    assert isinstance(stale, LiveStale)
    assert isinstance(failed, PlaybackFailed)
    assert isinstance(stall, RebufferStarted)
    assert failed.code == "stale"
    assert stall.cause is StallCause.EDGE
    assert session.driver.now_us < 60 * SECOND
    assert session.longest_gap_us() == 4 * SECOND  # while the viewer waits for it


def test_a_stale_manifest_that_nobody_waits_for_is_asked_for_rarely() -> None:
    session = Session(LiveProgramme())
    session.start()
    session.run(10)
    session.driver.call(lambda now: session.engine.pause(now=now))
    session.stick()

    session.run(60)

    assert session.longest_gap_us() == 6 * SECOND


def test_a_manifest_that_comes_back_in_time_lets_playback_go_on() -> None:
    session = Session(LiveProgramme())
    session.start()
    session.run(10)
    session.refresh_failure = FetchFailure("http_status", "HTTP 503", retryable=True, status=503)
    session.run(20)
    session.refresh_failure = None
    after = session.run(30)

    assert session.noticed(LiveStale)
    assert [notice.recovery for notice in session.noticed(RebufferEnded) if isinstance(notice, RebufferEnded)] == [
        "the live edge moved on"
    ]
    assert not session.noticed(PlaybackFailed)
    assert after.live_latency_us < 30 * SECOND


@pytest.mark.parametrize("late_s", [-30, -1, 1, 3, 30])
def test_clocks_that_disagree_do_not_break_playback(late_s: int) -> None:
    session = Session(LiveProgramme(ahead_us=120 * SECOND, window_us=300 * SECOND), late_us=late_s * SECOND)

    session.start()
    snapshot = session.run(60)

    assert not session.noticed(PlaybackFailed)
    assert snapshot.position_us > (60 + 60 - 80) * SECOND
    assert len(session.noticed(RebufferStarted)) <= 1
    if late_s == 30:
        assert session.noticed(LiveJumped)


def test_a_journal_of_a_live_session_is_small_and_replays() -> None:
    session = Session(LiveProgramme(window_us=3600 * SECOND, edge_us=7200 * SECOND))
    session.start()
    session.run(60)
    lines = session.journal.getvalue().splitlines()
    refreshes = [line for line in lines if '"verb":"timeline_updated"' in line]

    report = replay(iter(lines))

    assert report.is_equal, report.differences[:1]
    assert len(refreshes) > 20
    assert max(map(len, refreshes)) < 2000


@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    segment_s=st.sampled_from([1, 2, 4, 6]),
    target_s=st.integers(3, 20),
    window_s=st.sampled_from([30, 60, 300]),
    ahead_s=st.sampled_from([0, 60]),
    actions=st.lists(
        st.tuples(st.sampled_from(["seek", "pause", "play", "live", "wait"]), st.integers(0, 90)), max_size=6
    ),
)
def test_position_stays_within_the_window_whatever_the_viewer_does(
    segment_s: int, target_s: int, window_s: int, ahead_s: int, actions: list[tuple[str, int]]
) -> None:
    target_us = max(target_s, 2 * segment_s) * SECOND
    programme = LiveProgramme(
        segment_us=segment_s * SECOND, target_us=target_us, window_us=window_s * SECOND, ahead_us=ahead_s * SECOND
    )
    session = Session(programme)
    session.start()
    for action, number in actions:
        match action:
            case "seek":
                session.driver.call(lambda now, to=number: session.engine.seek(to * SECOND, now=now))  # type: ignore[misc]
            case "pause":
                session.driver.call(lambda now: session.engine.pause(now=now))
            case "play":
                session.driver.call(lambda now: session.engine.play(now=now))
            case "live":
                session.driver.call(lambda now: session.engine.seek_to_live(now=now))
            case _:
                session.run(number)
    session.driver.call(lambda now: session.engine.play(now=now))
    snapshot = session.run(30)

    assert not session.noticed(PlaybackFailed)
    assert snapshot.position_us <= snapshot.window_end_us
    assert snapshot.buffered_to_us >= snapshot.window_start_us - programme.segment_us, "what is buffered is played on"
    assert all(fetch.start_us + fetch.duration_us <= now + programme.edge_us for now, fetch in session.driver.requests)
    session.driver.call(lambda now: session.engine.seek_to_live(now=now))
    settled = session.run(90)
    assert abs(settled.live_latency_us - target_us) <= max(SECOND, programme.segment_us)


class TwoLanguages(Session):
    """The second language is listed up to where it was at first, until somebody reads its playlist again."""

    def __init__(self, *, is_readable: bool) -> None:
        programme = LiveProgramme()
        super().__init__(programme)
        shown = programme.timeline(0)
        french = replace(shown.tracks[1], key="audio/fr", language="fr")
        self.is_readable = is_readable
        self._told = french.stop_index
        shown = replace(shown, tracks=(*shown.tracks, french))
        self.driver = VirtualDriver(self.engine, shown, FAST, fail=self._fail, refresh=self._refresh)

    def _refresh(self, now: int) -> TimelineUpdate | FetchFailure:
        update = super()._refresh(now)
        wants = self.engine.snapshot(now).audio_key == "audio/fr" or self.wants_french
        if isinstance(update, FetchFailure) or not (self.is_readable and wants):
            return update
        (english,) = (each for each in update.tracks if each.key == "audio")
        bounds = tuple(at * self.programme.segment_us for at in range(self._told, english.from_index))
        french = replace(english, key="audio/fr", from_index=self._told, start_us=(*bounds, *english.start_us))
        self._told = english.from_index + len(english.start_us) - 1
        return replace(update, tracks=(*update.tracks, french))

    wants_french = False

    def speak_french(self) -> None:
        self.wants_french = True
        self.driver.call(lambda now: self.engine.select_tracks(TrackSelection(audio="audio/fr"), now=now))

    def told(self, kind: type) -> list[tuple[int, object]]:
        return [(at, notice) for at, notice in self.driver.notices if isinstance(notice, kind)]


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_language_that_was_not_followed_is_listed_first_and_then_takes_over(is_paused: bool) -> None:
    session = TwoLanguages(is_readable=True)
    session.start()
    session.run(60)
    if is_paused:
        session.driver.call(lambda now: session.engine.pause(now=now))
    session.speak_french()
    assert session.driver.refreshes[-1] == session.driver.now_us
    session.run(2)
    session.driver.call(lambda now: session.engine.play(now=now))
    after = session.run(8)

    assert after.audio_key == "audio/fr"
    assert session.told(RebufferStarted) == []
    asked = [fetch.index for _, fetch in session.driver.requests if fetch.key == "audio/fr"]
    assert asked[0] >= (after.position_us - 12 * SECOND) // session.programme.segment_us
    assert not after.is_paused
    assert after.phase == "steady"


def test_a_language_whose_playlist_cannot_be_read_is_given_up_and_the_old_one_goes_on() -> None:
    session = TwoLanguages(is_readable=False)
    session.start()
    session.run(60)
    session.speak_french()
    after = session.run(30)

    ((at, dropped),) = session.told(TrackDropped)
    assert isinstance(dropped, TrackDropped)
    assert dropped.key == "audio/fr"
    assert 15 * SECOND <= at - 60 * SECOND <= 16 * SECOND
    assert after.audio_key == "audio"
    assert after.position_us > 60 * SECOND
    assert session.told(RebufferStarted) == []
    assert not any(fetch.key == "audio/fr" for _, fetch in session.driver.requests)


def test_a_track_that_does_not_go_on_ends_playback_though_others_do() -> None:
    session = TwoLanguages(is_readable=False)
    session.start()
    session.run(60)
    session.driver.call(lambda now: session.engine.pause(now=now))
    session.speak_french()
    session.driver.call(lambda now: session.engine.play(now=now))
    session.run(60)

    ((at, failed),) = session.told(PlaybackFailed)
    assert isinstance(failed, PlaybackFailed)
    assert failed.code == "stale"
    assert "audio/fr" in failed.message
    assert at - 60 * SECOND <= 31 * SECOND


class Outage(Session):
    """The origin makes nothing from `stops_s` to `returns_s` of the clock; then it has all, or not what it missed."""

    def __init__(self, stops_s: float, returns_s: float, *, is_made_up: bool) -> None:
        super().__init__(LiveProgramme(ahead_us=60 * SECOND))
        self._stops_us = self.programme.edge_us + round(stops_s * SECOND)
        self._returns_us = self.programme.edge_us + round(returns_s * SECOND)
        self._is_made_up = is_made_up

    def _fail(self, effect: FetchSegment) -> FetchFailure | None:
        edge = self.driver.now_us + self.programme.edge_us
        end = effect.start_us + effect.duration_us
        was_missed = self._stops_us < end <= self._returns_us
        is_there = end <= edge and not (was_missed and (edge < self._returns_us or not self._is_made_up))
        return None if is_there else NOT_FOUND


def test_segments_that_an_origin_makes_up_for_are_late_and_not_lost() -> None:
    session = Outage(20, 35, is_made_up=True)
    session.start()
    after = session.run(80)

    (ended,) = session.noticed(RebufferEnded)
    assert isinstance(ended, RebufferEnded)
    assert ended.cause is StallCause.EDGE
    assert session.noticed(GapSkipped) == []
    assert after.phase == "steady"
    assert session.driver.now_us - after.position_us + session.programme.edge_us < 25 * SECOND


def test_segments_are_lost_once_a_newer_one_is_there() -> None:
    session = Outage(20, 35, is_made_up=False)
    session.start()
    session.run(80)

    (ended,) = session.noticed(RebufferEnded)
    gaps = [gap for gap in session.noticed(GapSkipped) if isinstance(gap, GapSkipped)]
    assert isinstance(ended, RebufferEnded)
    assert ended.cause is StallCause.GAP
    assert gaps[-1].to_us == 96 * SECOND
    ended_s = next(at for at, notice in session.driver.notices if notice is ended) / SECOND
    assert 38 < ended_s < 42.5
    assert session.snapshot().phase == "steady"
    asked = [fetch for _, fetch in session.driver.requests]
    assert len(asked) < 250


def test_an_origin_that_stops_for_ever_ends_playback_in_bounded_time() -> None:
    session = Outage(20, 10_000, is_made_up=True)
    session.start()
    session.run(120)

    (failed,) = session.noticed(PlaybackFailed)
    assert isinstance(failed, PlaybackFailed)
    assert failed.attempts
    ended_s = next(at for at, notice in session.driver.notices if notice is failed) / SECOND
    assert ended_s < 20 + 30 + 10
    assert replay(session.journal.getvalue().splitlines()).is_equal
