"""The requests of one playback, and the bytes they bring. Obeys the engine's fetch effects and answers with its verbs.

It holds no opinion: what to fetch, again or not, is the engine's to say.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from cushion_player.clock import Clock
from cushion_player.driving.failures import failure_of
from cushion_player.driving.receiving import Body, LinkBytes, Receiver, kept_after
from cushion_player.driving.sourcing import Sourcing
from cushion_player.driving.spoilt import what_is_wrong
from cushion_player.driving.unlocking import Sealed, Unlocking
from cushion_player.effects import AcquireKey, FetchInit, FetchSegment
from cushion_player.engine import FetchFailure, PlaybackEngine
from cushion_player.errors import CushionError, FetchError, ManifestError, MediaError
from cushion_player.key_requests import choose_key
from cushion_player.model import Address
from cushion_player.planning.addressing import PlaybackPlan
from cushion_player.transport.base import ByteSource, FetchRequest, FetchTimeouts, Transport, fetch_bytes

if TYPE_CHECKING:
    from cushion_player.driving.live_source import LiveSource

if TYPE_CHECKING:
    from cushion_player.driving.arriving import Arrival
    from cushion_player.driving.receiving_parts import PartsReceiver

PROGRESS_INTERVAL_US = 100_000

E = TypeVar("E", FetchInit, FetchSegment, AcquireKey)

Verb = Callable[[int], None]
"""Calls a verb of the engine with the time it is given."""


class Requests:
    """Tasks by request id, and what they brought until it is discarded."""

    def __init__(
        self,
        engine: PlaybackEngine,
        transport: Transport,
        clock: Clock,
        timeouts: FetchTimeouts,
        unlocking: Unlocking,
        sourcing: Sourcing,
        call: Callable[[Verb], None],
    ) -> None:
        """call: runs a verb of the engine and obeys what follows."""
        self._engine = engine
        self._transport = transport
        self._clock = clock
        self._timeouts = timeouts
        self._unlocking = unlocking
        self._sourcing = sourcing
        self._call = call
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._segments: dict[int, Sealed] = {}
        self._kept: dict[int, Body] = {}
        """What failed requests had brought, for those that resume them."""
        self._arrivals: dict[int, Arrival] = {}
        """Segments on their way that are played meanwhile."""
        self.link = LinkBytes()
        self._inits: dict[str, Sealed] = {}
        self.live: LiveSource | None = None
        """Who knows where the segments of a live presentation are."""

    # ------------------------------------------------------------------ effects

    def fetch_init(self, effect: FetchInit, plan: PlaybackPlan, group: asyncio.TaskGroup) -> None:
        self._spawn(effect.request_id, self._located(effect, plan, self._fetch_init), group)

    def fetch_segment(self, effect: FetchSegment, plan: PlaybackPlan, group: asyncio.TaskGroup) -> None:
        kept = self._kept.pop(effect.resumes, None)
        if kept is not None:
            self._kept[effect.request_id] = kept

        async def fetch(effect: FetchSegment, plan: PlaybackPlan) -> None:
            await self._fetch_segment(effect, plan, group)

        self._spawn(effect.request_id, self._located(effect, plan, fetch), group)

    def acquire_key(self, effect: AcquireKey, plan: PlaybackPlan, group: asyncio.TaskGroup) -> None:
        self._spawn(effect.request_id, self._located(effect, plan, self._acquire_key), group)

    def abandon(self, request_id: int) -> None:
        """What is being played of it stays until it is discarded."""
        task = self._tasks.pop(request_id, None)
        if task is not None:
            task.cancel()
        arrival = self._arrivals.pop(request_id, None)
        if arrival is not None and arrival.has_told:
            self._kept[request_id] = arrival.body
        elif arrival is None and request_id in self._kept and not self._kept[request_id].is_growing:
            del self._kept[request_id]  # what it was to go on behind

    def discard(self, request_id: int) -> None:
        self._segments.pop(request_id, None)
        self._kept.pop(request_id, None)
        if request_id in self._arrivals:
            self._arrivals[request_id].has_told = False

    def cancel_all(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    def clear(self) -> None:
        """Drop all bytes."""
        self._segments.clear()
        self._kept.clear()
        self._arrivals.clear()
        self._inits.clear()

    # ------------------------------------------------------------------ what was brought

    def segment(self, request_id: int) -> Sealed:
        """Of one that was given up half-way, what had come."""
        whole = self._segments.get(request_id)
        return Sealed(bytes(self._kept[request_id].data)) if whole is None else whole

    def chunk(self, request_id: int, from_bytes: int, to_bytes: int) -> bytes:
        """A piece of a segment in the clear that is on its way, or broke off."""
        if request_id in self._segments:
            return self._segments[request_id].data[from_bytes:to_bytes]
        arrival = self._arrivals.get(request_id)
        body = arrival.body if arrival is not None else self._kept[request_id]
        return bytes(body.data[from_bytes:to_bytes])

    def init(self, name: str) -> Sealed:
        """The initialisation segment of that name; empty when its segments need none."""
        return self._inits.get(name, Sealed())

    # ------------------------------------------------------------------ tasks

    def _spawn(self, request_id: int, fetch: asyncio._CoroutineLike[None], group: asyncio.TaskGroup) -> None:
        task = group.create_task(fetch)
        self._tasks[request_id] = task
        task.add_done_callback(lambda done: self._forget(request_id, done))

    async def _located(
        self, effect: E, plan: PlaybackPlan, fetch: Callable[[E, PlaybackPlan], Awaitable[None]]
    ) -> None:
        """Fetch once the address is known: live, a playlist may have to be read first."""
        if self.live is not None:
            try:
                plan = await self.live.locate(effect)
            except CushionError as exc:
                self._failed(effect.request_id, exc, self._kept.pop(effect.request_id, None))
                return
        await fetch(effect, plan)

    def _forget(self, request_id: int, task: asyncio.Task[None]) -> None:
        if self._tasks.get(request_id) is task:
            del self._tasks[request_id]

    def _request(self, address: Address, label: str) -> FetchRequest:
        return FetchRequest(address.url, byte_range=address.byte_range, timeouts=self._timeouts, label=label)

    async def _fetch_init(self, effect: FetchInit, plan: PlaybackPlan) -> None:
        place = effect.key, effect.index, effect.rung
        name = plan.init_name(*place)
        label = plan.label(*place, "the initialisation segment")
        try:
            key = choose_key(plan.init_keys(*place))
            number = plan.sequence_number(*place)
            address = await self._sourcing.init_address(effect, plan)
            if address is not None:
                fetched = await fetch_bytes(self._transport, self._request(address, label), self._clock)
                self._inits[name] = Sealed(fetched.body, key, number)
        except (FetchError, ManifestError) as exc:
            self._failed(effect.request_id, exc)
            return
        for arrival in list(self._arrivals.values()):
            arrival.look_again()
        self._call(lambda now: self._engine.init_received(effect.request_id, now=now))

    async def _fetch_segment(self, effect: FetchSegment, plan: PlaybackPlan, group: asyncio.TaskGroup) -> None:
        place = effect.key, effect.index, effect.rung
        label = plan.label(*place)
        try:
            key = choose_key(plan.encryption(*place).keys)
            number = plan.sequence_number(*place)
            receiver = await self._receiver(effect, plan, group)
        except (FetchError, ManifestError) as exc:
            self._failed(effect.request_id, exc, self._kept.pop(effect.request_id, None))
            return
        try:
            await receiver.receive()
        except FetchError as exc:
            self._arrivals.pop(effect.request_id, None)
            self._failed(effect.request_id, exc, kept_after(exc, receiver.body))
            return
        if effect.request_id not in self._tasks:
            return  # given up at its very end: nobody would discard it
        body = bytes(receiver.body.data)
        said = plan.format(*place)
        is_hidden = key is not None
        wrong = "" if is_hidden else what_is_wrong(body, said.container, may_be_cut=said.has_key_frames_only)
        if wrong:
            self._segments[effect.request_id] = Sealed(body)
            self._arrivals.pop(effect.request_id, None)
            failure = FetchFailure("decode", f"{label}: {wrong}", retryable=True, kept_bytes=len(body), is_whole=True)
            self._call(lambda now: self._engine.segment_failed(effect.request_id, failure, now=now))
            return
        source, first_byte_us = receiver.body.source, receiver.body.first_byte_us
        if source is not ByteSource.NETWORK:
            self._call(lambda now: self._engine.segment_came_from(effect.request_id, source.value, now=now))
        if self._unlocking.may_follow(effect, plan):
            self._call(lambda now: self._engine.segment_arrived(effect.request_id, len(body), first_byte_us, now=now))
        try:
            await self._unlocking.follow(effect, plan, body)
        except (FetchError, MediaError) as exc:
            self._failed(effect.request_id, exc)
            return
        self._segments[effect.request_id] = Sealed(body, key, number)
        self._arrivals.pop(effect.request_id, None)
        self._call(lambda now: self._engine.segment_received(effect.request_id, len(body), first_byte_us, now=now))

    async def _receiver(
        self, effect: FetchSegment, plan: PlaybackPlan, group: asyncio.TaskGroup
    ) -> Receiver | PartsReceiver:
        """Raises FetchError and ManifestError kinds when its address cannot be found out."""
        place = effect.key, effect.index, effect.rung
        label = plan.label(*place)
        if not plan.comes_in_chunks(*place):
            address = await self._sourcing.segment_address(effect, plan)
            return Receiver(
                self._transport,
                self._clock,
                self._request(address, label),
                kept=self._kept.pop(effect.request_id, None),
                on_progress=self._progress_of(effect),
                on_refused=lambda: self._refused(effect),
            )
        from cushion_player.driving.chunk_requests import ChunkRequest  # for low latency alone

        kept = self._kept.get(effect.request_id)
        has_parts = kept is not None and kept.n_parts > 0
        news = self.live.part_news(effect, has_parts=has_parts) if self.live is not None else None
        request = None
        if news is None:
            request = self._request(await self._sourcing.segment_address(effect, plan), label)
        asked = ChunkRequest(
            effect,
            self._engine,
            self._clock,
            self.link,
            lambda: self.init(plan.init_name(*place)).data,
            self._call,
            self._progress_of(effect),
            self._kept.pop(effect.request_id, None),
        )
        self._arrivals[effect.request_id] = asked.arrival
        if news is not None:
            return asked.in_parts(self._transport, news, label, self._timeouts, group.create_task)
        assert request is not None, "it comes in one body"
        return asked.in_one(self._transport, request)

    def _refused(self, effect: FetchSegment) -> None:
        self._call(lambda now: self._engine.resume_refused(effect.request_id, now=now))

    def _progress_of(self, effect: FetchSegment) -> Callable[[int, int], None]:
        told_us = self._clock.now_us()

        def on_progress(received_bytes: int, first_byte_us: int) -> None:
            nonlocal told_us
            if self._clock.now_us() - told_us >= PROGRESS_INTERVAL_US:
                told_us = self._clock.now_us()
                self._call(
                    lambda now: self._engine.segment_progress(effect.request_id, received_bytes, first_byte_us, now=now)
                )

        return on_progress

    async def _acquire_key(self, effect: AcquireKey, plan: PlaybackPlan) -> None:
        init = self.init(plan.init_name(effect.key, effect.index, effect.rung)).data
        try:
            await self._unlocking.acquire(effect, plan, init)
        except MediaError as exc:
            if not await self._acquire_elsewhere(effect, plan, init):
                self._failed(effect.request_id, exc)
                return
        self._call(lambda now: self._engine.key_received(effect.request_id, now=now))

    async def _acquire_elsewhere(self, effect: AcquireKey, plan: PlaybackPlan, init: bytes) -> bool:
        """Whether another pathway has the key."""
        async with contextlib.aclosing(self._sourcing.locks_elsewhere(effect, plan)) as elsewhere:
            async for locks in elsewhere:
                with contextlib.suppress(MediaError):
                    await self._unlocking.acquire(effect, plan, init, locks)
                    return True
        return False

    def _failed(self, request_id: int, error: CushionError, kept: Body | None = None) -> None:
        kept_bytes = 0
        if kept is not None:
            self._kept[request_id] = kept
            kept_bytes = len(kept.data)
        failure = failure_of(error, kept_bytes)
        self._call(lambda now: self._engine.segment_failed(request_id, failure, now=now))
