"""The engine on a virtual clock: start-up, steady state, stalls, seeks, pauses, failures."""

from __future__ import annotations

from typing import TypeVar

import pytest

from cushion_player.effects import FetchSegment
from cushion_player.engine import EngineConfig, FetchFailure, Limits, PlaybackEngine
from cushion_player.notices import (
    Notice,
    PlaybackEnded,
    PlaybackFailed,
    PlaybackStarted,
    RebufferEnded,
    RebufferStarted,
    RepresentationChanged,
    SeekEnded,
    SegmentRetried,
    StallCause,
)
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Timeline, TrackKind
from cushion_traces.link import Link, make_link

N = TypeVar("N", bound=Notice)
SECOND = 1_000_000
STEP = make_link([10 * SECOND] * 3, [6_000_000, 1_000_000, 6_000_000], 40_000)


def constant(bps: int, latency_us: int = 40_000) -> Link:
    return make_link([SECOND], [bps], latency_us)


def drive(
    link: Link | None,
    *,
    timeline: Timeline | None = None,
    rule: str = "bba2",
    config: EngineConfig | None = None,
    **driver_options: object,
) -> VirtualDriver:
    driver = VirtualDriver(PlaybackEngine(config, rule), timeline or make_timeline(), link, **driver_options)  # type: ignore[arg-type] # options pass through
    driver.start()
    return driver


def notices(driver: VirtualDriver, kind: type[N]) -> list[N]:
    return [notice for _, notice in driver.notices if isinstance(notice, kind)]


@pytest.mark.parametrize("rule", ["throughput", "bba0", "bba2", "bola"])
def test_playback_ends_at_the_duration_after_startup_and_stalls_only(rule: str) -> None:
    driver = drive(STEP, rule=rule)

    driver.run()

    snapshot = driver.engine.snapshot(driver.now_us)
    (started,) = notices(driver, PlaybackStarted)
    assert notices(driver, PlaybackEnded) == [PlaybackEnded(60 * SECOND)]
    assert driver.now_us == 60 * SECOND + started.startup_us + snapshot.rebuffer_us


@pytest.mark.parametrize("rule", ["throughput", "bba2", "bola"])
def test_step_link_uses_three_rungs_without_stalls(rule: str) -> None:
    driver = drive(STEP, rule=rule)

    driver.run(until_us=32 * SECOND)

    played = {notice.rung for notice in notices(driver, RepresentationChanged) if notice.track is TrackKind.VIDEO}
    assert len(played) >= 3
    assert notices(driver, RebufferStarted) == []


def test_link_below_the_lowest_rung_stalls_and_recovers() -> None:
    driver = drive(constant(250_000), timeline=make_timeline(n_segments=10))

    driver.run()

    started, ended = notices(driver, RebufferStarted), notices(driver, RebufferEnded)
    assert len(started) == len(ended) > 0
    assert {(notice.cause, notice.detected) for notice in started} == {(StallCause.NETWORK, "buffer")}
    assert driver.engine.snapshot(driver.now_us).rebuffer_us == sum(notice.duration_us for notice in ended)


def test_buffer_never_exceeds_the_goal() -> None:
    config = EngineConfig(buffer_goal_us=12 * SECOND)
    driver = drive(constant(20_000_000), config=config)

    highest = 0
    while not driver._is_finished:
        driver.run(until_us=driver.now_us + SECOND // 2)
        highest = max(highest, driver.engine.snapshot(driver.now_us).buffer_us)

    assert 8 * SECOND < highest <= 12 * SECOND


def test_segments_are_longer_than_the_goal_and_still_play() -> None:
    config = EngineConfig(buffer_goal_us=3 * SECOND, start_threshold_us=2 * SECOND)
    driver = drive(constant(8_000_000), timeline=make_timeline(n_segments=5, segment_us=10 * SECOND), config=config)

    driver.run()

    assert notices(driver, PlaybackEnded)


def test_seek_inside_the_buffer_fetches_nothing_again() -> None:
    driver = drive(constant(20_000_000))
    driver.run(until_us=8 * SECOND)
    before = {(fetch.track, fetch.index) for _, fetch in driver.requests}

    driver.call(lambda now: driver.engine.seek(20 * SECOND, now=now))
    driver.call(lambda now: driver.engine.seek(4 * SECOND, now=now))
    driver.run()

    fetched = [(fetch.track, fetch.index) for _, fetch in driver.requests]
    assert before
    assert len(fetched) == len(set(fetched))
    assert len(notices(driver, SeekEnded)) == 2


def test_seek_outside_the_buffer_continues_there_and_counts_no_rebuffer() -> None:
    driver = drive(constant(3_000_000))
    driver.run(until_us=5 * SECOND)

    driver.call(lambda now: driver.engine.seek(51 * SECOND, now=now))
    driver.run()

    snapshot = driver.engine.snapshot(driver.now_us)
    (ended,) = notices(driver, SeekEnded)
    assert ended.position_us == 51 * SECOND
    assert snapshot.rebuffer_count == 0
    assert snapshot.seek_us == ended.delay_us > 0


def test_seek_to_the_end_ends() -> None:
    driver = drive(constant(3_000_000))
    driver.run(until_us=5 * SECOND)

    driver.call(lambda now: driver.engine.seek(10**12, now=now))
    driver.run()

    assert notices(driver, PlaybackEnded)


def test_seek_after_the_end_plays_again() -> None:
    driver = drive(None)
    driver.run()

    driver.call(lambda now: driver.engine.seek(30 * SECOND, now=now))
    driver.run()

    assert len(notices(driver, PlaybackEnded)) == 2


def test_pause_holds_the_position_and_fills_the_buffer() -> None:
    driver = drive(constant(6_000_000))
    driver.run(until_us=5 * SECOND)
    driver.call(lambda now: driver.engine.pause(now=now))
    held = driver.engine.snapshot(driver.now_us).position_us

    driver.run(until_us=60 * SECOND)
    snapshot = driver.engine.snapshot(driver.now_us)
    driver.call(lambda now: driver.engine.play(now=now))
    driver.run()

    assert snapshot.position_us == held
    assert snapshot.is_paused
    assert snapshot.buffer_us > 26 * SECOND
    assert notices(driver, PlaybackEnded)


def test_double_rate_takes_half_the_time() -> None:
    driver = drive(None)
    driver.call(lambda now: driver.engine.set_rate(2.0, now=now))

    driver.run()

    assert driver.now_us == 30 * SECOND


def test_limits_cap_the_height() -> None:
    driver = drive(constant(20_000_000))
    driver.call(lambda now: driver.engine.set_limits(Limits(max_height_px=360), now=now))

    driver.run()

    video = [fetch.rung for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO]
    assert max(video) == 1


def test_limits_set_before_the_start_hold_from_the_first_segment() -> None:
    engine = PlaybackEngine(rule="fixed", rule_params={"rung": 3})
    engine.set_limits(Limits(pinned_rung=2), now=0)
    driver = VirtualDriver(engine, make_timeline(), constant(20_000_000))

    driver.start()
    driver.run()

    assert {fetch.rung for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO} == {2}


def test_retryable_failure_is_retried_after_a_backoff() -> None:
    failures = [FetchFailure("connection_lost", "reset", retryable=True)]

    def fail(fetch: FetchSegment) -> FetchFailure | None:
        return failures.pop() if failures and fetch.index == 3 else None

    driver = drive(constant(6_000_000), fail=fail)
    driver.run()

    (retried,) = notices(driver, SegmentRetried)
    assert retried.index == 3
    assert 375_000 <= retried.delay_us < 625_000
    assert notices(driver, PlaybackEnded)


def test_missing_segment_at_one_rung_is_replaced_by_another() -> None:
    def fail(fetch: FetchSegment) -> FetchFailure | None:
        if fetch.track is TrackKind.VIDEO and fetch.index == 8 and fetch.rung == 3:
            return FetchFailure("http_status", "HTTP 404", retryable=False)
        return None

    driver = drive(constant(20_000_000), rule="throughput", fail=fail)
    driver.run()

    loaded = {fetch.rung for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO and fetch.index == 8}
    assert loaded == {2, 3}
    assert notices(driver, PlaybackEnded)


def test_segment_missing_everywhere_plays_what_is_buffered_then_fails_with_every_attempt() -> None:
    def fail(fetch: FetchSegment) -> FetchFailure | None:
        missing = fetch.track is TrackKind.VIDEO and fetch.index == 5
        return FetchFailure("http_status", "HTTP 404", retryable=False) if missing else None

    driver = drive(constant(20_000_000), fail=fail)
    driver.run()

    (failed,) = notices(driver, PlaybackFailed)
    assert failed.position_us == 10 * SECOND
    assert failed.code == "http_status"
    assert len(failed.attempts) == 4
    assert "segment 5 of video" in str(failed.attempts[0])


def test_first_segment_missing_fails_at_once() -> None:
    def fail(_: FetchSegment) -> FetchFailure | None:
        return FetchFailure("http_status", "HTTP 404", retryable=False)

    driver = drive(constant(20_000_000), fail=fail)

    driver.run()

    (failed,) = notices(driver, PlaybackFailed)
    assert failed.position_us == 0
    assert driver.now_us < SECOND
    assert notices(driver, PlaybackStarted) == []


def test_output_starvation_is_a_rebuffer_with_its_own_cause() -> None:
    driver = drive(constant(20_000_000))
    driver.run(until_us=5 * SECOND)

    driver.call(lambda now: driver.engine.output_starved(now=now))
    driver.run()

    (started,) = notices(driver, RebufferStarted)
    (ended,) = notices(driver, RebufferEnded)
    assert (started.cause, started.detected) == (StallCause.DECODER, "output")
    assert ended.duration_us == 200_000


def test_observed_position_re_anchors_the_clock() -> None:
    driver = drive(constant(20_000_000))
    driver.run(until_us=5 * SECOND)
    position = driver.engine.snapshot(driver.now_us).position_us

    driver.call(lambda now: driver.engine.position_observed(position - 100_000, now=now))
    driver.run()

    (started,) = notices(driver, PlaybackStarted)
    assert driver.now_us == 60 * SECOND + started.startup_us + 100_000


def test_a_clock_that_steps_back_over_a_boundary_tells_no_rung_twice() -> None:
    driver = drive(constant(20_000_000))
    told = 0

    for _ in range(1_400):
        driver.run(until_us=driver.now_us + SECOND // 20)
        if len(notices(driver, RepresentationChanged)) > told:
            told = len(notices(driver, RepresentationChanged))
            position = driver.engine.snapshot(driver.now_us).position_us
            driver.engine.position_observed(max(0, position - SECOND // 50), now=driver.now_us)

    shown = [notice.rung for notice in notices(driver, RepresentationChanged) if notice.track is TrackKind.VIDEO]
    assert len(shown) > 2
    assert shown == sorted(set(shown))


def test_time_spent_paused_is_no_rebuffer() -> None:
    driver = drive(constant(250_000), timeline=make_timeline(n_segments=10))
    while not notices(driver, RebufferStarted):
        driver.run(until_us=driver.now_us + SECOND // 10)
    before = driver.engine.snapshot(driver.now_us).rebuffer_us

    driver.call(lambda now: driver.engine.pause(now=now))
    driver.run(until_us=driver.now_us + 600 * SECOND)
    paused = driver.engine.snapshot(driver.now_us).rebuffer_us
    driver.call(lambda now: driver.engine.play(now=now))

    (ended,) = notices(driver, RebufferEnded)
    assert before <= SECOND // 10
    assert paused == ended.duration_us == driver.engine.snapshot(driver.now_us).rebuffer_us == before


def test_time_spent_paused_is_no_seek_delay() -> None:
    driver = drive(constant(6_000_000))
    driver.run(until_us=5 * SECOND)
    driver.call(lambda now: driver.engine.pause(now=now))
    driver.run(until_us=10 * SECOND)

    driver.call(lambda now: driver.engine.seek(50 * SECOND, now=now))
    driver.run(until_us=100 * SECOND)
    driver.call(lambda now: driver.engine.play(now=now))

    assert [ended.delay_us for ended in notices(driver, SeekEnded)] == [0]
