"""What came of the requests: media, initialisation segments, keys, and failures."""

from __future__ import annotations

from collections.abc import Callable

from cushion_abr.contract import SAMPLE_DOWNLOAD, Sample
from cushion_player.engine.asking import Asking
from cushion_player.engine.config import FetchFailure
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.overdue import Overdue
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.prerequisites import Need, NeedKind, needs_of
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.request import Request
from cushion_player.engine.rung_choice import REPLACEMENT_MARGIN_US
from cushion_player.engine.sharing import LinkShare
from cushion_player.engine.timing import Timing
from cushion_player.engine.track import TrackState
from cushion_player.engine.waits import Waits
from cushion_player.events import DiscardSegment, SegmentLoaded, SegmentRetried


class Answers:
    """Puts what was received in its place, and what failed before `Recovery`."""

    def __init__(
        self,
        lineup: Lineup,
        playhead: Playhead,
        timing: Timing,
        waits: Waits,
        asking: Asking,
        recovery: Recovery,
        overdue: Overdue,
        share: LinkShare,
        observe: Callable[[Sample], None],
        emit: Callable[..., None],
    ) -> None:
        """observe: hears of every download of the main track."""
        self.must_step_back = False
        """A first segment was asked for before it was there: join further from the edge."""
        self._lineup = lineup
        self._playhead = playhead
        self._timing = timing
        self._waits = waits
        self._asking = asking
        self._recovery = recovery
        self._overdue = overdue
        self._share = share
        self._observe: Callable[[Sample], None] = observe
        self._emit: Callable[..., None] = emit

    # ------------------------------------------------------------------ received

    def progressed(self, request: Request, received_bytes: int, first_byte_us: int, now: int) -> None:
        """More of a segment is there."""
        if received_bytes > request.received_bytes:
            request.heard_us = self._overdue.heard_us = now
        self._share.arrived(request, received_bytes, first_byte_us)

    def received(self, request_id: int, size_bytes: int, first_byte_us: int, now: int) -> None:
        """A segment is there."""
        track = self._lineup.asked(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        self._share.arrived(request, size_bytes, first_byte_us)
        position = self._playhead.position_us(now)
        how = self._recovery.how_it_ended(track, request)
        if how:
            self._waits.note_recovery(how)
        self._recovery.board.forgive(request.source, now)
        self._overdue.heard_us = now
        self._overdue.answered(first_byte_us - request.request_us)
        if request.is_replacement:
            fed = track.replaced(request, size_bytes, position + REPLACEMENT_MARGIN_US)
        else:
            track.received(request, size_bytes)
            fed = track.feed()
        if track is self._lineup.main:
            self._observe(self._share.sample(SAMPLE_DOWNLOAD, request, now))
        loaded = SegmentLoaded(
            track.kind,
            request.rung,
            request.index,
            size_bytes,
            request.request_us,
            first_byte_us,
            now,
            track.buffer.ahead_us(position),
        )
        self._emit(loaded, *fed)

    def need_received(self, request_id: int, now: int) -> None:
        """An initialisation segment or a key is there."""
        for track in self._lineup.tracks:
            found = track.prerequisites.asked(request_id)
            if found is not None:
                state = found[1]
                state.request_id, state.is_held = None, True
                state.log.clear()
                self._recovery.board.forgive(state.source, now)
                self._asking.prepare(track, state.place, now)
                self._emit(*track.feed())

    def resume_refused(self, request_id: int) -> None:
        """What an earlier request had brought is not of the same: all is fetched again."""
        track = self._lineup.asked(request_id)
        if track is not None and track.in_flight is not None:
            track.wasted_bytes += track.in_flight.resumed_bytes
            track.in_flight.resumed_bytes = track.in_flight.received_bytes = 0

    # ------------------------------------------------------------------ failed

    def failed(self, request_id: int, failure: FetchFailure, now: int) -> None:
        """A request has failed, whatever it was for."""
        for track in self._lineup.tracks:
            found = track.prerequisites.asked(request_id)
            if found is not None:
                ahead_us = track.ahead_us(self._playhead.position_us(now))
                self._recovery.need_failed(track, *found, failure, ahead_us, now)
                if found[1].is_lost:
                    self._do_without(track, found[0], failure)
                return
        asked = self._lineup.asked(request_id)
        if asked is not None and asked.in_flight is not None:
            self._segment_failed(asked, asked.in_flight, failure, now)

    def _segment_failed(self, track: TrackState, request: Request, failure: FetchFailure, now: int) -> None:
        if failure.is_whole and track.retries.is_spoilt:
            self.received(request.request_id, failure.kept_bytes, request.first_byte_us or now, now)
            return
        track.in_flight = None
        if request.is_replacement:
            if failure.kept_bytes:
                self._emit(DiscardSegment(request.request_id))
            track.wasted_bytes += request.received_bytes
            return  # what is buffered is good enough
        live = self._timing.live
        if live is not None and live.is_early(track, request, failure, now):
            self.must_step_back = track.last_rung < 0
            delay_us = max(0, live.available_at_us(track) - now)
            self._emit(SegmentRetried(track.kind, request.rung, request.index, 1, delay_us, failure.message))
            return
        position = self._playhead.position_us(now)
        self._emit(*self._recovery.media_failed(track, request, failure, position, now))

    def _do_without(self, track: TrackState, need: Need, failure: FetchFailure) -> None:
        """A need is lost: what came of what needs it and was not fed is fetched in another way."""
        dropped = track.drop_unfed(need)
        self._emit(*dropped)
        in_flight = track.in_flight
        if in_flight is not None and (
            dropped or need in needs_of(track.track.stretch_of(in_flight.index), in_flight.rung)
        ):
            what = "initialisation segment" if need.kind is NeedKind.INIT else "key"
            self._asking.abandon(track, f"its {what} cannot be had")
        if not track.usable_rungs():
            track.failure = failure
