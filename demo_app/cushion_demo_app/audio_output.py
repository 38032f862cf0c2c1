"""Sound through the machine's device: a QAudioSink fed from the Qt thread.

The decoder writes into a ring from its own thread; a timer on the Qt thread moves samples from the ring to the sink.
What has been heard is what the sink was given less what it still holds, carried forward by the clock between two
looks, so that the master clock runs smoothly although the device takes its samples in gulps.
When the device goes away in the middle, samples are used up by the clock instead: the picture goes on.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cushion_demo_app.qt import QtCore, load_multimedia
from cushion_player.clock import Clock, MonotonicClock

log = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 48_000
_FRAME_BYTES = 8
"""Two float32 channels."""
_RING_SAMPLES = SAMPLE_RATE_HZ // 4
_SINK_BUFFER_SAMPLES = SAMPLE_RATE_HZ // 8
_FEED_MS = 10
_FATAL_ERRORS = ("OpenError", "IOError", "FatalError")


class SampleRing:
    """A bounded queue of interleaved stereo samples. Not locked: its owner is."""

    def __init__(self, capacity: int) -> None:
        self._samples: NDArray[np.float32] = np.zeros((capacity, 2), np.float32)
        self._first = 0
        self.held = 0

    @property
    def room(self) -> int:
        """Samples (per channel) that can be written."""
        return len(self._samples) - self.held

    def write(self, pcm: NDArray[np.float32]) -> int:
        """Take as many of (n, 2) float32 samples as fit; returns how many."""
        count = min(len(pcm), self.room)
        start = (self._first + self.held) % len(self._samples)
        head = min(count, len(self._samples) - start)
        self._samples[start : start + head] = pcm[:head]
        self._samples[: count - head] = pcm[head:count]
        self.held += count
        return count

    def read(self, limit: int) -> NDArray[np.float32]:
        """Take out at most `limit` samples, as a copy of shape (n, 2)."""
        count = min(limit, self.held)
        places = (self._first + np.arange(count)) % len(self._samples)
        taken = self._samples[places]
        self._first = (self._first + count) % len(self._samples)
        self.held -= count
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._first = self.held = 0


class QtAudioOutput(QtCore.QObject):
    """An `AudioOutput`. Make it on the Qt thread by `open_audio_output`; its methods may be called from any thread."""

    _fresh_start_wanted = QtCore.Signal()
    _volume_wanted = QtCore.Signal(float)
    _run_wanted = QtCore.Signal(bool)
    _close_wanted = QtCore.Signal()

    def __init__(self, sink: Any, clock: Clock) -> None:
        """sink: a QAudioSink for stereo float at 48 kHz (untyped: QtMultimedia is loaded on demand)."""
        super().__init__()
        self._sink = sink
        self._clock = clock
        self._lock = threading.Lock()
        self._ring = SampleRing(_RING_SAMPLES)
        self._device: Any = None
        self._running = False
        self._lost = False
        self._is_closed = False
        self._given = 0  # samples handed to the sink (or used up by the clock) since the last flush
        self._in_sink = 0  # of those, not heard yet when last looked at
        self._looked_us = 0
        self._heard = 0  # what was answered last: it never goes back
        self._flushes_due = 0  # flushes asked for that the sink has not seen: nothing may be given to it before
        self._timer = QtCore.QTimer(self)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_FEED_MS)
        self._timer.timeout.connect(self.feed)
        self._fresh_start_wanted.connect(self._start_afresh)
        self._volume_wanted.connect(self._set_sink_volume)
        self._run_wanted.connect(self._run)
        self._close_wanted.connect(self._shut)

    @property
    def is_done(self) -> bool:
        """Closed, and the device let go: it may be forgotten (on the Qt thread)."""
        return self._is_closed and self._device is None

    def begin(self) -> bool:
        """Open the device (Qt thread). False when it cannot be opened: there is no device behind the sink."""
        self._device = self._sink.start()
        if self._device is None:
            return False
        self._sink.suspend()
        return True

    # ------------------------------------------------------------------ AudioOutput, any thread

    @property
    def sample_rate_hz(self) -> int:
        return SAMPLE_RATE_HZ

    def writable(self) -> int:
        with self._lock:
            return self._ring.room

    def write(self, pcm: NDArray[np.float32]) -> int:
        with self._lock:
            return 0 if self._is_closed else self._ring.write(pcm)

    def start(self) -> None:
        with self._lock:
            self._running = True
            self._looked_us = self._clock.now_us()
        self._run_wanted.emit(True)

    def stop(self) -> None:
        with self._lock:
            self._settle(self._clock.now_us())
            self._running = False
        self._run_wanted.emit(False)

    def flush(self) -> None:
        with self._lock:
            self._ring.clear()
            self._given = self._in_sink = self._heard = 0
            self._flushes_due += 1
        self._fresh_start_wanted.emit()

    def played_samples(self) -> int:
        with self._lock:
            self._settle(self._clock.now_us())
            return self._heard

    def set_volume(self, volume: float) -> None:
        self._volume_wanted.emit(volume)

    def close(self) -> None:
        with self._lock:
            self._settle(self._clock.now_us())
            self._running, self._is_closed = False, True
        self._close_wanted.emit()

    def _settle(self, now_us: int) -> None:
        """Bring `_heard` up to now: at most everything given, at least what the last look proved."""
        proved = self._given - self._in_sink
        carried = (now_us - self._looked_us) * SAMPLE_RATE_HZ // 1_000_000 if self._running else 0
        self._heard = max(self._heard, min(proved + carried, self._given))

    # ------------------------------------------------------------------ Qt thread

    def _run(self, running: bool) -> None:
        if self._is_closed:
            return
        if running:
            if self._device is not None and not self._lost:
                self._sink.resume()
            self._timer.start()
            self.feed()
        else:
            self._timer.stop()
            if self._device is not None and not self._lost:
                self._sink.suspend()

    def feed(self) -> None:
        """Move samples on to the device. The timer calls it."""
        if not self._lost and self._is_gone():
            log.warning("the audio device went away: playing on without sound")
            with self._lock:
                self._settle(self._clock.now_us())
                self._lost = True
                self._given, self._in_sink = self._heard, 0
                self._looked_us = self._clock.now_us()
        if self._lost:
            self._use_up()
        elif self._running:
            self._fill_sink()

    def _is_gone(self) -> bool:
        return self._device is None or self._sink.error().name in _FATAL_ERRORS

    def _fill_sink(self) -> None:
        with self._lock:
            if self._flushes_due:
                return
            samples = self._ring.read(self._sink.bytesFree() // _FRAME_BYTES)
            self._given += len(samples)
            self._in_sink += len(samples)
        if len(samples):
            self._device.write(samples.tobytes())
        with self._lock:
            if not self._flushes_due:
                held_bytes = self._sink.bufferSize() - self._sink.bytesFree()
                self._in_sink = min(self._given, max(0, held_bytes) // _FRAME_BYTES)
                self._looked_us = self._clock.now_us()
                self._settle(self._looked_us)

    def _use_up(self) -> None:
        with self._lock:
            now_us = self._clock.now_us()
            due = (now_us - self._looked_us) * SAMPLE_RATE_HZ // 1_000_000
            self._given += len(self._ring.read(due))
            self._heard = max(self._heard, self._given)
            self._looked_us = now_us

    def _start_afresh(self) -> None:
        """Throw away what the device holds: `reset` is the only way, and it closes the stream, so open it again."""
        with self._lock:
            self._flushes_due -= 1
            if self._flushes_due:
                return  # a later flush is on its way; one fresh start serves both
        if self._device is None or self._lost or self._is_closed:
            return
        self._sink.reset()
        self._device = self._sink.start()
        if self._device is not None and not self._running:
            self._sink.suspend()

    def _set_sink_volume(self, volume: float) -> None:
        self._sink.setVolume(volume)

    def _shut(self) -> None:
        self._timer.stop()
        if self._device is not None:
            self._device = None
            self._sink.reset()  # `stop` alone would wait for what is queued to be heard
            self._sink.stop()


def open_audio_output(clock: Clock | None = None) -> QtAudioOutput | None:
    """The default device, opened; None when there is no device, or no QtMultimedia. Call it on the Qt thread."""
    multimedia = load_multimedia()
    if multimedia is None:
        return None
    device = multimedia.QMediaDevices.defaultAudioOutput()
    if device.isNull():
        return None
    wanted = multimedia.QAudioFormat()
    wanted.setSampleRate(SAMPLE_RATE_HZ)
    wanted.setChannelCount(2)
    wanted.setSampleFormat(multimedia.QAudioFormat.SampleFormat.Float)
    if not device.isFormatSupported(wanted):
        return None
    sink = multimedia.QAudioSink(device, wanted)
    sink.setBufferSize(_SINK_BUFFER_SAMPLES * _FRAME_BYTES)
    output = QtAudioOutput(sink, clock or MonotonicClock())
    if output.begin():
        return output
    return None
