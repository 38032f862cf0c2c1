"""NullAudioOutput plays by its clock, to the sample."""

from __future__ import annotations

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.outputs import AudioOutput
from cushion_player.testing.clock import FakeClock
from tests.contracts.audio_output_suite import AudioOutputSuite, tone


class TestNullAudioOutput(AudioOutputSuite):
    def make(self) -> AudioOutput:
        self.clock = FakeClock(3_000_000)
        return NullAudioOutput(self.clock)

    def elapse(self, output: AudioOutput, seconds: float) -> None:
        asyncio.run(self.clock.advance(round(seconds * 1e6)))


def test_tells_when_each_sample_was_heard() -> None:
    clock, heard = FakeClock(), list[tuple[int, NDArray[np.float32]]]()
    output = NullAudioOutput(clock, on_play=lambda pcm, start_us: heard.append((start_us, pcm)))
    output.write(tone(480))
    clock.jump_to(1_000_000)
    output.start()
    clock.jump_to(1_050_000)
    output.write(tone(960))
    clock.jump_to(1_200_000)

    assert output.played_samples() == 1440
    assert [(start_us, len(pcm)) for start_us, pcm in heard] == [(1_000_000, 480), (1_050_000, 960)]
    assert np.array_equal(np.concatenate([pcm for _, pcm in heard]), np.concatenate([tone(480), tone(960)]))


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 4000), st.sampled_from(["", "start", "stop"]))))
def test_samples_are_neither_lost_nor_made(steps: list[tuple[int, int, str]]) -> None:
    clock = FakeClock()
    output = NullAudioOutput(clock)
    room, written, before = output.writable(), 0, 0

    for duration_us, n_samples, verb in steps:
        clock.jump_to(clock.now_us() + duration_us)
        written += output.write(tone(n_samples))
        if verb:
            getattr(output, verb)()
        played = output.played_samples()
        assert before <= played <= written
        assert written - played == room - output.writable()
        before = played
