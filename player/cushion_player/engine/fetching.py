"""What to request, when, at which rung; and what a failed request means.

Requests one segment a track at a time. The rule chooses for the main track; this module only keeps its choice
within what can be had.
"""

from __future__ import annotations

from collections.abc import Callable

from cushion_abr.contract import SAMPLE_ABANDONED, SAMPLE_DOWNLOAD, Progress
from cushion_abr.reasons import describe
from cushion_player.buffer import ABSENT, BufferedSegment
from cushion_player.engine.budget import buffer_goal_us, room_bytes, smallest_bytes
from cushion_player.engine.config import EngineConfig, FetchFailure, Limits
from cushion_player.engine.live import Live
from cushion_player.engine.overdue import Overdue, inits_in_flight
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.prerequisites import Need, NeedKind, NeedState, Place, needs_of
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.rules import RuleBook
from cushion_player.engine.selection import RungRange, allowed_rungs, choose_audio_rung, describe_situation
from cushion_player.engine.sharing import LinkShare
from cushion_player.engine.track import Request, TrackState
from cushion_player.events import (
    AbandonSegment,
    AcquireKey,
    DiscardSegment,
    Event,
    FetchInit,
    FetchSegment,
    RungSelected,
    SegmentLoaded,
    SegmentRetried,
    SourceChanged,
)
from cushion_player.timeline import TrackKind

REPLACEMENT_MARGIN_US = 2_000_000
"""A buffered segment nearer to the position than this is left alone: the output may be decoding it."""


class Fetching:
    """The requests of one playback. `tracks[0]` is the main track, whose rungs the rule chooses."""

    def __init__(
        self,
        config: EngineConfig,
        rules: RuleBook,
        tracks: list[TrackState],
        playhead: Playhead,
        emit: Callable[..., None],
        recovery: Recovery,
    ) -> None:
        self.limits = Limits()
        self.below_bps: int | None = None
        """A bitrate that must not be reached for want of a faster machine."""
        self.decoded_bytes = 0
        self.is_scrubbing = False
        self.rules = rules
        self.live: Live | None = None
        self.must_step_back = False
        """A first segment was asked for before it was there: join further from the edge."""
        self.recovered = ""
        """What made a segment arrive that had failed before; for who clears it."""
        self._recovery = recovery
        self._overdue = Overdue(recovery)
        self._config = config
        self._tracks = tracks
        self._playhead = playhead
        self._emit: Callable[..., None] = emit
        self._request_id = 0
        self._share = LinkShare()

    # ------------------------------------------------------------------ when

    def threshold_us(self, phase: Phase) -> int:
        """Media ahead that lets the clock run; below it requests are never put off."""
        if phase is Phase.REBUFFERING:
            wanted_us = self._config.rebuffer_threshold_us
        else:
            wanted_us = self._config.start_threshold_us
        return wanted_us if self.live is None else self.live.threshold_us(wanted_us)

    def next_times(self, phase: Phase, now: int) -> list[int]:
        """When `request_due` could have something to do by the clock alone."""
        times: list[int] = []
        for track in self._tracks:
            earliest = self._earliest_us(track, phase, now)
            times += [state.retry_at_us or 0 for _, state in track.prerequisites.due()]
            if self._recovery.gives_up_slow:
                times += [self._overdue.need_at_us(track, state, now) for state in inits_in_flight(track.prerequisites)]
                look_at_us = self._overdue.look_at_us(track)
                if look_at_us is not None:
                    times.append(look_at_us)
            if earliest is not None:
                times.append(earliest)
        return times

    def request_due(self, phase: Phase, now: int) -> None:
        """Request whatever may be requested now, the track with the least media ahead first."""
        position = self._playhead.position_us(now)
        for track in self._tracks:
            self._look_at(track, position, now)
        self._make_room(position)
        for track in sorted(self._tracks, key=lambda track: track.end_us(position)):
            for need, state in track.prerequisites.due():
                if state.retry_at_us is not None and now >= state.retry_at_us:
                    self._ask(track, need, state, now)
            earliest = self._earliest_us(track, phase, now)
            if earliest is not None and earliest <= now:
                self._request_next(track, phase, now)

    def _look_at(self, track: TrackState, position_us: int, now: int) -> None:
        """Give up what takes too long, or what the rule would rather have at a lower rung."""
        for state in inits_in_flight(track.prerequisites):
            late = self._overdue.need_verdict(track, state, now)
            if late is not None and state.request_id is not None:
                self._emit(AbandonSegment(state.request_id, late.message))
                self.failed(state.request_id, late, now)
        at_us, request = self._overdue.look_at_us(track), track.in_flight
        if request is None or at_us is None or at_us > now:
            return
        request.looked_us = now
        failure = self._overdue.verdict(track, request, track.ahead_us(position_us), now)
        if failure is not None:
            self._emit(AbandonSegment(request.request_id, failure.message))
            self._media_failed(track, request, failure, now)
        else:
            self._consider_abandoning(track, request, now)

    def _earliest_us(self, track: TrackState, phase: Phase, now: int) -> int | None:
        """When this track may request again by the clock alone; None when the clock does not decide it."""
        earliest = self._wanted_us(track, phase, now)
        if earliest is None or self.live is None:
            return earliest
        return None if self.live.has_left(track, now) else max(earliest, self.live.available_at_us(track))

    def _wanted_us(self, track: TrackState, phase: Phase, now: int) -> int | None:
        """The same, were every segment there."""
        if not track.has_next or track.in_flight is not None or track.failure is not None:
            return None
        retry_us = track.retries.at_us or 0
        position = self._playhead.position_us(now)
        if self.is_scrubbing:
            is_wanted = track is self._tracks[0] and track.buffer.covering(position) is None
            return retry_us if is_wanted else None
        ahead = track.buffer.ahead_us(position)
        spare = ahead - self.threshold_us(phase)
        if self._is_too_far_ahead(track, ahead, position):
            return None  # what the others receive decides it
        if spare < 0:
            return retry_us
        excess = ahead + track.track.segment_us(track.next_index) - self.goal_us()
        is_full = self._room_bytes() < smallest_bytes(track)
        if not self._playhead.is_running:
            return None if is_full or excess > 0 else max(track.wait_until_us, retry_us)
        earliest = self._playhead.reached_at_us(position + spare + 1)
        if not is_full:
            earliest = min(earliest, max(track.wait_until_us, self._playhead.reached_at_us(position + max(excess, 0))))
        return max(earliest, retry_us)

    def goal_us(self) -> int:
        """How much media ahead is wanted, in time, as far as the byte limit allows."""
        return buffer_goal_us(self._config, self._tracks)

    def _room_bytes(self) -> int:
        return room_bytes(self._config, self._tracks, self.decoded_bytes)

    def _make_room(self, position_us: int) -> None:
        """Give up the media behind the position when the next segments do not fit beside it."""
        needed = sum(smallest_bytes(track) for track in self._tracks if track.has_next and track.in_flight is None)
        if self._room_bytes() < needed:
            for track in self._tracks:
                self._emit(*track.trim(position_us))

    def _is_too_far_ahead(self, track: TrackState, ahead_us: int, position_us: int) -> bool:
        """Whether a track must leave the link to one that has less: more than two of its segments lie between them."""
        behind = [
            other.buffer.ahead_us(position_us)
            for other in self._tracks
            if other is not track and other.is_required and other.in_flight is not None
        ]
        lead_us = 2 * track.track.segment_us(track.next_index)
        return bool(behind) and min(behind) < self._config.rebuffer_threshold_us and ahead_us >= min(behind) + lead_us

    # ------------------------------------------------------------------ what

    def _request_next(self, track: TrackState, phase: Phase, now: int) -> None:
        again = track.retries.stay_at
        if again is not None and again in track.usable_rungs():
            self._request(track, again, "the same segment again", now)
            return
        if track is not self._tracks[0]:
            if not track.usable_rungs():
                return
            rung = choose_audio_rung(track, self.rules.throughput_bps()) if track.kind is TrackKind.AUDIO else 0
            self._request(track, rung, str(track.kind), now)
            return
        rung, wait_us, reason = self._decide(track, phase, now)
        poorer = self._replaceable(track, rung, now) if phase is Phase.STEADY else None
        if poorer is not None:
            self._request_replacement(track, poorer, rung, now)
            return
        if wait_us > 0 and track.buffer.ahead_us(self._playhead.position_us(now)) >= self.threshold_us(phase):
            track.wait_until_us = now + wait_us
            return
        self._request(track, rung, reason, now)

    def _decide(self, track: TrackState, phase: Phase, now: int) -> tuple[int, int, str]:
        """The rung, how long to wait first, and why."""
        allowed = self._allowed(track)
        if self.is_scrubbing:
            return allowed.floor, 0, "scrubbing"
        if self.limits.pinned_rung is not None:
            return allowed.top, 0, "pinned by the viewer"
        rule = self.rules.use(track.stretch.rungs)
        sizes = track.sizes_ahead(rule.lookahead)
        goal_us, latency_us = self.goal_us(), 0
        if self.live is not None:
            latency_us = max(0, self.live.latency_us(self._playhead.position_us(now), now))
            goal_us = min(goal_us, max(latency_us, self.live.edge.target_latency_us))  # there can be no more
        situation = describe_situation(
            track, phase, self._playhead, goal_us, max_rung=allowed.top, now=now, live_latency_us=latency_us
        )
        decision = rule.decide(sizes, situation)
        usable = [each for each in track.usable_rungs() if allowed.floor <= each <= allowed.top]
        rung = max((each for each in usable if each <= decision.rung), default=usable[0])
        return rung, decision.wait_us, describe(decision.reason)

    def _allowed(self, track: TrackState) -> RungRange:
        """The rungs within the limits whose next segment fits into what is left of the byte limit."""
        allowed = allowed_rungs(track, self.limits, self.below_bps)
        room = self._room_bytes()
        fitting = [
            rung
            for rung in track.usable_rungs()
            if allowed.floor <= rung <= allowed.top and track.track.size_bytes(track.next_index, rung) <= room
        ]
        return RungRange(allowed.floor, fitting[-1]) if fitting else RungRange(allowed.floor, allowed.floor)

    # ------------------------------------------------------------------ better segments for buffered ones

    def _replaceable(self, track: TrackState, rung: int, now: int) -> BufferedSegment | None:
        """The first buffered segment that is of a lower rung and can be had at `rung` in good time."""
        throughput_bps = self.rules.throughput_bps()
        position = self._playhead.position_us(now)
        if not self._config.replaces_low_rungs or not throughput_bps or self.limits.pinned_rung is not None:
            return None
        if track.buffer.ahead_us(position) < self.goal_us() // 2:
            return None
        room = self._room_bytes()
        for segment in track.buffer:
            if segment.rung == ABSENT or track.track.stretch_of(segment.index).rungs != track.stretch.rungs:
                continue
            size_bytes = track.track.size_bytes(segment.index, rung)
            time_us = int(size_bytes * 8_000_000 / throughput_bps)
            is_in_time = segment.start_us - position > REPLACEMENT_MARGIN_US + 2 * time_us
            if segment.rung < rung and is_in_time and size_bytes <= room:
                return segment
        return None

    def _request_replacement(self, track: TrackState, poorer: BufferedSegment, rung: int, now: int) -> None:
        self._prepare(track, Place(poorer.index, rung), now)
        self._request_id += 1
        source = self._recovery.board.pick(track.track.stretch_of(poorer.index).sources, now) or ""
        request = Request(self._request_id, poorer.index, rung, now, is_replacement=True, source=source, heard_us=now)
        self._fetch(track, request, f"there is time to replace rung {poorer.rung}")

    def _request(self, track: TrackState, rung: int, reason: str, now: int, *, is_second_choice: bool = False) -> None:
        index, retries = track.next_index, track.retries
        self._prepare(track, Place(index, rung), now)
        if rung != track.last_rung:
            self._emit(RungSelected(track.kind, index, track.last_rung, rung, reason))
        kept = retries.kept
        if kept is not None and kept.rung != rung:
            self._emit(*track.drop_kept())
            kept = None
        retries.kept, retries.at_us, retries.stay_at = None, None, None
        is_main = track is self._tracks[0]
        track.floor = allowed_rungs(track, self.limits, self.below_bps).floor if is_main else 0
        self._request_id += 1
        request = Request(self._request_id, index, rung, now, is_second_choice=is_second_choice, heard_us=now)
        request.source = self._source(track, rung, now)
        request.received_bytes = request.resumed_bytes = kept.size_bytes if kept is not None else 0
        self._fetch(track, request, reason, resumes=kept.request_id if kept is not None else 0)

    def _fetch(self, track: TrackState, request: Request, reason: str, *, resumes: int = 0) -> None:
        """Put a request in flight."""
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
            self._emit(SourceChanged(track.kind, track.source, source, board.why_left(track.source, now)))
        track.source = source
        return source

    def _prepare(self, track: TrackState, place: Place, now: int) -> None:
        """Ask for what a segment at a rung needs, as far as it was not asked for yet."""
        for need, state in track.prerequisites.open(track.track.stretch_of(place.index), place):
            self._ask(track, need, state, now)

    def _ask(self, track: TrackState, need: Need, state: NeedState, now: int) -> None:
        self._request_id += 1
        state.request_id = self._request_id
        state.retry_at_us = None
        state.asked_us = now
        index, rung = state.place
        if need.kind is NeedKind.KEY:
            self._emit(AcquireKey(self._request_id, track.kind, track.track.key, rung, index))
            return
        sources = track.track.stretch_of(index).sources
        state.source = self._recovery.board.pick(sources, now, state.tried) or ""
        self._emit(FetchInit(self._request_id, track.kind, track.track.key, rung, index, state.source))

    # ------------------------------------------------------------------ answers

    def prerequisite_received(self, request_id: int, now: int) -> None:
        """An initialisation segment or a key is there."""
        for track in self._tracks:
            found = track.prerequisites.asked(request_id)
            if found is not None:
                state = found[1]
                state.request_id, state.is_held = None, True
                state.log.clear()
                self._recovery.board.forgive(state.source, now)
                self._prepare(track, state.place, now)
                self._emit(*track.feed())

    def progressed(self, request_id: int, received_bytes: int, first_byte_us: int, now: int) -> None:
        """Note the progress, and ask the rule whether to give this download up for a lower rung (once a segment)."""
        track = self._track_of(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        if received_bytes > request.received_bytes:
            request.heard_us = self._overdue.heard_us = now
        self._share.arrived(request, received_bytes, first_byte_us)
        self._consider_abandoning(track, request, now)

    def resume_refused(self, request_id: int) -> None:
        """What an earlier request had brought is not of the same: all is fetched again."""
        track = self._track_of(request_id)
        if track is not None and track.in_flight is not None:
            track.wasted_bytes += track.in_flight.resumed_bytes
            track.in_flight.resumed_bytes = track.in_flight.received_bytes = 0

    def _consider_abandoning(self, track: TrackState, request: Request, now: int) -> None:
        """Let the rule give this download up for a lower rung: once a segment, and never for more than is missing."""
        if track is not self._tracks[0] or request.is_second_choice or request.is_replacement:
            return
        if self.limits.pinned_rung is not None or request.rung == 0 or self.is_scrubbing:
            return
        total_bytes = track.track.size_bytes(request.index, request.rung)
        better = self.rules.use(track.stretch.rungs).abandon(
            Progress(
                rung=request.rung,
                segment_us=track.track.segment_us(request.index),
                total_bytes=total_bytes - request.resumed_bytes,
                received_bytes=request.received_bytes - request.resumed_bytes,
                request_us=request.request_us,
                first_byte_us=request.first_byte_us,
                now_us=now,
                buffer_us=track.buffer.ahead_us(self._playhead.position_us(now)),
                sizes_exact=int(track.track.sizes_exact),
            )
        )
        if not track.floor <= better < request.rung or better not in track.usable_rungs():
            return
        if track.track.size_bytes(request.index, better) >= total_bytes - request.received_bytes:
            return
        self.rules.observe(self._share.sample(SAMPLE_ABANDONED, request, now))
        reason = "download too slow for the buffer"
        self.abandon(track, reason)
        self._request(track, better, reason, now, is_second_choice=True)

    def received(self, request_id: int, size_bytes: int, first_byte_us: int, now: int) -> None:
        track = self._track_of(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        self._share.arrived(request, size_bytes, first_byte_us)
        position = self._playhead.position_us(now)
        self.recovered = self._recovery.how_it_ended(track, request) or self.recovered
        self._recovery.board.forgive(request.source, now)
        self._overdue.heard_us = now
        self._overdue.answered(first_byte_us - request.request_us)
        if request.is_replacement:
            fed = track.replaced(request, size_bytes, position + REPLACEMENT_MARGIN_US)
        else:
            track.received(request, size_bytes)
            fed = track.feed()
        if track is self._tracks[0]:
            self.rules.observe(self._share.sample(SAMPLE_DOWNLOAD, request, now))
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

    def failed(self, request_id: int, failure: FetchFailure, now: int) -> None:
        for track in self._tracks:
            found = track.prerequisites.asked(request_id)
            if found is not None:
                self._prerequisite_failed(track, *found, failure, now)
                return
        track_of = self._track_of(request_id)
        if track_of is not None and track_of.in_flight is not None:
            self._media_failed(track_of, track_of.in_flight, failure, now)

    def abandon(self, track: TrackState, reason: str) -> None:
        """Give up the request of this track, if there is one."""
        if track.in_flight is not None:
            self._emit(AbandonSegment(track.in_flight.request_id, reason))
            track.wasted_bytes += track.in_flight.received_bytes
            track.in_flight = None

    def abandon_all(self, reason: str) -> None:
        """Give up every request there is, initialisation segments and keys too."""
        for track in self._tracks:
            self.abandon(track, reason)
            for state in track.prerequisites.in_flight():
                assert state.request_id is not None
                self._emit(AbandonSegment(state.request_id, reason))
                state.request_id = None

    def _track_of(self, request_id: int) -> TrackState | None:
        for track in self._tracks:
            if track.in_flight is not None and track.in_flight.request_id == request_id:
                return track
        return None

    # ------------------------------------------------------------------ failures

    def _media_failed(self, track: TrackState, request: Request, failure: FetchFailure, now: int) -> None:
        if failure.is_whole and track.retries.is_spoilt:
            self.received(request.request_id, failure.kept_bytes, request.first_byte_us or now, now)
            return
        track.in_flight = None
        if request.is_replacement:
            if failure.kept_bytes:
                self._emit(DiscardSegment(request.request_id))
            track.wasted_bytes += request.received_bytes
            return  # what is buffered is good enough
        position = self._playhead.position_us(now)
        if self.live is not None and self.live.is_early(track, request, failure, now):
            self.must_step_back = track.last_rung < 0
            delay_us = max(0, self.live.available_at_us(track) - now)
            self._emit(SegmentRetried(track.kind, request.rung, request.index, 1, delay_us, failure.message))
            return
        self._emit(*self._recovery.media_failed(track, request, failure, position, now))

    def _prerequisite_failed(
        self, track: TrackState, need: Need, state: NeedState, failure: FetchFailure, now: int
    ) -> None:
        """What came of what needs it and was not fed is fetched in another way, once it is lost."""
        ahead_us = track.ahead_us(self._playhead.position_us(now))
        self._recovery.need_failed(track, need, state, failure, ahead_us, now)
        if state.is_lost:
            self._do_without(track, need, failure)

    def _do_without(self, track: TrackState, need: Need, failure: FetchFailure) -> None:
        dropped: list[Event] = track.drop_unfed(need)
        self._emit(*dropped)
        in_flight = track.in_flight
        if in_flight is not None and (
            dropped or need in needs_of(track.track.stretch_of(in_flight.index), in_flight.rung)
        ):
            what = "initialisation segment" if need.kind is NeedKind.INIT else "key"
            self.abandon(track, f"its {what} cannot be had")
        if not track.usable_rungs():
            track.failure = failure

    def revive(self) -> None:
        """The viewer wants to go on: what was given up may be there again."""
        for track in self._tracks:
            track.revive()
