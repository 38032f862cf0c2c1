"""The playback engine.

What belongs here: the verbs, and how the parts are put together. What must not be known here:
sockets, decoders, threads, addresses, bytes of media. Callers pass `now` (integer µs, any origin) to every verb,
obey the effects that `take_events` returns, and call `handle_timer` at `next_timer()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cushion_abr import DEFAULT_RULE
from cushion_player.engine.asking import Asking
from cushion_player.engine.budget import Budget
from cushion_player.engine.caps import DroppedFrameCap
from cushion_player.engine.config import EngineConfig, FetchFailure, Limits, Loop, SteeringAnswer, TrackSelection
from cushion_player.engine.event_schedule import EventSchedule
from cushion_player.engine.fetching import Fetching
from cushion_player.engine.following import Following
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.phase import Phase
from cushion_player.engine.playback import Playback
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.rules import RuleBook
from cushion_player.engine.rung_choice import RungChoice
from cushion_player.engine.seeking import Seeking
from cushion_player.engine.sharing import LinkShare
from cushion_player.engine.snapshot import EngineSnapshot, take_snapshot
from cushion_player.engine.steering import Steering
from cushion_player.engine.switching import Switching, choose_tracks
from cushion_player.engine.timing import Timing
from cushion_player.engine.track import TrackState
from cushion_player.engine.trick import TrickPlay
from cushion_player.engine.turn import Turn
from cushion_player.engine.verbs import VerbCall, verb
from cushion_player.engine.waits import Waits
from cushion_player.events import Event
from cushion_player.notices import LiveEnded, MediaDamaged, PlaybackPaused, PlaybackResumed
from cushion_player.timed.mark import EventMark
from cushion_player.timeline import Timeline, Track, TrackKind
from cushion_player.timeline_update import TimelineUpdate, updated


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
        self._on_verb = on_verb
        self._now = 0
        self._events: list[Event] = []
        self._verb_from = 0
        self._timeline: Timeline | None = None
        self._selection = TrackSelection()
        config, emit = self.config, self._emit
        self._lineup = lineup = Lineup()
        self._tracks = lineup.tracks
        self._playhead = playhead = Playhead()
        self._waits = waits = Waits()
        self._schedule = EventSchedule()
        self._cap = DroppedFrameCap(config)
        self._rules = rules = RuleBook(rule, rule_params or {}, seed)
        self._budget = budget = Budget(config, lineup)
        self._timing = timing = Timing(config, lineup, playhead, budget)
        self._choice = choice = RungChoice(config, rules, lineup, playhead, budget, timing, self._cap)
        self._seed = seed
        self._recovery = recovery = Recovery(config.retry, seed)
        share = LinkShare()
        self._asking = asking = Asking(lineup, recovery, share, emit)
        self._fetching = Fetching(lineup, playhead, waits, budget, timing, choice, asking, recovery, share, emit)
        self._answers = self._fetching.answers
        self._playback = Playback(config, lineup, playhead, waits, self._schedule, self._cap, asking, emit)
        self._trick = TrickPlay(lineup, emit)
        self._seeking = Seeking(lineup, playhead, waits, self._playback, self._trick, rules.observe, emit)
        self._switching = Switching(lineup, emit, asking.abandon)
        self._turn = Turn(
            lineup,
            playhead,
            waits,
            self._cap,
            self._switching,
            self._playback,
            self._seeking,
            self._trick,
            timing,
            self._fetching,
            emit,
        )

    # ------------------------------------------------------------------ verbs of the viewer

    @verb
    def start(self, timeline: Timeline, position_us: int | None, *, now: int) -> None:
        """Begin to load at `position_us`; the clock runs once `play` was asked for and the threshold is reached.

        position_us: None is where the presentation is to be joined: near its edge when live, else at its beginning.
        """
        assert self._waits.phase is Phase.IDLE, "start is the first verb, once"
        self._timeline = timeline
        self._playback.duration_us = timeline.duration_us
        edge = timeline.live
        self._tracks += [
            TrackState(track, is_required=track.kind is not TrackKind.TEXT, may_grow=edge is not None)
            for track in choose_tracks(timeline, self._selection)
        ]
        self._rules.use(tuple(rung.bitrate_bps for rung in self._lineup.main.track.rungs))
        if edge is not None:
            board = self._recovery.board
            following = Following(self.config, edge, self._lineup, self._playhead, board, self._emit, now)
            self._follow(following)
        if timeline.steering is not None:
            policy = self.config.retry
            self._turn.steering = Steering(timeline.steering, self._recovery.board, policy, self._seed, self._emit, now)
        self._waits.begin(now)
        wanted = timeline.start_us if position_us is None else position_us
        self._playback.reposition(self._seeking.target_us(wanted, now), now)

    @verb
    def play(self, *, now: int) -> None:
        if self._waits.wants_play:
            return
        self._waits.play(now)
        for track in self._tracks:
            track.revive()  # what was given up may be there again
        if self._following is not None and self._waits.has_played:
            self._following.live.follows = False  # what was missed meanwhile is wanted
            if self._waits.phase is Phase.STEADY and self._following.is_behind(now):
                self._waits.enter(Phase.SEEKING, now)
        if self._waits.phase is Phase.STEADY:
            self._playback.run_clock(now)
            self._emit(PlaybackResumed(self._playhead.position_us(now)))

    @verb
    def pause(self, *, now: int) -> None:
        self._pause(now)

    def _pause(self, now: int) -> None:
        if self._waits.wants_play:
            self._waits.pause(now)
            self._playback.stop_clock(now)
            if self._waits.has_played:
                self._emit(PlaybackPaused(self._playhead.position_us(now)))

    @verb
    def seek(self, position_us: int, *, now: int) -> None:
        """Go to `position_us` (clamped). What is buffered there is used again without fetching."""
        if self._can_seek:
            self._seeking.seek(position_us, now)

    @verb
    def seek_to_live(self, *, now: int) -> None:
        """Go as near to the live edge as is wanted, and stay there; nothing when it is not live."""
        if self._following is not None and self._can_seek:
            self._seeking.seek(None, now)

    @verb
    def set_rate(self, rate: float, *, now: int) -> None:
        """rate: 0.25 to 4.0."""
        rate = min(max(rate, 0.25), 4.0)
        if self._following is not None:
            self._following.set_viewer_rate(rate)
        self._playback.set_rate(rate, now)

    @verb
    def set_loop(self, loop: Loop | None, *, now: int) -> None:
        """Play a stretch of the presentation, or all of it, again and again; None plays on to the end."""
        self._playback.loop = loop

    @verb
    def step(self, frames: int, *, now: int) -> None:
        """Pause, and show the picture `frames` further on (or back, when negative)."""
        if self._timeline is not None:
            self._pause(now)
        if self._can_seek:
            self._seeking.step(frames, now)

    @verb
    def set_scrubbing(self, is_on: bool, *, now: int) -> None:
        """While on, a seek shows the first picture of its segment at the lowest rung, and the clock stands.

        Where key frames are listed, they are what is shown. When it ends, playback goes to the last position asked for.
        """
        if self._can_seek and is_on != self._lineup.is_scrubbing:
            self._seeking.set_scrubbing(is_on, now)

    @verb
    def list_key_frames(self, track: Track, *, now: int) -> None:
        """The main track's key frames, a segment each: what scrubbing shows from now on."""
        if self._can_seek and self._following is None and self._lineup.main.kind is TrackKind.VIDEO:
            self._seeking.list_key_frames(track, now)

    @property
    def _following(self) -> Following | None:
        """Of a live presentation that has not ended."""
        return self._playback.following

    @property
    def _can_seek(self) -> bool:
        return self._timeline is not None and self._waits.phase is not Phase.FAILED

    @verb
    def select_tracks(self, selection: TrackSelection, *, now: int) -> None:
        """Play other audio, show other text or none; also before `start`. The picture goes on meanwhile."""
        self._selection = selection
        timeline = self._timeline
        if timeline is None or self._waits.is_over:
            return
        position = self._playhead.position_us(now)
        beside = self._playhead.is_running and len(self._lineup.required()) > 1
        if self._switching.select(timeline, selection, position, beside=beside):
            if self._waits.phase is Phase.STEADY:
                self._playback.stop_clock(now)
                self._waits.enter(Phase.SEEKING, now)
            self._playback.reposition(position, now)
        if self._following is not None and any(track.unlisted_us is not None for track in self._tracks):
            self._following.live.hurry()

    @verb
    def set_limits(self, limits: Limits, *, now: int) -> None:
        """Applies to segments requested from now on; also before `start`."""
        self._choice.limits = limits

    # ------------------------------------------------------------------ verbs of the driver: fetching

    @verb
    def init_received(self, request_id: int, *, now: int) -> None:
        self._answers.need_received(request_id, now)

    @verb
    def key_received(self, request_id: int, *, now: int) -> None:
        self._answers.need_received(request_id, now)

    @verb
    def segment_progress(self, request_id: int, received_bytes: int, first_byte_us: int, *, now: int) -> None:
        """Bytes so far; drivers call it at most every 100 ms a request."""
        self._fetching.progressed(request_id, received_bytes, first_byte_us, now)

    @verb
    def segment_arrived(self, request_id: int, size_bytes: int, first_byte_us: int, *, now: int) -> None:
        """All bytes are there; `segment_received` (or `segment_failed`) follows when the keys it names are there."""
        self._answers.arrived(request_id, size_bytes, first_byte_us, now)

    @verb
    def chunk_received(
        self, request_id: int, n_bytes: int, end_us: int, busy: tuple[int, int, int], *, now: int
    ) -> None:
        """The first `n_bytes` of a segment on its way are whole chunks, which can be played up to `end_us`.

        busy: so far, the rests between chunks left out.
        """
        self._answers.chunk_received(request_id, n_bytes, end_us, busy, now)

    @verb
    def segment_came_from(self, request_id: int, source: str, *, now: int) -> None:
        """What is about to be told to be there did not come over a network: `cache`, or `local`."""
        if source not in self.config.measured_sources:
            self._answers.came_from(request_id, source)

    @verb
    def segment_received(self, request_id: int, size_bytes: int, first_byte_us: int, *, now: int) -> None:
        self._answers.received(request_id, size_bytes, first_byte_us, now)

    @verb
    def resume_refused(self, request_id: int, *, now: int) -> None:
        """A request that was to resume another one begins anew: what had been kept was not the same."""
        self._answers.resume_refused(request_id)

    @verb
    def segment_failed(self, request_id: int, failure: FetchFailure, *, now: int) -> None:
        """Also for initialisation segments and keys."""
        self._answers.failed(request_id, failure, now)

    @verb
    def timeline_updated(self, update: TimelineUpdate, *, now: int) -> None:
        """A live presentation has gone on, or has ended."""
        if self._timeline is None or self._following is None:
            return
        before, timeline = self._timeline, updated(self._timeline, update)
        self._timeline = timeline
        self._playback.duration_us = timeline.duration_us
        if update.live is not None:
            self._following.updated(before, timeline, update, now)
        changed = {change.key for change in update.tracks}
        for track in self._tracks:
            newer = timeline.find(track.track.key) if track.track.key in changed else track.track
            assert newer is not None, "tracks stay"
            self._emit(*track.update(newer, may_grow=update.live is not None))
        if update.live is None:
            self._following.release(now)
            self._follow(None)
            self._emit(LiveEnded(timeline.duration_us))

    @verb
    def refresh_failed(self, failure: FetchFailure, *, now: int) -> None:
        """How a live presentation goes on could not be found out."""
        if self._following is not None:
            self._following.failed(failure, now)

    @verb
    def steering_answered(self, answer: SteeringAnswer, *, now: int) -> None:
        """The steering server has said which sources to use."""
        if self._turn.steering is not None:
            self._turn.steering.answered(answer, now)

    @verb
    def steering_failed(self, failure: FetchFailure, *, now: int) -> None:
        """The steering server could not be asked, or said nothing of use."""
        if self._turn.steering is not None:
            self._turn.steering.failed(failure, now)

    @verb
    def list_events(self, marks: tuple[EventMark, ...], *, now: int) -> None:
        """Events that were found, in a manifest or in media; those of a known id are listed anew."""
        self._schedule.add(marks)

    # ------------------------------------------------------------------ verbs of the driver: output

    @verb
    def output_ready(self, *, now: int) -> None:
        self._playback.is_output_ready = True

    @verb
    def output_starved(self, *, now: int) -> None:
        if self._playhead.is_running:
            self._playback.starve(now)

    @verb
    def position_observed(self, position_us: int, *, now: int) -> None:
        """Where the audio clock says we are; re-anchors the position."""
        if self._playhead.is_running:
            self._playhead.move(position_us, now)

    @verb
    def frames_dropped(self, count: int, *, now: int) -> None:
        self._cap.total += count
        if self._playhead.is_running:
            self._emit(*self._cap.consider(count, self._lineup.main, now))

    @verb
    def output_holds(self, decoded_bytes: int, *, now: int) -> None:
        """How much memory decoded frames take; counts against the byte limit."""
        self._budget.decoded_bytes = decoded_bytes

    @verb
    def decode_failed(self, track: TrackKind, message: str, fatal: bool, *, now: int) -> None:
        if not fatal:
            self._emit(MediaDamaged(track, self._playhead.position_us(now), message))
        elif self._timeline is not None:
            self._playback.fail(FetchFailure("decode", message, retryable=False), (), now)

    @verb
    def format_refused(self, key: str, index: int, rung: int, code: str, message: str, *, now: int) -> None:
        """The output cannot read what it was given with `SwitchInit`: other rungs may do.

        code: `decode` or `codec` for the initialisation segment, `key` for the key.
        """
        self._answers.refused(key, index, rung, FetchFailure(code, message, retryable=False), now)

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
        return self._turn.next_time(self._now) if self._timeline is not None else None

    def snapshot(self, now: int) -> EngineSnapshot:
        """How things stand at `now`; changes nothing."""
        now = max(now, self._now)
        return take_snapshot(
            self._waits,
            self._lineup,
            self._following,
            position_us=self._playhead.position_us(now),
            duration_us=self._playback.duration_us,
            throughput_bps=self._rules.throughput_bps(),
            frames_dropped=self._cap.total,
            now=now,
        )

    # ------------------------------------------------------------------ around every verb

    def enter_verb(self, now: int) -> int:
        self._now = max(now, self._now)
        self._verb_from = len(self._events)
        return self._now

    def leave_verb(self, name: str, args: tuple[object, ...], now: int) -> None:
        if self._timeline is not None:
            self._turn.take(now)
        if self._on_verb is not None:
            self._on_verb(VerbCall(name, args, now, tuple(self._events[self._verb_from :])))

    def _follow(self, following: Following | None) -> None:
        """It is live, or is no longer."""
        self._playback.following = following
        self._timing.live = following.live if following is not None else None

    def _emit(self, *events: Event) -> None:
        self._events += events
