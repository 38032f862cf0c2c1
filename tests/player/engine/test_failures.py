"""The engine called by hand: initialisation segments that cannot be had, decoders that give up, and what is told."""

from __future__ import annotations

from typing import TypeVar

from cushion_player.effects import AbandonSegment, FetchInit, FetchSegment
from cushion_player.engine import FetchFailure, Limits, Phase, PlaybackEngine
from cushion_player.events import Event
from cushion_player.notices import PlaybackFailed
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import TrackKind

E = TypeVar("E", bound=Event)
SECOND = 1_000_000
MISSING = FetchFailure("http_status", "HTTP 404", retryable=False)
RESET = FetchFailure("connection_lost", "reset", retryable=True)


def only(events: list[Event], kind: type[E], track: TrackKind = TrackKind.VIDEO) -> E:
    (found,) = [event for event in events if isinstance(event, kind) and getattr(event, "track", track) is track]
    return found


def test_a_track_whose_initialisation_segments_are_all_missing_fails_at_once_and_a_seek_changes_nothing() -> None:
    engine = PlaybackEngine()
    engine.start(make_timeline(), 0, now=0)
    audio_init = only(engine.take_events(), FetchInit, TrackKind.AUDIO)

    engine.segment_failed(audio_init.request_id, MISSING, now=1)
    failed = only(engine.take_events(), PlaybackFailed)
    engine.seek(40 * SECOND, now=2)

    assert [str(attempt) for attempt in failed.attempts] == ["init of audio/en: HTTP 404"]
    assert engine.take_events() == []


def test_both_decoders_giving_up_is_one_failure() -> None:
    driver = VirtualDriver(PlaybackEngine(), make_timeline(), None)
    driver.start()
    driver.run(until_us=3 * SECOND)

    driver.call(lambda now: driver.engine.decode_failed(TrackKind.VIDEO, "no picture", True, now=now))
    driver.call(lambda now: driver.engine.decode_failed(TrackKind.AUDIO, "no sound", True, now=now))

    failures = [notice for _, notice in driver.notices if isinstance(notice, PlaybackFailed)]
    assert [failure.message for failure in failures] == ["no picture"]


def test_a_decoder_that_gives_up_after_the_end_does_not_unmake_it() -> None:
    driver = VirtualDriver(PlaybackEngine(), make_timeline(), None)
    driver.start()
    driver.run()

    driver.engine.decode_failed(TrackKind.AUDIO, "no sound", True, now=driver.now_us)

    assert driver.engine.snapshot(driver.now_us).phase is Phase.ENDED


def test_a_failed_playback_gives_up_every_request_and_feeds_nothing_more() -> None:
    engine = PlaybackEngine()
    engine.start(make_timeline(), 0, now=0)
    requests = {event.request_id for event in engine.take_events() if isinstance(event, FetchInit | FetchSegment)}

    engine.decode_failed(TrackKind.VIDEO, "no decoder", True, now=1)
    given_up = {event.request_id for event in engine.take_events() if isinstance(event, AbandonSegment)}
    for request_id in requests:
        engine.init_received(request_id, now=2)

    assert given_up == requests
    assert engine.take_events() == []


def test_what_failed_of_a_later_segment_is_not_held_against_one_that_is_fetched_again() -> None:
    engine = PlaybackEngine()
    engine.set_limits(Limits(pinned_rung=1), now=0)
    engine.start(make_timeline(audio_bps=None, bitrates_bps=(300_000, 700_000)), 0, now=0)
    events = engine.take_events()
    init, first = only(events, FetchInit), only(events, FetchSegment)
    engine.set_limits(Limits(pinned_rung=0), now=0)
    engine.segment_received(first.request_id, 175_000, 1, now=2)
    second = only(engine.take_events(), FetchSegment)
    engine.segment_failed(second.request_id, MISSING, now=3)
    engine.take_events()

    engine.segment_failed(init.request_id, MISSING, now=4)

    again = only(engine.take_events(), FetchSegment)
    assert (second.rung, again.rung, again.index) == (0, 0, 0)
