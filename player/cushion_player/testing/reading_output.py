"""An output that reads the boxes of what it is fed and decodes nothing: damage is told without threads or decoders."""

from __future__ import annotations

import asyncio

from cushion_player.boxes import InitInfo, read_init, read_segment
from cushion_player.clock import Clock
from cushion_player.errors import MediaError
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.model import Container
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment, OutputListener
from cushion_player.timeline import TrackKind


class ReadingOutput(NullDecodeOutput):
    """A NullDecodeOutput that tells, as a decoder would, of what it cannot read; of fragmented MP4, not of others.

    fed: presentation time of everything that could be read, by track, in order. keeps_log: False keeps none of it, for
    sessions of hours.
    """

    def __init__(self, clock: Clock, *, keeps_log: bool = True) -> None:
        super().__init__(clock)
        self._keeps_log = keeps_log
        self.fed: dict[TrackKind, list[tuple[int, int]]] = {}
        self._formats: dict[TrackKind, tuple[MediaFormat, InitInfo | None]] = {}
        self._hears: OutputListener | None = None

    def attach(self, listener: OutputListener) -> None:
        super().attach(listener)
        self._hears = listener

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        info: InitInfo | None = None
        if media_format.container is Container.MP4:
            try:
                info = read_init(media_format.init)
            except MediaError as error:
                self._fail(track, DecodeFault.INIT, str(error), media_format)
        self._formats[track] = (media_format, info)

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        media_format, info = self._formats[track]
        if media_format.container is not Container.MP4:
            super().feed(track, segment)
            return
        if info is None:
            return  # told already: left out until the next format
        try:
            read_segment(segment.data, info)
        except MediaError as error:
            self._fail(track, DecodeFault.DECODE, str(error), media_format)
        else:
            if self._keeps_log:
                self.fed.setdefault(track, []).append((segment.start_us, segment.end_us))
        super().feed(track, segment)

    def _fail(self, track: TrackKind, fault: DecodeFault, message: str, shown: MediaFormat) -> None:
        failure = DecodeFailure(track, fault, message, shown.rung, key=shown.key, index=shown.index)
        asyncio.get_running_loop().call_soon(self._tell, failure)

    def _tell(self, failure: DecodeFailure) -> None:
        if self._hears is not None and not self._is_closed:
            self._hears.on_decode_failed(failure)
