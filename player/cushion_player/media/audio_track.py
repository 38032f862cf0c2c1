"""The audio track: a decoder thread that keeps the audio output filled, and tells the media clock what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import av

from cushion_player.media.decode import Frame
from cushion_player.media.decode_thread import DecodeThread, TrackListener
from cushion_player.media.media_clock import MediaClock
from cushion_player.media.pcm import TOLERANCE_S, Aligner, Tempo
from cushion_player.media.stereo import Pcm, StereoConverter
from cushion_player.outputs import AudioOutput, SoundSettings
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.media.levelling import Leveller

_SAMPLE_BYTES: Final = 8
"""Two channels of float32."""
_BATCH_S: Final = 0.1
"""How much sound is converted and written at once."""
_LEAST_POLL_S: Final = 0.02
_POLL_SHARE: Final = 0.4
"""How long to wait for room in a full output, of what it holds: it cannot tell us."""


class AudioTrack(DecodeThread):
    """Decodes, lays the sound end to end from the prepared position on, and writes it."""

    def __init__(self, listener: TrackListener, clock: MediaClock, output: AudioOutput) -> None:
        super().__init__(TrackKind.AUDIO, listener)
        self._clock = clock
        self._output = output
        self._speed = 1.0
        self._settings = SoundSettings()
        self._delay_us = 0
        self._leveller: Leveller | None = None
        self._written = 0
        self._is_waiting = False
        self._chain_of = -1
        self._gathered: list[av.AudioFrame] = []
        self._gathered_s = 0.0
        self._poll_s = _LEAST_POLL_S
        self._converter = StereoConverter(output.sample_rate_hz)
        self._aligner = Aligner(0, output.sample_rate_hz)
        self._tempo = Tempo(1.0, output.sample_rate_hz)
        self._media_us = 0.0

    # ------------------------------------------------------------------ the loop's side

    def set_speed(self, speed: float) -> None:
        """Applies to sound that is not in the output yet."""
        self._speed = speed

    def set_sound(self, settings: SoundSettings) -> None:
        """Delay and loudness; applies to sound that is not in the output yet."""
        self._settings = settings

    def nudge(self) -> None:
        """The output may have room again."""
        with self._changed:
            self._changed.notify_all()

    def is_starved(self) -> bool:
        """Whether everything fed has been heard, and there should be more."""
        with self._changed:
            if self._queue or self._is_busy or self._has_ended:
                return False
            written = self._written
        return self._clock.has_heard(written)

    def queued_bytes(self) -> int:
        with self._changed:
            written = self._written
        return max(0, written - self._output.played_samples()) * _SAMPLE_BYTES

    # ------------------------------------------------------------------ the thread's side

    def _clear(self) -> None:
        self._written = 0
        self._output.flush()
        self._poll_s = max(_LEAST_POLL_S, _POLL_SHARE * self._output.writable() / self._output.sample_rate_hz)

    def _is_full(self) -> bool:
        return self._is_waiting and self._output.writable() == 0

    def _deliver(self, frame: Frame, rung: int, generation: int) -> None:
        """Gather frames, and play them some at a time: handling sound costs by the piece, not by the sample."""
        assert isinstance(frame, av.AudioFrame)
        assert frame.pts is not None
        if generation != self._chain_of:
            self._start_chain(generation)
        if self._gathered and not self._continues(frame):
            self._pass_gathered(generation)
        self._gathered.append(frame)
        self._gathered_s += frame.samples / frame.sample_rate
        if self._gathered_s >= _BATCH_S or not self._is_ready:
            self._pass_gathered(generation)

    def _continues(self, frame: av.AudioFrame) -> bool:
        first = self._gathered[0]
        assert first.pts is not None
        assert frame.pts is not None
        is_alike = (frame.format.name, frame.layout.name) == (first.format.name, first.layout.name)
        is_next = abs(frame.pts - first.pts - self._gathered_s * 1_000_000) <= TOLERANCE_S * 1_000_000
        return is_next and is_alike and frame.sample_rate == first.sample_rate

    def _pass_gathered(self, generation: int) -> None:
        if generation != self._chain_of or not self._gathered:
            return
        time_us = self._gathered[0].pts
        assert time_us is not None
        pcm = self._converter.convert(self._gathered)
        self._gathered, self._gathered_s = [], 0.0
        delay_us, self._delay_us = self._delay_us, self._settings.delay_us
        pcm = self._aligner.align(time_us + self._delay_us, pcm, is_exact=delay_us != self._delay_us)
        self._play(self._levelled(pcm), generation)

    def _levelled(self, pcm: Pcm) -> Pcm:
        target_lufs = self._settings.target_lufs
        if target_lufs is None:
            self._leveller = None
            return pcm
        if self._leveller is None:
            from cushion_player.media.levelling import Leveller

            self._leveller = Leveller(self._output.sample_rate_hz, target_lufs)
        self._leveller.target_lufs = target_lufs
        return self._leveller.process(pcm)

    def _part(self) -> None:
        self._aligner.part()

    def _blank(self, end_us: int, generation: int) -> None:
        """Silence, which keeps the clock going."""
        if generation != self._chain_of:
            self._start_chain(generation)
        self._pass_gathered(generation)
        while True:
            until_us = self._until_us
            silence = self._aligner.silence(end_us if until_us is None else min(end_us, until_us), _BATCH_S)
            if not len(silence):
                return
            self._play(silence, generation)

    def _finish(self, generation: int) -> None:
        if generation != self._chain_of:
            self._start_chain(generation)
        self._pass_gathered(generation)
        self._write(self._tempo.process(self._converter.flush()), generation)
        self._write(self._tempo.flush(), generation)
        with self._changed:
            self._check(generation)
            self._clock.end_audio(self._written)

    def _start_chain(self, generation: int) -> None:
        self._chain_of = generation
        self._gathered, self._gathered_s = [], 0.0
        self._converter = StereoConverter(self._output.sample_rate_hz)
        self._aligner = Aligner(self._position_us, self._output.sample_rate_hz)
        self._tempo = Tempo(1.0, self._output.sample_rate_hz)
        self._media_us = self._position_us

    def _play(self, pcm: Pcm, generation: int) -> None:
        if not len(pcm):
            return
        if self._speed != self._tempo.speed:
            self._write(self._tempo.flush(), generation)
            self._tempo = Tempo(self._speed, self._output.sample_rate_hz)
            with self._changed:
                self._check(generation)
                self._clock.mark_audio(self._written, self._media_us, self._tempo.speed)
        self._media_us += len(pcm) * 1_000_000 / self._output.sample_rate_hz
        self._write(self._tempo.process(pcm), generation)

    def _write(self, pcm: Pcm, generation: int) -> None:
        while len(pcm):
            with self._changed:
                self._check(generation)
                taken = self._output.write(pcm)
                self._written += taken
                pcm = pcm[taken:]
                if not taken:
                    self._is_waiting = True
                    try:
                        self._wait(generation, self._poll_s if self._clock.is_running else None)
                    finally:
                        self._is_waiting = False
            if taken:
                self._become_ready(generation)
