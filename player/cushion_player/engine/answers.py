"""What came of the requests: media, initialisation segments, keys, and failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cushion_abr.chunk_timing import chunk_sample
from cushion_abr.contract import SAMPLE_DOWNLOAD, SOURCE_CACHE, SOURCE_LOCAL, SOURCE_NETWORK, Sample
from cushion_player.effects import DiscardSegment
from cushion_player.engine.asking import Asking
from cushion_player.engine.config import FetchFailure
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.overdue import Overdue, is_short
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.prerequisites import Need, NeedKind, NeedState, needs_of
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.request import Kept, Request
from cushion_player.engine.rung_choice import REPLACEMENT_MARGIN_US
from cushion_player.engine.sharing import LinkShare
from cushion_player.engine.timing import Timing
from cushion_player.engine.track import TrackState
from cushion_player.engine.waits import Waits
from cushion_player.events import Event
from cushion_player.notices import RungLost, SegmentLoaded, SegmentRetried

SOURCES: Final[Mapping[str, int]] = {"network": SOURCE_NETWORK, "cache": SOURCE_CACHE, "local": SOURCE_LOCAL}
"""Where bytes come from, as drivers say it, and as rules know it."""

BusyFigures = tuple[int, int, int]
"""How long a link was busy with a request (µs), the bytes of it that came meanwhile, and those of others."""


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
        main_received: Callable[[TrackState, Request, Sample], None],
        emit: Callable[..., None],
    ) -> None:
        """main_received: hears of every download of the main track."""
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
        self._main_received: Callable[[TrackState, Request, Sample], None] = main_received
        self._emit: Callable[..., None] = emit

    # ------------------------------------------------------------------ received

    def progressed(self, request: Request, received_bytes: int, first_byte_us: int, now: int) -> None:
        """More of a segment is there."""
        if received_bytes > request.received_bytes:
            request.heard_us = self._overdue.heard_us = now
        self._share.arrived(request, received_bytes, first_byte_us)

    def chunk_received(self, request_id: int, n_bytes: int, end_us: int, busy: BusyFigures, now: int) -> None:
        """A part of a segment can be played before the whole is there."""
        track = self._lineup.asked(request_id)
        request = track.in_flight if track is not None else None
        if track is None or request is None or request.is_replacement or request.is_probe:
            return
        request.heard_us = self._overdue.heard_us = now
        request.busy_us, request.busy_bytes, request.busy_other_bytes = busy
        self._share.arrived(request, max(n_bytes, request.received_bytes), request.first_byte_us or now)
        self._emit(*track.chunk_received(request, n_bytes, end_us))

    def came_from(self, request_id: int, source: str) -> None:
        """What comes of a request does not come over a network."""
        track = self._lineup.asked(request_id)
        if track is not None and track.in_flight is not None:
            track.in_flight.came_from = SOURCES[source]

    def received(self, request_id: int, size_bytes: int, first_byte_us: int, now: int) -> None:
        """A segment is there."""
        track = self._lineup.asked(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        if not request.arrived_us:
            self._download_ends(track, request, size_bytes, first_byte_us, now)
        position = self._playhead.position_us(now)
        how = self._recovery.how_it_ended(track, request)
        if how:
            self._waits.note_recovery(how)
        self._recovery.board.forgive(request.source, now)
        if request.is_probe:
            track.in_flight = None
            self._emit(*track.skip_to(request.index))
        if request.is_replacement:
            fed = track.replaced(request, size_bytes, position + REPLACEMENT_MARGIN_US)
        else:
            track.received(request, size_bytes)
            fed = track.feed()
        loaded = SegmentLoaded(
            track.kind,
            request.rung,
            request.index,
            size_bytes,
            request.request_us,
            first_byte_us,
            request.arrived_us or now,
            track.buffer.ahead_us(position),
        )
        self._emit(loaded, *fed)

    def arrived(self, request_id: int, size_bytes: int, first_byte_us: int, now: int) -> None:
        """All of a segment is there, and waits for keys that it names itself: the link has done its part."""
        track = self._lineup.asked(request_id)
        if track is not None and track.in_flight is not None and not track.in_flight.arrived_us:
            track.in_flight.arrived_us = now
            self._download_ends(track, track.in_flight, size_bytes, first_byte_us, now)

    def _download_ends(
        self, track: TrackState, request: Request, size_bytes: int, first_byte_us: int, now: int
    ) -> None:
        """Note what this download says of its source and of the link."""
        self._share.arrived(request, size_bytes, first_byte_us)
        self._overdue.heard_us = now
        self._overdue.answered(first_byte_us - request.request_us)
        live = self._timing.live
        if live is not None and live.is_in_the_making(track, request):
            self._note_chunks(track, request, now)
            return
        self._recovery.board.note_use(request.source, size_bytes - request.resumed_bytes, now - request.request_us)
        if track is self._lineup.main and track.is_required:  # key frames are too small to measure a link by
            self._main_received(track, request, self._share.sample(SAMPLE_DOWNLOAD, request, now))

    def _note_chunks(self, track: TrackState, request: Request, now: int) -> None:
        """The same of a segment that was still being made: it came no faster than that, only its chunks were timed."""
        if not request.busy_us:
            return
        self._recovery.board.note_use(request.source, request.busy_bytes, request.busy_us)
        if track is self._lineup.main and track.is_required:
            sample = chunk_sample(request.rung, request.request_us, now, request.busy_bytes, request.busy_us)
            sample = sample._replace(other_bytes=request.busy_other_bytes, source=request.came_from)
            self._main_received(track, request, sample)

    def need_received(self, request_id: int, now: int) -> None:
        """An initialisation segment or a key is there."""
        for track in self._lineup.tracks:
            found = track.prerequisites.asked(request_id)
            if found is not None:
                state = found[1]
                state.request_id, state.is_held, state.is_late = None, True, False
                state.log.clear()
                self._recovery.board.forgive(state.source, now)
                self._asking.prepare_waiting(track, now)
                self._emit(*track.feed())

    def resume_refused(self, request_id: int) -> None:
        """What an earlier request had brought is not of the same: all is fetched again."""
        track = self._lineup.asked(request_id)
        if track is not None and track.in_flight is not None:
            track.wasted_bytes += track.in_flight.resumed_bytes
            track.in_flight.resumed_bytes = track.in_flight.received_bytes = 0
            track.arriving.begin_anew()

    # ------------------------------------------------------------------ failed

    def failed(self, request_id: int, failure: FetchFailure, now: int) -> None:
        """A request has failed, whatever it was for."""
        for track in self._lineup.tracks:
            found = track.prerequisites.asked(request_id)
            if found is not None:
                ahead_us = track.ahead_us(self._playhead.position_us(now))
                self._recovery.need_failed(track, *found, failure, ahead_us, now)
                if found[1].is_lost:
                    self._emit(RungLost(track.kind, found[1].place.rung, failure.message))
                    self._do_without(track, found[0], track.drop_unfed(found[0]), failure)
                elif (found[1].retry_at_us or 0) > now and is_short(track, ahead_us):
                    self.go_round(track, *found)
                return
        asked = self._lineup.asked(request_id)
        if asked is not None and asked.in_flight is not None:
            self._segment_failed(asked, asked.in_flight, failure, now)

    def _segment_failed(self, track: TrackState, request: Request, failure: FetchFailure, now: int) -> None:
        if failure.is_whole and track.retries.is_spoilt:
            self.received(request.request_id, failure.kept_bytes, request.first_byte_us or now, now)
            return
        track.in_flight = None
        if failure.is_whole or not failure.kept_bytes:
            track.arriving.begin_anew()
        if request.is_replacement or request.is_probe:
            if failure.kept_bytes:
                self._emit(DiscardSegment(request.request_id))
            track.wasted_bytes += request.received_bytes
            return  # what is buffered is good enough, and what is late is waited for
        live = self._timing.live
        has_other = track.last_rung >= 0 and self._recovery.has_other_source(track, request, now)
        if live is not None and not has_other and live.is_early(track, request, failure, now):
            self.must_step_back = track.last_rung < 0
            if failure.kept_bytes:
                track.retries.kept = Kept(request.request_id, request.rung, failure.kept_bytes)
                track.retries.stay_at = request.rung
            delay_us = max(0, live.available_at_us(track) - now)
            self._emit(SegmentRetried(track.kind, request.rung, request.index, 1, delay_us, failure.message))
            return
        position = self._playhead.position_us(now)
        self._emit(*self._recovery.media_failed(track, request, failure, position, now))

    def refused(self, key: str, index: int, rung: int, failure: FetchFailure, now: int) -> None:
        """The output cannot use the initialisation segment or key that it was given with segment `index`."""
        track = next((each for each in self._lineup.tracks if each.track.key == key and not each.is_held_back), None)
        if track is None or index < track.track.first_index:
            return
        stretch = track.track.stretch_of(index)
        if rung >= len(stretch.rungs):
            return
        needs = needs_of(stretch, rung)
        need = needs[-1] if failure.code == "key" else needs[0]
        state = track.prerequisites.states.get(need)
        if state is None or not state.is_held:
            return  # told before
        self._recovery.need_refused(track, state, need.kind, failure, now)
        if state.is_lost:
            self._emit(RungLost(track.kind, rung, failure.message))
        self._do_without(track, need, track.take_back(need, self._playhead.position_us(now)), failure)

    def go_round(self, track: TrackState, need: Need, state: NeedState) -> None:
        """An initialisation segment is late, and little is left: play rungs that do without it, where there are any."""
        others = [rung for rung in track.usable_rungs() if need not in needs_of(track.stretch, rung)]
        if need.kind is NeedKind.INIT and others and not state.is_late:
            state.is_late = True
            self._do_without(track, need, track.drop_unfed(need), None)

    def _do_without(self, track: TrackState, need: Need, dropped: list[Event], failure: FetchFailure | None) -> None:
        """A need is lost: what came of what needs it is fetched in another way."""
        self._emit(*dropped)
        in_flight = track.in_flight
        if in_flight is not None and (
            dropped or need in needs_of(track.track.stretch_of(in_flight.index), in_flight.rung)
        ):
            what = "initialisation segment" if need.kind is NeedKind.INIT else "key"
            why = "is late" if failure is None else "cannot be had"
            self._asking.abandon(track, f"its {what} {why}")
        if failure is not None and not track.usable_rungs():
            track.failure = failure
