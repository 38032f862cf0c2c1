"""The playback engine.

What belongs here: when to request what, when the clock runs, what a failure means. What must not be known here:
sockets, decoders, threads, addresses, bytes of media. Callers pass `now` (integer µs, any origin) to every verb,
obey the effects that `take_events` returns, and call `handle_timer` at `next_timer()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cushion_abr import DEFAULT_RULE
from cushion_abr.contract import SAMPLE_SEEK, Sample
from cushion_player.buffer import ABSENT
from cushion_player.engine.caps import DroppedFrameCap
from cushion_player.engine.config import EngineConfig, FetchFailure, Limits, Loop, TrackSelection
from cushion_player.engine.event_schedule import EventSchedule, Passed
from cushion_player.engine.fetching import Fetching
from cushion_player.engine.following import Following
from cushion_player.engine.phase import WAITING, Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.rules import RuleBook
from cushion_player.engine.snapshot import EngineSnapshot
from cushion_player.engine.stalls import Stall, stall_cause
from cushion_player.engine.switching import Switching, choose_tracks, wanted_audio, wanted_text
from cushion_player.engine.track import TrackState
from cushion_player.engine.verbs import VerbCall, verb
from cushion_player.events import (
    Attempt,
    Event,
    EventBegan,
    EventEnded,
    GapSkipped,
    LiveEnded,
    LiveJumped,
    LoopedBack,
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
    RungCapped,
    SeekEnded,
    SeekStarted,
    StallCause,
    StartOutput,
    StopOutput,
    TrackDropped,
    TrackSwitched,
)
from cushion_player.timed.mark import EventMark
from cushion_player.timeline import Timeline, Track, TrackKind
from cushion_player.timeline_update import TimelineUpdate, updated

UNKNOWN_FRAME_US = 40_000
"""How far a step goes when the manifest does not say how long frames are: 25 a second."""
SWITCH_LOOK_US = 100_000
"""How often it is looked whether another track can take over."""


class PlaybackEngine:
    """One playback from `start` to its end. Not thread-safe; one owner calls it."""

    def __init__(
        self,
        config: EngineConfig | None = None,
        rule: str = DEFAULT_RULE,
        rule_params: Mapping[str, float] | None = None,
        seed: int = 0,
        on_verb: Callable[[VerbCall], None] | None = None,
    ) -> None:
        """rule: a name known to cushion_abr.registry. on_verb: hears every verb call and what it emitted."""
        self.config = config or EngineConfig()
        self._rule_name = rule
        self._rule_params = dict(rule_params or {})
        self._seed = seed
        self._on_verb = on_verb
        self._fetching: Fetching | None = None
        self._following: Following | None = None
        """Of a live presentation that has not ended."""
        self._now = 0
        self._events: list[Event] = []
        self._verb_from = 0
        self._timeline: Timeline | None = None
        self._tracks: list[TrackState] = []
        self._limits = Limits()
        self._selection = TrackSelection()
        self._switching: Switching | None = None
        self._cap = DroppedFrameCap(self.config)
        self._loop: Loop | None = None
        self._is_scrubbing = False
        self._scrub_target_us = 0
        self._schedule = EventSchedule()
        self._has_jumped = True
        self._playhead = Playhead()
        self._phase = Phase.IDLE
        self._wants_play = False
        self._output_ready = False
        self._hold_until_us = 0
        self._phase_since_us = 0
        self._paused_us = 0
        self._startup_us: int | None = None
        self._has_played = False
        self._rebuffer_count = 0
        self._rebuffer_us = 0
        self._stall: Stall | None = None
        self._seek_us = 0
        self._sought = False
        self._frames_dropped = 0

    # ------------------------------------------------------------------ verbs of the viewer

    @verb
    def start(self, timeline: Timeline, position_us: int | None, *, now: int) -> None:
        """Begin to load at `position_us`; the clock runs once `play` was asked for and the threshold is reached.

        position_us: None is where the presentation is to be joined: near its edge when live, else at its beginning.
        """
        assert self._phase is Phase.IDLE, "start is the first verb, once"
        self._timeline = timeline
        edge = timeline.live
        self._tracks = [
            TrackState(track, is_required=track.kind is not TrackKind.TEXT, may_grow=edge is not None)
            for track in choose_tracks(timeline, self._selection)
        ]
        rules = RuleBook(self._rule_name, self._rule_params, self._seed, self._tracks[0].track.rungs)
        recovery = Recovery(self.config.retry, self._seed)
        self._fetching = Fetching(self.config, rules, self._tracks, self._playhead, self._emit, recovery)
        self._fetching.limits = self._limits
        self._switching = Switching(self._tracks, self._emit, self._fetching.abandon)
        if edge is not None:
            self._following = Following(self.config, edge, self._required, self._playhead, self._emit, now)
            self._fetching.live = self._following.live
        self._paused_us = now
        self._enter(Phase.STARTUP, now)
        wanted = timeline.start_us if position_us is None else position_us
        self._reposition(self._target_us(wanted, now), now)

    @verb
    def play(self, *, now: int) -> None:
        if not self._wants_play:
            self._wants_play = True
            self._phase_since_us += now - max(self._paused_us, self._phase_since_us)
            if self._fetching is not None:
                self._fetching.revive()
            if self._following is not None and self._has_played:
                self._following.live.follows = False  # what was missed meanwhile is wanted
                if self._phase is Phase.STEADY and self._following.is_behind(now):
                    self._enter(Phase.SEEKING, now)
            if self._phase is Phase.STEADY:
                self._run_clock(now)
                self._emit(PlaybackResumed(self._playhead.position_us(now)))

    @verb
    def pause(self, *, now: int) -> None:
        self._pause(now)

    def _pause(self, now: int) -> None:
        if self._wants_play:
            self._wants_play = False
            self._paused_us = now
            self._stop_clock(now)
            if self._has_played:
                self._emit(PlaybackPaused(self._playhead.position_us(now)))

    @verb
    def seek(self, position_us: int, *, now: int) -> None:
        """Go to `position_us` (clamped). What is buffered there is used again without fetching."""
        self._seek(position_us, now)

    def _seek(self, position_us: int | None, now: int) -> None:
        """None is where a live presentation is joined."""
        if self._timeline is None or self._fetching is None or self._phase is Phase.FAILED:
            return
        target = self._target_us(position_us, now)
        if self._is_scrubbing:
            self._scrub(target, now)
            return
        self._emit(SeekStarted(self._playhead.position_us(now), target))
        self._leave_for_seek(now)
        self._reposition(target, now)

    def _leave_for_seek(self, now: int) -> None:
        assert self._fetching is not None
        self._stop_clock(now)
        self._end_stall("the viewer went elsewhere", now)
        self._sought = True
        if self._phase is not Phase.STARTUP:
            self._enter(Phase.SEEKING, now if self._phase is not Phase.SEEKING else self._phase_since_us)
        self._fetching.rules.observe(Sample(SAMPLE_SEEK, 0, 0, 0, 0, now))

    def _scrub(self, target: int, now: int) -> None:
        """Show the key frame of the segment at `target`; what was on its way to another one is given up."""
        self._scrub_target_us = target
        main = self._tracks[0].track
        self._reposition(max(0, main.segment_start_us(main.segment_at(target))), now)

    @verb
    def seek_to_live(self, *, now: int) -> None:
        """Go as near to the live edge as is wanted, and stay there; nothing when it is not live."""
        if self._following is not None:
            self._seek(None, now)

    @verb
    def set_rate(self, rate: float, *, now: int) -> None:
        """rate: 0.25 to 4.0."""
        rate = min(max(rate, 0.25), 4.0)
        self._playhead.set_rate(rate, now)
        if self._following is not None:
            self._following.set_viewer_rate(rate)
        if self._playhead.is_running:
            self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    @verb
    def set_loop(self, loop: Loop | None, *, now: int) -> None:
        """Play a stretch of the presentation, or all of it, again and again; None plays on to the end."""
        self._loop = loop

    @verb
    def step(self, frames: int, *, now: int) -> None:
        """Pause, and show the picture `frames` further on (or back, when negative)."""
        if self._fetching is None:
            return
        self._pause(now)
        main = self._tracks[0]
        frame_us = (main.playing.frame_us if main.playing is not None else 0) or UNKNOWN_FRAME_US
        position = self._playhead.position_us(now)
        middle = position // frame_us * frame_us + frame_us // 2  # whatever rounding did to the frame's own time
        self._seek(max(0, middle + frames * frame_us), now)

    @verb
    def set_scrubbing(self, is_on: bool, *, now: int) -> None:
        """While on, a seek shows the first picture of its segment at the lowest rung, and the clock stands.

        When it ends, playback goes to the last position asked for.
        """
        if self._fetching is None or is_on == self._is_scrubbing or self._phase is Phase.FAILED:
            return
        if is_on:
            self._scrub_target_us = self._playhead.position_us(now)
            self._emit(SeekStarted(self._scrub_target_us, self._scrub_target_us))
            self._leave_for_seek(now)
        self._is_scrubbing = self._fetching.is_scrubbing = is_on
        if not is_on:
            self._reposition(self._scrub_target_us, now)

    @verb
    def select_tracks(self, selection: TrackSelection, *, now: int) -> None:
        """Play other audio, show other text or none; also before `start`. The picture goes on meanwhile."""
        self._selection = selection
        if self._timeline is None or self._switching is None or self._phase in (Phase.ENDED, Phase.FAILED):
            return
        position = self._playhead.position_us(now)
        may_grow = self._timeline.is_live
        self._switching.set_text(wanted_text(self._timeline, selection), position, may_grow=may_grow)
        self._select_audio(wanted_audio(self._timeline, selection), position, now)

    def _select_audio(self, track: Track | None, position: int, now: int) -> None:
        assert self._timeline is not None
        assert self._switching is not None
        old = next((each for each in self._tracks if each.kind is TrackKind.AUDIO and not each.is_held_back), None)
        pending = self._switching.pending
        if track is None or old is None or (pending is not None and pending.track.key == track.key):
            return
        if track.key == old.track.key:
            self._switching.give_up()
        elif self._playhead.is_running and len(self._required()) > 1:
            self._switching.begin(track, position, may_grow=self._timeline.is_live)
        else:
            self._switching.replace(old, track, may_grow=self._timeline.is_live)
            self._emit(TrackSwitched(TrackKind.AUDIO, track.key, position))
            if self._phase is Phase.STEADY:
                self._stop_clock(now)
                self._enter(Phase.SEEKING, now)
            self._reposition(position, now)

    @verb
    def set_limits(self, limits: Limits, *, now: int) -> None:
        """Applies to segments requested from now on; also before `start`."""
        self._limits = limits
        if self._fetching is not None:
            self._fetching.limits = limits

    # ------------------------------------------------------------------ verbs of the driver: fetching

    @verb
    def init_received(self, request_id: int, *, now: int) -> None:
        if self._fetching is not None:
            self._fetching.prerequisite_received(request_id, now)

    @verb
    def key_received(self, request_id: int, *, now: int) -> None:
        if self._fetching is not None:
            self._fetching.prerequisite_received(request_id, now)

    @verb
    def segment_progress(self, request_id: int, received_bytes: int, first_byte_us: int, *, now: int) -> None:
        """Bytes so far; drivers call it at most every 100 ms a request."""
        if self._fetching is not None:
            self._fetching.progressed(request_id, received_bytes, first_byte_us, now)

    @verb
    def segment_received(self, request_id: int, size_bytes: int, first_byte_us: int, *, now: int) -> None:
        if self._fetching is not None:
            self._fetching.received(request_id, size_bytes, first_byte_us, now)

    @verb
    def resume_refused(self, request_id: int, *, now: int) -> None:
        """A request that was to resume another one begins anew: what had been kept was not the same."""
        if self._fetching is not None:
            self._fetching.resume_refused(request_id)

    @verb
    def segment_failed(self, request_id: int, failure: FetchFailure, *, now: int) -> None:
        """Also for initialisation segments and keys."""
        if self._fetching is not None:
            self._fetching.failed(request_id, failure, now)

    @verb
    def timeline_updated(self, update: TimelineUpdate, *, now: int) -> None:
        """A live presentation has gone on, or has ended."""
        if self._timeline is None or self._fetching is None or self._following is None:
            return
        before, self._timeline = self._timeline, updated(self._timeline, update)
        if update.live is not None:
            self._following.updated(before, self._timeline, update, now)
        changed = {change.key for change in update.tracks}
        for track in self._tracks:
            newer = self._timeline.find(track.track.key) if track.track.key in changed else track.track
            assert newer is not None, "tracks stay"
            if track.in_flight is not None and not newer.first_index <= track.in_flight.index < newer.stop_index:
                self._fetching.abandon(track, "it is no longer offered")
            self._emit(*track.update(newer, may_grow=update.live is not None))
            track.skip_absent()
            self._emit(*track.feed())
        if update.live is None:
            self._following.release(now)
            self._following = self._fetching.live = None
            self._emit(LiveEnded(self._timeline.duration_us))

    @verb
    def refresh_failed(self, failure: FetchFailure, *, now: int) -> None:
        """How a live presentation goes on could not be found out."""
        if self._following is not None:
            self._following.failed(failure, now)

    @verb
    def list_events(self, marks: tuple[EventMark, ...], *, now: int) -> None:
        """Events that were found, in a manifest or in media; those of a known id are listed anew."""
        self._schedule.add(marks)

    # ------------------------------------------------------------------ verbs of the driver: output

    @verb
    def output_ready(self, *, now: int) -> None:
        self._output_ready = True

    @verb
    def output_starved(self, *, now: int) -> None:
        if self._playhead.is_running:
            position = self._playhead.position_us(now)
            track = min(self._required(), key=lambda track: track.end_us(position))
            self._rebuffer(track, StallCause.DECODER, "output", now)
            self._hold_until_us = now + self.config.starved_hold_us

    @verb
    def position_observed(self, position_us: int, *, now: int) -> None:
        """Where the audio clock says we are; re-anchors the position."""
        if self._playhead.is_running:
            self._playhead.move(position_us, now)

    @verb
    def frames_dropped(self, count: int, *, now: int) -> None:
        self._frames_dropped += count
        main = self._tracks[0] if self._tracks else None
        if main is None or main.playing is None or self._fetching is None or not self._playhead.is_running:
            return
        below = [rung for rung, each in enumerate(main.stretch.rungs) if each.bitrate_bps < main.playing.bitrate_bps]
        if below and self._cap.note(count, main.playing, now):  # with nothing lower to go to, a cap helps nobody
            self._fetching.below_bps = self._cap.below_bps
            reason = f"{self._frames_dropped} frames were dropped: the machine cannot keep up with {main.playing.key}"
            self._emit(RungCapped(main.kind, below[-1], reason))

    @verb
    def output_holds(self, decoded_bytes: int, *, now: int) -> None:
        """How much memory decoded frames take; counts against the byte limit."""
        if self._fetching is not None:
            self._fetching.decoded_bytes = decoded_bytes

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
        if self._fetching is None or self._phase in (Phase.ENDED, Phase.FAILED):
            return None
        times = self._fetching.next_times(self._phase, self._now)
        if self._following is not None:
            times += self._following.next_times(self._phase, self._now)
        if self._phase in WAITING and self._hold_until_us > self._now:
            times.append(self._hold_until_us)
        if self._playhead.is_running:
            position = self._playhead.position_us(self._now)
            stops = [] if self._following is not None else [self._stop_us]
            event_us = self._schedule.next_us(position)
            if event_us is not None:
                stops.append(event_us)
            until_us = self._cap.until_us
            if until_us is not None:
                times.append(until_us)
            if self._switching is not None and self._switching.pending is not None:
                times.append(self._now + SWITCH_LOOK_US)
            for track in self._required():
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
        ends = [track.end_us(position) for track in self._required() if not track.is_complete()]
        buffered_to = min(ends) if ends else self._duration_us
        window_start, window_end, latency, target = 0, self._duration_us, 0, 0
        if self._following is not None:
            live = self._following.live
            window_start, window_end = live.window_us(self._required(), now)
            latency, target = live.latency_us(position, now), live.edge.target_latency_us
        rung, n_rungs, height, bitrate = -1, 0, 0, 0
        if self._tracks:
            main = self._tracks[0]
            rung = main.playing_rung
            n_rungs = len(main.track.stretch_of(max(main.playing_index, main.track.first_index)).rungs)
            if main.playing is not None:
                height, bitrate = main.playing.height_px, main.playing.bitrate_bps
        rebuffering_us = self._waited_us(now) if self._phase is Phase.REBUFFERING else 0
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
            throughput_bps=self._fetching.rules.throughput_bps() if self._fetching is not None else 0.0,
            startup_us=self._startup_us,
            rebuffer_count=self._rebuffer_count,
            rebuffer_us=self._rebuffer_us + rebuffering_us,
            seek_us=self._seek_us,
            frames_dropped=self._frames_dropped,
            wasted_bytes=sum(track.wasted_bytes for track in self._tracks),
            is_live=self._following is not None,
            live_latency_us=latency,
            target_latency_us=target,
            window_start_us=window_start,
            window_end_us=window_end,
            audio_key=self._key_of(TrackKind.AUDIO),
            text_key=self._key_of(TrackKind.TEXT),
        )

    def _key_of(self, kind: TrackKind) -> str:
        return next((each.track.key for each in self._tracks if each.kind is kind and not each.is_held_back), "")

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
        if self._fetching is None:
            return
        if self._cap.expire(now):
            self._fetching.below_bps = None
            self._emit(RungCapped(self._tracks[0].kind, -1, "the machine gets another chance"))
        if self._switching is not None and self._phase is not Phase.FAILED:
            self._switching.advance(self._playhead.position_us(now))
        if self._playhead.is_running:
            self._play_on(now)
        if self._following is not None:
            self._follow(self._following, now)
        if self._phase in WAITING:
            self._maybe_run(self._fetching.threshold_us(self._phase), now)
        if self._phase in (Phase.STEADY, *WAITING):
            self._drop_failed(now)
            self._fetching.request_due(self._phase, now)

    def _follow(self, following: Following, now: int) -> None:
        """What being live asks for at this moment."""
        if self._phase in (Phase.ENDED, Phase.FAILED):
            return
        following.refresh_due(now)
        following.steer(now)
        following.skip_lost(now)
        failure = following.given_up(self._phase, now)
        if failure is not None:
            self._fail(failure, following.attempts(), now)
        elif self._wants_play and following.must_jump(self._phase, now):
            self._jump(following.live.rejoin_us(self._required(), now), "it had left the window", now)
            following.has_fallen_out = False
        elif self._fetching is not None and self._fetching.must_step_back:
            self._fetching.must_step_back = False
            if following.live.follows:
                self._jump(following.live.join_us(self._required(), now), "it was not there yet", now)

    def _jump(self, target_us: int, reason: str, now: int) -> None:
        self._emit(LiveJumped(self._playhead.position_us(now), target_us, reason))
        self._reposition(target_us, now)

    def _target_us(self, position_us: int | None, now: int) -> int:
        """The nearest position that can be played; None is where to join. Live, the viewer's own place is kept."""
        assert self._timeline is not None
        if self._following is None:
            return min(max(0, position_us or 0), self._timeline.duration_us)
        live, tracks = self._following.live, self._required()
        join_us = live.join_us(tracks, now)
        target = join_us if position_us is None else live.clamp_us(position_us, tracks, now)
        live.follows = target >= join_us
        return target

    def _required(self) -> list[TrackState]:
        """The tracks that playback waits for."""
        tracks = self._tracks[:1] if self._is_scrubbing else self._tracks
        return [track for track in tracks if track.is_required]

    def _loop_back(self, position: int, now: int) -> None:
        """Begin the loop again; until the picture is there, the wait is a seek's."""
        assert self._loop is not None
        start_us = min(max(0, self._loop.start_us), self._duration_us)
        self._emit(LoopedBack(position, start_us))
        self._stop_clock(now)
        self._enter(Phase.SEEKING, now)
        self._reposition(start_us, now)

    def _drop_failed(self, now: int) -> None:
        """Go on without what can be done without."""
        for track in [track for track in self._tracks if track.failure is not None and not track.is_required]:
            assert track.failure is not None
            self._tracks.remove(track)
            position = self._playhead.position_us(now)
            self._emit(TrackDropped(track.kind, track.track.key, position, track.failure.message))

    # ------------------------------------------------------------------ the clock

    def _play_on(self, now: int) -> None:
        position = self._playhead.position_us(now)
        for track in self._tracks:
            self._notice_rung(track, position)
            self._emit(*track.trim(position - self.config.back_buffer_us))
        self._tell_events(self._schedule.advance(position), now)
        if self._loop is not None and position >= self._stop_us > self._loop.start_us:
            self._loop_back(position, now)
            return
        if self._following is None and position >= self._duration_us:
            self._playhead.move(self._duration_us, now)
            self._stop_clock(now)
            self._enter(Phase.ENDED, now)
            self._emit(PlaybackEnded(self._duration_us))
            return
        if self._skip_gap(position, now):
            return
        for track in self._required():
            limit = track.limits_playback_at_us()
            if limit is not None and position >= limit:
                assert self._fetching is not None
                self._rebuffer(track, self._cause(track, now), "buffer", now)
                return

    def _skip_gap(self, position: int, now: int) -> bool:
        """Jump over what no track can play; the wait until the picture is there again counts as a rebuffer."""
        target, track_in_gap = position, None
        while True:
            gaps = [(track, gap) for track in self._required() if (gap := track.gap_at(target)) is not None]
            if not gaps:
                break
            track_in_gap = track_in_gap or gaps[0][0]
            target = max(gap.end_us for _, gap in gaps)
        if track_in_gap is None:
            return False
        if self._playhead.is_running:
            self._rebuffer(track_in_gap, StallCause.GAP, "buffer", now)
        self._emit(GapSkipped(track_in_gap.kind, position, target, StallCause.GAP))
        self._reposition(min(target, self._duration_us), now)
        return True

    def _maybe_run(self, threshold_us: int, now: int) -> None:
        """Leave a waiting phase when enough is there, or fail when it never will be."""
        position = self._playhead.position_us(now)
        if self._skip_gap(position, now):
            return
        for track in self._required():
            if track.failure is not None and track.ahead_us(position) <= 0:
                self._fail(track.failure, track.attempts(), now)
                return
        waiting = [
            track for track in self._required() if track.ahead_us(position) < threshold_us and not track.is_final()
        ]
        if waiting:
            if self._stall is not None:
                self._stall.note(self._cause(waiting[0], now))
            return
        if not (self._output_ready and self._wants_play and now >= self._hold_until_us) or self._is_scrubbing:
            return
        self._leave_waiting(position, now)

    def _leave_waiting(self, position: int, now: int) -> None:
        """The clock runs (again)."""
        waited = self._waited_us(now)
        phase = self._phase
        self._end_stall("", now)
        self._enter(Phase.STEADY, now)
        self._run_clock(now)
        if phase is Phase.SEEKING:
            self._seek_us += waited
        if not self._has_played:
            self._has_played = True
            self._startup_us = waited
            self._emit(PlaybackStarted(position, self._startup_us))
        if self._sought:
            self._sought = False
            self._emit(SeekEnded(position, waited if phase is Phase.SEEKING else 0))
        for track in self._tracks:
            self._notice_rung(track, position)
        self._tell_events(self._schedule.jump(position) if self._has_jumped else self._schedule.advance(position), now)
        self._has_jumped = False

    def _tell_events(self, passed: Passed, now: int) -> None:
        position = self._playhead.position_us(now)
        self._emit(*(EventBegan(event_id, position) for event_id in passed.began))
        self._emit(*(EventEnded(event_id, position) for event_id in passed.ended))

    def _cause(self, track: TrackState, now: int) -> StallCause:
        """Why a track has nothing to play."""
        cause = self._following.cause(track, now) if self._following is not None else None
        return cause or stall_cause(track)

    def _run_clock(self, now: int) -> None:
        self._playhead.start(now)
        self._emit(StartOutput(self._playhead.position_us(now), self._playhead.rate))

    def _stop_clock(self, now: int) -> None:
        if self._playhead.is_running:
            self._playhead.stop(now)
            self._emit(StopOutput())

    def _rebuffer(self, track: TrackState, cause: StallCause, detected: str, now: int) -> None:
        self._stop_clock(now)
        self._enter(Phase.REBUFFERING, now)
        self._rebuffer_count += 1
        self._stall = Stall(cause)
        if self._fetching is not None:
            self._fetching.recovered = ""
        self._emit(RebufferStarted(self._playhead.position_us(now), cause, track.kind, detected))

    def _end_stall(self, recovery: str, now: int) -> None:
        """Close the rebuffer that is going on, if one is."""
        if self._stall is None:
            return
        stall, self._stall = self._stall, None
        waited = self._waited_us(now)
        self._rebuffer_us += waited
        position = self._playhead.position_us(now)
        recovered = self._fetching.recovered if self._fetching is not None else ""
        self._emit(RebufferEnded(position, waited, stall.cause, recovery or stall.recovery(recovered)))

    def _waited_us(self, now: int) -> int:
        """How long the phase has lasted for somebody who wants to watch: while paused nobody waits."""
        until_us = now if self._wants_play else max(self._paused_us, self._phase_since_us)
        return until_us - self._phase_since_us

    def _enter(self, phase: Phase, since_us: int) -> None:
        self._phase = phase
        self._phase_since_us = since_us
        self._hold_until_us = 0

    def _notice_rung(self, track: TrackState, position: int) -> None:
        covering = track.buffer.covering(position)
        if covering is None or covering.rung == ABSENT or covering.index < track.playing_index:
            return  # a lower index: the clock was re-anchored a little back
        track.playing_index = covering.index
        track.playing_rung = covering.rung
        rung = track.track.stretch_of(covering.index).rungs[covering.rung]
        if rung != track.playing:
            track.playing = rung
            if track is self._tracks[0]:
                self._cap.changed_rung()
            self._emit(RepresentationChanged(track.kind, position, covering.rung, rung.bitrate_bps, rung.height_px))

    def _reposition(self, position_us: int, now: int) -> None:
        self._playhead.move(position_us, now)
        self._output_ready = False
        self._has_jumped = True
        tracks = self._tracks[:1] if self._is_scrubbing else self._tracks
        self._emit(PrepareOutput(position_us, frozenset(track.kind for track in tracks)))
        for track in tracks:
            before = track.next_index
            self._emit(*track.reposition(position_us))
            moved = track.next_index != before or (track.in_flight is not None and track.in_flight.is_replacement)
            if moved and self._fetching is not None:
                self._fetching.abandon(track, "seek")
            track.skip_absent()
            self._emit(*track.feed())

    def _fail(self, failure: FetchFailure, attempts: tuple[Attempt, ...], now: int) -> None:
        if self._fetching is None or self._phase in (Phase.ENDED, Phase.FAILED):
            return
        self._stop_clock(now)
        self._end_stall("none: playback failed", now)
        self._enter(Phase.FAILED, now)
        self._fetching.abandon_all("playback failed")
        self._emit(PlaybackFailed(self._playhead.position_us(now), failure.code, failure.message, attempts))

    @property
    def _stop_us(self) -> int:
        """Where playback stops, or begins its loop again."""
        end_us = self._loop.end_us if self._loop is not None else None
        return self._duration_us if end_us is None else min(end_us, self._duration_us)

    @property
    def _duration_us(self) -> int:
        return self._timeline.duration_us if self._timeline is not None else 0

    def _emit(self, *events: Event) -> None:
        self._events += events
