"""What follows from the state at one moment: each part has its turn, always in the same order."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.engine.caps import DroppedFrameCap
from cushion_player.engine.fetching import Fetching
from cushion_player.engine.following import Following
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.phase import Phase
from cushion_player.engine.playback import Playback
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.seeking import Seeking
from cushion_player.engine.steering import Steering
from cushion_player.engine.switching import Switching
from cushion_player.engine.timing import Timing
from cushion_player.engine.track import discarded
from cushion_player.engine.trick import TrickPlay
from cushion_player.engine.waits import Waits
from cushion_player.notices import LiveJumped, RungCapped, TrackDropped

SWITCH_LOOK_US = 100_000
"""How often it is looked whether another track can take over."""


class Turn:
    """Taken after every verb, once there is a timeline."""

    def __init__(
        self,
        lineup: Lineup,
        playhead: Playhead,
        waits: Waits,
        cap: DroppedFrameCap,
        switching: Switching,
        playback: Playback,
        seeking: Seeking,
        trick: TrickPlay,
        timing: Timing,
        fetching: Fetching,
        emit: Callable[..., None],
    ) -> None:
        self._lineup = lineup
        self._playhead = playhead
        self._waits = waits
        self._cap = cap
        self._switching = switching
        self._playback = playback
        self._seeking = seeking
        self._trick = trick
        self._timing = timing
        self._fetching = fetching
        self._emit: Callable[..., None] = emit
        self.steering: Steering | None = None
        """Where a server orders the sources."""

    def take(self, now: int) -> None:
        """Draw every consequence of the state at `now`."""
        if self._cap.expire(now):
            self._emit(RungCapped(self._lineup.main.kind, -1, "the machine gets another chance"))
        if self._waits.phase is not Phase.FAILED:
            self._switching.advance(self._playhead.position_us(now), now)
        if self._playhead.is_running:
            self._playback.play_on(now)
        if self._playback.following is not None and not self._waits.is_over:
            self._keep_up(self._playback.following, now)
        if self._waits.is_waiting:
            self._playback.try_to_run(self._timing.threshold_us(self._waits.phase), now)
        if not self._waits.is_over:
            self._drop_failed(now)
            if self.steering is not None:
                self.steering.ask_due(now)
            if not self._is_held(now):
                self._fetching.request_due(self._waits.phase, now)

    def next_time(self, now: int) -> int | None:
        """When the clock alone could have further consequences; None for never."""
        if self._waits.is_over:
            return None
        phase, following = self._waits.phase, self._playback.following
        times = self._playback.next_times(now)
        if not self._is_held(now):
            times += self._fetching.next_times(phase, now)
        if self.steering is not None:
            times += self.steering.next_times(now)
        if following is not None:
            times += following.next_times(phase, now)
        if self._playhead.is_running:
            if self._cap.until_us is not None:
                times.append(self._cap.until_us)
            if self._switching.pending is not None:
                times.append(now + SWITCH_LOOK_US)
        return max(min(times), now + 1) if times else None

    def _is_held(self, now: int) -> bool:
        """Whether the steering server is to be heard before anything is requested."""
        return self.steering is not None and self.steering.is_holding(now)

    def _keep_up(self, following: Following, now: int) -> None:
        """What being live asks for at this moment."""
        following.refresh_due(self._waits.phase, now)
        following.steer(now)
        following.skip_lost(now)
        failure, answers = following.given_up(self._waits.phase, now), self._fetching.answers
        if failure is not None:
            self._playback.fail(failure, following.attempts(), now)
        elif self._waits.wants_play and following.must_jump(self._waits.phase, now):
            self._jump(following.rejoin_us(now), "it had left the window", now)
        elif self._waits.wants_play and following.must_catch_up(self._waits.phase, now):
            target = following.step_back_us(now)
            if target is not None:
                self._jump(target, "it was too far behind the edge", now)
        elif answers.must_step_back:
            answers.must_step_back = False
            target = following.step_back_us(now)
            if target is not None:
                self._jump(target, "it was not there yet", now)

    def _jump(self, target_us: int, reason: str, now: int) -> None:
        self._emit(LiveJumped(self._playhead.position_us(now), target_us, reason))
        self._playback.reposition(target_us, now)

    def _drop_failed(self, now: int) -> None:
        """Go on without what can be done without."""
        for track in [track for track in self._lineup.tracks if track.failure is not None and not track.is_required]:
            assert track.failure is not None
            self._emit(*track.drop_kept(), *discarded(track.buffer.clear()))
            self._lineup.remove(track)
            position = self._playhead.position_us(now)
            self._emit(TrackDropped(track.kind, track.track.key, position, track.failure.message))
            if self._trick.was_dropped(track):
                self._seeking.scrub_on(now)
