"""The state of one track inside the engine: what is buffered, requested, fed, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cushion_abr.contract import SOURCE_NETWORK
from cushion_player.buffer import ABSENT, BufferedSegment, TrackBuffer
from cushion_player.effects import AbandonSegment, CutTrack, DiscardSegment
from cushion_player.engine.arriving import Arriving
from cushion_player.engine.config import FetchFailure
from cushion_player.engine.feed import Feed, can_be_fed
from cushion_player.engine.prerequisites import Need, Prerequisites, needs_of
from cushion_player.engine.request import Request, Retries
from cushion_player.engine.sizes import SizesAhead
from cushion_player.events import Event
from cushion_player.notices import Attempt, RepresentationChanged
from cushion_player.timeline import Stretch, Track, TrackKind, TrackRung

KEPT_LOG = 8
"""Failed requests that are remembered of a segment that is late."""


class TrackState:
    """One track's queue. Knows nothing of rules or of the other tracks."""

    def __init__(self, track: Track, *, is_required: bool = True, may_grow: bool = False) -> None:
        """is_required: playback waits for it. may_grow: more segments may be listed later (live)."""
        self.track = track
        self.is_required = is_required
        self.may_grow = may_grow
        self.is_held_back = False
        """Fetched, but not fed: it is to take over from another track."""
        self.buffer = TrackBuffer()
        self.next_index = track.first_index
        self.in_flight: Request | None = None
        self.retries = Retries()
        self.failure: FetchFailure | None = None
        self.unlisted_us: int | None = None
        """The position that is wanted and that the track was not listed up to yet."""
        self.wait_until_us = 0
        """The rule asked not to request before this time."""
        self.last_rung = -1
        """Of the last segment received, in the ladder of its own stretch."""
        self.last_bitrate_bps = 0
        self.last_index_received = -1
        self.last_came_from = SOURCE_NETWORK
        self.playing_index = -1
        self.playing_rung = -1
        self.playing: TrackRung | None = None
        self.source: str | None = None
        """Of the last segment requested."""
        self.floor = 0
        """The lowest rung that the viewer's limits allow, at the last request."""
        self.wasted_bytes = 0
        """Received and dropped without having been of use."""
        self.prerequisites = Prerequisites()
        self.arriving = Arriving(self.buffer)
        self._feed = Feed(track.first_index, self.arriving)
        self._sizes = SizesAhead()
        self._left_out: set[int] = set()
        """Segments that are listed and could not be had."""

    @property
    def kind(self) -> TrackKind:
        return self.track.kind

    @property
    def stretch(self) -> Stretch:
        """The stretch of the segment that is next (of the last one when none is)."""
        return self.track.stretch_of(min(self.next_index, self.track.stop_index - 1))

    @property
    def has_next(self) -> bool:
        """Whether a further segment is listed."""
        return self.next_index < self.track.stop_index

    def is_complete(self) -> bool:
        """Whether nothing is left to request, now or later."""
        return not self.has_next and self.in_flight is None and not self.may_grow

    def is_final(self) -> bool:
        """Whether no more will become playable: complete, or given up."""
        return self.failure is not None or (self.is_complete() and self.unfed() is None)

    def ahead_us(self, position_us: int) -> int:
        """How long playback can go on from `position_us`: received media that waits for a key does not count."""
        unfed = self.unfed()
        return self.buffer.ahead_us(position_us) if unfed is None else max(0, unfed.start_us - position_us)

    def end_us(self, position_us: int) -> int:
        """Up to where this track can play from `position_us` with what it has."""
        return position_us + self.ahead_us(position_us)

    def limits_playback_at_us(self) -> int | None:
        """The position at which playback must stop for want of this track, None when it never will."""
        unfed = self.unfed()
        if unfed is not None:
            return unfed.start_us
        if self.is_complete():
            return None
        end = self.buffer.end_us()
        return self.track.segment_start_us(min(self.next_index, self.track.stop_index)) if end is None else end

    def gap_at(self, position_us: int) -> BufferedSegment | None:
        """The gap that lies at `position_us`, if there is one."""
        covering = self.buffer.covering(position_us)
        if covering is None or covering.rung != ABSENT or covering.index not in self.track.gaps:
            return None
        return covering if position_us < covering.end_us else None

    def usable_rungs(self) -> list[int]:
        """The rungs at which the next segment can be had."""
        stretch, retries = self.stretch, self.retries
        usable = [
            rung
            for rung in range(len(stretch.rungs))
            if rung not in retries.dead_rungs and not self.prerequisites.are_lost(stretch, rung)
        ]
        in_time = [rung for rung in usable if not self.prerequisites.are_late(stretch, rung)]
        usable, ceiling = in_time or usable, retries.ceiling
        return usable if ceiling is None else [rung for rung in usable if rung <= ceiling] or usable

    def needs_are_lost(self) -> bool:
        """Whether no rung of the next segment could be decoded if it were there."""
        stretch = self.stretch
        return all(self.prerequisites.are_lost(stretch, rung) for rung in range(len(stretch.rungs)))

    def sizes_ahead(self, count: int) -> NDArray[np.int64]:
        """(n, n_rungs) int64: sizes in bits of the next segments of this stretch, 1 <= n <= max(1, count)."""
        return self._sizes.of(self.track, self.next_index, count, may_grow=self.may_grow)

    # ------------------------------------------------------------------ changes

    def update(self, track: Track, *, may_grow: bool) -> list[Event]:
        """A newer version of the same track, more at its end, less at its head: what comes of it for the output."""
        events: list[Event] = []
        if self.in_flight is not None and not track.first_index <= self.in_flight.index < track.stop_index:
            events += self.abandon("it is no longer offered")
        self.prerequisites.forget_before(track)
        self._left_out = {index for index in self._left_out if index >= track.first_index}
        self.track = replace(track, gaps=track.gaps | self._left_out) if self._left_out else track
        self.may_grow = may_grow
        self._sizes.forget()
        if may_grow:
            self._feed.go_on()
        if self.unlisted_us is not None:
            if self.unlisted_us < track.end_us():
                events += self.reposition(self.unlisted_us)
            else:
                self.next_index = track.stop_index
        elif self.next_index < track.first_index:  # what was next has left the window
            events += self._go_on_from(track.first_index, self.buffer.clear())
        elif self.next_index > track.stop_index:  # it was foreseen, and has not come
            events += self._go_on_from(track.stop_index, self.buffer.drop_from(track.stop_index))
        elif (part := self.arriving.segment()) is not None and part.index >= track.stop_index:
            events += discarded(self.buffer.drop_from(part.index))
        events += discarded(self.buffer.drop_before(track.first_index))  # nobody knows their times any more
        self.skip_absent()
        return events + self.feed()

    def _go_on_from(self, index: int, dropped: list[BufferedSegment]) -> list[Event]:
        self.next_index = index
        events = self.drop_kept()
        self.retries = Retries()
        return events + discarded(dropped)

    def wait_for_late(self, at_us: int, probe_index: int | None) -> None:
        """The segment that is next may come yet: ask for it again at `at_us`, for a newer one at once."""
        rung = self.retries.log[-1].rung if self.retries.log else 0
        others = set(range(len(self.stretch.rungs))) - {rung}
        self.failure = None
        self.retries = Retries(
            at_us=at_us, probe_index=probe_index, dead_rungs=others, log=self.retries.log[-KEPT_LOG:]
        )

    def skip_to(self, index: int) -> list[Event]:
        """A newer segment has come: what lies before it is lost."""
        events: list[Event] = []
        while self.next_index < index:
            events += self.leave_out()
        return events

    def leave_out(self) -> list[Event]:
        """Make a gap of the segment that is next: it cannot be had. What has come of it plays."""
        if self.arriving.segment() is not None:
            self._take_as_it_is()
            return []
        events = self.drop_kept()
        self._left_out.add(self.next_index)
        self.track = replace(self.track, gaps=self.track.gaps | {self.next_index})
        self.failure, self.retries = None, Retries()
        self.skip_absent()
        return events

    def _take_as_it_is(self) -> None:
        """No more comes of the segment that was on its way: what is there stands for all of it."""
        index = self.next_index
        self.arriving.end_here(self.track.segment_start_us(index + 1))
        self.next_index = index + 1
        self.failure, self.retries = None, Retries()
        self.skip_absent()

    def skip_absent(self) -> None:
        """Pass over segments that are not there, so that the next one can be requested."""
        track, index = self.track, self.next_index
        is_begun = self.in_flight is None and self.has_next and self.arriving.is_at(index)
        if is_begun and not track.is_there(index):
            self._take_as_it_is()
            return
        while self.has_next and self.in_flight is None and not track.is_there(self.next_index):
            index = self.next_index
            start_us = track.segment_start_us(index)
            self.buffer.append(BufferedSegment(index, ABSENT, start_us, track.segment_start_us(index + 1), 0, ABSENT))
            self.next_index = index + 1
            self.retries = Retries()

    def chunk_received(self, request: Request, n_bytes: int, end_us: int) -> list[Event]:
        """The first `n_bytes` of the segment in flight are there, and can be played up to `end_us`."""
        start_us, stop_us = self.track.segment_start_us(request.index), self.track.segment_start_us(request.index + 1)
        self.arriving.grow(request, n_bytes, start_us, min(max(end_us, start_us), stop_us))
        return self.feed()

    def received(self, request: Request, size_bytes: int) -> BufferedSegment:
        """Move a finished request into the buffer."""
        track = self.track
        start_us, end_us = track.segment_start_us(request.index), track.segment_start_us(request.index + 1)
        segment = BufferedSegment(request.index, request.rung, start_us, end_us, size_bytes, request.request_id)
        if self.arriving.segment() is not None:
            self.arriving.end(segment)
        else:
            self.buffer.append(segment)
        self.in_flight = None
        self.next_index = request.index + 1
        self.last_rung = request.rung
        self.last_came_from = request.came_from
        self.last_index_received = request.index
        self.last_bitrate_bps = track.stretch_of(request.index).rungs[request.rung].bitrate_bps
        self.retries = Retries()
        self.skip_absent()
        return segment

    def replaced(self, request: Request, size_bytes: int, not_before_us: int) -> list[Event]:
        """Put a better segment in the place of a buffered one, unless that begins before `not_before_us`."""
        self.in_flight = None
        start_us, end_us = self.track.segment_start_us(request.index), self.track.segment_start_us(request.index + 1)
        better = BufferedSegment(request.index, request.rung, start_us, end_us, size_bytes, request.request_id)
        old = self.buffer.replace(better) if start_us >= not_before_us else None
        if old is None:
            return [DiscardSegment(request.request_id)]
        events: list[Event] = [DiscardSegment(old.request_id)]
        if request.index < self._feed.next_index:
            events += [CutTrack(self.kind, start_us), *self.feed_from(start_us)]
        return events

    def feed(self) -> list[Event]:
        """What can be handed to the output now, in order."""
        if self.is_held_back:
            return []
        return self._feed.advance(self.track, self.buffer, self.prerequisites, is_complete=self.is_complete())

    def feed_from(self, position_us: int) -> list[Event]:
        """Feed again from the segment that covers `position_us`, which is in the buffer."""
        covering = self.buffer.covering(position_us)
        assert covering is not None, "only what is there can be fed"
        self._feed.restart(covering.index)
        return self.feed()

    def can_be_fed(self, segment: BufferedSegment) -> bool:
        """Whether nothing is missing to decode a received segment."""
        return can_be_fed(segment, self.track, self.prerequisites)

    def waits_for(self) -> Need | None:
        """What keeps received media from being fed, if anything does."""
        unfed = self.unfed()
        return None if unfed is None else self.prerequisites.missing(self.track.stretch_of(unfed.index), unfed.rung)

    def unfed(self) -> BufferedSegment | None:
        """The first received segment that could not be fed yet."""
        return self._feed.unfed(self.buffer)

    def reposition(self, position_us: int) -> list[Event]:
        """Prepare to feed from the segment that covers `position_us`; drops the buffer unless it covers it."""
        is_listed = not self.may_grow or position_us <= self.track.end_us()
        self.unlisted_us = None if is_listed else position_us
        target = self.track.segment_at(position_us) if is_listed else self.track.stop_index
        events: list[Event] = []
        covering = self.buffer.covering(position_us)
        part = self.arriving.segment()
        if covering is None and part is not None and part.index == target:  # it will come to the position
            events += discarded(self.buffer.trim_before(part.start_us))
            covering = part
        if covering is None:
            events += discarded(self.buffer.clear())
            self.next_index = target
            events += self.drop_kept()
            self.retries = Retries()
            self.failure = None
        self.arriving.refeed()
        self.revive()
        self._feed.restart(target if covering is None else covering.index)
        self.playing_index = -1
        self.wait_until_us = 0
        return events

    def drop_unfed(self, need: Need) -> list[Event]:
        """Drop what needs what cannot be had and was not yet fed, and all after it, to be requested again."""
        lost = self._first_with(need, self._feed.next_index)
        return [] if lost is None else self._drop_from(lost.index)

    def take_back(self, need: Need, position_us: int) -> list[Event]:
        """The output cannot use what was fed with this: drop that too, and what lies behind, to be requested again."""
        events = self.trim(position_us)
        lost = self._first_with(need, self.track.first_index)
        if lost is None:
            return events
        events += self._drop_from(lost.index)
        if lost.index < self._feed.next_index:
            self._feed.restart(lost.index)
            events.append(CutTrack(self.kind, lost.start_us))
        return events

    def _first_with(self, need: Need, from_index: int) -> BufferedSegment | None:
        """The first buffered segment that needs this."""
        return next(
            (
                each
                for each in self.buffer
                if each.index >= from_index
                and each.rung != ABSENT
                and need in needs_of(self.track.stretch_of(each.index), each.rung)
            ),
            None,
        )

    def _drop_from(self, index: int) -> list[Event]:
        events: list[Event] = self.drop_kept()
        self.next_index = index
        self.retries = Retries(log=self.retries.log)
        dropped = self.buffer.drop_from(index)
        self.wasted_bytes += sum(segment.size_bytes for segment in dropped)
        return events + discarded(dropped)

    def attempts(self) -> tuple[Attempt, ...]:
        """Every request that failed for what is missing now, oldest first."""
        states = self.prerequisites.states.values()
        needs = [attempt for state in states for attempt in (*state.log, *state.refused)]
        return tuple(sorted((*needs, *self.retries.log), key=lambda attempt: attempt.time_us))

    def abandon(self, reason: str) -> list[Event]:
        """Give up the request in flight, if there is one."""
        request, self.in_flight = self.in_flight, None
        if request is None:
            return []
        self.wasted_bytes += request.received_bytes
        return [AbandonSegment(request.request_id, reason)]

    def is_in_trouble(self) -> bool:
        """Whether something that is wanted now has failed and is being tried again."""
        states = self.prerequisites.states.values()
        return bool(self.retries.log) or any(state.log for state in states if not state.is_lost)

    def drop_kept(self) -> list[Event]:
        """Forget what a failed request had brought."""
        kept, self.retries.kept = self.retries.kept, None
        if kept is None:
            return []
        self.wasted_bytes += kept.size_bytes
        return [DiscardSegment(kept.request_id)]

    def revive(self) -> None:
        """Take up again what was given up for a failure that time may have healed."""
        if self.failure is not None and self.failure.is_transient:
            self.failure = None
            self.retries = Retries(kept=self.retries.kept)

    def notice_rung(self, position_us: int) -> list[Event]:
        """The position has come to `position_us`: what is said when another rung plays there."""
        covering = self.buffer.covering(position_us)
        if covering is None or covering.rung == ABSENT or covering.index < self.playing_index:
            return []  # a lower index: the clock was re-anchored a little back
        self.playing_index = covering.index
        self.playing_rung = covering.rung
        rung = self.track.stretch_of(covering.index).rungs[covering.rung]
        if rung == self.playing:
            return []
        self.playing = rung
        return [RepresentationChanged(self.kind, position_us, covering.rung, rung.bitrate_bps, rung.height_px)]

    def trim(self, position_us: int) -> list[Event]:
        """Forget the media that ends before `position_us`."""
        part = self.arriving.segment()
        return discarded(self.buffer.trim_before(position_us if part is None else min(position_us, part.start_us)))


def discarded(segments: Iterable[BufferedSegment]) -> list[Event]:
    """What a driver is told of segments that left a buffer: those that are absent hold nothing."""
    return [DiscardSegment(segment.request_id) for segment in segments if segment.rung != ABSENT]
