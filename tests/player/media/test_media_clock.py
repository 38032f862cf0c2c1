"""The media clock follows what is heard, and time where nothing is."""

from __future__ import annotations

import numpy as np

from cushion_player.media.media_clock import MediaClock
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import FakeAudioOutput


def made() -> tuple[MediaClock, FakeClock, FakeAudioOutput]:
    clock, audio = FakeClock(), FakeAudioOutput()
    audio.write(np.zeros((9_600, 2), dtype=np.float32))
    audio.start()
    return MediaClock(clock, audio), clock, audio


def test_with_audio_only_what_was_heard_counts() -> None:
    media, clock, audio = made()
    media.prepare(2_000_000, has_audio=True)
    media.start(2_000_000, 1.0)

    clock.jump_to(5_000_000)
    assert media.position_us() == 2_000_000
    audio.play(4_800)

    assert media.position_us() == 2_100_000


def test_without_audio_time_counts_at_the_rate() -> None:
    media, clock, _ = made()
    media.prepare(2_000_000, has_audio=False)
    clock.jump_to(1_000_000)
    assert media.position_us() == 2_000_000

    media.start(2_000_000, 1.5)
    clock.jump_to(2_000_000)
    media.stop()
    clock.jump_to(9_000_000)

    assert media.position_us() == 3_500_000


def test_time_takes_over_when_the_audio_has_ended() -> None:
    media, clock, audio = made()
    media.prepare(0, has_audio=True)
    media.start(0, 1.0)
    media.end_audio(4_800)
    audio.play(4_800)
    assert media.position_us() == 100_000

    clock.jump_to(clock.now_us() + 250_000)

    assert media.position_us() == 350_000


def test_stretched_sound_counts_for_more() -> None:
    media, _, audio = made()
    media.prepare(0, has_audio=True)
    media.start(0, 2.0)
    media.mark_audio(4_800, 100_000.0, 2.0)

    audio.play(4_800)
    assert media.position_us() == 100_000
    audio.play(2_400)

    assert media.position_us() == 200_000


def test_start_where_the_audio_leads_does_not_jump() -> None:
    media, _, audio = made()
    media.prepare(0, has_audio=True)
    media.start(0, 1.0)
    audio.play(4_800)
    media.stop()

    media.start(130_000, 1.0)

    assert media.position_us() == 100_000
