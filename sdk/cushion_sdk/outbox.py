"""Telemetry on its way: from the device's outbox to the backend, at least once, never in playback's way."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter

from cushion_player.clock import Clock
from cushion_player.errors import ServiceError
from cushion_sdk.backend import Backend, RequestRefused
from cushion_sdk.contracts.cmcd import join_events
from cushion_sdk.device import DeviceStores, StoreError, stored
from cushion_sdk.device_schema import OutboxEvent
from cushion_sdk.waiting import Backoff

log = logging.getLogger(__name__)

BATCH_EVENTS = 100
BATCH_BYTES = 64 * 1024
LINGER_US = 1_000_000
"""After the first event of a quiet time, wait this long for company."""


class OutboxSender:
    """Sends what the outbox holds, oldest first, and forgets what the backend acknowledged.

    A batch that gets no answer is sent again, whole: the backend knows each record by (session id, sequence). A
    batch that is refused is sent record by record, and those that are refused alone are dropped with a WARNING.
    """

    def __init__(self, stores: DeviceStores, backend: Backend, clock: Clock, rng: random.Random) -> None:
        self._stores = stores
        self._backend = backend
        self._clock = clock
        self._backoff = Backoff(rng)
        self._wake = asyncio.Event()
        self._acknowledged: Counter[str] = Counter()

    def acknowledged(self, session_id: str) -> int:
        """How many records of a session the backend has confirmed through this sender."""
        return self._acknowledged[session_id]

    def wake(self) -> None:
        """Something was put into the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled. Begins with what earlier sessions left."""
        while True:
            try:
                await self.drain()
                self._backoff.succeeded()
            except (ServiceError, StoreError) as exc:
                delay_us = self._backoff.failed_us()
                log.info("telemetry waits %.1f s: %s", delay_us / 1e6, exc)
                await self._clock.sleep_until(self._clock.now_us() + delay_us)
                continue
            await self._wake.wait()
            await self._clock.sleep_until(self._clock.now_us() + LINGER_US)

    async def drain(self) -> None:
        """Send until the outbox is empty. Raises ServiceError kinds or StoreError at the first failure."""
        self._wake.clear()
        while batch := await stored(self._stores.next_events(BATCH_EVENTS, BATCH_BYTES)):
            await self._send(batch)

    async def _send(self, batch: list[OutboxEvent]) -> None:
        ids = [event.event_id for event in batch]
        try:
            receipt = await self._backend.send_telemetry(join_events(event.line for event in batch))
        except RequestRefused as exc:
            if len(batch) > 1:
                for event in batch:
                    await self._send([event])
                return
            log.warning("a telemetry record was refused and dropped: %s", exc)
        except ServiceError:
            await stored(self._stores.count_attempt(ids))
            raise
        else:
            self._acknowledge(batch, receipt.rejected)
        await stored(self._stores.forget_events(ids))

    def _acknowledge(self, batch: list[OutboxEvent], rejected: int) -> None:
        """Count what was confirmed; which ones were rejected is not said, so they count against every session."""
        if rejected:
            log.warning("the backend could not read %d of %d telemetry records", rejected, len(batch))
        for session_id, count in Counter(event.session_id for event in batch).items():
            self._acknowledged[session_id] += max(0, count - rejected)
