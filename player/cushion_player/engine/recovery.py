"""What follows a failed request: another source, a later try, a lower rung, or giving up. Decides; requests nothing."""

from __future__ import annotations

from cushion_player.effects import DiscardSegment
from cushion_player.engine.config import FetchFailure
from cushion_player.engine.prerequisites import Need, NeedKind, NeedState
from cushion_player.engine.request import Kept, Request
from cushion_player.engine.retry import FailureClass, Jitter, RetryPolicy, delay_us
from cushion_player.engine.sources import SourceBoard
from cushion_player.engine.track import TrackState
from cushion_player.events import Event
from cushion_player.notices import Attempt, SegmentRetried

SHORT_BUFFER_SEGMENTS = 2
"""With less than so many segments ahead, a time-out also lowers the rung: there is no time for another one."""
OTHER_SOURCE = "another source had it"
LOWER_RUNG = "a lower rung was taken"
LATER_TRY = "a later try succeeded"


class Recovery:
    """Failures of one playback. Changes what is to be tried next on a track, or sets the track's failure."""

    def __init__(self, policy: RetryPolicy, seed: int) -> None:
        self.board = SourceBoard(policy.max_penalty_us)
        self._policy = policy
        self._jitter = Jitter(seed)

    def media_failed(
        self, track: TrackState, request: Request, failure: FetchFailure, position_us: int, now: int
    ) -> list[Event]:
        """The segment in flight failed. What was received of it is kept where the driver keeps it."""
        track.in_flight = None
        retries = track.retries
        stretch = track.track.stretch_of(request.index)
        retries.log.append(
            _attempt(track, f"segment {request.index}", request.index, request.rung, request.source, failure, now)
        )
        retries.last_code = failure.code
        self._punish(stretch.sources, request.source, failure, now)
        has_more = failure.is_transient and failure.kept_bytes > request.resumed_bytes
        events = self._keep(track, request, failure)
        if len(retries.log) >= self._policy.max_attempts:
            track.failure = failure
            return events
        tried = retries.tried.setdefault(request.rung, set())
        tried.add(request.source)
        wait_us = 0
        if self.board.pick(stretch.sources, now, tried) is not None:
            retries.stay_at = request.rung
        else:
            tried.clear()
            if not has_more:
                retries.rounds[request.rung] += 1
                retries.transient_rounds += failure.is_transient
            if not self._go_on(track, request.rung, failure, track.ahead_us(position_us), now):
                track.failure = failure
                return events
            if has_more and track.arriving.segment() is not None:
                wait_us = 0  # the rest is due now
            elif failure.is_transient or request.rung not in retries.dead_rungs:
                wait_us = self._wait_us(failure, max(1, retries.rounds[request.rung], retries.transient_rounds))
                retries.at_us = now + wait_us
        attempts = len(retries.log)
        return [*events, SegmentRetried(track.kind, request.rung, request.index, attempts, wait_us, failure.message)]

    def _go_on(self, track: TrackState, rung: int, failure: FetchFailure, ahead_us: int, now: int) -> bool:
        """Every source has failed: whether the segment is to be tried on, and at which rungs."""
        retries = track.retries
        retries.stay_at = rung if retries.kept is not None else None
        attempts = self._policy.rule(failure.kind).attempts
        if failure.is_transient:
            if ahead_us > 0:
                retries.dry_us = None
            elif retries.dry_us is None:
                retries.dry_us = now
            if retries.transient_rounds >= attempts and self._is_out_of_patience(track, now):
                return False
            is_short = ahead_us < SHORT_BUFFER_SEGMENTS * track.track.segment_us(track.next_index)
            has_lost_time = is_short and failure.kind is FailureClass.TIMEOUT
            is_begun = retries.kept is not None and track.arriving.segment() is not None
            if (has_lost_time and not is_begun) or retries.rounds[rung] > 1:
                _lower_hopes(track, rung, to_lowest=has_lost_time)
            return True
        is_elsewhere = failure.is_whole and len(track.usable_rungs()) > 1
        if retries.rounds[rung] >= attempts or is_elsewhere:
            retries.dead_rungs.add(rung)
        return bool(track.usable_rungs())

    def _is_out_of_patience(self, track: TrackState, now: int) -> bool:
        """Before anything was received nobody waits longer; later, while media is left and a while after."""
        if track.last_rung < 0:
            return True
        dry_us = track.retries.dry_us
        return dry_us is not None and now - dry_us >= self._policy.patience_us

    @property
    def gives_up_slow(self) -> bool:
        return self._policy.gives_up_slow

    def need_failed(
        self, track: TrackState, need: Need, state: NeedState, failure: FetchFailure, ahead_us: int, now: int
    ) -> None:
        """An initialisation segment or a key failed: it is tried again at `retry_at_us`, or lost.

        ahead_us: what can be played without it: as long as there is any, a key that may come yet is asked for.
        """
        state.request_id = None
        index, rung = state.place
        sources = track.track.stretch_of(index).sources if need.kind is NeedKind.INIT else ()
        state.log.append(_attempt(track, str(need.kind), index, rung, state.source, failure, now))
        track.retries.last_code = failure.code
        self._punish(sources, state.source, failure, now)
        state.tried.add(state.source)
        if self.board.pick(sources, now, state.tried) is not None:
            state.retry_at_us = now
            return
        state.tried.clear()
        state.rounds += 1
        may_come = need.kind is NeedKind.KEY and failure.is_transient and ahead_us > 0
        may_come = may_come and len(state.log) < self._policy.max_attempts
        if state.rounds < self._policy.rule(failure.kind).attempts or may_come:
            state.retry_at_us = now + self._wait_us(failure, state.rounds)
            return
        state.lost = failure

    def need_refused(self, track: TrackState, state: NeedState, what: str, failure: FetchFailure, now: int) -> None:
        """What came is of no use to the output: it may come whole another time, or is lost."""
        index, rung = state.place
        state.refused.append(_attempt(track, what, index, rung, state.source, failure, now))
        state.is_held = False
        state.rounds += 1
        if state.rounds < self._policy.rule(failure.kind).attempts:
            state.is_late, state.retry_at_us = True, now + self._wait_us(failure, state.rounds)
        else:
            state.lost = failure

    def has_other_source(self, track: TrackState, request: Request, now: int) -> bool:
        """Whether a source that is not known to fail may have what this one does not."""
        tried = {request.source, *track.retries.tried.get(request.rung, ())}
        other = self.board.pick(track.track.stretch_of(request.index).sources, now, tried)
        return other is not None and not self.board.is_penalised(other, now)

    def how_it_ended(self, track: TrackState, request: Request) -> str:
        """What made a segment arrive that had failed before; "" when it had not."""
        log = track.retries.log
        if not log:
            return ""
        if request.source != log[-1].source:
            return OTHER_SOURCE
        return LOWER_RUNG if request.rung < log[-1].rung else LATER_TRY

    def _punish(self, sources: tuple[str, ...], source: str, failure: FetchFailure, now: int) -> None:
        if len(self.board.of(sources)) > 1:
            penalty_us = max(self._policy.rule(failure.kind).penalty_us, failure.retry_after_us)
            self.board.punish(source, penalty_us, failure.message, now)

    def _wait_us(self, failure: FetchFailure, attempt: int) -> int:
        rule = self._policy.rule(failure.kind)
        return delay_us(self._policy, rule, attempt, failure.retry_after_us, self._jitter.draw())

    def _keep(self, track: TrackState, request: Request, failure: FetchFailure) -> list[Event]:
        """Remember what the driver keeps, or count what it does not as wasted."""
        events = track.drop_kept()
        if failure.is_whole:
            track.retries.is_spoilt = True
            track.wasted_bytes += failure.kept_bytes
            events.append(DiscardSegment(request.request_id))
        elif failure.kept_bytes > 0:
            track.retries.kept = Kept(request.request_id, request.rung, failure.kept_bytes)
        else:
            track.wasted_bytes += request.received_bytes
        return events


def lowest_rung(track: TrackState) -> int:
    """The lowest rung that the next segment can be had at and the viewer's limits allow."""
    usable = track.usable_rungs()
    return next((rung for rung in usable if rung >= track.floor), usable[-1] if usable else 0)


def _lower_hopes(track: TrackState, rung: int, *, to_lowest: bool) -> None:
    """Try below `rung` next, at the lowest where time was lost and little is left.

    Where nothing is below, and it failed twice, anywhere else.
    """
    retries = track.retries
    lowest = lowest_rung(track)
    if len(track.usable_rungs()) < 2:
        return
    if rung > lowest:
        retries.stay_at = None
        retries.ceiling = lowest if to_lowest else rung - 1
    elif retries.rounds[rung] > 1:
        retries.stay_at = None
        retries.dead_rungs.add(rung)
        retries.ceiling = None


def _attempt(
    track: TrackState, what: str, index: int, rung: int, source: str, failure: FetchFailure, now: int
) -> Attempt:
    key = track.track.stretch_of(index).rungs[rung].key
    return Attempt(now, track.kind, what, rung, key, source, failure.code, failure.status, failure.message)
