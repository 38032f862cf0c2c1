"""What viewers do beside playing: other tracks, loops, steps, scrubbing; and what a device allows."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.effects import CutTrack, DiscardSegment, FeedSegment, FetchSegment, PrepareOutput
from cushion_player.engine import EngineConfig, FetchFailure, Limits, Loop, Phase, PlaybackEngine, TrackSelection
from cushion_player.engine.budget import held_bytes
from cushion_player.engine.verbs import VerbCall
from cushion_player.events import Event
from cushion_player.journal import JournalWriter, replay
from cushion_player.notices import (
    LoopedBack,
    Notice,
    PlaybackEnded,
    RebufferStarted,
    RepresentationChanged,
    RungCapped,
    SeekEnded,
    TrackDropped,
    TrackSwitched,
)
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Timeline, Track, TrackKind, TrackRung
from cushion_traces.link import make_link

N = TypeVar("N", bound=Notice)
SECOND = 1_000_000
VIDEO, AUDIO, TEXT = TrackKind.VIDEO, TrackKind.AUDIO, TrackKind.TEXT
GERMAN = TrackSelection(audio="audio/de")
MISSING = FetchFailure("http_status", "HTTP 404", retryable=False)


class Playing:
    """A session in virtual time with everything the engine said."""

    def __init__(
        self, timeline: Timeline, *, bps: int = 8_000_000, config: EngineConfig | None = None, **options: object
    ) -> None:
        self.events: list[Event] = []
        self.journal = io.StringIO()
        config = config or EngineConfig()
        self._writer = JournalWriter(self.journal, config, "throughput", {}, 0)
        self.engine = PlaybackEngine(config, "throughput", on_verb=self._hear)
        link = make_link([SECOND], [bps], 40_000)
        self.driver = VirtualDriver(self.engine, timeline, link, **options)  # type: ignore[arg-type] # options pass through
        self.driver.start()

    def _hear(self, call: VerbCall) -> None:
        self._writer.write(call)
        self.events.extend(call.events)

    def run(self, until_s: float | None = None) -> None:
        self.driver.run(until_us=None if until_s is None else round(until_s * SECOND))

    def select(self, selection: TrackSelection) -> None:
        self.driver.call(lambda now: self.engine.select_tracks(selection, now=now))

    def seek(self, position_us: int) -> None:
        self.driver.call(lambda now: self.engine.seek(position_us, now=now))

    def told(self, kind: type[N]) -> list[N]:
        return [notice for _, notice in self.driver.notices if isinstance(notice, kind)]

    def requests(self, kind: TrackKind) -> list[FetchSegment]:
        return [fetch for _, fetch in self.driver.requests if fetch.track is kind]

    def fed(self, kind: TrackKind) -> list[FeedSegment]:
        return [event for event in self.events if isinstance(event, FeedSegment) and event.track is kind]

    def position_s(self) -> float:
        return self.engine.snapshot(self.driver.now_us).position_us / SECOND

    def replays(self) -> bool:
        return replay(self.journal.getvalue().splitlines()).is_equal


def with_languages(n_segments: int = 30) -> Timeline:
    timeline = make_timeline(n_segments=n_segments)
    english = timeline.tracks[1]
    german = Track(AUDIO, "audio/de", "de", (TrackRung("audio/de", 96_000),), english.start_us)
    subtitles = Track(TEXT, "text/en", "en", (TrackRung("text/en", 1_000),), english.start_us)
    return replace(timeline, tracks=(*timeline.tracks, german, subtitles))


def no_german(fetch: FetchSegment) -> FetchFailure | None:
    return MISSING if fetch.key == "audio/de" else None


def text_that_ends_early(fetch: FetchSegment) -> FetchFailure | None:
    return MISSING if fetch.track is TEXT and fetch.index > 12 else None


# --------------------------------------------------------------------------- tracks


def test_another_language_takes_over_without_a_stop_and_without_fetching_video_again() -> None:
    playing = Playing(with_languages())
    playing.run(8)

    playing.select(GERMAN)
    playing.run()

    (switched,) = playing.told(TrackSwitched)
    (cut,) = [event for event in playing.events if isinstance(event, CutTrack)]
    video = [fetch.index for fetch in playing.requests(VIDEO)]
    assert 8 * SECOND < switched.position_us < 10 * SECOND
    assert (cut.track, cut.from_us) == (AUDIO, switched.position_us)
    assert playing.told(RebufferStarted) == []
    assert len([event for event in playing.events if isinstance(event, PrepareOutput)]) == 1
    assert len(video) == len(set(video))
    assert {event.key for event in playing.fed(AUDIO) if event.index > 20} == {"audio/de"}
    assert playing.told(PlaybackEnded)
    assert playing.replays()


def test_what_the_old_language_held_is_given_up() -> None:
    playing = Playing(with_languages())
    playing.run(8)

    playing.select(GERMAN)
    playing.run()

    english = {event.request_id for event in playing.fed(AUDIO) if event.key == "audio"}
    dropped = {event.request_id for event in playing.events if isinstance(event, DiscardSegment)}
    assert english
    assert english <= dropped


def test_what_was_wasted_on_a_language_stays_counted_after_it() -> None:
    playing = Playing(with_languages(), bps=500_000)
    counted = []
    for at in range(20):
        playing.run(8 + 0.35 * at)
        playing.select(TrackSelection(audio="audio" if at % 2 else "audio/de"))
        counted.append(playing.engine.snapshot(playing.driver.now_us).wasted_bytes)
    playing.run(60)
    counted.append(playing.engine.snapshot(playing.driver.now_us).wasted_bytes)

    assert counted == sorted(counted)
    assert counted[-1] > 0


def test_a_language_selected_before_the_start_is_the_only_one_fetched() -> None:
    engine = PlaybackEngine()
    engine.select_tracks(GERMAN, now=0)
    driver = VirtualDriver(engine, with_languages(5), None)
    driver.start()

    driver.run()

    assert {fetch.key for _, fetch in driver.requests if fetch.track is AUDIO} == {"audio/de"}


def test_a_language_selected_while_paused_is_there_when_playback_goes_on() -> None:
    playing = Playing(with_languages())
    playing.run(8)
    playing.driver.call(lambda now: playing.engine.pause(now=now))

    playing.select(GERMAN)
    playing.run(12)
    playing.driver.call(lambda now: playing.engine.play(now=now))
    playing.run()

    assert [notice.key for notice in playing.told(TrackSwitched)] == ["audio/de"]
    assert playing.told(PlaybackEnded)
    assert playing.replays()


def test_a_change_of_mind_leaves_the_language_as_it_was() -> None:
    playing = Playing(with_languages(), bps=2_000_000)
    playing.run(8)

    playing.select(GERMAN)
    playing.select(TrackSelection())
    playing.run()

    assert playing.told(TrackSwitched) == []
    assert {fetch.key for fetch in playing.requests(AUDIO) if fetch.index > 20} == {"audio"}


def test_of_subtitles_that_are_dropped_nothing_is_kept() -> None:
    playing = Playing(with_languages(), fail=text_that_ends_early)
    playing.select(TrackSelection(text="text/en"))
    while not playing.told(TrackDropped):
        playing.run(playing.driver.now_us / SECOND + 1)

    fed = {event.request_id for event in playing.fed(TEXT)}
    assert len(fed) == 13
    assert fed <= {event.request_id for event in playing.events if isinstance(event, DiscardSegment)}
    assert playing.position_s() < 26


def test_a_language_that_cannot_be_had_is_dropped_and_the_old_one_goes_on() -> None:
    playing = Playing(with_languages(), fail=no_german)
    playing.run(8)

    playing.select(GERMAN)
    playing.run()

    assert [notice.key for notice in playing.told(TrackDropped)] == ["audio/de"]
    assert playing.told(PlaybackEnded)
    assert playing.told(TrackSwitched) == []


def test_text_comes_when_selected_and_nobody_waits_for_it() -> None:
    playing = Playing(with_languages(), fail=text_that_ends_early)
    playing.run(8)

    playing.select(TrackSelection(text="text/en"))
    playing.run()

    fed = [event.index for event in playing.fed(TEXT)]
    assert fed == list(range(fed[0], 13))
    assert fed[0] in (3, 4)
    assert [notice.key for notice in playing.told(TrackDropped)] == ["text/en"]
    assert playing.told(RebufferStarted) == []
    assert playing.told(PlaybackEnded)


def test_text_switched_off_is_cut() -> None:
    playing = Playing(with_languages())
    playing.select(TrackSelection(text="text/en"))
    playing.run(8)

    playing.select(TrackSelection())
    before = len(playing.requests(TEXT))
    playing.run()

    assert [notice.key for notice in playing.told(TrackSwitched)] == ["text/en", ""]
    assert any(isinstance(event, CutTrack) and event.track is TEXT for event in playing.events)
    assert len(playing.requests(TEXT)) == before


# --------------------------------------------------------------------------- limits and caps


@pytest.mark.parametrize(
    ("limits", "rungs"),
    [
        (Limits(max_height_px=540), {0, 1, 2}),
        (Limits(max_bitrate_bps=1_000_000), {0, 1}),
        (Limits(viewport_height_px=400), {0, 1, 2}),
        (Limits(viewport_height_px=4000), {0, 1, 2, 3}),
        (Limits(min_height_px=360), {1, 2, 3}),
        (Limits(min_bitrate_bps=1_000_000, max_height_px=540), {2}),
        (Limits(min_height_px=720, max_height_px=360), {1}),
    ],
)
def test_limits_bound_the_rungs(limits: Limits, rungs: set[int]) -> None:
    engine = PlaybackEngine(rule="throughput")
    engine.set_limits(limits, now=0)
    link = make_link([20 * SECOND, 60 * SECOND, 90 * SECOND], [500_000, 20_000_000, 500_000], 40_000)
    driver = VirtualDriver(engine, make_timeline(n_segments=45), link)
    driver.start()

    driver.run()

    used = {fetch.rung for _, fetch in driver.requests if fetch.track is VIDEO}
    assert used <= rungs
    assert {min(used), max(used)} == {min(rungs), max(rungs)}


def test_a_machine_that_drops_frames_is_capped_and_told_and_gets_another_chance() -> None:
    playing = Playing(make_timeline(n_segments=80))
    playing.run(20)

    playing.driver.call(lambda now: playing.engine.frames_dropped(20, now=now))
    not_yet = playing.told(RungCapped)
    playing.driver.call(lambda now: playing.engine.frames_dropped(10, now=now))
    playing.run()

    capped, lifted = playing.told(RungCapped)
    shown = [notice.rung for notice in playing.told(RepresentationChanged) if notice.track is VIDEO]
    assert not_yet == []
    assert (capped.rung, lifted.rung) == (2, -1)
    assert "cannot keep up with video/3" in capped.reason
    assert shown[-3:] == [3, 2, 3]
    assert playing.replays()


def test_frames_dropped_at_the_lowest_rung_cap_nothing() -> None:
    playing = Playing(make_timeline(n_segments=40), bps=450_000)
    playing.run(20)

    playing.driver.call(lambda now: playing.engine.frames_dropped(500, now=now))
    playing.run()

    assert {fetch.rung for fetch in playing.requests(VIDEO)[:8]} == {0}
    assert playing.told(RungCapped) == []
    assert playing.told(PlaybackEnded)


def test_a_machine_that_fails_again_is_capped_twice_as_long() -> None:
    playing = Playing(make_timeline(n_segments=200))
    for at in (20, 140):
        playing.run(at)
        playing.driver.call(lambda now: playing.engine.frames_dropped(30, now=now))
    playing.run()

    times = [at for at, notice in playing.driver.notices if isinstance(notice, RungCapped)]
    assert [round((b - a) / SECOND) for a, b in zip(times[::2], times[1::2], strict=True)] == [60, 120]


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(1_500_000, 12_000_000), bps=st.integers(700_000, 20_000_000), decoded=st.integers(0, 400_000))
def test_the_byte_limit_holds_over_buffers_requests_and_decoded_frames(limit: int, bps: int, decoded: int) -> None:
    playing = Playing(make_timeline(), bps=bps, config=EngineConfig(buffer_limit_bytes=limit))
    playing.driver.call(lambda now: playing.engine.output_holds(decoded, now=now))
    highest = 0

    for step in range(1, 300):
        playing.run(step / 4)
        highest = max(highest, held_bytes(playing.engine._tracks, decoded))

    assert highest <= limit
    assert playing.told(PlaybackEnded)


def test_a_small_byte_limit_still_plays_at_the_lowest_rung() -> None:
    playing = Playing(make_timeline(), config=EngineConfig(buffer_limit_bytes=100_000))

    playing.run()

    assert {fetch.rung for fetch in playing.requests(VIDEO)} == {0}
    assert playing.told(PlaybackEnded)


@pytest.mark.parametrize(("replaces", "low_at_most", "fetched_again"), [(True, 6, range(5, 15)), (False, 17, range(1))])
def test_low_segments_ahead_are_replaced_when_that_is_wanted_and_there_is_time(
    replaces: bool, low_at_most: int, fetched_again: range
) -> None:
    playing = Playing(make_timeline(), bps=20_000_000, config=EngineConfig(replaces_low_rungs=replaces))
    playing.driver.call(lambda now: playing.engine.set_limits(Limits(max_height_px=240), now=now))
    playing.run(3)

    playing.driver.call(lambda now: playing.engine.set_limits(Limits(), now=now))
    playing.run()

    last_fed = {event.index: event.rung for event in playing.fed(VIDEO)}
    assert len(last_fed) == 30
    assert 1 <= list(last_fed.values()).count(0) <= low_at_most
    assert len(playing.requests(VIDEO)) - 30 in fetched_again
    assert playing.told(RebufferStarted) == []
    assert playing.told(PlaybackEnded)
    assert playing.replays()


# --------------------------------------------------------------------------- loop, step, scrub


def test_a_loop_begins_again_until_it_is_ended() -> None:
    playing = Playing(make_timeline())
    playing.driver.call(lambda now: playing.engine.set_loop(Loop(4 * SECOND, 9 * SECOND), now=now))

    playing.run(30)
    playing.driver.call(lambda now: playing.engine.set_loop(None, now=now))
    playing.run()

    loops = playing.told(LoopedBack)
    assert len(loops) >= 4
    assert set(loops) == {LoopedBack(9 * SECOND, 4 * SECOND)}
    assert playing.told(PlaybackEnded)
    assert playing.replays()


def test_the_whole_presentation_loops() -> None:
    playing = Playing(make_timeline(n_segments=5))
    playing.driver.call(lambda now: playing.engine.set_loop(Loop(), now=now))

    playing.run(35)

    assert len(playing.told(LoopedBack)) == 3
    assert playing.told(PlaybackEnded) == []


@pytest.mark.parametrize("frames", [1, 5, -1, -7])
def test_a_step_goes_to_the_middle_of_the_wanted_frame(frames: int) -> None:
    timeline = make_timeline()
    video = timeline.tracks[0]
    rungs = tuple(replace(rung, frame_us=40_000) for rung in video.rungs)
    playing = Playing(replace(timeline, tracks=(replace(video, rungs=rungs, stretches=()), *timeline.tracks[1:])))
    playing.run(6)
    before_us = playing.engine.snapshot(playing.driver.now_us).position_us

    playing.driver.call(lambda now: playing.engine.step(frames, now=now))
    playing.run(7)

    assert playing.engine.snapshot(playing.driver.now_us).is_paused
    assert round(playing.position_s() * SECOND) == before_us // 40_000 * 40_000 + 20_000 + frames * 40_000


def test_scrubbing_shows_key_frames_at_the_lowest_rung_and_ends_where_it_was_let_go() -> None:
    playing = Playing(make_timeline(n_segments=100))
    playing.run(6)
    playing.driver.call(lambda now: playing.engine.set_scrubbing(True, now=now))
    before = len(playing.requests(VIDEO)), len(playing.requests(AUDIO))

    for target_us in (101_000_000, 121_500_000, 77_000_000):
        playing.seek(target_us)
        playing.run(playing.driver.now_us / SECOND + 1)
    scrubbed, audio = playing.requests(VIDEO)[before[0] :], playing.requests(AUDIO)[before[1] :]
    playing.driver.call(lambda now: playing.engine.set_scrubbing(False, now=now))
    playing.run(playing.driver.now_us / SECOND + 3)

    assert [(fetch.index, fetch.rung) for fetch in scrubbed] == [(50, 0), (60, 0), (38, 0)]
    assert audio == []
    assert [notice.position_us for notice in playing.told(SeekEnded)] == [77 * SECOND]
    assert playing.engine.snapshot(playing.driver.now_us).phase is Phase.STEADY
    assert playing.replays()


@pytest.mark.parametrize("has_key_frames", [False, True])
def test_scrubbing_on_to_the_next_segment_shows_that_one(*, has_key_frames: bool) -> None:
    playing = Playing(make_timeline(n_segments=100))
    if has_key_frames:
        playing.driver.list_key_frames(key_frames())
    playing.run(6)
    playing.driver.call(lambda now: playing.engine.set_scrubbing(True, now=now))

    for target_us in (100_000_000, 102_000_000, 101_000_000, 103_000_000):
        playing.seek(target_us)
        playing.run(playing.driver.now_us / SECOND + 1)

    shown = [100, 102, 101, 103] if has_key_frames else [50, 51, 50, 51]
    assert [feed.index for feed in playing.fed(VIDEO)[-4:]] == shown
    assert playing.replays()


def key_frames(n_segments: int = 200) -> Track:
    """One a second, of 10 kB each."""
    boundaries = tuple(index * SECOND for index in range(n_segments + 1))
    rung = TrackRung("video/frames", 80_000, height_px=360)
    return Track(VIDEO, "video/key-frames", "", (rung,), boundaries, ((10_000,),) * n_segments)


def test_scrubbing_goes_by_key_frames_where_they_are_listed() -> None:
    playing = Playing(make_timeline(n_segments=100))
    playing.run(6)
    playing.driver.list_key_frames(key_frames())
    playing.driver.call(lambda now: playing.engine.set_scrubbing(True, now=now))
    before = len(playing.requests(VIDEO)), len(playing.requests(AUDIO))
    held = held_bytes(playing.engine._tracks, 0)

    for target_us in (101_000_000, 121_500_000, 77_000_000):
        playing.seek(target_us)
        playing.run(playing.driver.now_us / SECOND + 1)
    scrubbed, audio = playing.requests(VIDEO)[before[0] :], playing.requests(AUDIO)[before[1] :]
    snapshot = playing.engine.snapshot(playing.driver.now_us)
    playing.driver.call(lambda now: playing.engine.set_scrubbing(False, now=now))
    playing.run(playing.driver.now_us / SECOND + 3)

    assert [(fetch.key, fetch.index) for fetch in scrubbed] == [("video/key-frames", index) for index in (101, 121, 77)]
    assert audio == []
    assert (snapshot.n_rungs, round(snapshot.buffer_us / SECOND)) == (4, 1), "of the film, and of the picture"
    assert playing.fed(VIDEO)[-1].key == "video", "the film goes on"
    assert [notice.position_us for notice in playing.told(SeekEnded)] == [77 * SECOND]
    assert playing.engine.snapshot(playing.driver.now_us).phase is Phase.STEADY
    assert [state.track.key for state in playing.engine._tracks] == ["video", "audio"]
    kept = {event.request_id for event in playing.events if isinstance(event, FeedSegment) and "key" in event.key}
    assert kept <= {event.request_id for event in playing.events if isinstance(event, DiscardSegment)}
    assert held > 0
    assert playing.replays()


def test_key_frames_that_come_while_the_viewer_scrubs_are_shown_from_then_on() -> None:
    playing = Playing(make_timeline(n_segments=100))
    playing.run(6)
    playing.driver.call(lambda now: playing.engine.set_scrubbing(True, now=now))
    playing.seek(101_500_000)
    playing.run(7)

    playing.driver.list_key_frames(key_frames())
    playing.run(8)

    assert [(fetch.key, fetch.index) for fetch in playing.requests(VIDEO)[-2:]] == [
        ("video", 50),
        ("video/key-frames", 101),
    ]
    assert playing.replays()


def test_key_frames_that_cannot_be_had_leave_scrubbing_to_whole_segments() -> None:
    def refuse(fetch: FetchSegment) -> FetchFailure | None:
        return MISSING if "key" in fetch.key else None

    playing = Playing(make_timeline(n_segments=100), fail=refuse)
    playing.run(6)
    playing.driver.list_key_frames(key_frames())
    playing.driver.call(lambda now: playing.engine.set_scrubbing(True, now=now))

    playing.seek(101_000_000)
    playing.run(playing.driver.now_us / SECOND + 10)
    playing.seek(61_000_000)
    playing.run(playing.driver.now_us / SECOND + 1)

    assert [dropped.key for dropped in playing.told(TrackDropped)] == ["video/key-frames"]
    assert [(fetch.key, fetch.index, fetch.rung) for fetch in playing.requests(VIDEO)[-2:]] == [
        ("video", 50, 0),
        ("video", 30, 0),
    ]
    assert playing.engine.snapshot(playing.driver.now_us).phase is not Phase.FAILED
    assert playing.replays()
