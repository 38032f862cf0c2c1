"""What runs beside a session: keeping its position, writing its telemetry, and taking both to the backend.

Nothing here can fail playback, and playback waits for none of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cushion_player.clock import Clock
from cushion_player.errors import ServiceError
from cushion_sdk.device import StoreError
from cushion_sdk.outbox import OutboxSender
from cushion_sdk.resume import PositionKeeper, PositionUploader
from cushion_sdk.session_events import (
    PlaybackEnded,
    PlaybackPaused,
    PlaybackStarted,
    SeekEnded,
    SeekStarted,
    SessionEvent,
)
from cushion_sdk.session_types import SessionSnapshot, SessionState
from cushion_sdk.telemetry import INTERVAL_US, TelemetryReporter

log = logging.getLogger(__name__)

SAVE_INTERVAL_US = 1_000_000
FLUSH_LIMIT_US = 1_500_000
"""How long a closing session tries to reach the backend; what does not go now goes at the next start."""


class Reporting:
    """Hears every event of a session, and runs its background tasks."""

    def __init__(
        self,
        keeper: PositionKeeper,
        *,
        telemetry: TelemetryReporter | None,
        sender: OutboxSender | None,
        uploader: PositionUploader | None,
        clock: Clock,
        now_ms: Callable[[], int],
        snapshot: Callable[[], SessionSnapshot],
    ) -> None:
        self._keeper = keeper
        self._telemetry = telemetry
        self._sender = sender
        self._uploader = uploader
        self._clock = clock
        self._now_ms = now_ms
        self._snapshot = snapshot
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin the background tasks; `finish` ends them."""
        self._tasks.append(group.create_task(self._keep_saving()))
        if self._telemetry is not None:
            self._tasks.append(group.create_task(self._keep_reporting()))
        if self._sender is not None:
            self._tasks.append(group.create_task(self._sender.run()))
        if self._uploader is not None:
            self._tasks.append(group.create_task(self._uploader.run()))

    def hear(self, event: SessionEvent) -> None:
        match event:
            case PlaybackStarted():
                self._keeper.played()
            case PlaybackPaused() | SeekEnded() | PlaybackEnded():
                self._save(event.position_s, at_once=True)
            case SeekStarted():
                self._save(event.to_s, at_once=True)
            case _:
                pass
        if self._telemetry is not None:
            self._telemetry.hear(event)

    def rate_changed(self, rate: float) -> None:
        if self._telemetry is not None:
            self._telemetry.rate_changed(rate)

    async def finish(self) -> None:
        """Save and report the end, stop the tasks, and give the backend a moment. Never raises ServiceError."""
        self._save(self._snapshot().position_s, at_once=False)
        if self._telemetry is not None:
            self._telemetry.quit()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        errands = [errand() for errand in (self._flush_telemetry, self._flush_positions)]
        flushing = asyncio.gather(*errands)
        giving_up = asyncio.ensure_future(self._clock.sleep_until(self._clock.now_us() + FLUSH_LIMIT_US))
        try:
            await asyncio.wait((flushing, giving_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            flushing.cancel()
            giving_up.cancel()
            await asyncio.gather(flushing, giving_up, return_exceptions=True)

    async def _flush_telemetry(self) -> None:
        if self._sender is not None:
            try:
                await self._sender.drain()
            except (ServiceError, StoreError) as exc:
                log.info("telemetry stays in the outbox for the next start: %s", exc)

    async def _flush_positions(self) -> None:
        if self._uploader is not None:
            try:
                await self._uploader.upload_all()
            except (ServiceError, StoreError) as exc:
                log.info("positions stay on the device for the next start: %s", exc)

    async def _keep_saving(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_us() + SAVE_INTERVAL_US)
            now = self._snapshot()
            if now.state is SessionState.PLAYING:
                self._save(now.position_s, at_once=False)

    async def _keep_reporting(self) -> None:
        assert self._telemetry is not None
        while True:
            await self._clock.sleep_until(self._clock.now_us() + INTERVAL_US)
            self._telemetry.interval()

    def _save(self, position_s: float, *, at_once: bool) -> None:
        if self._keeper.save(position_s, self._snapshot().duration_s, self._now_ms()) and at_once and self._uploader:
            self._uploader.hurry()
