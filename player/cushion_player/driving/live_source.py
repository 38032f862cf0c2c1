"""Follows the manifest of a live presentation for a driver: reads it again, plans on, tells the engine.

It holds no opinion: when to ask is the engine's to say, what follows from the answer the planner's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.driving.asker import Asker
from cushion_player.driving.clock_sync import ClockSync
from cushion_player.driving.failures import failure_of
from cushion_player.driving.live_mpd import BODY_S, MpdReader
from cushion_player.driving.loading import complete
from cushion_player.driving.receiving_parts import Ahead, PartNews
from cushion_player.driving.sourcing import Sourcing
from cushion_player.effects import AcquireKey, FetchInit, FetchSegment
from cushion_player.engine import FetchFailure
from cushion_player.errors import ConnectionLost, CushionError, FetchError, FetchTimeout, SegmentNotListed
from cushion_player.held_readings import HeldReadings
from cushion_player.manifest import ReadResult
from cushion_player.manifest.hls import representations_of
from cushion_player.manifest.hls_parts import comes_in_parts, parts_of, representation_of
from cushion_player.manifest.hls_pathways import read_at_place
from cushion_player.manifest.hls_refresh import joining_url
from cushion_player.manifest.hls_refresh import reload_url as playlist_url
from cushion_player.model import US_PER_S, BaseUrl, Presentation, Representation
from cushion_player.planning.addressing import PlaybackPlan
from cushion_player.planning.live_plan import LivePlanner
from cushion_player.planning.live_restart import going_on
from cushion_player.planning.places import sources_of
from cushion_player.planning.weighting import by_weight
from cushion_player.timeline_update import TimelineUpdate
from cushion_player.transport.base import FetchRequest, FetchTimeouts

ANSWER_S = 5.0
"""A manifest that is silent for longer is asked for again: unlike a segment it is small, and soon out of date."""
PART_GRACE_S = 1.0
"""By how much longer than three parts take may an answer be in coming that waits for the next part."""
LATE_VERSIONS = 4
"""A rung's playlist may be so many versions behind another's."""
HASTY_S = 2.0
"""A media playlist that is silent for longer is asked for once more at once, unless its server is known to be slow."""
BLOCK_TARGETS = 3
"""A blocking reload is answered within so many target durations or not at all (RFC 8216bis 6.2.5.2)."""


class LiveSource:
    """The manifest of one live presentation, as it changes."""

    def __init__(
        self,
        asker: Asker,
        sourcing: Sourcing,
        clock: Clock,
        sync: ClockSync,
        presentation: Presentation,
        timeouts: FetchTimeouts,
        *,
        language: str | None = None,
        others: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        """others: addresses that the manifest may also be had at. seed: draws among places of one priority.

        Raises ManifestError kinds when nothing of it can be played, or nothing is there yet."""
        self._asker = asker
        self._sourcing = sourcing
        self._sources: dict[str, str] = {}
        """By track, the source that was asked last."""
        self._seed = seed
        self._wanted: tuple[str, ...] = ()
        """The sources in the order in which they are to be asked, as far as there is one."""
        self._clock = clock
        self._sync = sync
        self._timeouts = FetchTimeouts(
            timeouts.connect_s, min(timeouts.first_byte_s, ANSWER_S), min(timeouts.stall_s, ANSWER_S)
        )
        self._mpd = MpdReader(asker, self._timeouts, others)
        self._presentation = presentation
        self.origin = presentation.periods[0].start
        """Where position 0 lies on the presentation's own timeline, whatever periods have gone since."""
        self._planner = LivePlanner(
            by_weight(presentation, seed), now=clock.now_us(), utc_offset_us=sync.utc_offset_us, language=language
        )
        self._read_us = {item.id: clock.now_us() for item in representations_of(presentation)}
        """When each media playlist was read last."""
        self._is_slow = False
        """Whether the last playlist took long to come though it came."""
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._news = asyncio.Event()
        self._n_silent = 0
        """Held reloads in a row that were never answered."""
        self._had_at: dict[str, BaseUrl] = {}
        """Where the playlist of each representation was had last, since another source was asked for."""
        self._ahead: dict[str, Ahead] = {}
        """The part of each representation that was asked for ahead."""
        self._readings = HeldReadings(clock, self._read_rung)

    @property
    def presentation(self) -> Presentation:
        """The newest version."""
        return self._presentation

    @property
    def plan(self) -> PlaybackPlan:
        return self._planner.plan

    def refresh(
        self,
        group: asyncio.TaskGroup,
        keys: Sequence[str],
        sources: tuple[str, ...],
        on_update: Callable[[TimelineUpdate], None],
        on_failure: Callable[[FetchFailure], None],
    ) -> None:
        """Find out how it goes on, and say so by one of the two.

        keys: of the tracks whose playlists are read (HLS); () for all. sources: the order in which places are asked.
        """
        self._planner.follow(keys)
        self._wanted = sources
        task = group.create_task(self._refresh(group, on_update, on_failure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._readings.cancel()
        for ahead in self._ahead.values():
            ahead.forget()

    async def locate(self, effect: FetchSegment | FetchInit | AcquireKey) -> PlaybackPlan:
        """The plan, once it has the address of what is to be fetched. Raises FetchError and ManifestError kinds."""
        self._planner.activate(effect.key, effect.rung)
        if isinstance(effect, FetchSegment) and self._sources.get(effect.key) != effect.source:
            self._sources[effect.key] = effect.source
            self._had_at.clear()
        if not self._is_known(effect):
            await self._join(effect)
            for _ in range(LATE_VERSIONS if self._has_parts() else 0):
                if self._is_known(effect):
                    break
                await self.changed()
                self._planner.adopt(self._presentation)
            if not self._is_known(effect):
                label = self.plan.label(effect.key, effect.index, effect.rung)
                raise SegmentNotListed(f"{label}: the newest playlist does not list it")
        return self.plan

    def _is_known(self, effect: FetchSegment | FetchInit | AcquireKey) -> bool:
        """Whether the segment is listed, or parts of it are."""
        return (
            self._planner.is_listed(effect.key, effect.index, effect.rung)
            or self._planner.in_the_making(effect.key, effect.index, effect.rung) is not None
        )

    def _has_parts(self) -> bool:
        live = self.plan.timeline.live
        return self._presentation.kind == "hls" and live is not None and live.chunk_us > 0

    # ------------------------------------------------------------------ parts

    async def changed(self) -> None:
        """Wait until any playlist was read again."""
        await self._news.wait()

    def part_news(self, effect: FetchSegment, *, has_parts: bool) -> PartNews | None:
        """Who tells of the parts of a segment that is being made; None when it is there as a whole.

        has_parts: some of its parts were received already.
        """
        place = effect.key, effect.index, effect.rung
        identity, made = self._planner.representation(*place).id, self._planner.in_the_making(*place)
        if made is None and not (has_parts and self._planner.is_listed(*place)):
            return None
        number = made.number if made is not None else self.plan.sequence_number(*place)
        return PartNews(
            lambda: parts_of(representation_of(self._presentation, identity), number),
            self.changed,
            self._ahead.setdefault(identity, Ahead()),
        )

    # ------------------------------------------------------------------ reading again

    async def _refresh(
        self,
        group: asyncio.TaskGroup,
        on_update: Callable[[TimelineUpdate], None],
        on_failure: Callable[[FetchFailure], None],
    ) -> None:
        before = self._presentation
        try:
            await self._sync.sync(before)
            if before.kind == "hls":
                await (
                    self._readings.first(self._planner.followed(), group)
                    if self._has_parts()
                    else self._read_playlists()
                )
            else:
                await self._read_mpd()
        except CushionError as exc:
            on_failure(replace(failure_of(exc), retryable=True, retry_after_us=0))
            return
        update = self._planner.update(
            by_weight(self._presentation, self._seed),
            now=self._clock.now_us(),
            utc_offset_us=self._sync.utc_offset_us,
            has_changed=self._presentation is not before,
        )
        on_update(update)

    async def _read_mpd(self) -> None:
        if self._presentation.live.minimum_update_period is None:
            return  # it will not change: only time goes on
        utc = Fraction(self._clock.now_us() + self._sync.utc_offset_us, US_PER_S)
        self._presentation = going_on(self._presentation, await self._mpd.read(self._presentation, self._wanted, utc))

    async def _read_playlists(self) -> None:
        """Read one playlist of each track again; one that fails is left for the next time, unless all do.

        What is not followed is read once more when the rest has ended: how it ends must be known to go back in it.
        """
        items = self._planner.followed()
        await self._read_each(items)
        left = self._planner.left_aside()
        if left and self._have_ended(items):
            with contextlib.suppress(CushionError):
                await self._read_each(left)

    def _have_ended(self, items: Sequence[Representation]) -> bool:
        wanted = {item.id for item in items}
        playlists = [item.playlist for item in representations_of(self._presentation) if item.id in wanted]
        return all(playlist is not None and playlist.has_ended for playlist in playlists)

    async def _read_each(self, items: Sequence[Representation]) -> None:
        answers = await asyncio.gather(*(self._read_rung(item) for item in items), return_exceptions=True)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        for failure in failures:
            if not isinstance(failure, CushionError):
                raise failure
        if failures and len(failures) == len(items):
            raise failures[0]

    async def _read_rung(self, item: Representation) -> None:
        """Read the playlist of the rung that is played; when that cannot be had, of another one of the track."""
        places = self._places(item)
        try:
            await self._read_playlist(item, places[0])
            return None
        except CushionError:
            for place in places[1:]:
                with contextlib.suppress(CushionError):
                    if self._has_parts():
                        return await self._read_playlist(item, place)
                    return await self._put_in(item, place)
            others = [each for each in self._planner.siblings(item) if each.source != item.source]
            if not others:
                raise
            self._turn += 1
            other = others[self._turn % len(others)]
            await self._put_in(other, self._places(other)[0])

    def _places(self, item: Representation) -> list[BaseUrl]:
        """Where its playlist is: first at the source that its track is asked of."""
        places = sources_of(item, self._sourcing.clones)
        source = next((source for key, source in self._sources.items() if self._planner.has_rung(key, item)), "")
        ordered = [places[source]] if source in places else []
        if self._has_parts() and item.id in self._had_at:  # parts lie where their playlist was had, whatever was asked
            ordered.insert(0, self._had_at[item.id])
        return list(dict.fromkeys((*ordered, *places.values()))) or [BaseUrl(item.source)]

    async def _read_playlist(self, item: Representation, place: BaseUrl) -> None:
        age = Fraction(self._clock.now_us() - self._read_us.get(item.id, 0), US_PER_S)
        is_home = not item.bases or item.bases[0].url == place.url
        url = playlist_url(item, at=place.url, age=age, may_block=self._planner.may_block, may_skip=is_home)
        if not url:
            return
        try:
            await self._put_in(item, place, url)
        except FetchError as error:
            if url == place.url:
                raise
            self._n_silent = self._n_silent + 1 if isinstance(error, FetchTimeout) else 0
            if not isinstance(error, ConnectionLost) and self._n_silent != 1:
                self._planner.may_block = False  # what was asked for may be more than the server can do
            await self._put_in(item, place)

    async def _join(self, effect: FetchSegment | FetchInit | AcquireKey) -> None:
        """Read the playlist of a rung that was not followed until now."""
        item = self._planner.representation(effect.key, effect.index, effect.rung)
        if not item.source:
            return
        async with self._locks.setdefault(item.id, asyncio.Lock()):
            if self._is_known(effect):
                return
            current = self._newest(effect.key, effect.index)
            place = self._places(item)[0]
            url = joining_url(item, current, place.url) if self._planner.may_block else place.url
            try:
                await self._put_in(item, place, url)
            except FetchError:
                if url == place.url:
                    raise
                await self._put_in(item, place)
        self._planner.adopt(by_weight(self._presentation, self._seed))

    def _newest(self, key: str, index: int) -> Representation:
        """Of a track's rungs, the one whose playlist reaches furthest."""
        track = self.plan.timeline.find(key)
        assert track is not None
        rungs = range(len(track.stretch_of(index).rungs))
        items = [self._planner.representation(key, index, rung) for rung in rungs]
        return max(items, key=lambda item: item.segments[-1].number if item.segments else -1)

    async def _put_in(self, item: Representation, place: BaseUrl, url: str = "") -> None:
        """Read its playlist at a place. url: the place's, with what is wanted of it."""
        url = url or place.url
        body, final_url = await self._fetch(url, f"the media playlist of {item.id}", _patience(item, self._timeouts))
        refreshed = manifest.refresh(self._presentation, body, final_url, representation=item.id)
        result = ReadResult(refreshed.presentation, refreshed.needs)
        self._presentation = read_at_place(refreshed.presentation, item.id, place)
        if refreshed.needs:
            self._presentation = await complete(self._asker, result)
        self._read_us[item.id] = self._clock.now_us()
        self._had_at[item.id] = place
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _fetch(self, url: str, label: str, timeouts: FetchTimeouts) -> tuple[bytes, str]:
        request = FetchRequest(url, label=label, timeouts=timeouts)
        if timeouts is self._timeouts and not self._is_slow:
            hasty = FetchTimeouts(timeouts.connect_s, min(timeouts.first_byte_s, HASTY_S), timeouts.stall_s)
            with contextlib.suppress(FetchTimeout):
                return await self._ask_once(replace(request, timeouts=hasty))
        began_us = self._clock.now_us()
        answer = await self._ask_once(request)
        self._is_slow = self._clock.now_us() - began_us > HASTY_S * US_PER_S
        return answer

    async def _ask_once(self, request: FetchRequest) -> tuple[bytes, str]:
        return await self._asker.ask(
            request,
            lambda fetched, _: (fetched.body, fetched.url),
            is_once=True,
            limit_s=request.timeouts.first_byte_s + BODY_S,
        )


def _patience(item: Representation, timeouts: FetchTimeouts) -> FetchTimeouts:
    """Time for an answer that waits for the next segment."""
    if item.playlist is None or not item.playlist.server_control.can_block_reload:
        return timeouts
    longest_s = max(timeouts.first_byte_s, BLOCK_TARGETS * float(item.playlist.target_duration))
    if comes_in_parts(item) and item.playlist.part_target is not None:  # the next part is due, and missed soon
        longest_s = BLOCK_TARGETS * float(item.playlist.part_target) + PART_GRACE_S
    return FetchTimeouts(timeouts.connect_s, longest_s, timeouts.stall_s)
