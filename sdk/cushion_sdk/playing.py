"""The session object: verbs in, events and snapshots out. `session.open_session` makes it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from cushion_player import notices
from cushion_player.clock import Clock
from cushion_player.engine import Limits, Loop, TrackSelection
from cushion_player.errors import UsageError
from cushion_player.timeline import TrackKind
from cushion_player.transport.shaped import ShapedTransport
from cushion_sdk.describing import SessionFacts, snapshot_of
from cushion_sdk.event_stream import EventStream
from cushion_sdk.ledger import SessionLedger
from cushion_sdk.opening import UNSHAPED, PlayerPort, Source, trace_link
from cushion_sdk.session_events import (
    PlaybackEnded,
    PlaybackFailed,
    PlaybackStarted,
    ResumeSource,
    RungCapped,
    SessionEvent,
    SessionOpened,
    from_notice,
    seconds,
)
from cushion_sdk.session_types import SessionOptions, SessionProblem, SessionSnapshot, SessionState, SessionSummary
from cushion_sdk.thumbnails import ThumbnailFetcher, ThumbnailPicture
from cushion_sdk.tracks import RungCap, choose_text, list_captions, list_rungs

if TYPE_CHECKING:
    from cushion_player.model import Presentation
    from cushion_player.text import Cue

MIN_RATE, MAX_RATE = 0.25, 4.0
FRAME_NOISE = 1e-3
"""Of a frame: microseconds and floats do not make one more."""


class PlaybackSession:
    """One playback. All methods are called on the event loop that opened it.

    A session made by `open_session` is loaded and waits for `play`.
    """

    def __init__(
        self,
        player: PlayerPort,
        source: Source,
        options: SessionOptions,
        transport: ShapedTransport,
        clock: Clock,
        opened_us: int,
    ) -> None:
        self._player = player
        self._source = source
        self._options = options
        self._transport = transport
        self._clock = clock
        self._opened_us = opened_us
        self._loaded_us: int | None = None
        self._told_to_play_us: int | None = None
        self._ledger = SessionLedger()
        self._facts = SessionFacts(
            options.rule, source.name, str(options.trace or UNSHAPED), options.volume, captions_shown=options.captions
        )
        self._thumbnails = ThumbnailFetcher(transport, clock, vtt_url=options.thumbnails_url)
        self._selection = TrackSelection()
        self._frame_rate = source.frame_rate
        self._opening: SessionOpened | None = None
        self._early: list[SessionEvent] = []
        self._streams: list[EventStream] = []
        self._listeners: list[Callable[[SessionEvent], None]] = []
        self._acknowledged: Callable[[], int] = lambda: 0
        self._rate_changed: Callable[[float], None] = lambda rate: None
        self._last: tuple[SessionSnapshot, SessionSummary] | None = None
        player.subscribe(self._hear)

    # ------------------------------------------------------------------ verbs

    def play(self) -> None:
        if self._told_to_play_us is None:
            self._told_to_play_us = self._clock.now_us()
        self._player.play()

    def pause(self) -> None:
        self._player.pause()

    def seek(self, position_s: float) -> None:
        """Go to a position, clamped to the title. Raises ValueError when it is not finite."""
        if not math.isfinite(position_s):
            raise ValueError(f"a position is a number of seconds, got {position_s}")
        self._player.seek(round(max(0.0, position_s) * 1e6))

    def seek_to_live(self) -> None:
        """Go near to the live edge and stay there; nothing when it is not live."""
        self._player.seek_to_live()

    def set_rate(self, rate: float) -> None:
        """0.25 to 4.0. Raises ValueError outside."""
        if not MIN_RATE <= rate <= MAX_RATE:
            raise ValueError(f"the rate lies between {MIN_RATE} and {MAX_RATE}, got {rate}")
        self._player.set_rate(rate)
        self._rate_changed(rate)

    def set_volume(self, volume: float) -> None:
        """0.0 silent to 1.0 full. Raises ValueError outside."""
        if not 0.0 <= volume <= 1.0:
            raise ValueError(f"volume lies between 0.0 and 1.0, got {volume}")
        self._facts = replace(self._facts, volume=volume)
        self._player.set_volume(volume)

    def set_trace(self, trace: str | Path | None) -> None:
        """Play on over another link; None or `unshaped` is the network as it is. Raises UsageError."""
        self._transport.set_link(trace_link(trace))
        self._facts = replace(self._facts, trace=str(trace or UNSHAPED))

    def set_limits(self, limits: Limits) -> None:
        """Applies to segments requested from now on."""
        self._player.set_limits(limits)

    def select_audio(self, key: str) -> None:
        """Listen to another track of `snapshot().tracks`; the picture goes on. Raises UsageError."""
        self._selection = replace(self._selection, audio=key)
        self._player.select_tracks(self._selection)

    def select_text(self, key: str | None) -> None:
        """Show other subtitles, or none. Raises UsageError."""
        self._selection = replace(self._selection, text=key or "")
        self._player.select_tracks(self._selection)

    def select_captions(self, service: str | None) -> None:
        """Show captions inside the picture, one of cushion_player.text.SERVICES, or none; from the next segment on.

        Raises UsageError for a service that there cannot be.
        """
        from cushion_player.text import caption_service

        known = caption_service(service) if service else None
        if service and known is None:
            raise UsageError(f"there are no captions {service!r}")
        self._player.select_captions(known)
        self._facts = replace(self._facts, captions_shown=known or "")

    def show_subtitles(self, cues: tuple[Cue, ...]) -> None:
        """Text of a file beside the title (`cushion_sdk.subtitles.read_subtitle_file`); () for none."""
        self._player.set_subtitles(cues)

    def set_loop(self, start_s: float = 0.0, end_s: float | None = None) -> None:
        """Play [start_s, end_s) again and again; None is the end of the title. Raises ValueError."""
        if start_s < 0 or (end_s is not None and end_s <= start_s):
            raise ValueError(f"a loop ends after it starts, got {start_s} to {end_s}")
        self._player.set_loop(Loop(round(start_s * 1e6), None if end_s is None else round(end_s * 1e6)))

    def end_loop(self) -> None:
        """Play on to the end of the title."""
        self._player.set_loop(None)

    def step(self, frames: int) -> None:
        """Pause, and show the picture `frames` further on (or back, when negative)."""
        self._player.step(frames)

    def skip_interstitial(self) -> None:
        """Leave what plays in between. Raises UsageError when nothing does, or it must not be skipped."""
        self._player.skip_interstitial()

    def set_scrubbing(self, is_on: bool) -> None:
        """While on, a seek shows the nearest key frame before it at once; off, playback goes to the last place."""
        self._player.set_scrubbing(is_on)

    # ------------------------------------------------------------------ what can be read

    def events(self) -> EventStream:
        """Events from now on, the opening first. Each call gives a stream of its own; all end with the session."""
        stream = EventStream()
        if self._opening is not None:
            stream.put(self._opening)
        if self._last is not None:
            stream.close()
        else:
            self._streams.append(stream)
        return stream

    async def wait_finished(self) -> PlaybackEnded | PlaybackFailed:
        """Wait until playback has ended or failed."""
        finished = from_notice(await self._player.wait_finished())
        assert isinstance(finished, PlaybackEnded | PlaybackFailed)
        return finished

    def snapshot(self) -> SessionSnapshot:
        """How things stand now."""
        if self._last is not None:
            return self._last[0]
        return snapshot_of(self._player.snapshot(), self._player.tracks, self._facts)

    async def thumbnail(self, position_s: float) -> ThumbnailPicture | None:
        """The small picture for a position; None where there is none, or it cannot be had.

        It travels over the session's link, one at a time; closing the session gives it up.
        """
        return await self._thumbnails.at(position_s)

    def summary(self) -> SessionSummary:
        """The session in numbers, until now; final once it is closed."""
        if self._last is not None:
            return self._last[1]
        now = self.snapshot()
        ledger = self._ledger
        played_s = ledger.played_s(now.position_s)
        return SessionSummary(
            startup_s=now.startup_s,
            rebuffer_s=round(now.rebuffer_s, 6),
            rebuffer_count=now.rebuffer_count,
            frames_shown=now.frames_shown,
            frames_dropped=now.frames_dropped,
            frames_expected=self._frames_due(ledger.pictured_s(now.position_s)),
            played_s=round(played_s, 6),
            rungs=tuple(ledger.rungs),
            mean_bitrate_bps=ledger.mean_bitrate_bps(now.position_s),
            switches=ledger.switches,
            resume_from_s=self._resume_from_s(),
            telemetry_events_acked=self._acknowledged(),
            errors=tuple(ledger.errors),
        )

    # ------------------------------------------------------------------ for open_session

    def loaded(
        self,
        presentation: Presentation,
        position_s: float,
        why: ResumeSource,
        frame_rate: float | None,
        listener: Callable[[SessionEvent], None],
        acknowledged: Callable[[], int],
        rate_changed: Callable[[float], None],
    ) -> None:
        """The presentation is known: connect what listens, and say so."""
        text = choose_text(self._player.tracks, self._options.text_language)
        if text:
            self.select_text(text)
        self._loaded_us = self._clock.now_us()
        self._follow(presentation)
        self._player.follow_presentation(self._follow)
        self._facts = replace(self._facts, captions=list_captions(presentation), is_loaded=True)
        self._frame_rate = frame_rate or self._frame_rate
        pictures = next((track for track in self._player.tracks if track.kind is TrackKind.VIDEO), None)
        if pictures is not None and not presentation.is_live:
            self._ledger.pictures_s = (seconds(pictures.start_us[0]), seconds(pictures.end_us()))
        self._listeners.append(listener)
        self._acknowledged = acknowledged
        self._rate_changed = rate_changed
        now = self._player.snapshot().engine
        self._opening = SessionOpened(self._source.name, seconds(now.duration_us), now.n_rungs, position_s, why)
        self._tell(self._opening)
        early, self._early = self._early, []
        for event in early:
            self._tell(event)

    def _follow(self, presentation: Presentation, origin: Fraction | None = None) -> None:
        """What plays, or a newer version of it; position 0 lies at `origin`."""
        self._thumbnails.follow(presentation, presentation.periods[0].start if origin is None else origin)
        self._facts = replace(self._facts, has_thumbnails=self._thumbnails.may_have_some)

    def stop(self) -> None:
        """Hold the clock; what follows is not reported any more."""
        self._listeners.clear()
        self._player.pause()

    def close(self) -> None:
        """Freeze snapshot and summary, end the event streams."""
        summary = self.summary()
        snapshot = self.snapshot()
        self._thumbnails.close()
        self._last = (replace(snapshot, state=SessionState.CLOSED), summary)
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    def _hear(self, notice: notices.Notice) -> None:
        event = from_notice(notice)
        if event is None or self._last is not None:
            return
        if isinstance(event, PlaybackStarted):
            event = PlaybackStarted(event.position_s, self._started())
        elif isinstance(event, PlaybackFailed):
            problem = SessionProblem(event.code, event.message)
            self._facts = replace(self._facts, error=problem, attempts=event.attempts)
        elif isinstance(event, RungCapped):
            self._facts = replace(self._facts, cap=self._cap(event))
        if self._opening is None:
            self._early.append(event)  # the first rung is chosen while the presentation is being loaded
        else:
            self._tell(event)

    def _started(self) -> float:
        """Startup: from the opening to the running clock, without the time that nobody had asked to play."""
        now_us = self._clock.now_us()
        loaded_us = self._loaded_us or now_us
        told_us = self._told_to_play_us or loaded_us
        startup_s = round(seconds(loaded_us - self._opened_us + now_us - max(told_us, loaded_us)), 6)
        self._facts = replace(self._facts, startup_s=startup_s)
        return startup_s

    def _cap(self, event: RungCapped) -> RungCap | None:
        if event.rung < 0:
            return None
        rungs = list_rungs(self._player.tracks, self._player.snapshot().engine.position_us)
        height_px = rungs[event.rung].height_px if event.rung < len(rungs) else 0
        return RungCap(event.rung, height_px, event.reason)

    def _tell(self, event: SessionEvent) -> None:
        self._ledger.hear(event, seconds(self._clock.now_us() - self._opened_us))
        for listener in self._listeners:
            listener(event)
        for stream in self._streams:
            stream.put(event)

    def _frames_due(self, pictured_s: float) -> int | None:
        """Frames whose time the media clock passed, the one it started on included."""
        return None if self._frame_rate is None else math.ceil(pictured_s * self._frame_rate - FRAME_NOISE)

    def _resume_from_s(self) -> float:
        opening = self._opening
        if opening is None or opening.source in (ResumeSource.BEGINNING, ResumeSource.ARGUMENT):
            return 0.0
        return round(opening.position_s, 6)
