"""The live part of a playback: asking how it goes on, keeping the distance from the edge, telling why it waits."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.effects import RefreshManifest, StartOutput
from cushion_player.engine.config import EngineConfig, FetchFailure
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.live import CHECK_US, Live
from cushion_player.engine.phase import WAITING, Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.sources import SourceBoard
from cushion_player.engine.track import TrackState
from cushion_player.notices import Attempt, LiveStale, StallCause
from cushion_player.timeline import LiveEdge, Timeline
from cushion_player.timeline_update import TimelineUpdate

NOT_THERE = (404, 410, 425)
LATE_US = 1_000_000
"""How soon a segment that may be late is asked for again at first; doubles up to the length of a segment."""


class Following:
    """Follows one live presentation."""

    def __init__(
        self,
        config: EngineConfig,
        edge: LiveEdge,
        lineup: Lineup,
        playhead: Playhead,
        board: SourceBoard,
        emit: Callable[..., None],
        now: int,
    ) -> None:
        self.live = Live(config, edge, now)
        self.has_fallen_out = False
        """What plays, or would have been next, was taken off the timeline; until the viewer is elsewhere."""
        self._lineup = lineup
        self._tracks = lineup.required
        self._playhead = playhead
        self._board = board
        self._emit: Callable[..., None] = emit
        self._viewer_rate = playhead.rate
        self._check_at_us = now
        self._config = config
        self._lost_since_us: dict[str, int] = {}
        """By track, when the first of the segments was given up that were lost in a row."""
        self._stops: dict[str, tuple[int, int]] = {}
        """By track, where its listing ends and since when that is so and nothing of it is left to fetch."""
        self._lost_last: tuple[FetchFailure, tuple[Attempt, ...]] | None = None
        """The last segment that was given up, and all that was tried for it."""
        self._late: dict[str, int] = {}
        """By track, how often was tried what may be late."""
        self._received: dict[str, int] = {}
        """By track, the last segment received."""
        self._caught_up_after = (-1, False)
        """When playback went to the edge last for being too far behind it: the last segment received, and whether
        anything had come after it."""

    # ------------------------------------------------------------------ the manifest

    def refresh_due(self, phase: Phase, now: int) -> None:
        """Ask for the next version of the manifest when it is time."""
        at_us = self._refresh_at_us(phase)
        if at_us is not None and at_us <= now:
            self.live.begin_refresh(now)
            keys = tuple(track.track.key for track in self._lineup.tracks)
            self._emit(RefreshManifest(keys, self._board.wanted(now)))

    def _refresh_at_us(self, phase: Phase) -> int | None:
        is_dry = phase in WAITING and not all(track.has_next for track in self._tracks())
        return self.live.refresh_at_us(is_waited_for=is_dry)

    def updated(self, before: Timeline, after: Timeline, update: TimelineUpdate, now: int) -> None:
        """Another version came; `update` led to it and says that it is still live."""
        assert update.live is not None
        ends = {track.key: track.stop_index for track in before.tracks}
        has_grown = any(track.stop_index > ends.get(track.key, 0) for track in after.tracks)
        is_ahead = all(track.track.end_us() > self.live.edge_us(now) for track in self._tracks())
        position = self._playhead.position_us(now)
        for track in self._tracks():
            newer = after.find(track.track.key)
            assert newer is not None, "tracks stay"
            is_shorter = newer.first_index > track.track.first_index and track.unlisted_us is None
            if is_shorter and (track.next_index < newer.first_index or position < newer.start_us[0]):
                self.has_fallen_out = True
        self.live.refreshed(update.live, now, has_grown=has_grown or is_ahead)
        self._tell_stale(now)

    def failed(self, failure: FetchFailure, now: int) -> None:
        """No version came."""
        self.live.refresh_failed(failure, now)
        self._tell_stale(now)

    def _tell_stale(self, now: int) -> None:
        since_us = self.live.stale_us(now)
        if since_us and not self.live.is_stale:
            self.live.is_stale = True
            failure = self.live.failure
            message = failure.message if failure is not None else "the manifest brings nothing new"
            self._emit(LiveStale(self._playhead.position_us(now), since_us, message))

    def given_up(self, phase: Phase, now: int) -> FetchFailure | None:
        """Why playback must end: it waits, and nothing new has come for too long."""
        if phase not in WAITING:
            return None
        lost_us = max((now - since_us for since_us in self._lost_since_us.values()), default=0)
        if self._lost_last is not None and lost_us > self._config.stale_limit_us:
            return self._lost_last[0]
        at_us, stuck = self.live.gives_up_at_us(), self._stuck(now)
        if stuck is not None:
            what = f"the {stuck.kind} of the live presentation ({stuck.track.key}) has brought nothing new for too long"
            said = f": {self.live.failure.message}" if self.live.failure is not None else ""
            return FetchFailure("stale", what + said, retryable=False)
        if at_us is None or now < at_us:
            return None
        if all(track.has_next for track in self._tracks()):
            return None  # what is listed already decides
        failure = self.live.failure
        seconds = self.live.stale_us(now) // 1_000_000
        said = f": {failure.message}" if failure is not None else ""
        message = f"the live presentation has brought nothing new for {seconds} s{said}"
        return FetchFailure(failure.code if failure is not None else "stale", message, retryable=False)

    def _stuck(self, now: int) -> TrackState | None:
        """A track that playback waits for and that does not go on, though others may."""
        for track in self._tracks():
            key, stop = track.track.key, track.track.stop_index
            if self._stops.get(key, (0, 0))[0] != stop or track.has_next:
                self._stops[key] = stop, now
        ends = {track.track.key: self._stuck_at_us(track) for track in self._tracks()}
        return next((each for each in self._tracks() if now >= (ends[each.track.key] or now + 1)), None)

    def _stuck_at_us(self, track: TrackState) -> int | None:
        known = self._stops.get(track.track.key)
        return None if known is None or track.has_next else known[1] + self._config.stale_limit_us

    def attempts(self) -> tuple[Attempt, ...]:
        """The segments that were not there, and the refreshes that failed."""
        kind = self._tracks()[0].kind
        lost = self._lost_last[1] if self._lost_last is not None and self._lost_since_us else ()
        return lost + tuple(
            Attempt(at_us, kind, "the manifest", -1, "", "", each.code, each.status, each.message)
            for at_us, each in self.live.failed
        )

    def skip_lost(self, now: int) -> None:
        """Go on behind segments that cannot be had: a programme goes on though a part of it is lost.

        What is not there is lost once something newer is; until then it may be late. What waiting may heal was waited
        for already; and when nothing comes for too long, this is no programme any more.
        """
        for track in self._tracks():
            key = track.track.key
            if track.last_index_received > self._received.get(key, -1):
                self._received[key] = track.last_index_received
                self._lost_since_us.pop(key, None)
                self._late.pop(key, None)
            failure = track.failure
            if failure is None or failure.is_transient or not track.has_next or track.needs_are_lost():
                continue
            self._lost_last = failure, track.attempts()
            if now - self._lost_since_us.setdefault(key, now) > self._config.stale_limit_us:
                continue
            if failure.status in NOT_THERE and self._may_be_late(track, now):
                self._wait_for_late(track, now)
            else:
                self._emit(*track.leave_out(), *track.feed())

    def _may_be_late(self, track: TrackState, now: int) -> bool:
        """Whether nothing that is newer than the next segment is known to be there."""
        end_us = track.track.segment_start_us(track.next_index + 1)
        return self.live.is_near_edge(track, now) and not any(
            other.track.first_index <= other.last_index_received
            and other.track.segment_start_us(other.last_index_received + 1) > end_us
            for other in self._tracks()
        )

    def _wait_for_late(self, track: TrackState, now: int) -> None:
        """Try again, and the newer ones too: in turn the one after it, and the newest."""
        key = track.track.key
        tries = self._late[key] = self._late.get(key, 0) + 1
        newer = range(track.next_index + 1, self.live.newest_there(track, now) + 1)
        there = [index for index in (newer if tries % 2 else reversed(newer)) if track.track.is_there(index)]
        delay_us = min(LATE_US << min(tries - 1, 4), max(LATE_US, track.track.segment_us(track.next_index)))
        track.wait_for_late(now + delay_us, there[0] if there else None)

    # ------------------------------------------------------------------ the window

    def target_us(self, position_us: int | None, now: int) -> int:
        """The nearest position that can be played; None is where to join, and the distance from the edge is kept."""
        tracks = self._tracks()
        join_us = self.live.join_us(tracks, now)
        target = join_us if position_us is None else self.live.clamp_us(position_us, tracks, now)
        self.live.follows = target >= join_us
        self.has_fallen_out = False
        return target

    def rejoin_us(self, now: int) -> int:
        """Where to go on, for one who has fallen out of the window."""
        self.has_fallen_out = False
        return self.live.rejoin_us(self._tracks(), now)

    def step_back_us(self, now: int) -> int | None:
        """Where to join instead, when the edge was nearer than was thought; None to stay where the viewer is."""
        return self.live.join_us(self._tracks(), now) if self.live.follows else None

    def must_jump(self, phase: Phase, now: int) -> bool:
        """Whether playback waits for what is no longer offered."""
        return phase in WAITING and self.is_behind(now)

    def must_catch_up(self, phase: Phase, now: int) -> bool:
        """Whether a stall has taken playback too far from the edge; once for each segment that comes, not for ever."""
        position, main = self._playhead.position_us(now), self._lineup.main
        at_us, came = self.live.adrift_at_us(position), (main.last_index_received, main.ahead_us(position) > 0)
        if phase not in WAITING or at_us is None or now < at_us or came <= self._caught_up_after:
            return False
        self._caught_up_after = came
        return True

    def is_behind(self, now: int) -> bool:
        """Whether what comes next on some track is no longer offered."""
        return self.has_fallen_out or any(self.live.has_left(track, now) for track in self._tracks())

    def cause(self, track: TrackState, now: int) -> StallCause | None:
        """Why a track waits, where being live is the reason."""
        if track.track.key in self._late and track.waits_for() is None:
            return StallCause.EDGE
        if track.waits_for() is not None or track.in_flight is not None or track.retries.log:
            return None
        if track.has_next and self.live.available_at_us(track) <= now:
            return None
        return StallCause.CLOCK if self.live.correction_us else StallCause.EDGE

    # ------------------------------------------------------------------ the rate

    def set_viewer_rate(self, rate: float) -> None:
        """What the viewer wants; other than 1.0, the distance from the edge is not kept."""
        self._viewer_rate = rate

    def steer(self, now: int) -> None:
        """Play a little faster or slower where the latency is not what it should be."""
        if not self._playhead.is_running or now < self._check_at_us:
            return
        self._check_at_us = now + CHECK_US
        position = self._playhead.position_us(now)
        ahead_us = min(track.ahead_us(position) for track in self._tracks())
        wanted = self._viewer_rate
        if wanted == 1.0:
            wanted = self.live.rate(self._playhead.rate, self.live.latency_us(position, now), ahead_us)
        self._run_at(wanted, now)

    def release(self, now: int) -> None:
        """It is no longer live: play as the viewer wants."""
        self._run_at(self._viewer_rate, now)

    def _run_at(self, rate: float, now: int) -> None:
        if rate == self._playhead.rate:
            return
        self._playhead.set_rate(rate, now)
        if self._playhead.is_running:
            self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    # ------------------------------------------------------------------ when

    def next_times(self, phase: Phase, now: int) -> list[int]:
        """When there could be something to do by the clock alone."""
        times = [at for at in (self._refresh_at_us(phase), self._rate_time()) if at is not None]
        gives_up = self.live.gives_up_at_us()
        if phase in WAITING and gives_up is not None and gives_up > now:
            times.append(gives_up)
        if phase in WAITING:
            adrift_us = self.live.adrift_at_us(self._playhead.position_us(now))
            times += [adrift_us] if adrift_us is not None and adrift_us > now else []
            ends = [at_us for track in self._tracks() if (at_us := self._stuck_at_us(track)) is not None]
            times += [at_us for at_us in ends if at_us > now]
        return times

    def _rate_time(self) -> int | None:
        return self._check_at_us if self._playhead.is_running and self.live.follows else None
