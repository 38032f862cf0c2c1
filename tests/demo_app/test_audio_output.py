from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_demo_app.audio_output import QtAudioOutput, SampleRing
from cushion_demo_app.qt import QtWidgets
from cushion_player.outputs import AudioOutput
from cushion_player.testing.clock import FakeClock
from tests.contracts.audio_output_suite import AudioOutputSuite, tone
from tests.demo_app.fakes import FakeSink, SinkError

STEP_US = 10_000


class Rig:
    """An output on a sink, and their time."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sink = FakeSink()
        self.output = QtAudioOutput(self.sink, self.clock)
        assert self.output.begin()

    def elapse(self, seconds: float) -> None:
        QtWidgets.QApplication.processEvents()
        for _ in range(round(seconds * 1e6 / STEP_US)):
            self.output.feed()
            self.clock.jump_to(self.clock.now_us() + STEP_US)
            self.sink.consume(STEP_US)
        self.output.feed()


class TestQtAudioOutput(AudioOutputSuite):
    def make(self) -> AudioOutput:
        self.rig = Rig()
        return self.rig.output

    def elapse(self, output: AudioOutput, seconds: float) -> None:
        self.rig.elapse(seconds)


def test_without_a_device_it_does_not_begin() -> None:
    assert not QtAudioOutput(FakeSink(has_device=False), FakeClock()).begin()


def test_what_the_device_still_holds_is_not_heard_yet() -> None:
    rig = Rig()
    rig.output.write(tone(rig.output.writable()))
    rig.output.start()

    rig.output.feed()

    assert rig.sink.held_bytes == rig.sink.BUFFER_BYTES
    assert rig.output.played_samples() == 0


def test_between_two_looks_the_clock_carries_the_count() -> None:
    rig = Rig()
    rig.output.write(tone(rig.output.writable()))
    rig.output.start()
    rig.elapse(0.02)
    before = rig.output.played_samples()

    rig.clock.jump_to(rig.clock.now_us() + 5_000)

    assert rig.output.played_samples() - before == pytest.approx(240, abs=1)


def test_flush_reaches_the_device() -> None:
    rig = Rig()
    rig.output.write(tone(5000))
    rig.output.start()
    rig.elapse(0.01)

    rig.output.flush()

    assert rig.sink.held_bytes == 0
    assert not rig.sink.is_suspended


@pytest.mark.logs_warnings
def test_a_device_that_goes_away_leaves_the_clock_running() -> None:
    rig = Rig()
    rig.output.write(tone(rig.output.writable()))
    rig.output.start()
    rig.elapse(0.05)
    heard = rig.output.played_samples()

    rig.sink.trouble = SinkError.IOError
    rig.elapse(0.05)

    assert rig.output.played_samples() - heard == pytest.approx(2400, abs=500)


def test_volume_and_close_reach_the_device() -> None:
    rig = Rig()
    rig.output.set_volume(0.25)

    rig.output.close()

    assert rig.sink.volume == 0.25
    assert rig.sink.is_stopped
    assert rig.output.is_done


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60))
def test_a_ring_gives_back_what_it_took_in_order(steps: list[tuple[bool, int]]) -> None:
    ring = SampleRing(32)
    written, read, count = [], [], 0
    for is_write, amount in steps:
        if is_write:
            samples = np.arange(count, count + amount, dtype=np.float32).repeat(2).reshape(-1, 2)
            taken = ring.write(samples)
            written += list(range(count, count + taken))
            count += taken
        else:
            read += [int(sample) for sample in ring.read(amount)[:, 0]]
        assert 0 <= ring.held <= 32
        assert ring.held == len(written) - len(read)

    assert read == written[: len(read)]
