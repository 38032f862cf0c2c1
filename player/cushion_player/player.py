"""The wall-clock driver: runs one engine on an asyncio loop with a transport and an output.

It owns the clock, the requests and the bytes, and holds no opinion: every decision is the engine's.
All methods are called on the loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from cushion_abr import DEFAULT_RULE
from cushion_player.clock import Clock
from cushion_player.driving.alarm import Alarm
from cushion_player.driving.asker import Asker
from cushion_player.driving.audience import Audience
from cushion_player.driving.clock_sync import ClockSync
from cushion_player.driving.feeding import Feeding
from cushion_player.driving.listening import Listener
from cushion_player.driving.loading import LoadedParts, load_presentation
from cushion_player.driving.requests import Requests
from cushion_player.driving.sourcing import Sourcing
from cushion_player.driving.unlocking import Unlocking
from cushion_player.effects import (
    AbandonSegment,
    AcquireKey,
    AskSteering,
    DiscardSegment,
    Effect,
    FetchInit,
    FetchSegment,
    RefreshManifest,
)
from cushion_player.engine import (
    EngineConfig,
    EngineSnapshot,
    FetchFailure,
    Limits,
    Loop,
    PlaybackEngine,
    TrackSelection,
)
from cushion_player.engine.config import SteeringAnswer
from cushion_player.errors import UsageError
from cushion_player.journal import JournalWriter
from cushion_player.keys import ClearKeyLicences, HlsKeys, KeyChain, KeyProvider
from cushion_player.model import PathwayClone, Presentation
from cushion_player.notices import (
    EventBegan,
    EventEnded,
    Notice,
    PartMissing,
    PlaybackEnded,
    PlaybackFailed,
    TimedEventBegan,
    TimedEventEnded,
)
from cushion_player.outputs import (
    MediaOutput,
    OutputStats,
    SoundSettings,
)
from cushion_player.planning.addressing import PlaybackPlan, plan_playback
from cushion_player.planning.weighting import by_weight
from cushion_player.text import Cue
from cushion_player.timed import TimedEvent
from cushion_player.timed.book import EventBook
from cushion_player.timed.listing import events_of
from cushion_player.timeline import Track, TrackKind
from cushion_player.timeline_update import TimelineUpdate
from cushion_player.transport.base import FetchTimeouts, Transport

if TYPE_CHECKING:
    from cushion_player.driving.live_source import LiveSource
    from cushion_player.driving.steering_server import SteeringServer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InterstitialSnapshot:
    """A break that plays now: asset `number` of `n_assets`, and where in it. Times in µs."""

    id: str
    number: int
    n_assets: int
    position_us: int
    duration_us: int
    may_skip: bool
    is_paused: bool


@dataclass(frozen=True, slots=True)
class PlayerSnapshot:
    """The engine's state and the output's figures at one moment."""

    engine: EngineSnapshot
    output: OutputStats
    interstitial: InterstitialSnapshot | None = None
    """What plays in between, while the main presentation waits."""


class Player:
    """One playback. Use it as an async context manager; leaving it closes all that it opened, but not the transport."""

    def __init__(
        self,
        *,
        transport: Transport,
        clock: Clock,
        output: MediaOutput,
        config: EngineConfig | None = None,
        rule: str = DEFAULT_RULE,
        rule_params: Mapping[str, float] | None = None,
        journal: TextIO | None = None,
        seed: int = 0,
        timeouts: FetchTimeouts | None = None,
        audio_language: str | None = None,
        key_provider: KeyProvider | None = None,
        other_urls: Sequence[str] = (),
    ) -> None:
        """audio_language: BCP 47, of the sound to begin with; None is the presentation's own choice.

        other_urls: where the manifest is asked for when the address that is loaded does not do.

        key_provider: asked before the keys that playlists and ClearKey licence addresses lead to.
        """
        config = config or EngineConfig()
        writer = JournalWriter(journal, config, rule, rule_params or {}, seed) if journal is not None else None
        self._engine = PlaybackEngine(config, rule, rule_params, seed, on_verb=writer.write if writer else None)
        self._audio_language = audio_language
        self._transport = transport
        self._clock = clock
        self._asker = Asker(transport, clock, config.retry, seed)
        self._seed = seed
        self._other_urls = tuple(other_urls)
        self._output = output
        followed = (HlsKeys(transport, clock), ClearKeyLicences(transport, clock))
        self._unlocking = Unlocking(KeyChain([key_provider, *followed] if key_provider is not None else followed))
        self._timeouts = timeouts or FetchTimeouts()
        self._sourcing = Sourcing(self._asker, clock)
        self._requests = Requests(
            self._engine, transport, clock, self._timeouts, self._unlocking, self._sourcing, self._call
        )
        self._feeding = Feeding(output, self._requests, self._unlocking, lambda: self.plan, self.list_events)
        self._steering: SteeringServer | None = None
        self._plan: PlaybackPlan | None = None
        self._events = EventBook()
        self._live: LiveSource | None = None
        self._audience = Audience()
        self._readers: list[Callable[[Presentation, Fraction], None]] = []
        self._verbs: deque[Callable[[], None]] = deque()
        self._is_draining = False
        self._group: asyncio.TaskGroup | None = None
        self._presentation: Presentation | None = None
        """On demand: what plays."""
        self._finding: asyncio.Task[None] | None = None
        """Looks for key frames, once."""
        self._alarm = Alarm(clock, self._wake)

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._audience.open()
        self._output.attach(Listener(self._engine, self._output, self._feeding, self._call, self.list_events))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._group is not None
        group, self._group = self._group, None
        self._requests.cancel_all()
        if self._live is not None:
            self._live.cancel()
        if self._steering is not None:
            self._steering.cancel()
        if self._finding is not None:
            self._finding.cancel()
        self._alarm.cancel()
        is_cancelled = kind is not None and issubclass(kind, asyncio.CancelledError)
        try:
            if is_cancelled:
                await group.__aexit__(kind, value, traceback)
            else:  # an error of the caller's own travels as it is, not inside an ExceptionGroup
                await group.__aexit__(None, None, None)
        finally:
            self._requests.clear()
            self._unlocking.clear()
            self._audience.close()
            await self._output.close()

    # ------------------------------------------------------------------ what the viewer does

    async def load(self, url: str, start_us: int = 0, *, live_start_us: int | None = None) -> Presentation:
        """Read the manifest and begin to buffer at `start_us`. Nothing is shown before `play`.

        live_start_us: counts instead when the presentation is live; None joins it near its edge.

        Raises ManifestError and FetchError kinds.
        """
        loaded = await load_presentation(self._transport, url, self._clock, others=self._other_urls, asker=self._asker)
        for part in loaded.missing:
            self._tell(PartMissing(part.need.label, part.reason))
        presentation = by_weight(loaded.presentation, self._seed)
        if presentation.steering is not None:
            from cushion_player.driving.steering_server import SteeringServer

            self._steering = SteeringServer(self._asker, presentation.steering, presentation.kind)
        self._sourcing.variables = presentation.variables
        if presentation.is_live:
            await self._follow(loaded)
        else:
            self._plan = plan_playback(presentation, language=self._audio_language)
            self._presentation = presentation
        timeline = self.plan.timeline
        from_us = live_start_us if presentation.is_live else start_us
        self._call(lambda now: self._engine.start(timeline, from_us, now=now))
        self.list_events(events_of(presentation, presentation.periods[0].start))
        return presentation

    def list_events(self, found: Sequence[TimedEvent]) -> None:
        """Have further events told when they are due."""
        marks = self._events.add(found) if found else ()
        if marks:
            self._call(lambda now: self._engine.list_events(marks, now=now))

    async def _follow(self, loaded: LoadedParts) -> None:
        """Plan a live presentation by the time of day, and go on with it."""
        sync = ClockSync(self._transport, self._clock)
        sync.note_date(loaded.date, loaded.date_us)
        await sync.sync(loaded.presentation)
        log.debug("the time of day is from %s", sync.source)
        from cushion_player.driving.live_source import (
            LiveSource,  # a tenth of our imports, and most titles are not live
        )

        self._live = LiveSource(
            self._asker.telling(self._requests.link.add),
            self._sourcing,
            self._clock,
            sync,
            loaded.presentation,
            self._timeouts,
            language=self._audio_language,
            others=self._other_urls,
            seed=self._seed,
        )
        self._requests.live = self._live

    def play(self) -> None:
        self._call(lambda now: self._engine.play(now=now))

    def pause(self) -> None:
        self._call(lambda now: self._engine.pause(now=now))

    def seek_to_live(self) -> None:
        """Go near to the live edge; nothing when it is not live."""
        self._call(lambda now: self._engine.seek_to_live(now=now))

    def seek(self, position_us: int) -> None:
        self._call(lambda now: self._engine.seek(position_us, now=now))

    def set_rate(self, rate: float) -> None:
        self._call(lambda now: self._engine.set_rate(rate, now=now))

    def set_limits(self, limits: Limits) -> None:
        self._call(lambda now: self._engine.set_limits(limits, now=now))

    def select_tracks(self, selection: TrackSelection) -> None:
        """Play other audio, show other text. Raises UsageError for a key the presentation does not have."""
        for kind, key in ((TrackKind.AUDIO, selection.audio), (TrackKind.TEXT, selection.text)):
            known = [each.key for each in self.tracks if each.kind is kind]
            if key and self.tracks and key not in known:
                raise UsageError(f"there is no {kind} track {key!r}; there are: {', '.join(known) or 'none'}")
        self._call(lambda now: self._engine.select_tracks(selection, now=now))

    def set_loop(self, loop: Loop | None) -> None:
        self._call(lambda now: self._engine.set_loop(loop, now=now))

    def step(self, frames: int) -> None:
        """Pause, and show the picture `frames` further on (or back, when negative)."""
        self._call(lambda now: self._engine.step(frames, now=now))

    def set_scrubbing(self, is_on: bool) -> None:
        """While on, a seek shows the first picture of its segment; when it ends, playback goes to the last one.

        Key frames that the manifest lists apart are looked for when it is first switched on, and shown once there.
        """
        if is_on and self._presentation is not None and self._group is not None and self._finding is None:
            self._finding = self._group.create_task(self._find_key_frames(self._presentation))
        self._call(lambda now: self._engine.set_scrubbing(is_on, now=now))

    async def _find_key_frames(self, presentation: Presentation) -> None:
        from cushion_player.driving.key_frames import find_key_frames  # few scrub

        found = await find_key_frames(self._transport, self._clock, presentation, self.plan)
        if found is not None:
            self._plan, key = found
            track = self._plan.track(key)
            self._call(lambda now: self._engine.list_key_frames(track, now=now))

    def skip_interstitial(self) -> None:
        """Nothing plays in between here. Raises UsageError."""
        raise UsageError("no interstitial plays now")

    def set_volume(self, volume: float) -> None:
        self._output.set_volume(volume)

    def set_sound(self, settings: SoundSettings) -> None:
        """Mute, delay, loudness."""
        self._output.set_sound(settings)

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        """Text from a file of its own, as `MediaOutput.set_subtitles`."""
        self._output.set_subtitles(cues)

    def select_captions(self, service: str | None) -> None:
        """As `MediaOutput.select_captions`."""
        self._output.select_captions(service)

    def subscribe(self, callback: Callable[[Notice], None]) -> None:
        """`callback` hears every notice, on the loop's thread, in order."""
        self._audience.subscribe(callback)

    def follow_presentation(self, callback: Callable[[Presentation, Fraction], None]) -> None:
        """`callback` hears every newer version of a live presentation, and where in it position 0 lies (seconds)."""
        self._readers.append(callback)

    def snapshot(self) -> PlayerSnapshot:
        return PlayerSnapshot(self._engine.snapshot(self._clock.now_us()), self._output.stats())

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Every track there is; () before the presentation is known."""
        return self.plan.timeline.tracks if self._plan is not None or self._live is not None else ()

    @property
    def plan(self) -> PlaybackPlan:
        """What is being played, as far as it is known now. Only after `load`."""
        if self._live is not None:
            return self._live.plan
        assert self._plan is not None, "load first"
        return self._plan

    @property
    def failure(self) -> PlaybackFailed | None:
        """How playback failed, if it did."""
        return self._audience.failure

    async def wait_finished(self) -> PlaybackEnded | PlaybackFailed:
        """Wait until playback has ended or failed; a seek after the end makes it unfinished again.

        Raises UsageError when the player is closed meanwhile.
        """
        return await self._audience.wait_finished()

    # ------------------------------------------------------------------ the loop of verbs and effects

    def _call(self, verb: Callable[[int], None]) -> None:
        """Call a verb and obey what follows; verbs called meanwhile (an output ready at once) wait their turn."""
        if self._group is None:
            return
        self._verbs.append(lambda: verb(self._clock.now_us()))
        if self._is_draining:
            return
        self._is_draining = True
        try:
            while self._verbs:
                self._verbs.popleft()()
                for event in self._engine.take_events():
                    if isinstance(event, Effect):
                        self._obey(event)
                    else:
                        self._tell(event)
        finally:
            self._is_draining = False
        deadline = self._engine.next_timer()
        if deadline is not None:
            self._alarm.set(deadline, self._group)

    def _tell(self, notice: Notice) -> None:
        if isinstance(notice, EventBegan):
            notice = TimedEventBegan(self._events.event(notice.event_id), notice.position_us)
        elif isinstance(notice, EventEnded):
            notice = TimedEventEnded(self._events.event(notice.event_id), notice.position_us)
        log.debug("notice %s", notice)
        self._audience.tell(notice)

    def _obey(self, effect: Effect) -> None:
        assert self._group is not None
        match effect:
            case FetchSegment():
                self._requests.fetch_segment(effect, self.plan, self._group)
            case FetchInit():
                self._requests.fetch_init(effect, self.plan, self._group)
            case AcquireKey():
                self._requests.acquire_key(effect, self.plan, self._group)
            case AbandonSegment():
                self._requests.abandon(effect.request_id)
            case DiscardSegment():
                self._requests.discard(effect.request_id)
            case RefreshManifest():
                assert self._live is not None, "only what is live goes on"
                self._live.refresh(self._group, effect.keys, effect.sources, self._updated, self._refresh_failed)
            case AskSteering():
                assert self._steering is not None, "who asks for it has been told of it"
                self._steering.ask(effect, self._group, self._steered, self._steering_failed)
            case _:
                self._feeding.obey(effect)

    def _updated(self, update: TimelineUpdate) -> None:
        assert self._live is not None
        self._call(lambda now: self._engine.timeline_updated(update, now=now))
        presentation, origin = self._live.presentation, self._live.origin
        self.list_events(events_of(presentation, origin))
        for reader in self._readers:
            reader(presentation, origin)

    def _refresh_failed(self, failure: FetchFailure) -> None:
        self._call(lambda now: self._engine.refresh_failed(failure, now=now))

    def _steered(self, answer: SteeringAnswer, clones: tuple[PathwayClone, ...]) -> None:
        self._sourcing.add_clones(clones)
        self._call(lambda now: self._engine.steering_answered(answer, now=now))

    def _steering_failed(self, failure: FetchFailure) -> None:
        self._call(lambda now: self._engine.steering_failed(failure, now=now))

    def _wake(self) -> None:
        self._call(lambda now: self._engine.handle_timer(now=now))
