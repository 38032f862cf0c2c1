"""When segments are requested where tracks, rules and limits leave little room."""

from __future__ import annotations

import dataclasses
import types
from typing import NamedTuple

import numpy as np
import pytest

from cushion_abr import registry
from cushion_abr.contract import Decision, Float64Array, Ladder, Sample, Situation
from cushion_player.engine import EngineConfig, PlaybackEngine
from cushion_player.notices import PlaybackEnded, PlaybackStarted, RebufferStarted
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Timeline, TrackKind
from cushion_traces.link import make_link

SECOND = 1_000_000
FAST = make_link([SECOND], [20_000_000], 40_000)


def late_audio(delay_us: int) -> Timeline:
    """Audio whose first sample comes `delay_us` after the first picture."""
    video, audio = make_timeline().tracks
    starts = tuple(start + delay_us for start in audio.start_us[:-1])
    return Timeline((video, dataclasses.replace(audio, start_us=(*starts, audio.start_us[-1]))), video.end_us())


def stalls(driver: VirtualDriver) -> int:
    return sum(isinstance(notice, RebufferStarted) for _, notice in driver.notices)


def test_a_track_that_starts_late_is_buffered_like_any_other() -> None:
    driver = VirtualDriver(PlaybackEngine(), late_audio(23_000), FAST)
    driver.start()

    driver.run(until_us=2 * SECOND)

    (started,) = [notice for _, notice in driver.notices if isinstance(notice, PlaybackStarted)]
    audio = [fetch.index for _, fetch in driver.requests if fetch.track is TrackKind.AUDIO]
    assert started.startup_us < SECOND
    assert len(audio) <= 16


def test_sound_waits_for_the_picture_until_enough_is_there_to_play() -> None:
    driver = VirtualDriver(PlaybackEngine(), make_timeline(), make_link([SECOND], [400_000], 40_000))
    driver.start()
    driver.run()

    started_us = next(time for time, notice in driver.notices if isinstance(notice, PlaybackStarted))
    asked = [fetch.index for time, fetch in driver.requests if fetch.track is TrackKind.AUDIO and time < started_us]

    assert asked == [0]


def test_sound_may_run_ahead_of_a_picture_that_has_enough() -> None:
    driver = VirtualDriver(
        PlaybackEngine(None, "fixed", {"rung": 3}), make_timeline(), make_link([SECOND], [4_000_000])
    )
    driver.start()
    driver.run(until_us=10 * SECOND)

    last = {fetch.track: fetch.index for _, fetch in driver.requests}

    assert last[TrackKind.AUDIO] >= last[TrackKind.VIDEO] + 2


def test_a_full_memory_does_not_let_playback_run_dry() -> None:
    config = EngineConfig(buffer_limit_bytes=2_000_000)
    driver = VirtualDriver(PlaybackEngine(config, "fixed", {"rung": 3}), make_timeline(), FAST)
    driver.start()

    driver.run()

    assert isinstance(driver.notices[-1][1], PlaybackEnded)
    assert stalls(driver) == 0


class NoParams(NamedTuple):
    pass


def test_a_rule_that_waits_does_not_let_playback_run_dry(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(params: NoParams, ladder: Ladder, seed: int) -> Float64Array:
        return np.zeros(1)

    def observe(sample: Sample, state: Float64Array) -> None:
        pass

    def decide(ladder: Ladder, sizes: object, situation: Situation, params: NoParams, state: Float64Array) -> Decision:
        return Decision(0, 60 * SECOND, 100)

    sleepy = types.ModuleType("sleepy")
    vars(sleepy).update(LOOKAHEAD=1, Params=NoParams, init=init, observe=observe, decide=decide)
    monkeypatch.setattr(registry, "_rules", dict(registry._rules))
    registry.register("sleepy", sleepy)
    driver = VirtualDriver(PlaybackEngine(rule="sleepy"), make_timeline(), FAST)
    driver.start()

    driver.run()

    assert isinstance(driver.notices[-1][1], PlaybackEnded)
    assert stalls(driver) == 0
