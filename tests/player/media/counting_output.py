"""An output that decodes what it is fed at once and counts the frames: whole presentations in no time at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from cushion_player.clock import Clock
from cushion_player.errors import MediaError
from cushion_player.media.decode import TrackDecoder
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment, OutputListener
from cushion_player.timeline import TrackKind


@dataclass
class Stretch:
    """Segments of one format in a row, and how many frames came of them."""

    track: TrackKind
    format: MediaFormat
    segments: list[bytes] = field(default_factory=list)
    frames: int = 0


class CountingOutput(NullDecodeOutput):
    """A NullDecodeOutput with decoders and no threads. Damage is told as a real output tells it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.stretches: list[Stretch] = []
        self.damage: list[str] = []
        self.corrupt = 0
        """Frames that decoders left out as damaged, once it is finished."""
        self._decoders: dict[TrackKind, TrackDecoder] = {}
        self._latest: dict[TrackKind, Stretch] = {}
        self._hears: OutputListener | None = None

    def attach(self, listener: OutputListener) -> None:
        super().attach(listener)
        self._hears = listener

    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        super().prepare(position_us, tracks)
        self.finish()
        self._decoders = {kind: TrackDecoder(kind) for kind in (TrackKind.VIDEO, TrackKind.AUDIO)}
        self._latest = {}

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        if track is TrackKind.TEXT or self._decoders[track].is_set_to(media_format):
            return
        self._drain(track)
        try:
            self._decoders[track].switch(media_format)
        except MediaError as error:
            self._fail(track, DecodeFault.INIT, str(error), media_format.rung)
        self._latest[track] = Stretch(track, media_format)
        self.stretches.append(self._latest[track])

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        if track is not TrackKind.TEXT:
            self._decode(track, segment)
        super().feed(track, segment)

    def end_track(self, track: TrackKind) -> None:
        self._drain(track)
        super().end_track(track)

    def finish(self) -> None:
        """Count what decoders still hold."""
        for track, decoder in self._decoders.items():
            self._drain(track)
            self.corrupt += decoder.corrupt
            decoder.corrupt = 0

    def _decode(self, track: TrackKind, segment: MediaSegment) -> None:
        stretch, decoder = self._latest[track], self._decoders[track]
        try:
            count = sum(1 for _ in decoder.decode(bytes(segment.data), segment.start_us, segment.offset_us or 0))
        except MediaError as error:
            self._fail(track, DecodeFault.DECODE, str(error), stretch.format.rung)
            return
        stretch.frames += count
        stretch.segments.append(bytes(segment.data))
        if decoder.damage:
            self.damage.append(decoder.damage)

    def _drain(self, track: TrackKind) -> None:
        if track in self._latest:
            self._latest[track].frames += sum(1 for _ in self._decoders[track].drain())

    def _fail(self, track: TrackKind, fault: DecodeFault, message: str, rung: int) -> None:
        self.damage.append(message)
        asyncio.get_running_loop().call_soon(self._tell, DecodeFailure(track, fault, message, rung))

    def _tell(self, failure: DecodeFailure) -> None:
        if self._hears is not None and not self._is_closed:
            self._hears.on_decode_failed(failure)
