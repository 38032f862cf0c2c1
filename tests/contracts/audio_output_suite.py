"""What every AudioOutput owes its callers. Inherit it, say how to make one and how its time passes."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

import numpy as np
import pytest
from numpy.typing import NDArray

from cushion_player.outputs import AudioOutput


def tone(n_samples: int) -> NDArray[np.float32]:
    wave = np.sin(np.arange(n_samples) * 0.13).astype(np.float32)
    return np.stack([wave, wave], axis=1) * np.float32(0.1)


class AudioOutputSuite(ABC):
    @abstractmethod
    def make(self) -> AudioOutput: ...

    @abstractmethod
    def elapse(self, output: AudioOutput, seconds: float) -> None:
        """Let `seconds` of the output's time pass."""

    @pytest.fixture
    def output(self) -> AudioOutput:
        return self.make()

    def test_has_room_at_first(self, output: AudioOutput) -> None:
        assert output.sample_rate_hz > 0
        assert output.writable() >= output.sample_rate_hz // 20
        assert output.played_samples() == 0

    def test_takes_no_more_than_it_has_room_for(self, output: AudioOutput) -> None:
        room = output.writable()

        taken = output.write(tone(room + 100))

        assert taken == room
        assert output.writable() == 0
        assert output.write(tone(10)) == 0

    def test_plays_nothing_before_start(self, output: AudioOutput) -> None:
        output.write(tone(1000))

        self.elapse(output, 0.1)

        assert output.played_samples() == 0

    def test_plays_at_its_rate_after_start(self, output: AudioOutput) -> None:
        output.write(tone(output.writable()))
        output.start()

        self.elapse(output, 0.03)

        assert output.played_samples() == pytest.approx(0.03 * output.sample_rate_hz, rel=0.2)

    def test_stands_still_when_starved_and_goes_on_when_fed(self, output: AudioOutput) -> None:
        output.write(tone(480))
        output.start()
        self.elapse(output, 0.2)
        assert output.played_samples() == 480

        output.write(tone(480))
        self.elapse(output, 0.2)

        assert output.played_samples() == 960

    def test_time_starved_is_not_made_up_for(self, output: AudioOutput) -> None:
        output.start()
        self.elapse(output, 0.5)

        output.write(tone(output.writable()))

        assert output.played_samples() <= 0.02 * output.sample_rate_hz

    def test_stop_holds_what_is_queued(self, output: AudioOutput) -> None:
        output.write(tone(2000))
        output.start()
        self.elapse(output, 0.01)
        output.stop()
        held = output.played_samples()
        self.elapse(output, 0.2)
        assert output.played_samples() == held

        output.start()
        self.elapse(output, 0.2)

        assert output.played_samples() == 2000

    def test_flush_drops_what_is_queued_and_counts_from_0(self, output: AudioOutput) -> None:
        room = output.writable()
        output.write(tone(room))
        output.start()
        self.elapse(output, 0.01)

        output.flush()

        assert output.played_samples() == 0
        assert output.writable() == room
        self.elapse(output, 0.05)
        assert output.played_samples() == 0

    def test_may_be_written_on_another_thread(self, output: AudioOutput) -> None:
        writer = threading.Thread(target=lambda: output.write(tone(480)))
        writer.start()
        writer.join()
        output.start()

        self.elapse(output, 0.1)

        assert output.played_samples() == 480

    def test_close_may_be_called_twice_and_silences(self, output: AudioOutput) -> None:
        output.write(tone(480))
        output.start()

        output.close()
        output.close()

        assert output.write(tone(10)) == 0

    def test_volume_may_change_at_any_time(self, output: AudioOutput) -> None:
        output.set_volume(0.0)
        output.start()
        output.set_volume(1.0)
