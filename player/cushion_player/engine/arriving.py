"""The segment that is next, while it is played as it comes: how far it can be played, and how far it was handed on."""

from __future__ import annotations

from dataclasses import replace

from cushion_player.buffer import ABSENT, BufferedSegment, TrackBuffer
from cushion_player.effects import DiscardSegment, FeedChunk
from cushion_player.engine.request import Request
from cushion_player.events import Event
from cushion_player.timeline import Track


class Arriving:
    """Keeps the last entry of a track's buffer as long as what has come of its segment in whole chunks.

    Failures leave it there: what was handed on plays, and the next try goes on behind it, or begins again and hands on
    from the start what an output then passes over.
    """

    def __init__(self, buffer: TrackBuffer) -> None:
        self._buffer = buffer
        self._index = -1
        self._request_id = 0
        self._held_bytes = 0
        """From its beginning, what the driver has of it."""
        self._fed_bytes = 0
        self._fed_us = 0
        self._is_whole = False

    def segment(self) -> BufferedSegment | None:
        """As it is buffered, while it is not whole; None when there is none."""
        last = self._buffer.last()
        is_it = last is not None and last.index == self._index and last.request_id == self._request_id
        return last if is_it and not self._is_whole else None

    def is_at(self, index: int) -> bool:
        """Whether it is that segment."""
        known = self.segment()
        return known is not None and known.index == index

    def grow(self, request: Request, n_bytes: int, start_us: int, end_us: int) -> None:
        """Its first `n_bytes` are there and can be played up to `end_us`."""
        known = self.segment()
        if known is None or known.index != request.index:
            self._index, self._is_whole = request.index, False
            self._fed_bytes, self._fed_us = 0, start_us
            self._buffer.append(BufferedSegment(request.index, request.rung, start_us, end_us, 0, request.request_id))
        self._request_id, self._held_bytes = request.request_id, n_bytes
        end_us = end_us if known is None else max(end_us, known.end_us)
        self._buffer.replace(
            BufferedSegment(request.index, request.rung, start_us, end_us, n_bytes, request.request_id)
        )

    def asked_again(self, request_id: int, *, resumes: bool) -> list[Event]:
        """Another request is made for it: for the rest, or for all of it anew."""
        known = self.segment()
        if known is None:
            return []
        self._buffer.replace(replace(known, request_id=request_id))
        self._request_id = request_id
        if resumes:
            return []
        self.begin_anew()
        return [DiscardSegment(known.request_id)]

    def begin_anew(self) -> None:
        """What the driver had of it is gone; what was handed on is not."""
        known = self.segment()
        if known is not None:
            self._buffer.replace(replace(known, size_bytes=0))
            self._held_bytes = self._fed_bytes = 0
            self._fed_us = known.start_us

    def refeed(self) -> None:
        """The output was emptied: hand it on from its start. What the driver has nothing of leaves the buffer."""
        known = self.segment()
        if known is None:
            return
        self._fed_bytes, self._fed_us = 0, known.start_us
        if not self._held_bytes:
            self._buffer.drop_from(known.index)

    def end_here(self, end_us: int) -> None:
        """No more of it will come: what is there stands for all of it, up to `end_us`."""
        known = self.segment()
        assert known is not None, "something has come"
        if known.size_bytes:
            self.end(replace(known, end_us=end_us))
        else:  # what was handed on of it cannot be handed on again
            self.end(BufferedSegment(known.index, ABSENT, known.start_us, end_us, 0, ABSENT))

    def end(self, whole: BufferedSegment) -> None:
        """It is whole."""
        self._buffer.replace(whole)
        self._request_id, self._held_bytes, self._is_whole = whole.request_id, whole.size_bytes, True

    def was_begun(self, segment: BufferedSegment) -> bool:
        """Whether a buffered segment is handed on in chunks: it is on its way, or some of it was handed on so."""
        is_it = segment.index == self._index and segment.request_id == self._request_id
        return is_it and (not self._is_whole or self._fed_bytes > 0)

    def is_fed(self, segment: BufferedSegment) -> bool:
        """Whether all that is there of a segment that is on its way was handed on."""
        return self.was_begun(segment) and self._fed_bytes >= self._held_bytes

    @property
    def is_whole(self) -> bool:
        return self._is_whole

    def feed(self, track: Track, segment: BufferedSegment) -> list[Event]:
        """Hand on what is new of it."""
        if self._fed_bytes >= self._held_bytes:
            return []
        event = FeedChunk(
            segment.request_id,
            track.kind,
            track.key,
            segment.rung,
            segment.index,
            self._fed_bytes,
            self._held_bytes,
            self._fed_us,
            max(segment.end_us, self._fed_us + 1),
        )
        self._fed_bytes, self._fed_us = self._held_bytes, segment.end_us
        return [event]
