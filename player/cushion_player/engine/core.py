"""The playback engine.

What belongs here: when to request what, when the clock runs, what a failure means. What must not be known here:
sockets, decoders, threads, addresses, bytes of media. Callers pass `now` (integer µs, any origin) to every verb,
obey the effects that `take_events` returns, and call `handle_timer` at `next_timer()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cushion_abr.contract import SAMPLE_ABANDONED, SAMPLE_DOWNLOAD, SAMPLE_SEEK, Progress, Sample, make_ladder
from cushion_abr.reasons import describe
from cushion_abr.registry import BoundRule, bind
from cushion_player.engine.config import EngineConfig, FetchFailure, Limits
from cushion_player.engine.failures import describe_failure, retry_delay_us
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.selection import choose_rung, choose_tracks, describe_situation
from cushion_player.engine.track import Request, Retries, TrackState
from cushion_player.engine.verbs import VerbCall, verb
from cushion_player.events import (
    AbandonSegment,
    Event,
    FetchInit,
    FetchSegment,
    MediaDamaged,
    PlaybackEnded,
    PlaybackFailed,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PrepareOutput,
    RebufferEnded,
    RebufferStarted,
    RepresentationChanged,
    RungSelected,
    SeekEnded,
    SeekStarted,
    SegmentLoaded,
    SegmentRetried,
    StartOutput,
    StopOutput,
)
from cushion_player.timeline import Timeline, TrackKind


class Phase(StrEnum):
    """Where a playback stands. Paused is not a phase: any phase can be paused."""

    IDLE = "idle"
    STARTUP = "startup"
    STEADY = "steady"
    REBUFFERING = "rebuffering"
    SEEKING = "seeking"
    ENDED = "ended"
    FAILED = "failed"


WAITING = (Phase.STARTUP, Phase.REBUFFERING, Phase.SEEKING)


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """How things stand at one moment. Times in µs, sums over the whole playback."""

    phase: Phase
    is_paused: bool
    position_us: int
    duration_us: int
    buffer_us: int
    """Media ahead that every active track has."""
    buffered_to_us: int
    rung: int
    """Of the video (or only) track at the position; -1 before the first segment plays."""
    n_rungs: int
    height_px: int
    bitrate_bps: int
    throughput_bps: float
    """The rule's estimate, 0 when it has none."""
    startup_us: int | None
    rebuffer_count: int
    rebuffer_us: int
    seek_us: int
    frames_dropped: int


class PlaybackEngine:
    """One playback from `start` to its end. Not thread-safe; one owner calls it."""

    def __init__(
        self,
        config: EngineConfig | None = None,
        rule: str = "bba2",
        rule_params: Mapping[str, float] | None = None,
        seed: int = 0,
        on_verb: Callable[[VerbCall], None] | None = None,
    ) -> None:
        """rule: a name known to cushion_abr.registry. on_verb: hears every verb call and what it emitted (the journal)."""
        self.config = config or EngineConfig()
        self._rule_name = rule
        self._rule_params = dict(rule_params or {})
        self._seed = seed
        self._on_verb = on_verb
        self._rule: BoundRule | None = None
        self._now = 0
        self._events: list[Event] = []
        self._verb_from = 0
        self._request_id = 0
        self._timeline: Timeline | None = None
        self._tracks: list[TrackState] = []
        self._limits = Limits()
        self._playhead = Playhead()
        self._phase = Phase.IDLE
        self._wants_play = False
        self._output_ready = False
        self._hold_until_us = 0
        self._phase_since_us = 0
        self._start_us = 0
        self._startup_us: int | None = None
        self._has_played = False
        self._rebuffer_count = 0
        self._rebuffer_us = 0
        self._seek_us = 0
        self._frames_dropped = 0

    # ------------------------------------------------------------------ verbs of the viewer

    @verb
    def start(self, timeline: Timeline, position_us: int, *, now: int) -> None:
        """Begin to load at `position_us`; the clock runs once `play` was asked for and the threshold is reached."""
        assert self._phase is Phase.IDLE, "start is the first verb, once"
        self._timeline = timeline
        self._tracks = [TrackState(track) for track in choose_tracks(timeline)]
        main = self._main_track
        ladder = make_ladder([float(rung.bitrate_bps) for rung in main.track.rungs])
        self._rule = bind(self._rule_name, ladder, seed=self._seed, **self._rule_params)
        self._start_us = now
        self._enter(Phase.STARTUP, now)
        self._reposition(min(max(0, position_us), timeline.duration_us), now)

    @verb
    def play(self, *, now: int) -> None:
        if not self._wants_play:
            self._wants_play = True
            if self._has_played and self._phase is Phase.STEADY:
                self._run_clock(now)
                self._emit(PlaybackResumed(self._playhead.position_us(now)))

    @verb
    def pause(self, *, now: int) -> None:
        if self._wants_play:
            self._wants_play = False
            if self._playhead.is_running:
                self._stop_clock(now)
            if self._has_played:
                self._emit(PlaybackPaused(self._playhead.position_us(now)))

    @verb
    def seek(self, position_us: int, *, now: int) -> None:
        """Go to `position_us` (clamped). What is buffered there is used again without fetching."""
        if self._timeline is None or self._phase in (Phase.IDLE, Phase.FAILED):
            return
        target = min(max(0, position_us), self._timeline.duration_us)
        self._emit(SeekStarted(self._playhead.position_us(now), target))
        self._stop_clock(now)
        if self._phase is Phase.REBUFFERING:
            self._rebuffer_us += now - self._phase_since_us
        if self._phase is not Phase.STARTUP:
            self._enter(Phase.SEEKING, now if self._phase is not Phase.SEEKING else self._phase_since_us)
        self._bound_rule.observe(Sample(SAMPLE_SEEK, 0, 0, 0, 0, now))
        self._reposition(target, now)

    @verb
    def set_rate(self, rate: float, *, now: int) -> None:
        """rate: 0.25 to 4.0."""
        self._playhead.set_rate(min(max(rate, 0.25), 4.0), now)
        if self._playhead.is_running:
            self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    @verb
    def set_limits(self, limits: Limits, *, now: int) -> None:
        """Applies to segments requested from now on."""
        self._limits = limits

    # ------------------------------------------------------------------ verbs of the driver: fetching

    @verb
    def init_received(self, request_id: int, *, now: int) -> None:
        for track in self._tracks:
            rung = track.inits_in_flight.pop(request_id, None)
            if rung is not None:
                track.inits_held.add(rung)
                track.init_attempts = 0
                self._emit(*track.feed())

    @verb
    def segment_progress(self, request_id: int, received_bytes: int, first_byte_us: int, *, now: int) -> None:
        """Bytes so far; drivers call it at most every 100 ms a request."""
        track = self._track_of(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        request.received_bytes = received_bytes
        request.first_byte_us = first_byte_us
        if track is self._main_track and not request.is_second_choice:
            self._consider_abandoning(track, request, now)

    @verb
    def segment_received(self, request_id: int, size_bytes: int, first_byte_us: int, *, now: int) -> None:
        track = self._track_of(request_id)
        if track is None or track.in_flight is None:
            return
        request = track.in_flight
        segment = track.received(request, size_bytes)
        if track is self._main_track:
            self._bound_rule.observe(
                Sample(SAMPLE_DOWNLOAD, request.rung, size_bytes, request.request_us, first_byte_us, now)
            )
        self._emit(
            SegmentLoaded(
                track.kind,
                request.rung,
                request.index,
                size_bytes,
                request.request_us,
                first_byte_us,
                now,
                max(0, segment.end_us - self._playhead.position_us(now)),
            ),
            *track.feed(),
        )

    @verb
    def segment_failed(self, request_id: int, failure: FetchFailure, *, now: int) -> None:
        """Also for initialisation segments."""
        for track in self._tracks:
            if request_id in track.inits_in_flight:
                self._init_failed(track, track.inits_in_flight.pop(request_id), failure, now)
                return
        track_of = self._track_of(request_id)
        if track_of is not None and track_of.in_flight is not None:
            self._media_failed(track_of, track_of.in_flight, failure, now)

    # ------------------------------------------------------------------ verbs of the driver: output

    @verb
    def output_ready(self, *, now: int) -> None:
        self._output_ready = True

    @verb
    def output_starved(self, *, now: int) -> None:
        if self._playhead.is_running:
            self._rebuffer("output", now)
            self._hold_until_us = now + self.config.starved_hold_us

    @verb
    def position_observed(self, position_us: int, *, now: int) -> None:
        """Where the audio clock says we are; re-anchors the position."""
        if self._playhead.is_running:
            self._playhead.move(position_us, now)

    @verb
    def frames_dropped(self, count: int, *, now: int) -> None:
        self._frames_dropped += count

    @verb
    def decode_failed(self, track: TrackKind, message: str, fatal: bool, *, now: int) -> None:
        if fatal:
            self._fail(FetchFailure("decode", message, retryable=False), (), now)
        else:
            self._emit(MediaDamaged(track, self._playhead.position_us(now), message))

    @verb
    def handle_timer(self, *, now: int) -> None:
        """Nothing but time has passed."""

    # ------------------------------------------------------------------ what the driver asks

    def take_events(self) -> list[Event]:
        """Everything said since the last call, in order."""
        events, self._events = self._events, []
        self._verb_from = 0
        return events

    def next_timer(self) -> int | None:
        """When to call `handle_timer`, None when only verbs can change anything. Always later than the last verb."""
        times: list[int] = []
        if self._phase in (Phase.IDLE, Phase.ENDED, Phase.FAILED):
            return None
        for track in self._tracks:
            times += self._request_times(track)
        if self._phase in WAITING and self._hold_until_us > self._now:
            times.append(self._hold_until_us)
        if self._playhead.is_running:
            position = self._playhead.position_us(self._now)
            stops = [self._duration_us]
            for track in self._tracks:
                limit = track.limits_playback_at_us()
                if limit is not None:
                    stops.append(limit)
                covering = track.buffer.covering(position)
                if covering is not None:
                    stops.append(covering.end_us)
            times += [self._playhead.reached_at_us(stop) for stop in stops if stop >= position]
        return max(min(times), self._now + 1) if times else None

    def snapshot(self, now: int) -> EngineSnapshot:
        """How things stand at `now`; changes nothing."""
        now = max(now, self._now)
        position = self._playhead.position_us(now)
        ends = [track.end_us(position) for track in self._tracks if not track.is_complete()]
        buffered_to = min(ends) if ends else self._duration_us
        rung, n_rungs, height, bitrate = -1, 0, 0, 0
        if self._tracks:
            main = self._main_track
            rung, n_rungs = main.playing_rung, len(main.track.rungs)
            if rung >= 0:
                height, bitrate = main.track.rungs[rung].height_px, main.track.rungs[rung].bitrate_bps
        rebuffering_us = now - self._phase_since_us if self._phase is Phase.REBUFFERING else 0
        return EngineSnapshot(
            phase=self._phase,
            is_paused=not self._wants_play,
            position_us=min(position, self._duration_us),
            duration_us=self._duration_us,
            buffer_us=max(0, buffered_to - position),
            buffered_to_us=buffered_to,
            rung=rung,
            n_rungs=n_rungs,
            height_px=height,
            bitrate_bps=bitrate,
            throughput_bps=self._rule.throughput_bps() if self._rule is not None else 0.0,
            startup_us=self._startup_us,
            rebuffer_count=self._rebuffer_count,
            rebuffer_us=self._rebuffer_us + rebuffering_us,
            seek_us=self._seek_us,
            frames_dropped=self._frames_dropped,
        )

    # ------------------------------------------------------------------ around every verb

    def enter_verb(self, now: int) -> int:
        self._now = max(now, self._now)
        self._verb_from = len(self._events)
        return self._now

    def leave_verb(self, name: str, args: tuple[object, ...], now: int) -> None:
        self._advance(now)
        if self._on_verb is not None:
            self._on_verb(VerbCall(name, args, now, tuple(self._events[self._verb_from :])))

    def _advance(self, now: int) -> None:
        """Draw every consequence of the state at `now`."""
        if self._phase in (Phase.IDLE, Phase.ENDED, Phase.FAILED):
            return
        if self._playhead.is_running:
            self._play_on(now)
        if self._phase in WAITING:
            self._maybe_run(now)
        if self._phase is not Phase.FAILED and self._phase is not Phase.ENDED:
            for track in sorted(self._tracks, key=lambda track: track.end_us(self._playhead.position_us(now))):
                self._maybe_request(track, now)

    # ------------------------------------------------------------------ the clock

    def _play_on(self, now: int) -> None:
        position = self._playhead.position_us(now)
        for track in self._tracks:
            self._notice_rung(track, position)
            self._emit(*track.trim(position - self.config.back_buffer_us))
        if position >= self._duration_us:
            self._playhead.move(self._duration_us, now)
            self._stop_clock(now)
            self._enter(Phase.ENDED, now)
            self._emit(PlaybackEnded(self._duration_us))
            return
        if any(limit is not None and position >= limit for limit in self._limits_us()):
            self._rebuffer("buffer", now)

    def _limits_us(self) -> list[int | None]:
        return [track.limits_playback_at_us() for track in self._tracks]

    def _maybe_run(self, now: int) -> None:
        """Leave a waiting phase when enough is there, or fail when it never will be."""
        position = self._playhead.position_us(now)
        for track in self._tracks:
            ahead = track.buffer.ahead_us(position)
            if track.failure is not None and ahead <= 0:
                self._fail(track.failure, tuple(track.retries.log), now)
                return
            if ahead < self._threshold_us and not track.is_final():
                return
        if not (self._output_ready and self._wants_play and now >= self._hold_until_us):
            return
        waited = now - self._phase_since_us
        phase = self._phase
        self._enter(Phase.STEADY, now)
        self._run_clock(now)
        if not self._has_played:
            self._has_played = True
            self._startup_us = now - self._start_us
            self._emit(PlaybackStarted(position, self._startup_us))
        elif phase is Phase.REBUFFERING:
            self._rebuffer_us += waited
            self._emit(RebufferEnded(position, waited))
        else:
            self._seek_us += waited
            self._emit(SeekEnded(position, waited))
        for track in self._tracks:
            self._notice_rung(track, position)

    def _run_clock(self, now: int) -> None:
        self._playhead.start(now)
        self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    def _stop_clock(self, now: int) -> None:
        if self._playhead.is_running:
            self._playhead.stop(now)
            self._emit(StopOutput())

    def _rebuffer(self, cause: str, now: int) -> None:
        self._stop_clock(now)
        self._enter(Phase.REBUFFERING, now)
        self._rebuffer_count += 1
        self._emit(RebufferStarted(self._playhead.position_us(now), cause))

    def _enter(self, phase: Phase, since_us: int) -> None:
        self._phase = phase
        self._phase_since_us = since_us
        self._hold_until_us = 0

    def _notice_rung(self, track: TrackState, position: int) -> None:
        covering = track.buffer.covering(position)
        if covering is not None and covering.rung != track.playing_rung:
            track.playing_rung = covering.rung
            rung = track.track.rungs[covering.rung]
            self._emit(RepresentationChanged(track.kind, position, covering.rung, rung.bitrate_bps, rung.height_px))

    def _reposition(self, position_us: int, now: int) -> None:
        self._playhead.move(position_us, now)
        self._output_ready = False
        self._emit(PrepareOutput(position_us))
        for track in self._tracks:
            before = track.next_index
            self._emit(*track.reposition(position_us))
            request = track.in_flight
            if request is not None and track.next_index != before:
                track.in_flight = None
                self._emit(AbandonSegment(request.request_id, "seek"))
            self._emit(*track.feed())

    # ------------------------------------------------------------------ requests

    @property
    def _main_track(self) -> TrackState:
        """The track whose rungs the rule chooses: video, or audio where there is no video."""
        return self._tracks[0]

    @property
    def _bound_rule(self) -> BoundRule:
        assert self._rule is not None, "start binds the rule"
        return self._rule

    @property
    def _duration_us(self) -> int:
        return self._timeline.duration_us if self._timeline is not None else 0

    @property
    def _threshold_us(self) -> int:
        """Media ahead that lets the clock run; below it requests are never put off."""
        rebuffering = self._phase is Phase.REBUFFERING
        return self.config.rebuffer_threshold_us if rebuffering else self.config.start_threshold_us

    def _track_of(self, request_id: int) -> TrackState | None:
        for track in self._tracks:
            if track.in_flight is not None and track.in_flight.request_id == request_id:
                return track
        return None

    def _earliest_request_us(self, track: TrackState) -> int | None:
        """When this track may request again by the clock alone; None when the clock does not decide it."""
        if track.is_complete() or track.in_flight is not None or track.failure is not None:
            return None
        earliest = max(track.wait_until_us, track.retries.at_us or 0)
        position = self._playhead.position_us(self._now)
        ahead = track.buffer.ahead_us(position)
        start = track.track.start_us
        excess = ahead + start[track.next_index + 1] - start[track.next_index] - self.config.buffer_goal_us
        if ahead < self._threshold_us:
            return earliest
        if excess > 0:
            if not self._playhead.is_running:
                return None
            earliest = max(earliest, self._playhead.reached_at_us(position + excess))
        if sum(each.buffer.size_bytes for each in self._tracks) > self.config.buffer_limit_bytes:
            return None
        return earliest

    def _request_times(self, track: TrackState) -> list[int]:
        earliest = self._earliest_request_us(track)
        return [time for time in (earliest, *track.init_retry_at_us.values()) if time is not None]

    def _maybe_request(self, track: TrackState, now: int) -> None:
        for rung, at_us in list(track.init_retry_at_us.items()):
            if now >= at_us:
                del track.init_retry_at_us[rung]
                self._request_init(track, rung)
        earliest = self._earliest_request_us(track)
        if earliest is None or earliest > now:
            return
        if track is self._main_track:
            rung, wait_us, reason = self._decide(track, now)
            if wait_us > 0 and track.buffer.ahead_us(self._playhead.position_us(now)) >= self._threshold_us:
                track.wait_until_us = now + wait_us
                return
        else:
            rung, reason = choose_rung(track, Limits()), "audio"
        self._request(track, rung, reason, now)

    def _decide(self, track: TrackState, now: int) -> tuple[int, int, str]:
        usable = track.usable_rungs()
        top = choose_rung(track, self._limits)
        if self._limits.pinned_rung is not None:
            return top, 0, "pinned by the viewer"
        rule = self._bound_rule
        index = track.next_index
        sizes = track.sizes_bits[index : index + max(1, rule.lookahead)]
        situation = describe_situation(
            track, self._phase.value, self._playhead, self.config.buffer_goal_us, max_rung=top, now=now
        )
        decision = rule.decide(sizes, situation)
        rung = max((each for each in usable if each <= decision.rung), default=usable[0])
        return rung, decision.wait_us, describe(decision.reason)

    def _request(self, track: TrackState, rung: int, reason: str, now: int, *, is_second_choice: bool = False) -> None:
        if rung not in track.inits_held and rung not in track.inits_in_flight.values():
            if rung not in track.init_retry_at_us:
                self._request_init(track, rung)
        if rung != track.last_rung:
            self._emit(RungSelected(track.kind, track.next_index, track.last_rung, rung, reason))
        index = track.next_index
        start = track.track.start_us
        self._request_id += 1
        track.in_flight = Request(self._request_id, index, rung, now, is_second_choice=is_second_choice)
        track.retries.at_us = None
        self._emit(
            FetchSegment(
                self._request_id, track.kind, rung, index, start[index], start[index + 1] - start[index], reason
            )
        )

    def _request_init(self, track: TrackState, rung: int) -> None:
        self._request_id += 1
        track.inits_in_flight[self._request_id] = rung
        self._emit(FetchInit(self._request_id, track.kind, rung))

    def _consider_abandoning(self, track: TrackState, request: Request, now: int) -> None:
        start = track.track.start_us
        progress = Progress(
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
        better = self._bound_rule.abandon(progress)
        if not 0 <= better < request.rung or better not in track.usable_rungs():
            return
        reason = "too slow for the buffer"
        self._emit(AbandonSegment(request.request_id, reason))
        self._bound_rule.observe(
            Sample(
                SAMPLE_ABANDONED, request.rung, request.received_bytes, request.request_us, request.first_byte_us, now
            )
        )
        track.in_flight = None
        self._request(track, better, reason, now, is_second_choice=True)

    # ------------------------------------------------------------------ failures

    def _media_failed(self, track: TrackState, request: Request, failure: FetchFailure, now: int) -> None:
        """Try again later, try another rung, or give the track up (what is buffered still plays)."""
        track.in_flight = None
        retries = track.retries
        retries.log.append(describe_failure(track, request.index, request.rung, failure))
        if failure.retryable:
            retries.attempts += 1
            if retries.attempts < self.config.max_attempts:
                delay = retry_delay_us(self.config, retries.attempts, failure)
                retries.at_us = now + delay
                self._emit(
                    SegmentRetried(track.kind, request.rung, request.index, retries.attempts, delay, failure.message)
                )
                return
        else:
            retries.dead_rungs.add(request.rung)
            if track.usable_rungs():
                self._emit(SegmentRetried(track.kind, request.rung, request.index, 1, 0, failure.message))
                return
        track.failure = failure

    def _init_failed(self, track: TrackState, rung: int, failure: FetchFailure, now: int) -> None:
        track.retries.log.append(describe_failure(track, -1, rung, failure))
        track.init_attempts += 1
        if failure.retryable and track.init_attempts < self.config.max_attempts:
            track.init_retry_at_us[rung] = now + retry_delay_us(self.config, track.init_attempts, failure)
            return
        track.lost_rungs.add(rung)
        if not track.usable_rungs():
            track.failure = failure
            return
        dropped = track.drop_unfed(rung)
        self._emit(*dropped)
        if track.in_flight is not None and (dropped or track.in_flight.rung == rung):
            self._emit(AbandonSegment(track.in_flight.request_id, "its initialisation segment cannot be had"))
            track.in_flight = None

    def _fail(self, failure: FetchFailure, attempts: tuple[str, ...], now: int) -> None:
        self._stop_clock(now)
        if self._phase is Phase.REBUFFERING:
            self._rebuffer_us += now - self._phase_since_us
        self._enter(Phase.FAILED, now)
        for track in self._tracks:
            if track.in_flight is not None:
                self._emit(AbandonSegment(track.in_flight.request_id, "playback failed"))
                track.in_flight = None
            track.retries = Retries()
        self._emit(PlaybackFailed(self._playhead.position_us(now), failure.code, failure.message, attempts))

    def _emit(self, *events: Event) -> None:
        self._events += events
