"""A segment that is to be played while it comes: looks for whole chunks after each read, and tells of them.

It holds no opinion: what is done with what can be played is the engine's to say.
"""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.boxes import read_init
from cushion_player.chunks import BusyMeter, ChunkedBody, Playable
from cushion_player.driving.receiving import Body
from cushion_player.errors import MediaError
from cushion_player.timeline import TrackKind

_HANDLERS = {TrackKind.VIDEO: "vide", TrackKind.AUDIO: "soun"}


class Arrival:
    """One body on its way, which `begin` is told of whenever it is another one.

    init: the initialisation segment as far as it is there, b"" before. tell: hears what can be played whenever it
    becomes more, and the meter's figures.
    """

    def __init__(
        self,
        kind: TrackKind,
        start_us: int,
        init: Callable[[], bytes],
        tell: Callable[[Playable, BusyMeter], None],
    ) -> None:
        self.body = Body()
        self.meter = BusyMeter()
        self.has_told = False
        """Whether anything was to be played."""
        self._kind = kind
        self._start_us = start_us
        self._init = init
        self._tell = tell
        self._chunks: ChunkedBody | None = None
        self._read_bytes = 0
        self._is_broken = False

    @property
    def n_bytes(self) -> int:
        """Of the body, what was looked at."""
        return self._read_bytes

    def begin(self, body: Body) -> None:
        """What came before, if anything did, was something else."""
        self.body = body
        self._read_bytes = len(body.data)
        self._chunks = None

    def read(self, link_bytes: int, now: int) -> None:
        """More of the body has come. link_bytes: what all requests have brought so far."""
        n_bytes = len(self.body.data) - self._read_bytes
        self._read_bytes = len(self.body.data)
        playable = self._look()
        if self._chunks is not None:
            self.meter.read(n_bytes, link_bytes, is_between=self._chunks.is_between, now=now)
        self._pass_on(playable)

    def look_again(self) -> None:
        """The body has grown by what was timed already, or the initialisation segment may be there now."""
        self._pass_on(self._look())

    def _look(self) -> Playable | None:
        if self._is_broken:
            return None
        try:
            if self._chunks is None:
                init = self._init()
                if not init:
                    return None
                self._chunks = ChunkedBody(read_init(init, _HANDLERS[self._kind]), self._start_us)
            return self._chunks.look(self.body.data)
        except MediaError:  # whoever takes the whole body says what is wrong with it
            self._is_broken = True
            return None

    def _pass_on(self, playable: Playable | None) -> None:
        if playable is not None:
            self.has_told = True
            self._tell(playable, self.meter)
