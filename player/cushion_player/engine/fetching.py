"""What to request, when, at which rung; and what a failed request means.

Requests one segment a track at a time. The rule chooses for the main track; this module only keeps its choice
within what can be had.
"""

from __future__ import annotations

from collections.abc import Callable

from cushion_abr.contract import SAMPLE_ABANDONED, SAMPLE_DOWNLOAD, Progress, Sample
from cushion_abr.reasons import describe
from cushion_abr.registry import BoundRule
from cushion_player.engine.config import EngineConfig, FetchFailure, Limits
from cushion_player.engine.failures import describe_failure, retry_delay_us
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.selection import choose_rung, describe_situation
from cushion_player.engine.track import Request, TrackState
from cushion_player.events import (
    AbandonSegment,
    Event,
    FetchInit,
    FetchSegment,
    RungSelected,
    SegmentLoaded,
    SegmentRetried,
)


class Fetching:
    """The requests of one playback. `tracks[0]` is the main track, whose rungs the rule chooses."""

    def __init__(
        self,
        config: EngineConfig,
        rule: BoundRule,
        tracks: list[TrackState],
        playhead: Playhead,
        emit: Callable[..., None],
    ) -> None:
        self.limits = Limits()
        self.rule = rule
        self._config = config
        self._tracks = tracks
        self._playhead = playhead
        self._emit: Callable[..., None] = emit
        self._request_id = 0

    # ------------------------------------------------------------------ when

    def threshold_us(self, phase: Phase) -> int:
        """Media ahead that lets the clock run; below it requests are never put off."""
        if phase is Phase.REBUFFERING:
            return self._config.rebuffer_threshold_us
        return self._config.start_threshold_us

    def next_times(self, phase: Phase, now: int) -> list[int]:
        """When `request_due` could have something to do by the clock alone."""
        times: list[int] = []
        for track in self._tracks:
            earliest = self._earliest_us(track, phase, now)
            times += track.init_retry_at_us.values()
            if earliest is not None:
                times.append(earliest)
        return times

    def request_due(self, phase: Phase, now: int) -> None:
        """Request whatever may be requested now, the track with the least media ahead first."""
        position = self._playhead.position_us(now)
        for track in sorted(self._tracks, key=lambda track: track.end_us(position)):
            for rung, at_us in list(track.init_retry_at_us.items()):
                if now >= at_us:
                    del track.init_retry_at_us[rung]
                    self._request_init(track, rung)
            earliest = self._earliest_us(track, phase, now)
            if earliest is not None and earliest <= now:
                self._request_next(track, phase, now)

    def _earliest_us(self, track: TrackState, phase: Phase, now: int) -> int | None:
        """When this track may request again by the clock alone; None when the clock does not decide it."""
        if track.is_complete() or track.in_flight is not None or track.failure is not None:
            return None
        retry_us = track.retries.at_us or 0
        position = self._playhead.position_us(now)
        ahead = track.buffer.ahead_us(position)
        spare = ahead - self.threshold_us(phase)
        if spare < 0:
            return retry_us
        start = track.track.start_us
        excess = ahead + start[track.next_index + 1] - start[track.next_index] - self._config.buffer_goal_us
        is_full = sum(each.buffer.size_bytes for each in self._tracks) > self._config.buffer_limit_bytes
        if not self._playhead.is_running:
            return None if is_full or excess > 0 else max(track.wait_until_us, retry_us)
        earliest = self._playhead.reached_at_us(position + spare + 1)
        if not is_full:
            earliest = min(earliest, max(track.wait_until_us, self._playhead.reached_at_us(position + max(excess, 0))))
        return max(earliest, retry_us)

    # ------------------------------------------------------------------ what

    def _request_next(self, track: TrackState, phase: Phase, now: int) -> None:
        if track is not self._tracks[0]:
            self._request(track, choose_rung(track, Limits()), "audio", now)
            return
        rung, wait_us, reason = self._decide(track, phase, now)
        if wait_us > 0 and track.buffer.ahead_us(self._playhead.position_us(now)) >= self.threshold_us(phase):
            track.wait_until_us = now + wait_us
            return
        self._request(track, rung, reason, now)

    def _decide(self, track: TrackState, phase: Phase, now: int) -> tuple[int, int, str]:
        """The rung, how long to wait first, and why."""
        top = choose_rung(track, self.limits)
        if self.limits.pinned_rung is not None:
            return top, 0, "pinned by the viewer"
        sizes = track.sizes_bits[track.next_index : track.next_index + max(1, self.rule.lookahead)]
        situation = describe_situation(track, phase, self._playhead, self._config.buffer_goal_us, max_rung=top, now=now)
        decision = self.rule.decide(sizes, situation)
        usable = track.usable_rungs()
        rung = max((each for each in usable if each <= decision.rung), default=usable[0])
        return rung, decision.wait_us, describe(decision.reason)

    def _request(self, track: TrackState, rung: int, reason: str, now: int, *, is_second_choice: bool = False) -> None:
        is_init_known = (
            rung in track.inits_held or rung in track.inits_in_flight.values() or rung in track.init_retry_at_us
        )
        if not is_init_known:
            self._request_init(track, rung)
        index = track.next_index
        if rung != track.last_rung:
            self._emit(RungSelected(track.kind, index, track.last_rung, rung, reason))
        start = track.track.start_us
        self._request_id += 1
        track.in_flight = Request(self._request_id, index, rung, now, is_second_choice=is_second_choice)
        track.retries.at_us = None
        duration_us = start[index + 1] - start[index]
        self._emit(FetchSegment(self._request_id, track.kind, rung, index, start[index], duration_us, reason))

    def _request_init(self, track: TrackState, rung: int) -> None:
        self._request_id += 1
        track.inits_in_flight[self._request_id] = rung
        self._emit(FetchInit(self._request_id, track.kind, rung))

    # ------------------------------------------------------------------ answers

    def init_received(self, request_id: int) -> None:
        for track in self._tracks:
            rung = track.inits_in_flight.pop(request_id, None)
            if rung is not None:
                track.inits_held.add(rung)
                self._emit(*track.feed())

    def progressed(self, request_id: int, received_bytes: int, first_byte_us: int, now: int) -> None:
        """Note the progress, and ask the rule whether to give this download up for a lower rung (once a segment)."""
        track = self._track_of(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        request.received_bytes = received_bytes
        request.first_byte_us = first_byte_us
        if track is self._tracks[0] and not request.is_second_choice and self.limits.pinned_rung is None:
            self._consider_abandoning(track, request, now)

    def _consider_abandoning(self, track: TrackState, request: Request, now: int) -> None:
        start = track.track.start_us
        better = self.rule.abandon(
            Progress(
                rung=request.rung,
                segment_us=start[request.index + 1] - start[request.index],
                total_bytes=track.track.size_bytes(request.index, request.rung),
                received_bytes=request.received_bytes,
                request_us=request.request_us,
                first_byte_us=request.first_byte_us,
                now_us=now,
                buffer_us=track.buffer.ahead_us(self._playhead.position_us(now)),
                sizes_exact=int(track.track.sizes_exact),
            )
        )
        if not 0 <= better < request.rung or better not in track.usable_rungs():
            return
        self._observe(SAMPLE_ABANDONED, request, request.received_bytes, request.first_byte_us, now)
        reason = "download too slow for the buffer"
        self.abandon(track, reason)
        self._request(track, better, reason, now, is_second_choice=True)

    def received(self, request_id: int, size_bytes: int, first_byte_us: int, now: int) -> None:
        track = self._track_of(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        segment = track.received(request, size_bytes)
        if track is self._tracks[0]:
            self._observe(SAMPLE_DOWNLOAD, request, size_bytes, first_byte_us, now)
        buffer_us = max(0, segment.end_us - self._playhead.position_us(now))
        loaded = SegmentLoaded(
            track.kind, request.rung, request.index, size_bytes, request.request_us, first_byte_us, now, buffer_us
        )
        self._emit(loaded, *track.feed())

    def failed(self, request_id: int, failure: FetchFailure, now: int) -> None:
        for track in self._tracks:
            if request_id in track.inits_in_flight:
                self._init_failed(track, track.inits_in_flight.pop(request_id), failure, now)
                return
        track_of = self._track_of(request_id)
        if track_of is not None and track_of.in_flight is not None:
            self._media_failed(track_of, track_of.in_flight, failure, now)

    def abandon(self, track: TrackState, reason: str) -> None:
        """Give up the request of this track, if there is one."""
        if track.in_flight is not None:
            self._emit(AbandonSegment(track.in_flight.request_id, reason))
            track.in_flight = None

    def abandon_all(self, reason: str) -> None:
        """Give up every request there is, initialisation segments too."""
        for track in self._tracks:
            self.abandon(track, reason)
            self._emit(*(AbandonSegment(request_id, reason) for request_id in track.inits_in_flight))
            track.inits_in_flight.clear()

    def _observe(self, kind: int, request: Request, size_bytes: int, first_byte_us: int, now: int) -> None:
        self.rule.observe(Sample(kind, request.rung, size_bytes, request.request_us, first_byte_us, now))

    def _track_of(self, request_id: int) -> TrackState | None:
        for track in self._tracks:
            if track.in_flight is not None and track.in_flight.request_id == request_id:
                return track
        return None

    # ------------------------------------------------------------------ failures

    def _media_failed(self, track: TrackState, request: Request, failure: FetchFailure, now: int) -> None:
        """Try again later, try another rung, or give the track up (what is buffered still plays)."""
        track.in_flight = None
        retries = track.retries
        retries.log.append(describe_failure(track, request.index, request.rung, failure))
        delay_us = 0
        if failure.retryable:
            retries.attempts += 1
            if retries.attempts >= self._config.max_attempts:
                track.failure = failure
                return
            delay_us = retry_delay_us(self._config, retries.attempts, failure)
            retries.at_us = now + delay_us
        else:
            retries.dead_rungs.add(request.rung)
            if not track.usable_rungs():
                track.failure = failure
                return
        self._emit(SegmentRetried(track.kind, request.rung, request.index, len(retries.log), delay_us, failure.message))

    def _init_failed(self, track: TrackState, rung: int, failure: FetchFailure, now: int) -> None:
        """Try again later, or do without this rung: what came of it but was not fed is fetched again at another."""
        track.retries.log.append(describe_failure(track, -1, rung, failure))
        track.init_attempts[rung] += 1
        if failure.retryable and track.init_attempts[rung] < self._config.max_attempts:
            track.init_retry_at_us[rung] = now + retry_delay_us(self._config, track.init_attempts[rung], failure)
            return
        track.lost_rungs.add(rung)
        dropped: list[Event] = track.drop_unfed(rung)
        self._emit(*dropped)
        if track.in_flight is not None and (dropped or track.in_flight.rung == rung):
            self.abandon(track, "its initialisation segment cannot be had")
        if not track.usable_rungs():
            track.failure = failure
