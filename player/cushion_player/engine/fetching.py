"""The requests of one playback: at each moment, what is given up and what is asked for next.

One segment a track at a time. `Timing` says when, `RungChoice` at which rung, `Asking` puts requests in flight, and
`Answers` takes what comes of them.
"""

from __future__ import annotations

from collections.abc import Callable

from cushion_abr.contract import SAMPLE_ABANDONED
from cushion_player.effects import AbandonSegment
from cushion_player.engine.answers import Answers
from cushion_player.engine.asking import Asking
from cushion_player.engine.budget import Budget
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.overdue import Overdue, inits_in_flight
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.request import Request
from cushion_player.engine.rung_choice import RungChoice
from cushion_player.engine.selection import choose_audio_rung
from cushion_player.engine.sharing import LinkShare
from cushion_player.engine.timing import Timing
from cushion_player.engine.track import TrackState
from cushion_player.engine.waits import Waits
from cushion_player.timeline import TrackKind


class Fetching:
    """Looks at all tracks and requests what is due."""

    def __init__(
        self,
        lineup: Lineup,
        playhead: Playhead,
        waits: Waits,
        budget: Budget,
        timing: Timing,
        choice: RungChoice,
        asking: Asking,
        recovery: Recovery,
        share: LinkShare,
        emit: Callable[..., None],
    ) -> None:
        self._lineup = lineup
        self._playhead = playhead
        self._budget = budget
        self._timing = timing
        self._choice = choice
        self._asking = asking
        self._recovery = recovery
        self._share = share
        self._overdue = Overdue(recovery)
        self._emit: Callable[..., None] = emit
        self.answers = Answers(
            lineup, playhead, timing, waits, asking, recovery, self._overdue, share, choice.received, emit
        )

    # ------------------------------------------------------------------ when

    def next_times(self, phase: Phase, now: int) -> list[int]:
        """When `request_due` could have something to do by the clock alone."""
        times: list[int] = []
        for track in self._lineup.tracks:
            times += [state.retry_at_us or 0 for _, state in track.prerequisites.due()]
            if self._recovery.gives_up_slow:
                for _, state in inits_in_flight(track.prerequisites):
                    times.append(self._overdue.need_at_us(track, state, now))
                    if not state.is_late:
                        times.append(self._overdue.late_at_us(state))
                look_at_us = self._overdue.look_at_us(track)
                if look_at_us is not None:
                    times.append(look_at_us)
            earliest = self._timing.earliest_us(track, phase, now)
            if earliest is not None:
                times.append(earliest)
        return times

    def request_due(self, phase: Phase, now: int) -> None:
        """Request whatever may be requested now, the track with the least media ahead first."""
        position = self._playhead.position_us(now)
        for track in self._lineup.tracks:
            self._look_at(track, position, now)
        self._emit(*self._budget.make_room(position))
        for track in sorted(self._lineup.tracks, key=lambda track: track.end_us(position)):
            self._asking.ask_again(track, now)
            earliest = self._timing.earliest_us(track, phase, now)
            if earliest is not None and earliest <= now:
                self._request_next(track, phase, now)

    # ------------------------------------------------------------------ what

    def _request_next(self, track: TrackState, phase: Phase, now: int) -> None:
        newer, track.retries.probe_index = track.retries.probe_index, None
        if newer is not None:
            self._asking.probe(track, newer, now)
            return
        again = track.retries.stay_at
        if again is not None and again in track.usable_rungs():
            self._request(track, again, "the same segment again", now)
            return
        if not track.usable_rungs():
            track.failure = track.prerequisites.why_lost(track.stretch) or track.failure
            return
        if track is not self._lineup.main:
            throughput_bps = self._choice.rules.throughput_bps()
            rung = choose_audio_rung(track, throughput_bps) if track.kind is TrackKind.AUDIO else 0
            self._request(track, rung, str(track.kind), now)
            return
        rung, wait_us, reason = self._choice.decide(track, phase, now)
        poorer = self._choice.replaceable(track, rung, now) if phase is Phase.STEADY else None
        if poorer is not None:
            self._asking.request_replacement(track, poorer, rung, now)
            return
        ahead_us = track.buffer.ahead_us(self._playhead.position_us(now))
        if wait_us > 0 and ahead_us >= self._timing.threshold_us(phase):
            track.wait_until_us = now + wait_us
            return
        self._request(track, rung, reason, now)

    def _request(self, track: TrackState, rung: int, reason: str, now: int, *, is_second_choice: bool = False) -> None:
        track.floor = self._choice.floor(track) if track is self._lineup.main else 0
        self._asking.request(track, rung, reason, now, is_second_choice=is_second_choice)

    # ------------------------------------------------------------------ giving up

    def progressed(self, request_id: int, received_bytes: int, first_byte_us: int, now: int) -> None:
        """More of a segment has come; the rule may yet give it up."""
        track = self._lineup.asked(request_id)
        if track is not None and track.in_flight is not None:
            self.answers.progressed(track.in_flight, received_bytes, first_byte_us, now)
            self._reconsider(track, track.in_flight, now)

    def _look_at(self, track: TrackState, position_us: int, now: int) -> None:
        """Give up what takes too long, or what the rule would rather have at a lower rung."""
        ahead_us = track.ahead_us(position_us)
        for need, state in inits_in_flight(track.prerequisites):
            late = self._overdue.need_verdict(track, state, now)
            if late is not None and state.request_id is not None:
                self._emit(AbandonSegment(state.request_id, late.message))
                self.answers.failed(state.request_id, late, now)
            elif self._recovery.gives_up_slow and self._overdue.is_late(track, state, ahead_us, now):
                self.answers.go_round(track, need, state)
        at_us, request = self._overdue.look_at_us(track), track.in_flight
        if request is None or at_us is None or at_us > now:
            return
        request.looked_us = now
        failure = self._overdue.verdict(track, request, ahead_us, now)
        if failure is not None:
            self._emit(AbandonSegment(request.request_id, failure.message))
            self.answers.failed(request.request_id, failure, now)
        else:
            self._reconsider(track, request, now)

    def _reconsider(self, track: TrackState, request: Request, now: int) -> None:
        """Let the rule give this download up for a lower rung."""
        if track is not self._lineup.main:
            return
        better = self._choice.better(track, request, self._share.other_bytes(request, now), now)
        if better is None:
            return
        self._choice.rules.observe(self._share.sample(SAMPLE_ABANDONED, request, now))
        reason = "download too slow for the buffer"
        self._asking.abandon(track, reason)
        self._request(track, better, reason, now, is_second_choice=True)
