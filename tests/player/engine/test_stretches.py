"""Tracks whose rungs, initialisation segments, keys or media change on the way, and what is not there at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from cushion_player.effects import AcquireKey, FeedSegment, FetchInit, FetchSegment, SwitchInit
from cushion_player.engine import FetchFailure, PlaybackEngine
from cushion_player.engine.prerequisites import NeedKind, Place
from cushion_player.engine.track import TrackState
from cushion_player.events import Event
from cushion_player.notices import (
    GapSkipped,
    Notice,
    PlaybackEnded,
    PlaybackFailed,
    RebufferEnded,
    RebufferStarted,
    RepresentationChanged,
    SeekEnded,
    StallCause,
)
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Stretch, Timeline, Track, TrackKind, TrackRung
from cushion_traces.link import make_link

E = TypeVar("E", bound=Event)
N = TypeVar("N", bound=Notice)
SECOND = 1_000_000
LINK = make_link([SECOND], [6_000_000], 40_000)
AD = (TrackRung("ad/0", 500_000, height_px=360), TrackRung("ad/1", 1_500_000, height_px=720))


def with_video(change: dict[str, object], **made: object) -> Timeline:
    timeline = make_timeline(**made)  # type: ignore[arg-type] # options pass through
    video = replace(timeline.tracks[0], **change)  # type: ignore[arg-type]
    return replace(timeline, tracks=(video, *timeline.tracks[1:]))


def stretched(timeline: Timeline, *stretches: Stretch) -> Timeline:
    video = replace(timeline.tracks[0], sizes_bytes=(), stretches=stretches)
    return replace(timeline, tracks=(video, *timeline.tracks[1:]))


def with_ad() -> Timeline:
    """Segments 10 to 14 are of another ladder, with another initialisation segment."""
    timeline = make_timeline()
    film = timeline.tracks[0].rungs
    inits = tuple(f"film {rung}" for rung in range(len(film)))
    return stretched(
        timeline,
        Stretch(0, film, inits),
        Stretch(10, AD, ("ad", "ad"), discontinuity=1),
        Stretch(15, film, inits, discontinuity=2),
    )


def play(timeline: Timeline, rule: str = "bba2", **options: object) -> VirtualDriver:
    driver = VirtualDriver(PlaybackEngine(rule=rule), timeline, LINK, **options)  # type: ignore[arg-type] # pass through
    driver.start()
    return driver


def told(driver: VirtualDriver, kind: type[N]) -> list[N]:
    return [notice for _, notice in driver.notices if isinstance(notice, kind)]


def test_a_stretch_with_another_ladder_is_played_with_its_own_rungs() -> None:
    driver = play(with_ad(), "throughput")

    driver.run()

    shown = [(notice.position_us, notice.height_px) for notice in told(driver, RepresentationChanged)]
    ad = [fetch.rung for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO and 10 <= fetch.index < 15]
    after = [fetch.rung for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO and fetch.index >= 15]
    assert told(driver, PlaybackEnded)
    assert told(driver, RebufferStarted) == []
    assert set(ad) == {1}
    assert after == [3] * 15
    assert (20 * SECOND, 720) in shown


def test_every_initialisation_segment_is_fetched_once_and_every_change_is_told_to_the_decoder() -> None:
    events: list[Event] = []
    engine = PlaybackEngine(rule="throughput", on_verb=lambda call: events.extend(call.events))
    driver = VirtualDriver(engine, with_ad(), LINK)
    driver.start()

    driver.run()

    video = [event for event in events if getattr(event, "track", None) is TrackKind.VIDEO]
    inits = [event for event in video if isinstance(event, FetchInit)]
    fed = [event for event in video if isinstance(event, SwitchInit | FeedSegment)]
    formats: list[tuple[int, int]] = []
    current = (-1, -1)
    for event in fed:
        if isinstance(event, SwitchInit):
            current = (event.index, event.rung)
        else:
            formats.append(current)
    assert [event.index for event in fed if isinstance(event, FeedSegment)] == list(range(30))
    assert formats[9][0] < 10 <= formats[10][0] < 15 <= formats[15][0]
    assert len([event for event in inits if event.rung < 2 and event.index in range(10, 15)]) == 1


def test_the_ladder_of_an_ad_teaches_the_rule_what_it_saw_before() -> None:
    driver = play(with_ad(), "throughput")

    driver.run()

    ad = [fetch for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO and fetch.index == 10]
    assert [fetch.rung for fetch in ad] == [1]


def test_a_gap_is_jumped_over_and_said() -> None:
    timeline = make_timeline()
    gaps = frozenset({5, 6})
    tracks = tuple(replace(track, gaps=gaps) for track in timeline.tracks)
    driver = play(replace(timeline, tracks=tracks))

    driver.run()

    assert told(driver, GapSkipped) == [GapSkipped(TrackKind.VIDEO, 10 * SECOND, 14 * SECOND, StallCause.GAP)]
    assert not {fetch.index for _, fetch in driver.requests} & gaps
    (stalled,) = told(driver, RebufferEnded)
    assert (stalled.cause, stalled.recovery) == (StallCause.GAP, "the gap was skipped")
    assert told(driver, PlaybackEnded)


def test_a_start_and_a_seek_into_a_gap_go_on_behind_it() -> None:
    timeline = make_timeline()
    tracks = tuple(replace(track, gaps=frozenset({0, 20})) for track in timeline.tracks)
    driver = play(replace(timeline, tracks=tracks))
    driver.run(until_us=4 * SECOND)

    driver.call(lambda now: driver.engine.seek(41 * SECOND, now=now))
    driver.run()

    assert [notice.to_us for notice in told(driver, GapSkipped)] == [2 * SECOND, 42 * SECOND]
    assert [notice.position_us for notice in told(driver, SeekEnded)] == [42 * SECOND]
    assert told(driver, RebufferStarted) == []
    assert told(driver, PlaybackEnded)


def test_a_blank_of_one_track_is_played_through() -> None:
    timeline = make_timeline()
    audio = replace(timeline.tracks[1], blanks=frozenset({5, 6}))
    driver = play(replace(timeline, tracks=(timeline.tracks[0], audio)))

    driver.run()

    assert not told(driver, GapSkipped)
    assert not told(driver, RebufferStarted)
    assert {fetch.index for _, fetch in driver.requests if fetch.track is TrackKind.AUDIO} == set(range(30)) - {5, 6}
    assert told(driver, PlaybackEnded)


def locked() -> Timeline:
    timeline = make_timeline(n_segments=6)
    film = timeline.tracks[0].rungs
    return stretched(timeline, Stretch(0, film), Stretch(3, film, keys=("key 0",) * len(film)))


def test_a_key_is_asked_for_once_and_what_it_locks_is_fed_when_it_is_there() -> None:
    asked: list[AcquireKey] = []
    engine = PlaybackEngine(
        on_verb=lambda call: asked.extend(event for event in call.events if isinstance(event, AcquireKey))
    )
    driver = VirtualDriver(engine, locked(), LINK)
    driver.start()

    driver.run()

    assert [(event.track, event.index) for event in asked] == [(TrackKind.VIDEO, 3)]
    assert told(driver, PlaybackEnded)


def test_a_key_that_cannot_be_had_ends_playback_where_it_is_needed() -> None:
    engine = PlaybackEngine()
    driver = VirtualDriver(engine, locked(), LINK, key_failure=FetchFailure("key", "no such key", retryable=False))
    driver.start()

    driver.run()

    (failed,) = told(driver, PlaybackFailed)
    assert (failed.code, failed.position_us) == ("key", 6 * SECOND)
    assert str(failed.attempts[-1]).startswith("key of video/")
    assert failed.attempts[-1].message.endswith("no such key")


def test_a_stall_for_want_of_a_key_is_called_so() -> None:
    driver = VirtualDriver(PlaybackEngine(), locked(), LINK, key_after_us=9 * SECOND)
    driver.start()

    driver.run()

    (ended,) = told(driver, RebufferEnded)
    assert (ended.cause, ended.recovery) == (StallCause.KEY, "the key arrived")
    assert told(driver, PlaybackEnded)


def test_a_stall_after_refused_requests_is_the_servers() -> None:
    refused = [FetchFailure("http_status", "HTTP 503", retryable=True, retry_after_us=4 * SECOND)] * 2

    def fail(fetch: FetchSegment) -> FetchFailure | None:
        return refused.pop() if fetch.index == 2 and fetch.track is TrackKind.VIDEO and refused else None

    driver = play(make_timeline(n_segments=8), fail=fail)

    driver.run()

    (ended,) = told(driver, RebufferEnded)
    assert (ended.cause, ended.recovery) == (StallCause.SERVER, "a later try succeeded")


def test_a_seek_during_a_rebuffer_closes_it() -> None:
    driver = VirtualDriver(PlaybackEngine(), make_timeline(), make_link([SECOND], [250_000], 0))
    driver.start()
    while not told(driver, RebufferStarted):
        driver.run(until_us=driver.now_us + SECOND // 10)

    driver.call(lambda now: driver.engine.seek(40 * SECOND, now=now))

    (ended,) = told(driver, RebufferEnded)
    assert ended.recovery == "the viewer went elsewhere"


def test_a_track_of_one_rung_has_one_stretch() -> None:
    track = Track(TrackKind.AUDIO, "a", "en", AD[:1], (0, SECOND, 2 * SECOND), first_index=7)

    assert track.stretches == (Stretch(7, AD[:1]),)
    assert (track.segment_at(-1), track.segment_at(SECOND), track.stop_index) == (7, 8, 9)


def test_keys_that_change_for_days_are_forgotten_with_their_segments() -> None:
    def listed(first: int, stop: int) -> Track:
        rungs = (TrackRung("video", 500_000),)
        stretches = tuple(Stretch(index, rungs, inits=("init",), keys=(f"key {index}",)) for index in range(stop))
        bounds = tuple(index * SECOND for index in range(first, stop + 1))
        return Track(TrackKind.VIDEO, "video", "", rungs, bounds, stretches=stretches, first_index=first)

    state = TrackState(listed(0, 1), may_grow=True)
    for stop in range(1, 200):
        state.update(listed(max(0, stop - 10), stop), may_grow=True)
        for _ in range(2):  # the key waits for the initialisation segment
            for _, known in state.prerequisites.open(state.track.stretch_of(stop - 1), Place(stop - 1, 0)):
                known.is_held = True

    keys = [need.name for need in state.prerequisites.states if need.kind is NeedKind.KEY]
    assert keys == [f"key {index}" for index in range(189, 199)]
    assert all(state.prerequisites.are_held(state.track.stretch_of(index), 0) for index in range(189, 199))
