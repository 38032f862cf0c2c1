"""Several sources: who is asked, what a failure does, and how it all ends."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.effects import AbandonSegment, DiscardSegment, FeedSegment, FetchInit, FetchSegment
from cushion_player.engine import EngineConfig, FetchFailure, PlaybackEngine, RetryPolicy
from cushion_player.engine.retry import FailureClass
from cushion_player.engine.sources import SourceBoard
from cushion_player.events import Event
from cushion_player.journal import JournalWriter, replay
from cushion_player.notices import (
    Notice,
    PlaybackEnded,
    PlaybackFailed,
    RebufferEnded,
    SegmentLoaded,
    SegmentRetried,
    SourceChanged,
    StallCause,
)
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Stretch, Timeline, TrackKind
from cushion_traces.link import make_link

N = TypeVar("N", bound=Notice)
SECOND = 1_000_000
LINK = make_link([SECOND], [6_000_000], 40_000)
RESET = FetchFailure("connection_lost", "reset", retryable=True)
MISSING = FetchFailure("http_status", "HTTP 404", retryable=False, status=404)
BROKEN = FetchFailure("http_status", "HTTP 500", retryable=True, status=500)
Fail = Callable[[FetchSegment], FetchFailure | None]


def timeline(*sources: str, n_segments: int = 30, audio: bool = False) -> Timeline:
    made = make_timeline(n_segments=n_segments, audio_bps=128_000 if audio else None)
    tracks = tuple(replace(track, stretches=(Stretch(0, track.rungs, sources=sources),)) for track in made.tracks)
    return replace(made, tracks=tracks)


def play(shown: Timeline, fail: Fail, *, rule: str = "bba2", policy: RetryPolicy | None = None) -> VirtualDriver:
    config = EngineConfig(retry=policy or RetryPolicy())
    driver = VirtualDriver(PlaybackEngine(config, rule), shown, LINK, fail=fail)
    driver.start()
    driver.run()
    return driver


def told(driver: VirtualDriver, kind: type[N]) -> list[N]:
    return [notice for _, notice in driver.notices if isinstance(notice, kind)]


def asked(driver: VirtualDriver, index: int) -> list[tuple[int, str, int]]:
    """(rung, source, when) of the requests for a video segment."""
    return [
        (fetch.rung, fetch.source, when)
        for when, fetch in driver.requests
        if fetch.track is TrackKind.VIDEO and fetch.index == index
    ]


@pytest.mark.parametrize("failure", [RESET, MISSING, BROKEN])
def test_the_same_rung_is_asked_of_the_next_source_at_once(failure: FetchFailure) -> None:
    driver = play(timeline("a", "b"), lambda fetch: failure if (fetch.index, fetch.source) == (5, "a") else None)

    (first, second) = asked(driver, 5)
    assert (first[0], first[1], second[1]) == (second[0], "a", "b")
    assert second[2] - first[2] == LINK.latency_us
    assert told(driver, SourceChanged)[0] == SourceChanged(TrackKind.VIDEO, "a", "b", failure.message)
    assert told(driver, PlaybackEnded)


def test_a_source_that_failed_is_left_alone_for_a_minute_and_then_preferred_again() -> None:
    driver = play(
        timeline("a", "b", n_segments=90), lambda fetch: RESET if (fetch.index, fetch.source) == (5, "a") else None
    )

    failed_at = asked(driver, 5)[1][2]
    back = next(notice for notice in told(driver, SourceChanged) if notice.to_source == "a")
    at = next(when for when, notice in driver.notices if notice is back)
    assert 60 * SECOND <= at - failed_at < 65 * SECOND
    assert back.reason == "the preferred source may be asked again"


def test_a_source_that_fails_again_is_left_alone_longer_up_to_a_limit() -> None:
    board, now, lengths = SourceBoard(300 * SECOND), 0, []
    for _ in range(5):
        board.punish("a", 60 * SECOND, "reset", now)
        until = next(s for s in range(400) if not board.is_penalised("a", now + s * SECOND))
        lengths.append(until)
        now += until * SECOND

    assert lengths == [60, 120, 240, 300, 300]


def test_where_every_source_is_penalised_the_one_that_is_free_first_is_asked() -> None:
    board = SourceBoard(300 * SECOND)
    board.punish("a", 60 * SECOND, "reset", 0)
    board.punish("b", 30 * SECOND, "reset", 0)

    assert board.pick(("a", "b"), SECOND) == "b"
    assert board.pick(("a", "b"), SECOND, {"a", "b"}) is None


def test_steering_orders_sources_but_keeps_penalties() -> None:
    board = SourceBoard(300 * SECOND)
    board.punish("c", 60 * SECOND, "reset", 0)
    board.steer(("c", "b"), (("a", "d"),))

    assert board.of(("a", "b", "c")) == ["c", "b", "a", "d"]
    assert board.pick(("a", "b", "c"), SECOND) == "b"


def test_when_the_last_source_is_gone_playback_fails_with_every_attempt() -> None:
    driver = play(timeline("a", "b", "c"), lambda fetch: MISSING if fetch.index == 5 else None)

    (failed,) = told(driver, PlaybackFailed)
    assert failed.position_us == 10 * SECOND
    assert {(attempt.rung, attempt.source) for attempt in failed.attempts} == {
        (rung, source) for rung in range(4) for source in "abc"
    }
    assert [attempt.status for attempt in failed.attempts] == [404] * 12
    assert [attempt.time_us for attempt in failed.attempts] == sorted(attempt.time_us for attempt in failed.attempts)
    assert str(failed.attempts[0]).startswith("segment 5 of video/")


def test_a_network_that_comes_back_while_media_is_left_is_no_stall() -> None:
    shown = timeline(n_segments=60)
    outage = (20 * SECOND, 30 * SECOND)
    times: list[int] = []

    def fail(fetch: FetchSegment) -> FetchFailure | None:
        times.append(driver.now_us)
        return RESET if outage[0] <= driver.now_us < outage[1] else None

    driver = VirtualDriver(PlaybackEngine(), shown, LINK, fail=fail)
    driver.start()
    driver.run()

    assert told(driver, PlaybackEnded)
    assert told(driver, RebufferEnded) == []
    assert len(told(driver, SegmentRetried)) > 3


def test_a_network_that_stays_away_ends_playback_a_while_after_the_last_media() -> None:
    def fail(_: FetchSegment) -> FetchFailure | None:
        return RESET if driver.now_us > 10 * SECOND else None

    driver = VirtualDriver(PlaybackEngine(), timeline(n_segments=60), LINK, fail=fail)
    driver.start()
    driver.run()

    (failed,) = told(driver, PlaybackFailed)
    stalled = next(when for when, notice in driver.notices if type(notice).__name__ == "RebufferStarted")
    assert 20 * SECOND <= driver.now_us - stalled <= 30 * SECOND
    assert failed.code == "connection_lost"
    assert len(failed.attempts) <= RetryPolicy().max_attempts


def test_a_network_that_was_never_there_is_told_within_seconds() -> None:
    driver = play(timeline(), lambda _: RESET)

    (failed,) = told(driver, PlaybackFailed)
    assert len(failed.attempts) == 3
    assert driver.now_us < 3 * SECOND


def test_a_stall_that_another_source_ended_says_so() -> None:
    def fail(fetch: FetchSegment) -> FetchFailure | None:
        return slow if fetch.source == "a" and fetch.index == 3 else None

    slow = replace(BROKEN, retry_after_us=6 * SECOND)
    shown = timeline("a", "b")
    driver = VirtualDriver(PlaybackEngine(), shown, make_link([SECOND], [6_000_000], 2_200_000), fail=fail)
    driver.start()
    driver.run()

    assert (StallCause.SERVER, "another source had it") in {
        (notice.cause, notice.recovery) for notice in told(driver, RebufferEnded)
    }


def test_a_viewer_who_plays_on_after_a_long_outage_is_not_told_of_the_old_failure() -> None:
    def fail(_: FetchSegment) -> FetchFailure | None:
        return RESET if 10 * SECOND < driver.now_us < 3_000 * SECOND else None

    driver = VirtualDriver(PlaybackEngine(), timeline(n_segments=60), LINK, fail=fail)
    driver.start()
    driver.run(until_us=12 * SECOND)
    driver.call(lambda now: driver.engine.pause(now=now))
    driver.run(until_us=3_600 * SECOND)
    requests = len(driver.requests)
    driver.call(lambda now: driver.engine.play(now=now))
    driver.run()

    assert told(driver, PlaybackEnded)
    assert requests < 120


def test_a_server_that_says_when_to_come_back_is_obeyed_up_to_half_a_minute() -> None:
    times = [7, 500]

    def fail(fetch: FetchSegment) -> FetchFailure | None:
        if fetch.index == 12 and times:
            return replace(BROKEN, status=503, retry_after_us=times.pop(0) * SECOND)
        return None

    driver = play(timeline(), fail)

    assert [notice.delay_us for notice in told(driver, SegmentRetried)] == [7 * SECOND, 30 * SECOND]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("connection_lost", 0, FailureClass.NETWORK),
        ("fetch_timeout", 0, FailureClass.TIMEOUT),
        ("http_status", 500, FailureClass.SERVER),
        ("http_status", 503, FailureClass.BUSY),
        ("http_status", 429, FailureClass.BUSY),
        ("http_status", 404, FailureClass.MISSING),
        ("http_status", 410, FailureClass.MISSING),
        ("http_status", 403, FailureClass.DENIED),
        ("decode", 0, FailureClass.CORRUPT),
        ("too_large", 0, FailureClass.TOO_LARGE),
        ("http_status", 418, FailureClass.OTHER),
    ],
)
def test_a_failure_is_of_one_class(code: str, status: int, kind: FailureClass) -> None:
    assert FetchFailure(code, "", retryable=status >= 500, status=status).kind is kind


def test_waits_differ_by_seed_alone() -> None:
    def waits(seed: int) -> list[int]:
        driver = VirtualDriver(PlaybackEngine(seed=seed), timeline(), LINK, fail=lambda _: RESET)
        driver.start()
        driver.run()
        return [notice.delay_us for notice in told(driver, SegmentRetried)]

    assert waits(1) == waits(1) != waits(2)


# --------------------------------------------------------------------------- called by hand


def begin(*sources: str, rule: str = "bba2") -> tuple[PlaybackEngine, FetchSegment]:
    """An engine that has its initialisation segment, and its first request for a segment."""
    engine = PlaybackEngine(rule=rule)
    engine.start(timeline(*sources), 0, now=0)
    engine.play(now=0)
    events = engine.take_events()
    (init,) = [event for event in events if isinstance(event, FetchInit)]
    engine.init_received(init.request_id, now=1)
    (segment,) = [event for event in events if isinstance(event, FetchSegment)]
    return engine, segment


def fetched(engine: PlaybackEngine) -> FetchSegment:
    (segment,) = [event for event in engine.take_events() if isinstance(event, FetchSegment)]
    return segment


def test_what_had_come_is_resumed_at_the_next_source_and_not_counted_twice() -> None:
    engine, first = begin("a", "b", rule="throughput")
    engine.segment_failed(first.request_id, replace(RESET, kept_bytes=50_000), now=SECOND)

    second = fetched(engine)
    engine.segment_received(second.request_id, 75_000, SECOND + 1, now=2 * SECOND)

    assert (second.source, second.resumes, second.rung) == ("b", first.request_id, first.rung)
    assert engine.snapshot(2 * SECOND).wasted_bytes == 0
    assert engine.snapshot(2 * SECOND).throughput_bps == pytest.approx(25_000 * 8, rel=0.01)


def test_what_had_come_is_dropped_and_counted_when_another_rung_is_fetched() -> None:
    engine, first = begin(rule="throughput")
    engine.segment_failed(first.request_id, replace(MISSING, kept_bytes=50_000), now=SECOND)

    events = engine.take_events()

    (second,) = [event for event in events if isinstance(event, FetchSegment)]
    assert (second.resumes, second.rung != first.rung) == (0, True)
    assert DiscardSegment(first.request_id) in events
    assert engine.snapshot(SECOND).wasted_bytes == 50_000


def test_what_is_not_of_the_same_counts_as_wasted() -> None:
    engine, first = begin("a", "b")
    engine.segment_failed(first.request_id, replace(RESET, kept_bytes=50_000), now=SECOND)
    second = fetched(engine)

    engine.resume_refused(second.request_id, now=SECOND)
    engine.segment_received(second.request_id, 75_000, SECOND + 1, now=2 * SECOND)

    assert engine.snapshot(2 * SECOND).wasted_bytes == 50_000


def test_a_spoilt_segment_is_fetched_once_more_and_then_taken_as_it_is() -> None:
    spoilt = FetchFailure("decode", "no box at byte 0", retryable=True, kept_bytes=75_000, is_whole=True)
    engine, first = begin()

    engine.segment_failed(first.request_id, spoilt, now=SECOND)
    events = engine.take_events()
    (second,) = [event for event in events if isinstance(event, FetchSegment)]
    (init,) = [event for event in events if isinstance(event, FetchInit)]
    engine.init_received(init.request_id, now=SECOND)
    engine.segment_failed(second.request_id, spoilt, now=2 * SECOND)
    after = engine.take_events()

    assert DiscardSegment(first.request_id) in events
    assert second.rung != first.rung
    assert [event.index for event in after if isinstance(event, SegmentLoaded)] == [0]
    assert [event.request_id for event in after if isinstance(event, FeedSegment)] == [second.request_id]


def test_a_silent_source_is_left_before_its_time_out_when_another_one_has_the_same() -> None:
    engine, first = begin("a", "b")
    now = 1
    while not (events := engine.take_events()) or not any(isinstance(event, AbandonSegment) for event in events):
        timer = engine.next_timer()
        assert timer is not None
        assert timer > now
        now = timer
        engine.handle_timer(now=now)

    (second,) = [event for event in events if isinstance(event, FetchSegment)]
    assert 3 * SECOND <= now < 4 * SECOND
    assert (first.source, second.source, second.rung) == ("a", "b", first.rung)


def test_the_last_usable_rung_of_the_last_source_is_asked_for_again_once_and_then_waited_for() -> None:
    engine, first = begin()
    now, events = 0, list[tuple[int, Event]]()
    while now < 15 * SECOND:
        timer = engine.next_timer()
        assert timer is not None
        now = timer
        engine.handle_timer(now=now)
        events += [(now, event) for event in engine.take_events()]

    (gave_up,) = [(at, event) for at, event in events if isinstance(event, AbandonSegment)]
    (again,) = [event for _, event in events if isinstance(event, FetchSegment)]
    assert 6 * SECOND <= gave_up[0] < 7 * SECOND
    assert gave_up[1].request_id == first.request_id
    assert (again.rung, again.index) == (first.rung, first.index) == (0, 0)


def test_a_body_that_drips_is_given_up_though_it_is_never_silent() -> None:
    engine, first = begin()
    now, received = 0, 0
    while not any(isinstance(event, AbandonSegment) for event in engine.take_events()):
        now, received = now + SECOND, received + 20
        engine.segment_progress(first.request_id, received, SECOND, now=now)
        assert now < 30 * SECOND

    assert now == 20 * SECOND


def test_a_slow_body_that_is_nearly_there_is_kept() -> None:
    engine, first = begin()
    for second in range(1, 26):
        engine.segment_progress(first.request_id, second * 2_900, SECOND, now=second * SECOND)

    assert not any(isinstance(event, AbandonSegment) for event in engine.take_events())


@settings(max_examples=40, deadline=None)
@given(
    sources=st.sampled_from([(), ("a", "b"), ("a", "b", "c")]),
    script=st.lists(
        st.sampled_from([None, None, RESET, MISSING, BROKEN, replace(BROKEN, status=503, retry_after_us=3 * SECOND)]),
        min_size=1,
        max_size=60,
    ),
    seed=st.integers(0, 1000),
)
def test_any_script_of_failures_ends_or_fails_in_bounded_time_and_replays(
    sources: tuple[str, ...], script: list[FetchFailure | None], seed: int
) -> None:
    """The script repeats for ever; what fails of a segment is told in full when playback fails for it."""
    journal = io.StringIO()
    config = EngineConfig()
    turns = cycle(script)
    failures: dict[tuple[TrackKind, int], int] = {}

    def fail(fetch: FetchSegment) -> FetchFailure | None:
        failure = next(turns)
        if failure is not None:
            failures[fetch.track, fetch.index] = failures.get((fetch.track, fetch.index), 0) + 1
        return failure

    writer = JournalWriter(journal, config, "bba2", {}, seed)
    engine = PlaybackEngine(config, "bba2", seed=seed, on_verb=writer.write)
    driver = VirtualDriver(engine, timeline(*sources, n_segments=12, audio=True), LINK, fail=fail)
    driver.start()
    driver.run(until_us=1_000 * SECOND)

    last = driver.notices[-1][1]
    assert isinstance(last, PlaybackEnded | PlaybackFailed)
    if isinstance(last, PlaybackFailed):
        named = {(attempt.track, int(attempt.what.split()[1])) for attempt in last.attempts if " " in attempt.what}
        (place,) = named
        assert len(last.attempts) == failures[place]
    assert driver.requests[-1][0] <= driver.notices[-1][0]
    assert replay(io.StringIO(journal.getvalue())).is_equal
