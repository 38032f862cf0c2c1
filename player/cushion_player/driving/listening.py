"""Turns what the output says into verbs of the engine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from cushion_player.driving.feeding import Feeding
from cushion_player.engine import PlaybackEngine
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaOutput
from cushion_player.timed import TimedEvent
from cushion_player.timed.listing import event_of_id3
from cushion_player.timeline import TrackKind

log = logging.getLogger(__name__)

MEMORY_STEP_BYTES: Final = 4 * 1024 * 1024
"""Changes of the decoded frames' memory below this are not worth a word."""
_REFUSALS: Final = {DecodeFault.INIT: "decode", DecodeFault.CODEC: "codec", DecodeFault.KEY: "key"}
"""What another rung may cure, and the error codes it goes by."""


class Listener:
    """An OutputListener. `call` runs a verb at the present time."""

    def __init__(
        self,
        engine: PlaybackEngine,
        output: MediaOutput,
        feeding: Feeding,
        call: Callable[[Callable[[int], None]], None],
        list_events: Callable[[Sequence[TimedEvent]], None],
    ) -> None:
        self._engine = engine
        self._output = output
        self._feeding = feeding
        self._call: Callable[[Callable[[int], None]], None] = call
        self._list_events: Callable[[Sequence[TimedEvent]], None] = list_events
        self._told_bytes = 0

    def on_output_ready(self) -> None:
        self._call(lambda now: self._engine.output_ready(now=now))

    def on_output_starved(self) -> None:
        self._call(lambda now: self._engine.output_starved(now=now))

    def on_position(self, position_us: int) -> None:
        self._call(lambda now: self._engine.position_observed(position_us, now=now))
        decoded_bytes = self._output.stats().decoded_bytes
        if abs(decoded_bytes - self._told_bytes) >= MEMORY_STEP_BYTES:
            self._told_bytes = decoded_bytes
            self._call(lambda now: self._engine.output_holds(decoded_bytes, now=now))

    def on_frames_dropped(self, count: int) -> None:
        self._call(lambda now: self._engine.frames_dropped(count, now=now))

    def on_metadata(self, time_us: int, data: bytes) -> None:
        self._list_events((event_of_id3(data, time_us),))

    def on_decode_failed(self, failure: DecodeFailure) -> None:
        track, message = failure.track, failure.message
        if track is TrackKind.AUDIO and failure.code is DecodeFault.INIT and self._feeding.go_on_without_sound():
            log.info("there is no sound: %s", message)
            return
        is_fatal = failure.is_fatal and track is not TrackKind.TEXT
        refused = _REFUSALS.get(failure.code) if track is not TrackKind.TEXT and not is_fatal else None
        if refused is None:
            self._call(lambda now: self._engine.decode_failed(track, message, is_fatal, now=now))
        else:
            key, index, rung = failure.key, failure.index, failure.rung
            self._call(lambda now: self._engine.format_refused(key, index, rung, refused, message, now=now))
