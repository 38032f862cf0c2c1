"""Initialisation segments that fail, are late, or are of no use to the output: other rungs are played."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cushion_player.effects import AbandonSegment, CutTrack, Effect, FeedSegment, FetchInit, FetchSegment, SwitchInit
from cushion_player.engine import FetchFailure, Limits, PlaybackEngine
from cushion_player.notices import PlaybackEnded, PlaybackFailed, RebufferStarted, RungLost
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import TrackKind
from cushion_traces.link import make_link
from tests.player.engine.test_failures import only

SECOND = 1_000_000
LINK = make_link([SECOND], [6_000_000], 40_000)
MISSING = FetchFailure("http_status", "HTTP 404", retryable=False, status=404)
BROKEN = FetchFailure("http_status", "HTTP 500", retryable=True, status=500)


class InitDriver(VirtualDriver):
    """A driver whose initialisation segments go as `fate` says: a failure, None for nothing ever, True for well."""

    def __init__(self, engine: PlaybackEngine, fate: Callable[[FetchInit], FetchFailure | bool | None]) -> None:
        super().__init__(engine, make_timeline(n_segments=30), LINK)
        self.fate = fate
        self.asked: list[tuple[int, int]] = []
        """(when, rung) of every initialisation segment of the picture."""
        self.effects: list[Effect] = []

    def _obey(self, effect: Effect) -> None:
        self.effects.append(effect)
        if not isinstance(effect, FetchInit):
            super()._obey(effect)
            return
        if effect.track is TrackKind.VIDEO:
            self.asked.append((self.now_us, effect.rung))
        fate = self.fate(effect)
        if fate is True:
            super()._obey(effect)
        elif isinstance(fate, FetchFailure):
            self._at(self.now_us + 40_000, lambda: self._deliver_failure(effect.request_id, fate))

    def told(self, kind: type) -> list[object]:
        return [notice for _, notice in self.notices if isinstance(notice, kind)]

    def fed_rungs(self) -> set[int]:
        fed = (effect for effect in self.effects if isinstance(effect, FeedSegment))
        return {effect.rung for effect in fed if effect.track is TrackKind.VIDEO}


def play(fate: Callable[[FetchInit], FetchFailure | bool | None], until_us: int | None = None) -> InitDriver:
    driver = InitDriver(PlaybackEngine(), fate)
    driver.start()
    driver.run(until_us)
    return driver


@pytest.mark.parametrize("rung", range(4))
@pytest.mark.parametrize("fate", [MISSING, BROKEN, None], ids=["missing", "broken", "silent"])
def test_one_rung_without_an_initialisation_segment_is_never_fed_and_stalls_nothing(
    rung: int, fate: FetchFailure | None
) -> None:
    driver = play(lambda init: fate if (init.track, init.rung) == (TrackKind.VIDEO, rung) else True)

    assert driver.told(PlaybackEnded)
    assert not driver.told(RebufferStarted)
    assert rung not in driver.fed_rungs()
    assert driver.engine.snapshot(driver.now_us).startup_us is not None
    assert (driver.engine.snapshot(driver.now_us).startup_us or 0) < 4 * SECOND


def test_a_rung_whose_initialisation_failed_once_is_gone_round_and_comes_back() -> None:
    engine = PlaybackEngine()
    engine.set_limits(Limits(pinned_rung=0), now=0)
    engine.start(make_timeline(audio_bps=None), 0, now=0)
    events = engine.take_events()
    first = only(events, FetchSegment)

    engine.segment_failed(only(events, FetchInit).request_id, BROKEN, now=1)
    events = engine.take_events()
    assert only(events, AbandonSegment).request_id == first.request_id
    other = only(events, FetchSegment)
    assert (only(events, FetchInit).rung, other.rung, other.index) == (1, 1, 0)

    engine.handle_timer(now=SECOND)
    again = only(engine.take_events(), FetchInit)
    engine.init_received(again.request_id, now=SECOND + 1)
    engine.segment_received(other.request_id, 175_000, SECOND + 1, now=SECOND + 2)
    following = only(engine.take_events(), FetchSegment)

    assert (again.rung, following.rung, following.index) == (0, 0, 1)


def test_every_rung_has_its_own_tries_and_all_are_listed_when_none_is_left() -> None:
    driver = play(lambda init: BROKEN if init.track is TrackKind.VIDEO else True)

    rungs = [rung for _, rung in driver.asked]
    assert {rung: rungs.count(rung) for rung in set(rungs)} == dict.fromkeys(range(max(rungs) + 1), 3)
    (failed,) = driver.told(PlaybackFailed)
    assert isinstance(failed, PlaybackFailed)
    assert len(failed.attempts) == len(rungs)
    assert {attempt.rung for attempt in failed.attempts} == set(rungs)


def tell(driver: InitDriver, key: str, index: int, rung: int, code: str = "decode") -> None:
    driver.call(lambda now: driver.engine.format_refused(key, index, rung, code, "no such thing", now=now))


def refuse(driver: InitDriver, code: str = "decode") -> SwitchInit:
    """The output refuses the format it was given last."""
    last = [each for each in driver.effects if isinstance(each, SwitchInit) and each.track is TrackKind.VIDEO][-1]
    tell(driver, last.key, last.index, last.rung, code)
    return last


def test_what_the_output_refuses_is_taken_back_and_fetched_at_another_rung() -> None:
    driver = play(lambda _: True, until_us=6 * SECOND)
    driver.effects.clear()
    driver.call(lambda now: driver.engine.set_limits(Limits(pinned_rung=0), now=now))
    driver.run(9 * SECOND)
    refused = refuse(driver, "codec")
    taken_back = len(driver.effects)
    driver.run()

    assert refused.rung == 0
    cuts = [effect for effect in driver.effects if isinstance(effect, CutTrack)]
    assert [cut.from_us for cut in cuts] == [make_timeline().tracks[0].segment_start_us(refused.index)]
    later = [
        effect
        for effect in driver.effects[taken_back:]
        if isinstance(effect, FeedSegment) and effect.track is TrackKind.VIDEO
    ]
    assert 0 not in {effect.rung for effect in later}
    assert later[0].index == refused.index
    assert driver.told(RungLost) == [RungLost(TrackKind.VIDEO, 0, "no such thing")]
    assert driver.told(PlaybackEnded)


def test_an_initialisation_segment_that_came_spoilt_is_fetched_once_more() -> None:
    driver = play(lambda _: True, until_us=3 * SECOND)
    refused = refuse(driver)
    asked = len(driver.asked)
    driver.run(5 * SECOND)

    assert [rung for _, rung in driver.asked[asked:]].count(refused.rung) == 1
    assert driver.told(RungLost) == []
    driver.run()
    assert driver.told(PlaybackEnded)


def test_a_refusal_is_heard_once_and_only_of_what_plays() -> None:
    driver = play(lambda _: True, until_us=6 * SECOND)
    refused = refuse(driver, "codec")

    for key, index, rung in ((refused.key, refused.index, refused.rung), (refused.key, 3, 99), ("audio/fr", 0, 0)):
        tell(driver, key, index, rung, "codec")

    assert driver.told(RungLost) == [RungLost(TrackKind.VIDEO, refused.rung, "no such thing")]


def test_when_the_output_refuses_every_rung_playback_fails_and_lists_them() -> None:
    driver = play(lambda _: True, until_us=2 * SECOND)
    driver.run(2 * SECOND)
    for _ in range(20):
        refuse(driver)
        driver.run(driver.now_us + 2 * SECOND)
        if driver.told(PlaybackFailed):
            break

    (failed,) = driver.told(PlaybackFailed)
    assert isinstance(failed, PlaybackFailed)
    assert failed.code == "decode"
    assert {attempt.code for attempt in failed.attempts} == {"decode"}
    assert (
        len(failed.attempts) == 2 * len({attempt.rung for attempt in failed.attempts}) == 2 * len(driver.told(RungLost))
    )
