"""A Player that also plays what comes in between.

It drives the main player, a player for each asset, and hands the output from one to the next. What is due when is
BreakSchedule's to say. While a break plays, verbs of the viewer go to its asset; the main presentation waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType
from typing import Self

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.driving.audience import Audience
from cushion_player.engine import Limits, Loop, TrackSelection
from cushion_player.errors import CushionError, UsageError
from cushion_player.interstitials.asset import Asset, MakePlayer
from cushion_player.interstitials.breaks import Break, breaks_of, snapped
from cushion_player.interstitials.output_switch import OutputSwitch
from cushion_player.interstitials.schedule import BreakSchedule, Due
from cushion_player.manifest import NeedKind, ReadResult
from cushion_player.model import Presentation
from cushion_player.notices import (
    InterstitialAssetFailed,
    InterstitialAssetStarted,
    InterstitialEnded,
    InterstitialStarted,
    Notice,
    PlaybackEnded,
    PlaybackFailed,
    TimedEventBegan,
    TimedEventEnded,
)
from cushion_player.outputs import MediaOutput, SoundSettings
from cushion_player.player import InterstitialSnapshot, Player, PlayerSnapshot
from cushion_player.text import Cue
from cushion_player.timed import EventSource, TimedEvent
from cushion_player.timeline import Track
from cushion_player.transport.base import ANSWER_LIMIT_S, FetchRequest, Transport, fetch_bytes

PRELOAD_US = 10_000_000
"""How far ahead of a break its first asset is loaded."""
LIST_LIMIT_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Running:
    """The break that plays now."""

    due: Due
    n_assets: int = 0
    number: int = -1
    asset: Asset | None = None
    played_us: int = 0
    skip_to_us: int | None = None
    is_skipped: bool = False


class ProgrammePlayer:
    """Has the methods of Player. Use it as an async context manager."""

    def __init__(
        self,
        *,
        make_main: MakePlayer,
        make_asset: MakePlayer,
        output: MediaOutput,
        transport: Transport,
        clock: Clock,
    ) -> None:
        """make_main, make_asset: a player on the output they are given. transport: fetches asset lists."""
        self._switch = OutputSwitch(output)
        self._handle = self._switch.handle()
        self._main = make_main(self._handle)
        self._make_asset = make_asset
        self._transport = transport
        self._clock = clock
        self._schedule = BreakSchedule()
        self._presentation: Presentation | None = None
        self._running: _Running | None = None
        self._left = ""
        """The break that ended where it began: playback comes to its mark once more, and goes on."""
        self._ahead: dict[tuple[str, int], Asset] = {}
        """By break and number."""
        self._spawned: set[asyncio.Task[None]] = set()
        self._wants_play = False
        self._scrubbed_us: int | None = None
        """While the viewer scrubs: where that began."""
        self._scrub_to_us: int | None = None
        self._group: asyncio.TaskGroup | None = None
        self._audience = Audience()
        self._main.subscribe(self._hear)
        self._main.follow_presentation(self._list)

    async def __aenter__(self) -> Self:
        self._audience.open()
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        await self._main.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._group is not None
        group, self._group = self._group, None
        for task in tuple(self._spawned):
            task.cancel()
        try:
            await group.__aexit__(None, None, None)
        finally:
            try:
                await self._main.__aexit__(kind, value, traceback)
            finally:
                self._audience.close()
                await self._switch.output.close()

    # ------------------------------------------------------------------ what the viewer does

    async def load(self, url: str, start_us: int = 0, *, live_start_us: int | None = None) -> Presentation:
        """As `Player.load`; a preroll begins before the main presentation does."""
        presentation = await self._main.load(url, start_us, live_start_us=live_start_us)
        start_us = self._main.snapshot().engine.position_us
        self._list(presentation, presentation.periods[0].start)
        preroll = self._schedule.at_beginning()
        if preroll is not None:
            self._begin(Due(preroll.item, start_us, preroll.reason))
        else:
            self._switch.give_to(self._handle)
        return presentation

    def play(self) -> None:
        self._wants_play = True
        self._playing().play()

    def pause(self) -> None:
        self._wants_play = False
        self._playing().pause()

    def seek(self, position_us: int) -> None:
        """Raises UsageError during a break that must not be skipped."""
        running = self._running
        if running is not None:
            self._leave(running, position_us)
            return
        if self._scrubbed_us is not None:
            self._scrub_to_us = position_us
            self._main.seek(position_us)
            return
        from_us = self._main.snapshot().engine.position_us
        due = self._schedule.on_seek(from_us, position_us)
        if due is not None:
            self._begin(due)
            return
        self._main.seek(position_us)
        near = self._schedule.coming(position_us, PRELOAD_US)
        for identity in {identity for identity, _ in self._ahead if near is None or identity != near.id}:
            self._drop_ahead(identity)
        self._load_ahead(near)

    def seek_to_live(self) -> None:
        """As `Player.seek_to_live`, not during a break."""
        if self._running is None:
            self._main.seek_to_live()

    def skip_interstitial(self) -> None:
        """Leave the break that plays. Raises UsageError when there is none, or it must not be skipped."""
        if self._running is None:
            raise UsageError("no interstitial plays now")
        self._leave(self._running, None)

    def set_rate(self, rate: float) -> None:
        """Of the main presentation; breaks play at their own."""
        self._main.set_rate(rate)

    def set_limits(self, limits: Limits) -> None:
        self._main.set_limits(limits)

    def select_tracks(self, selection: TrackSelection) -> None:
        self._main.select_tracks(selection)

    def set_loop(self, loop: Loop | None) -> None:
        self._main.set_loop(loop)

    def step(self, frames: int) -> None:
        self._wants_play = False
        self._playing().step(frames)

    def set_scrubbing(self, is_on: bool) -> None:
        """As `Player.set_scrubbing`, not during a break; a break that was scrubbed over plays when it ends."""
        if self._running is not None or is_on == (self._scrubbed_us is not None):
            return
        from_us = self._scrubbed_us
        self._scrubbed_us = self._main.snapshot().engine.position_us if is_on else None
        to_us = self._scrub_to_us if from_us is not None else None
        self._scrub_to_us = None
        self._main.set_scrubbing(is_on)
        due = self._schedule.on_seek(from_us, to_us) if from_us is not None and to_us is not None else None
        if due is not None:
            self._begin(due)

    def set_volume(self, volume: float) -> None:
        self._switch.output.set_volume(volume)

    def set_sound(self, settings: SoundSettings) -> None:
        self._switch.output.set_sound(settings)

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        """As `Player.set_subtitles`; it belongs to the main presentation, and is hidden while a break plays."""
        self._main.set_subtitles(cues)

    def select_captions(self, service: str | None) -> None:
        """As `Player.select_captions`, in breaks too."""
        self._main.select_captions(service)

    def subscribe(self, callback: Callable[[Notice], None]) -> None:
        """`callback` hears the main player's notices, and what is said of breaks."""
        self._audience.subscribe(callback)

    def follow_presentation(self, callback: Callable[[Presentation, Fraction], None]) -> None:
        """As `Player.follow_presentation`: of the main one."""
        self._main.follow_presentation(callback)

    @property
    def tracks(self) -> tuple[Track, ...]:
        return self._main.tracks

    def snapshot(self) -> PlayerSnapshot:
        """The main presentation's state; `interstitial` tells of the break that plays."""
        now = self._main.snapshot()
        running = self._running
        if running is None:
            return now
        engine = running.asset.player.snapshot().engine if running.asset is not None else None
        return replace(
            now,
            interstitial=InterstitialSnapshot(
                id=running.due.item.id,
                number=max(0, running.number),
                n_assets=running.n_assets,
                position_us=engine.position_us if engine is not None else 0,
                duration_us=engine.duration_us if engine is not None else 0,
                may_skip=running.due.item.may_skip,
                is_paused=not self._wants_play,
            ),
        )

    async def wait_finished(self) -> PlaybackEnded | PlaybackFailed:
        """Until the main presentation and what follows it have ended, or playback failed."""
        return await self._audience.wait_finished()

    # ------------------------------------------------------------------ the main player's notices

    def _hear(self, notice: Notice) -> None:
        match notice:
            case TimedEventBegan() if notice.event.source is EventSource.BREAK:
                self._came_to(notice.event)
                return
            case TimedEventEnded() if notice.event.source is EventSource.BREAK:
                return
            case PlaybackEnded():
                postroll = self._schedule.at_end()
                if postroll is not None:
                    self._begin(postroll)
                    return
            case _:
                pass
        self._tell(notice)

    def _came_to(self, mark: TimedEvent) -> None:
        if self._running is not None:
            return
        if mark.value == "near":
            self._load_ahead(self._schedule.coming(mark.start_us - 1, PRELOAD_US + 1))
            return
        if mark.id == self._left:
            self._left = ""
            return
        due = self._schedule.at_mark(mark.id)
        if due is not None:
            self._begin(due)

    def _tell(self, notice: Notice) -> None:
        self._audience.tell(notice)

    # ------------------------------------------------------------------ breaks

    def _list(self, presentation: Presentation, origin: Fraction) -> None:
        """Mark the breaks of a presentation, new or refreshed, on the main timeline, which starts at `origin`."""
        self._presentation = presentation
        breaks = breaks_of(presentation, origin)
        video = self._main.tracks[0] if self._main.tracks else None
        fresh = self._schedule.add(snapped(item, video) if video is not None else item for item in breaks)
        marks: list[TimedEvent] = []
        for item in fresh:
            if item.is_preroll or item.is_postroll:
                continue
            near_us = max(0, item.start_us - PRELOAD_US)
            marks.append(TimedEvent(EventSource.BREAK, "break", "near", item.id, near_us, 0))
            marks.append(TimedEvent(EventSource.BREAK, "break", "start", item.id, item.start_us, 0))
        self._main.list_events(marks)

    def _begin(self, due: Due) -> None:
        self._main.pause()
        self._running = _Running(due)
        self._spawn(self._run(self._running))

    def _leave(self, running: _Running, position_us: int | None) -> None:
        if not running.due.item.may_skip:
            raise UsageError("this interstitial must not be skipped")
        running.is_skipped = True
        running.skip_to_us = position_us
        if running.asset is not None:
            running.asset.stop()

    def _playing(self) -> Player | _Nobody:
        if self._running is None:
            return self._main
        return self._running.asset.player if self._running.asset is not None else _Nobody()

    async def _run(self, running: _Running) -> None:
        item, why = running.due.item, ""
        position_us = self._main.snapshot().engine.position_us
        try:
            urls = item.assets or await self._read_list(item)
        except CushionError as exc:
            urls, why = (), str(exc)
        running.n_assets = len(urls)
        self._tell(InterstitialStarted(item.id, position_us, len(urls), item.may_skip, running.due.reason))
        for number, url in enumerate(urls):
            if running.is_skipped or self._is_over(running):
                break
            await self._play_asset(running, number, url)
        self._schedule.played(item)
        self._go_on(running, why)

    def _go_on(self, running: _Running, why: str) -> None:
        item = running.due.item
        resume_us = running.due.then_us
        if resume_us is None:
            resume_us = item.resume_us(running.played_us)
        if running.skip_to_us is not None:
            resume_us = running.skip_to_us
        self._running = None
        reason = why or ("skipped" if running.is_skipped else "played")
        self._tell(InterstitialEnded(item.id, resume_us, running.played_us, reason))
        self._switch.give_to(self._handle)
        self._drop_ahead(item.id)
        if item.is_postroll and running.skip_to_us is None:
            ended = PlaybackEnded(self._main.snapshot().engine.position_us)
            following = self._schedule.at_end()
            if following is not None:
                self._begin(following)
                return
            self._tell(ended)
            return
        preroll = self._schedule.at_beginning() if item.is_preroll else None
        if preroll is not None:
            self._begin(Due(preroll.item, resume_us, preroll.reason))
            return
        self._left = item.id if resume_us == item.start_us else ""
        self._main.seek(resume_us)
        if self._wants_play:
            self._main.play()

    async def _play_asset(self, running: _Running, number: int, url: str) -> None:
        item = running.due.item
        asset = self._ahead.pop((item.id, number), None) or self._load(url)
        running.number, running.asset = number, asset
        limit_us = None if item.playout_limit_us is None else item.playout_limit_us - running.played_us
        watching = None if limit_us is None else self._spawn(self._limit(asset, limit_us))
        asset.begin(wants_play=self._wants_play)
        self._tell(InterstitialAssetStarted(item.id, number))
        if number + 1 < len(item.assets):
            self._ahead[item.id, number + 1] = self._load(item.assets[number + 1])
        outcome = await asset.outcome()
        if watching is not None:
            watching.cancel()
        running.asset = None
        running.played_us += outcome.played_us
        if outcome.code:
            self._tell(InterstitialAssetFailed(item.id, number, outcome.code, outcome.message))

    def _is_over(self, running: _Running) -> bool:
        limit_us = running.due.item.playout_limit_us
        return limit_us is not None and running.played_us >= limit_us

    async def _limit(self, asset: Asset, limit_us: int) -> None:
        """Stop an asset when it has played for so long."""
        while (left_us := limit_us - asset.player.snapshot().engine.position_us) > 0:
            await self._clock.sleep_until(self._clock.now_us() + max(left_us, 10_000))
        asset.stop()

    # ------------------------------------------------------------------ loading

    def _load(self, url: str) -> Asset:
        asset = Asset(url, self._make_asset, self._switch)
        self._spawn(asset.run())
        return asset

    def _load_ahead(self, item: Break | None) -> None:
        """Begin to load the first asset of a break that is near."""
        if item is not None and item.assets and (item.id, 0) not in self._ahead:
            self._ahead[item.id, 0] = self._load(item.assets[0])

    def _drop_ahead(self, identity: str) -> None:
        """Give up what was loaded of a break and not played."""
        for place in [place for place in self._ahead if place[0] == identity]:
            self._ahead.pop(place).stop()

    async def _read_list(self, item: Break) -> tuple[str, ...]:
        """The assets of a list. Raises FetchError and ManifestError kinds."""
        assert self._presentation is not None
        needs = manifest.later_needs(self._presentation)
        need = next((each for each in needs if each.kind is NeedKind.ASSETS and each.representation == item.id), None)
        if need is None:
            return ()
        request = FetchRequest(need.url, label=need.label)
        fetched = await fetch_bytes(
            self._transport, request, self._clock, limit_bytes=LIST_LIMIT_BYTES, limit_s=ANSWER_LIMIT_S
        )
        result = manifest.resolve(ReadResult(self._presentation), need, fetched.body, fetched.url)
        found = next(each for each in result.presentation.interstitials if each.id == item.id)
        return tuple(asset.url for asset in found.assets)

    # ------------------------------------------------------------------ tasks

    def _spawn(self, work: asyncio._CoroutineLike[None]) -> asyncio.Task[None]:
        assert self._group is not None
        task = self._group.create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
        return task


class _Nobody:
    """Between two assets there is nobody to tell; what the viewer wants is remembered."""

    def play(self) -> None: ...
    def pause(self) -> None: ...
    def step(self, frames: int) -> None: ...
