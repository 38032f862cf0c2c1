"""The state of one track inside the engine: what is buffered, requested, fed, and what went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cushion_player.buffer import BufferedSegment, TrackBuffer
from cushion_player.engine.config import FetchFailure
from cushion_player.events import DiscardSegment, EndTrack, Event, FeedSegment, SwitchInit
from cushion_player.timeline import Track, TrackKind


@dataclass(slots=True)
class Request:
    """A segment in flight."""

    request_id: int
    index: int
    rung: int
    request_us: int
    received_bytes: int = 0
    first_byte_us: int = 0
    is_second_choice: bool = False
    """True when it replaces an abandoned request: a segment is abandoned at most once."""


@dataclass(slots=True)
class Retries:
    """Failures of the segment that is next."""

    attempts: int = 0
    at_us: int | None = None
    dead_rungs: set[int] = field(default_factory=set)
    log: list[str] = field(default_factory=list)


class TrackState:
    """One track's queue. Knows nothing of rules or of the other tracks."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.buffer = TrackBuffer()
        self.next_index = 0
        self.in_flight: Request | None = None
        self.retries = Retries()
        self.failure: FetchFailure | None = None
        self.wait_until_us = 0
        """The rule asked not to request before this time."""
        self.last_rung = -1
        self.playing_rung = -1
        self.playing_index = -1
        self.inits_held: set[int] = set()
        self.inits_in_flight: dict[int, int] = {}
        """request_id -> rung."""
        self.init_retry_at_us: dict[int, int] = {}
        self.init_attempts: Counter[int] = Counter()
        """Failed tries by rung."""
        self.lost_rungs: set[int] = set()
        """Rungs whose initialisation segment cannot be had."""
        self._feed_from = 0
        self._fed_rung = -1
        self._end_fed = False
        self.sizes_bits: NDArray[np.int64] = np.array(
            [
                [track.size_bytes(index, rung) * 8 for rung in range(len(track.rungs))]
                for index in range(track.n_segments)
            ],
            dtype=np.int64,
        )

    @property
    def kind(self) -> TrackKind:
        return self.track.kind

    def is_complete(self) -> bool:
        """Whether nothing is left to request."""
        return self.next_index >= self.track.n_segments and self.in_flight is None

    def is_final(self) -> bool:
        """Whether the buffer will not grow any more: complete, or given up."""
        return self.is_complete() or self.failure is not None

    def end_us(self, position_us: int) -> int:
        """Up to where this track can play from `position_us` with what it has."""
        return position_us + self.buffer.ahead_us(position_us)

    def limits_playback_at_us(self) -> int | None:
        """The position at which playback must stop for want of this track, None when it never will."""
        if self.is_complete():
            return None
        end = self.buffer.end_us()
        return self.track.start_us[self.next_index] if end is None else end

    def usable_rungs(self) -> list[int]:
        return [
            rung
            for rung in range(len(self.track.rungs))
            if rung not in self.lost_rungs and rung not in self.retries.dead_rungs
        ]

    def received(self, request: Request, size_bytes: int) -> BufferedSegment:
        """Move a finished request into the buffer."""
        start = self.track.start_us
        segment = BufferedSegment(
            request.index, request.rung, start[request.index], start[request.index + 1], size_bytes, request.request_id
        )
        self.buffer.append(segment)
        self.in_flight = None
        self.next_index = request.index + 1
        self.last_rung = request.rung
        self.retries = Retries()
        return segment

    def feed(self) -> list[Event]:
        """What can be handed to the output now, in order."""
        events: list[Event] = []
        for segment in self.buffer:
            if segment.index < self._feed_from:
                continue
            if segment.rung not in self.inits_held:
                break
            if segment.rung != self._fed_rung:
                events.append(SwitchInit(self.kind, segment.rung))
                self._fed_rung = segment.rung
            events.append(FeedSegment(segment.request_id, self.kind, segment.rung, segment.index))
            self._feed_from = segment.index + 1
        if self.is_complete() and self._feed_from >= self.track.n_segments and not self._end_fed:
            events.append(EndTrack(self.kind))
            self._end_fed = True
        return events

    def reposition(self, position_us: int) -> list[Event]:
        """Prepare to feed from the segment that covers `position_us`; drops the buffer unless it covers it."""
        target = self.track.segment_at(position_us)
        events: list[Event] = []
        covering = self.buffer.covering(position_us)
        if covering is None:
            events += [DiscardSegment(segment.request_id) for segment in self.buffer.clear()]
            self.next_index = target
            self.retries = Retries()
            self.failure = None
        self._feed_from = target if covering is None else covering.index
        self._fed_rung = -1
        self._end_fed = False
        self.playing_index = -1
        self.wait_until_us = 0
        return events

    def drop_unfed(self, rung: int) -> list[Event]:
        """Drop what was received of `rung` but not yet fed, and all after it, to be requested again."""
        lost = next((each.index for each in self.buffer if each.index >= self._feed_from and each.rung == rung), None)
        if lost is None:
            return []
        self.next_index = lost
        self.retries = Retries(log=self.retries.log)
        return [DiscardSegment(segment.request_id) for segment in self.buffer.drop_from(lost)]

    def trim(self, position_us: int) -> list[Event]:
        """Forget the media that ends before `position_us`."""
        return [DiscardSegment(segment.request_id) for segment in self.buffer.trim_before(position_us)]
