"""An output that decodes nothing: for sessions by the thousand, and for tests of everything but the picture."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cushion_player.clock import Clock
from cushion_player.outputs import MediaFormat, MediaSegment, OutputListener, OutputStats, SoundSettings
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.text.cue import Cue


class NullDecodeOutput:
    """A MediaOutput that is ready as soon as every track was fed or ended. No threads, no timers, no pictures.

    It never corrects the position and never starves: the engine's own arithmetic is the clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listener: OutputListener | None = None
        self._missing: set[TrackKind] = set()
        self._awaits_ready = False
        self._is_closed = False
        self._is_running = False
        self._rate = 1.0
        self._anchor_us = 0
        self._anchor_now_us = 0

    def attach(self, listener: OutputListener) -> None:
        self._listener = listener

    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        self._is_running = False
        self._anchor_us = position_us
        self._missing = set(tracks) - {TrackKind.TEXT}
        self._awaits_ready = True

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        """Nothing is decoded, so nothing is switched."""

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        self._have(track)

    def cut(self, track: TrackKind, from_us: int) -> None:
        """Nothing is kept, so nothing is forgotten."""

    def end_track(self, track: TrackKind) -> None:
        self._have(track)

    def start(self, position_us: int, rate: float) -> None:
        self._anchor_us, self._anchor_now_us, self._rate = position_us, self._clock.now_us(), rate
        self._is_running = True

    def stop(self) -> None:
        self._anchor_us = self._position_us()
        self._is_running = False

    def set_volume(self, volume: float) -> None:
        """There is no sound."""

    def set_sound(self, settings: SoundSettings) -> None:
        """There is no sound."""

    def step(self, frames: int) -> int | None:
        """There are no pictures."""
        return None

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        """Nothing is shown."""

    def select_captions(self, service: str | None) -> None:
        """Nothing is shown."""

    def stats(self) -> OutputStats:
        return OutputStats(position_us=self._position_us())

    async def close(self) -> None:
        self.stop()
        self._is_closed = True

    def _position_us(self) -> int:
        if not self._is_running:
            return self._anchor_us
        return self._anchor_us + int((self._clock.now_us() - self._anchor_now_us) * self._rate)

    def _have(self, track: TrackKind) -> None:
        self._missing.discard(track)
        if self._awaits_ready and not self._missing:
            self._awaits_ready = False
            asyncio.get_running_loop().call_soon(self._tell_ready)

    def _tell_ready(self) -> None:
        if self._listener is not None and not self._is_closed and not self._missing:
            self._listener.on_output_ready()
