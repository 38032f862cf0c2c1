"""A playback session: one title played once, with everything a viewer expects around it.

    async with open_session(url, SessionOptions(), stores=stores, output=output) as session:
        session.play()
        async for event in session.events():
            ...

It starts where the profile stopped, keeps the position safe, reports telemetry through the device's outbox, and
leaves nothing behind when it closes. It works without a backend; with one that is down it works just as well.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from cushion_player.clock import Clock, MonotonicClock, wall_ms
from cushion_player.engine import Limits
from cushion_player.errors import UsageError
from cushion_player.outputs import MediaOutput
from cushion_player.transport.base import Transport
from cushion_player.transport.dispatch import transport_for
from cushion_player.transport.shaped import ShapedTransport
from cushion_sdk.backend import Backend
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.cmcd import CmcdFormat
from cushion_sdk.device import DeviceStores, StoreError, stored
from cushion_sdk.opening import (
    UNSHAPED,
    JournalFile,
    MakePlayer,
    Source,
    bitrates_and_frame_rate,
    default_player,
    find_source,
    single_error,
    trace_link,
)
from cushion_sdk.outbox import OutboxSender
from cushion_sdk.playing import PlaybackSession
from cushion_sdk.remembering import network_of, remember, with_remembered
from cushion_sdk.reporting import Reporting
from cushion_sdk.resume import (
    REMOTE_LIMIT_US,
    REMOTE_PATIENCE_US,
    PositionKeeper,
    PositionUploader,
    StartPoint,
    ask_backend,
    choose_start,
    session_start_ms,
)
from cushion_sdk.session_events import ResumeSource
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.telemetry import Identity, TelemetryReporter

__all__ = ["PlaybackSession", "open_session"]


@asynccontextmanager
async def open_session(
    source: str | Title,
    options: SessionOptions | None = None,
    *,
    stores: DeviceStores,
    output: MediaOutput,
    transport: Transport | None = None,
    backend: Backend | None = None,
    clock: Clock | None = None,
    make_player: MakePlayer = default_player,
    rng: random.Random | None = None,
    now_ms: Callable[[], int] = wall_ms,
) -> AsyncGenerator[PlaybackSession]:
    """Open a session on a URL or a title of the backend's catalog; leaving the block closes it.

    output: made for this session, closed with it. stores, backend and transport stay the caller's; without a
    transport the session makes its own. rng: jitter of retries. now_ms: the wall clock, for stores and wires.

    Raises UsageError (options that cannot be used), ManifestError and FetchError kinds; nothing is written to the
    saved position then. Playback that fails later is an event, a state and a line in the summary, not an exception.
    """
    chosen = options or SessionOptions()
    with single_error():
        async with AsyncExitStack() as stack:
            stack.push_async_callback(output.close)
            opening = _Opening(chosen, stores, backend, clock or MonotonicClock(), rng or random.Random(), now_ms)
            yield await opening.open(find_source(source, chosen, backend), output, transport, make_player, stack)


class _Opening:
    """The steps from options to a session; `open` is their order."""

    def __init__(
        self,
        options: SessionOptions,
        stores: DeviceStores,
        backend: Backend | None,
        clock: Clock,
        rng: random.Random,
        now_ms: Callable[[], int],
    ) -> None:
        self.options = options
        self.stores = stores
        self.backend = backend
        self.reported_to = backend if options.report_to_backend else None
        self.clock = clock
        self.rng = rng
        self.now_ms = now_ms
        self.session_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))

    async def open(
        self,
        source: Source,
        output: MediaOutput,
        transport: Transport | None,
        make_player: MakePlayer,
        stack: AsyncExitStack,
    ) -> PlaybackSession:
        opened_us = self.clock.now_us()
        shaped = self._shape(source, transport, stack)
        path = self.options.journal_path
        journal = stack.enter_context(JournalFile(path)) if path is not None else None
        network = network_of(source.url, str(self.options.trace or UNSHAPED))
        options = await with_remembered(self.options, self.stores, network, self.now_ms())
        if options.seed is None:  # many viewers at once must not all do the same
            options = replace(options, seed=self.rng.getrandbits(32))
        player = make_player(options, transport=shaped, clock=self.clock, output=output, journal=journal)
        if self.options.subtitles_path is not None or self.options.captions:
            from cushion_sdk.subtitles import show_text_options  # its readers take a while to import

            await show_text_options(self.options, player)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        await stack.enter_async_context(player)
        session = PlaybackSession(player, source, self.options, shaped, self.clock, opened_us)
        start, started_ms = await self._find_start(source)
        player.set_volume(self.options.volume)
        player.set_limits(Limits(self.options.max_height_px, self.options.max_bitrate_bps))
        start_us = round(start.position_s * 1e6)
        asked_us = start_us if start.source is ResumeSource.ARGUMENT else None  # what is kept of live is of another day
        presentation = await player.load(source.url, start_us, live_start_us=asked_us)
        self._check_start(player.snapshot().engine.duration_us)
        bitrates_bps, frame_rate = bitrates_and_frame_rate(presentation)
        sender = OutboxSender(self.stores, self.reported_to, self.clock, self.rng) if self.reported_to else None
        sf = CmcdFormat.HLS if presentation.kind == "hls" else CmcdFormat.DASH
        reporting = Reporting(
            PositionKeeper(
                self.stores,
                profile_id=self.options.profile_id,
                title_id=source.title_id,
                session_id=self.session_id,
                session_started_ms=started_ms,
                is_shared=source.is_catalog and self.reported_to is not None,
            ),
            telemetry=self._telemetry(session, source, sf, presentation.is_live, bitrates_bps, sender),
            sender=sender,
            uploader=(
                PositionUploader(self.stores, self.reported_to, self.clock, self.rng) if self.reported_to else None
            ),
            clock=self.clock,
            now_ms=self.now_ms,
            snapshot=session.snapshot,
        )
        session.loaded(
            presentation,
            start.position_s,
            start.source,
            frame_rate,
            reporting.hear,
            lambda: sender.acknowledged(self.session_id) if sender else 0,
            reporting.rate_changed,
        )
        reporting.start(group)
        stack.push_async_callback(self._close, session, reporting, network)
        return session

    def _shape(self, source: Source, transport: Transport | None, stack: AsyncExitStack) -> ShapedTransport:
        link = trace_link(self.options.trace)
        if transport is None:
            from cushion_player.media.progressive import ProgressiveTransport

            transport = ProgressiveTransport(transport_for(source.url), source.url)
            stack.push_async_callback(transport.close)
        return ShapedTransport(transport, self.clock, link)

    def _check_start(self, duration_us: int) -> None:
        """Refuse a start past the end: it would end at once, and that end would replace the saved position."""
        start_s = self.options.start_s
        if start_s and duration_us and start_s * 1e6 >= duration_us:
            raise UsageError(f"cannot start at {start_s:g} s: it lasts {duration_us / 1e6:g} s")

    async def _find_start(self, source: Source) -> tuple[StartPoint, int]:
        """Where to start, and the time at which this session says it began."""
        profile_id = self.options.profile_id
        try:
            kept = await stored(self.stores.position(profile_id, source.title_id))
        except StoreError:
            kept = None
        device = kept.report if kept is not None else None
        remote = None
        if source.is_catalog and self.backend is not None and self.options.start_s is None:
            limit_us = REMOTE_PATIENCE_US if device is not None else REMOTE_LIMIT_US
            remote = await ask_backend(self.backend, profile_id, source.title_id, self.clock, limit_us=limit_us)
        started_ms = session_start_ms(self.now_ms(), (device, remote))
        return choose_start(self.options.start_s, device, remote), started_ms

    def _telemetry(
        self,
        session: PlaybackSession,
        source: Source,
        streaming_format: CmcdFormat,
        is_live: bool,
        bitrates_bps: tuple[int, ...],
        sender: OutboxSender | None,
    ) -> TelemetryReporter | None:
        if sender is None:
            return None

        def accept(sequence: int, timestamp_ms: int, line: str) -> None:
            self.stores.add_event(self.session_id, sequence, timestamp_ms, line)
            sender.wake()

        identity = Identity(
            session_id=self.session_id,
            content_id=source.title_id,
            profile_id=self.options.profile_id,
            device_id=self.stores.device_id,
            streaming_format=streaming_format,
            is_live=is_live,
        )
        return TelemetryReporter(
            identity, bitrates_bps=bitrates_bps, snapshot=session.snapshot, now_ms=self.now_ms, accept=accept
        )

    async def _close(self, session: PlaybackSession, reporting: Reporting, network: str | None) -> None:
        session.stop()
        last = session.snapshot()
        if self.options.remember_throughput and last.trace == str(self.options.trace or UNSHAPED):
            remember(self.stores, last.throughput_bps, network, self.now_ms())
        try:
            await reporting.finish()
        finally:
            session.close()
