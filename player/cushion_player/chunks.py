"""A segment that is still arriving: how far it can be played already, and for how long the link was busy with it.

A chunk is a movie fragment with its media (see `boxes.chunks`). An encoder that makes chunks as time passes lets the
link rest between them, so only the time within chunks says something about the link. No I/O; time is an argument.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cushion_player.boxes import InitInfo
from cushion_player.boxes.chunks import ChunkScanner
from cushion_player.model import ticks_to_us

SHORT_US: Final = 2_000
"""Reads that lie nearer together were buffered below us; their times say nothing about a link."""
ONE_READ_US: Final = 20_000
"""What came in one read took no longer than a busy loop may be late, which is all that can be said of it."""
LEAST_BYTES: Final = 4_000
"""Less than this in one read may be little more than a packet, which says nothing."""


class Playable(NamedTuple):
    """What can be played of a segment: its first `n_bytes`, up to `end_us` on the timeline."""

    n_bytes: int
    end_us: int


class ChunkedBody:
    """Finds the whole chunks of one track in a body that only grows."""

    def __init__(self, init: InitInfo, start_us: int) -> None:
        """start_us: where the segment begins on the timeline."""
        self._scanner = ChunkScanner(init)
        self._timescale = init.timescale
        self._start_us = start_us
        self._seen_bytes = 0
        self._first: int | None = None
        self._playable: Playable | None = None

    @property
    def is_between(self) -> bool:
        """Whether nothing has come of a further chunk, as far as was looked."""
        return self._scanner.complete_bytes == self._seen_bytes

    def look(self, data: bytes | bytearray) -> Playable | None:
        """What can be played now, when that is more than before. data: the body so far.

        Raises DecodeError where its structure is broken; what was told before stays good.
        """
        self._seen_bytes = len(data)
        chunks = [chunk for chunk in self._scanner.scan(data) if chunk.n_samples]
        if not chunks:
            return None
        if self._first is None:
            self._first = chunks[0].earliest
        latest = max(chunk.latest for chunk in chunks) - self._first
        end_us = self._start_us + max(0, ticks_to_us(latest, self._timescale))
        if self._playable is not None:
            end_us = max(end_us, self._playable.end_us)
        self._playable = Playable(chunks[-1].end, end_us)
        return self._playable


class Busy(NamedTuple):
    """Bytes of one body that came while the link had something to bring, and how long that took.

    other_bytes: what other requests brought meanwhile. busy_us: 0 when nothing can be said.
    """

    busy_us: int = 0
    busy_bytes: int = 0
    other_bytes: int = 0


class BusyMeter:
    """Times the stretches in which one body comes without a rest."""

    def __init__(self) -> None:
        self._timed = Busy()
        self._bound = Busy()
        """Of stretches of one read: the link was at least so fast."""
        self._n_reads = 0
        self._since_us = self._at_us = 0
        self._link_bytes = 0
        self._all_bytes = 0
        self._stretch = Busy()

    def read(self, n_bytes: int, link_bytes: int, *, is_between: bool, now: int) -> None:
        """`n_bytes` were read.

        link_bytes: what all requests have brought up to now, these included. is_between: nothing of a further chunk
        has come, so the link rests until there is one.
        """
        if not self._n_reads:  # nobody knows how long the first bytes took
            self._since_us, self._all_bytes, self._stretch = now, 0, Busy()
        else:
            others = max(0, link_bytes - self._link_bytes - n_bytes)
            self._stretch = Busy(0, self._stretch.busy_bytes + n_bytes, self._stretch.other_bytes + others)
        self._n_reads += 1
        self._all_bytes += n_bytes
        self._link_bytes, self._at_us = link_bytes, now
        if is_between:
            self.rest()

    def rest(self) -> None:
        """Nothing more comes for now."""
        n_reads, self._n_reads = self._n_reads, 0
        stretch_us = self._at_us - self._since_us
        if n_reads > 1 and stretch_us >= SHORT_US:
            self._timed = _sum(self._timed, self._stretch._replace(busy_us=stretch_us))
        elif n_reads and self._all_bytes >= LEAST_BYTES:
            self._bound = _sum(self._bound, Busy(ONE_READ_US, self._all_bytes))

    def figures(self) -> Busy:
        """So far; what could only be bounded counts where nothing could be timed."""
        return self._timed if self._timed.busy_us else self._bound


def _sum(left: Busy, right: Busy) -> Busy:
    return Busy(left.busy_us + right.busy_us, left.busy_bytes + right.busy_bytes, left.other_bytes + right.other_bytes)
