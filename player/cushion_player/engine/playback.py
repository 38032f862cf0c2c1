"""The clock of one playback: it runs while there is media, is held while there is none, and passes over gaps."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.effects import PrepareOutput, StartOutput, StopOutput
from cushion_player.engine.asking import Asking
from cushion_player.engine.caps import DroppedFrameCap
from cushion_player.engine.config import EngineConfig, FetchFailure, Loop
from cushion_player.engine.event_schedule import EventSchedule, Passed
from cushion_player.engine.following import Following
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.stalls import stall_cause
from cushion_player.engine.track import TrackState
from cushion_player.engine.waits import Waits
from cushion_player.notices import (
    Attempt,
    EventBegan,
    EventEnded,
    GapSkipped,
    LoopedBack,
    PlaybackEnded,
    PlaybackFailed,
    RebufferStarted,
    StallCause,
)


class Playback:
    """Moves between the phases, and tells the output when to run."""

    def __init__(
        self,
        config: EngineConfig,
        lineup: Lineup,
        playhead: Playhead,
        waits: Waits,
        schedule: EventSchedule,
        cap: DroppedFrameCap,
        asking: Asking,
        emit: Callable[..., None],
    ) -> None:
        self.duration_us = 0
        self.loop: Loop | None = None
        self.following: Following | None = None
        """While the presentation is live: then it has no end."""
        self.is_output_ready = False
        self._config = config
        self._lineup = lineup
        self._playhead = playhead
        self._waits = waits
        self._schedule = schedule
        self._has_jumped = True
        self._cap = cap
        self._asking = asking
        self._emit: Callable[..., None] = emit

    # ------------------------------------------------------------------ running

    def run_clock(self, now: int) -> None:
        self._playhead.start(now)
        self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    def stop_clock(self, now: int) -> None:
        if self._playhead.is_running:
            self._playhead.stop(now)
            self._emit(StopOutput())

    def set_rate(self, rate: float, now: int) -> None:
        self._playhead.set_rate(rate, now)
        if self._playhead.is_running:
            self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    def play_on(self, now: int) -> None:
        """The clock has run up to now: what was passed, and whether it runs on."""
        position = self._playhead.position_us(now)
        for track in self._lineup.tracks:
            self._notice_rung(track, position)
            self._emit(*track.trim(position - self._config.back_buffer_us))
        self._tell_events(self._schedule.advance(position), now)
        stop_us = self._stop_us
        if self.loop is not None and stop_us is not None and position >= stop_us > self.loop.start_us:
            self._loop_back(self.loop, position, now)
            return
        if self.following is None and position >= self.duration_us:
            self._playhead.move(self.duration_us, now)
            self.stop_clock(now)
            self._waits.enter(Phase.ENDED, now)
            self._emit(PlaybackEnded(self.duration_us))
            return
        if self._skip_gap(position, now):
            return
        for track in self._lineup.required():
            limit = track.limits_playback_at_us()
            if limit is not None and position >= limit:
                self._rebuffer(track, self._cause(track, now), "buffer", now)
                return

    def _loop_back(self, loop: Loop, position: int, now: int) -> None:
        """Begin the loop again; until the picture is there, the wait is a seek's."""
        start_us = min(max(0, loop.start_us), self.duration_us)
        self._emit(LoopedBack(position, start_us))
        self.stop_clock(now)
        self._waits.enter(Phase.SEEKING, now)
        self.reposition(start_us, now)

    def _skip_gap(self, position: int, now: int) -> bool:
        """Jump over what no track can play; the wait until the picture is there again counts as a rebuffer."""
        target, track_in_gap = position, None
        while True:
            gaps = [(track, gap) for track in self._lineup.required() if (gap := track.gap_at(target)) is not None]
            if not gaps:
                break
            track_in_gap = track_in_gap or gaps[0][0]
            target = max(gap.end_us for _, gap in gaps)
        if track_in_gap is None:
            return False
        if self._playhead.is_running:
            self._rebuffer(track_in_gap, StallCause.GAP, "buffer", now)
        else:
            self._waits.note_cause(StallCause.GAP)
        self._emit(GapSkipped(track_in_gap.kind, position, target, StallCause.GAP))
        self.reposition(min(target, self.duration_us), now)
        return True

    # ------------------------------------------------------------------ waiting

    def try_to_run(self, threshold_us: int, now: int) -> None:
        """Leave a waiting phase when enough is there, or fail when it never will be."""
        position = self._playhead.position_us(now)
        if self._skip_gap(position, now):
            return
        required = self._lineup.required()
        for track in required:
            if track.failure is not None and track.ahead_us(position) <= 0:
                self.fail(track.failure, track.attempts(), now)
                return
        waiting = [track for track in required if track.ahead_us(position) < threshold_us and not track.is_final()]
        if waiting:
            if self._waits.is_stalled:
                self._waits.note_cause(self._cause(waiting[0], now))
            return
        if not (self.is_output_ready and self._waits.wants_play and now >= self._waits.hold_until_us):
            return
        if not self._lineup.is_scrubbing:
            self._leave_waiting(position, now)

    def _leave_waiting(self, position: int, now: int) -> None:
        """The clock runs (again)."""
        waited_us = self._waits.waited_us(now)
        self.end_stall("", now)
        self.run_clock(now)
        self._emit(*self._waits.leave(position, waited_us, now))
        for track in self._lineup.tracks:
            self._notice_rung(track, position)
        self._tell_events(self._schedule.jump(position) if self._has_jumped else self._schedule.advance(position), now)
        self._has_jumped = False

    def starve(self, now: int) -> None:
        """The output ran dry: hold the clock a little, whatever is buffered."""
        position = self._playhead.position_us(now)
        track = min(self._lineup.required(), key=lambda track: track.end_us(position))
        self._rebuffer(track, StallCause.DECODER, "output", now)
        self._waits.hold_until_us = now + self._config.starved_hold_us

    def _rebuffer(self, track: TrackState, cause: StallCause, detected: str, now: int) -> None:
        self.stop_clock(now)
        self._waits.begin_stall(cause, now)
        self._emit(RebufferStarted(self._playhead.position_us(now), cause, track.kind, detected))

    def end_stall(self, recovery: str, now: int) -> None:
        """Close the rebuffer that is going on, if one is; "" is what ended it of itself."""
        self._emit(*self._waits.end_stall(self._playhead.position_us(now), recovery, now))

    def _cause(self, track: TrackState, now: int) -> StallCause:
        """Why a track has nothing to play."""
        cause = self.following.cause(track, now) if self.following is not None else None
        return cause or stall_cause(track)

    # ------------------------------------------------------------------ going elsewhere, giving up

    def reposition(self, position_us: int, now: int) -> None:
        """Prepare the output and every track for another position."""
        self._playhead.move(position_us, now)
        self.is_output_ready = False
        self._has_jumped = True
        tracks = self._lineup.active()
        self._emit(PrepareOutput(position_us, frozenset(track.kind for track in tracks)))
        for track in tracks:
            before = track.next_index
            self._emit(*track.reposition(position_us))
            if track.next_index != before or (track.in_flight is not None and track.in_flight.is_replacement):
                self._asking.abandon(track, "seek")
            track.skip_absent()
            self._emit(*track.feed())

    def fail(self, failure: FetchFailure, attempts: tuple[Attempt, ...], now: int) -> None:
        if self._waits.is_over:
            return
        self.stop_clock(now)
        self.end_stall("none: playback failed", now)
        self._waits.enter(Phase.FAILED, now)
        self._asking.abandon_all("playback failed")
        self._emit(PlaybackFailed(self._playhead.position_us(now), failure.code, failure.message, attempts))

    # ------------------------------------------------------------------ what lies on the way

    def next_times(self, now: int) -> list[int]:
        """When the clock alone could bring something, from `now` on."""
        if not self._playhead.is_running:
            return [self._waits.hold_until_us] if self._waits.is_waiting and self._waits.hold_until_us > now else []
        position = self._playhead.position_us(now)
        stop_us = self._stop_us
        stops = [] if stop_us is None else [stop_us]
        event_us = self._schedule.next_us(position)
        if event_us is not None:
            stops.append(event_us)
        for track in self._lineup.required():
            limit = track.limits_playback_at_us()
            if limit is not None:
                stops.append(limit)
            covering = track.buffer.covering(position)
            if covering is not None:
                stops.append(covering.end_us)
        return [self._playhead.reached_at_us(stop) for stop in stops if stop >= position]

    def _tell_events(self, passed: Passed, now: int) -> None:
        position = self._playhead.position_us(now)
        self._emit(*(EventBegan(event_id, position) for event_id in passed.began))
        self._emit(*(EventEnded(event_id, position) for event_id in passed.ended))

    def _notice_rung(self, track: TrackState, position: int) -> None:
        changes = track.notice_rung(position)
        if changes and track is self._lineup.main:
            self._cap.changed_rung()
        self._emit(*changes)

    @property
    def _stop_us(self) -> int | None:
        """Where playback stops, or begins its loop again; None where a live presentation goes on and on."""
        end_us = self.loop.end_us if self.loop is not None else None
        if self.following is not None:
            return end_us
        return self.duration_us if end_us is None else min(end_us, self.duration_us)
