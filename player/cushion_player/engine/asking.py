"""Requests, as they are made and given up: their numbers, their sources, and what a segment needs beside itself."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.buffer import ABSENT, BufferedSegment
from cushion_player.effects import AbandonSegment, AcquireKey, FetchInit, FetchSegment
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.prerequisites import Need, NeedKind, NeedState, Place, newest_place
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.request import Request
from cushion_player.engine.sharing import LinkShare
from cushion_player.engine.track import TrackState
from cushion_player.notices import RungSelected, SourceChanged


class Asking:
    """Puts requests in flight and takes them back. When and what is decided elsewhere."""

    def __init__(self, lineup: Lineup, recovery: Recovery, share: LinkShare, emit: Callable[..., None]) -> None:
        self._lineup = lineup
        self._recovery = recovery
        self._share = share
        self._emit: Callable[..., None] = emit
        self._request_id = 0

    # ------------------------------------------------------------------ segments

    def request(self, track: TrackState, rung: int, reason: str, now: int, *, is_second_choice: bool = False) -> None:
        """Ask for the segment that is next, going on behind what is kept of it."""
        index, retries = track.next_index, track.retries
        self.prepare(track, Place(index, rung), now)
        if rung != track.last_rung:
            self._emit(RungSelected(track.kind, index, track.last_rung, rung, reason))
        kept = retries.kept
        if kept is not None and kept.rung != rung:
            self._emit(*track.drop_kept())
            kept = None
        retries.kept, retries.at_us, retries.stay_at = None, None, None
        self._request_id += 1
        request = Request(self._request_id, index, rung, now, is_second_choice=is_second_choice, heard_us=now)
        request.source = self._source(track, rung, now)
        request.received_bytes = request.resumed_bytes = kept.size_bytes if kept is not None else 0
        self._emit(*track.arriving.asked_again(request.request_id, resumes=kept is not None))
        self._fetch(track, request, reason, resumes=kept.request_id if kept is not None else 0)

    def probe(self, track: TrackState, index: int, now: int) -> None:
        """Ask for a newer segment than the one that is next, at the rung that came last."""
        stretch = track.track.stretch_of(index)
        place = Place(index, min(max(0, track.last_rung), len(stretch.rungs) - 1))
        self.prepare(track, place, now)
        self._request_id += 1
        source = self._recovery.board.pick(stretch.sources, now) or ""
        request = Request(self._request_id, *place, now, is_probe=True, source=source, heard_us=now)
        self._fetch(track, request, "the one before it is late")

    def request_replacement(self, track: TrackState, poorer: BufferedSegment, rung: int, now: int) -> None:
        """Ask for a buffered segment again, at a better rung."""
        self.prepare(track, Place(poorer.index, rung), now)
        self._request_id += 1
        source = self._recovery.board.pick(track.track.stretch_of(poorer.index).sources, now) or ""
        request = Request(self._request_id, poorer.index, rung, now, is_replacement=True, source=source, heard_us=now)
        self._fetch(track, request, f"there is time to replace rung {poorer.rung}")

    def _fetch(self, track: TrackState, request: Request, reason: str, *, resumes: int = 0) -> None:
        track.in_flight = request
        self._share.begin(request)
        self._emit(
            FetchSegment(
                request.request_id,
                track.kind,
                track.track.key,
                request.rung,
                request.index,
                track.track.segment_start_us(request.index),
                track.track.segment_us(request.index),
                reason,
                request.source,
                resumes,
            )
        )

    def _source(self, track: TrackState, rung: int, now: int) -> str:
        """Where to ask for the next segment; says so when it is elsewhere than for the last one."""
        board = self._recovery.board
        source = board.pick(track.stretch.sources, now, track.retries.tried.get(rung, ())) or ""
        if track.source is not None and source != track.source:
            self._emit(SourceChanged(track.kind, track.source, source, board.why_moved(track.source, source, now)))
        track.source = source
        return source

    # ------------------------------------------------------------------ initialisation segments and keys

    def prepare(self, track: TrackState, place: Place, now: int) -> None:
        """Ask for what a segment at a rung needs, as far as it was not asked for yet."""
        for need, state in track.prerequisites.open(track.track.stretch_of(place.index), place):
            self._ask(track, need, state, now)

    def prepare_waiting(self, track: TrackState, now: int) -> None:
        """Ask for what segments need that were requested and not fed: keys wait for initialisation segments."""
        unfed, in_flight = track.unfed(), track.in_flight
        for segment in track.buffer:
            if unfed is not None and segment.index >= unfed.index and segment.rung != ABSENT:
                self.prepare(track, Place(segment.index, segment.rung), now)
        if in_flight is not None:
            self.prepare(track, Place(in_flight.index, in_flight.rung), now)

    def ask_again(self, track: TrackState, now: int) -> None:
        """Ask for what has failed and is due; live, for a newer segment that needs it: the older may have gone."""
        for need, state in track.prerequisites.due():
            if state.retry_at_us is not None and now >= state.retry_at_us:
                if track.may_grow:
                    state.place = newest_place(track.track, need, state.place)
                self._ask(track, need, state, now)

    def _ask(self, track: TrackState, need: Need, state: NeedState, now: int) -> None:
        self._request_id += 1
        state.request_id = self._request_id
        state.retry_at_us = None
        state.asked_us = state.looked_us = now
        index, rung = state.place
        if need.kind is NeedKind.KEY:
            self._emit(AcquireKey(self._request_id, track.kind, track.track.key, rung, index))
            return
        sources = track.track.stretch_of(index).sources
        state.source = self._recovery.board.pick(sources, now, state.tried) or ""
        self._emit(FetchInit(self._request_id, track.kind, track.track.key, rung, index, state.source))

    # ------------------------------------------------------------------ giving up

    def abandon(self, track: TrackState, reason: str) -> None:
        """Give up the segment of this track that is in flight, if one is."""
        self._emit(*track.abandon(reason))

    def abandon_all(self, reason: str) -> None:
        """Give up every request there is, initialisation segments and keys too."""
        for track in self._lineup.tracks:
            self.abandon(track, reason)
            for state in track.prerequisites.in_flight():
                assert state.request_id is not None
                self._emit(AbandonSegment(state.request_id, reason))
                state.request_id = None
