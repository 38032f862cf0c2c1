"""What a team tests its own code with: a backend in memory, and stores without a thread. Public, and tested itself.

With `cushion_player.testing` (FakeClock, FakeTransport, outputs) a whole session runs in virtual time:

    clock = FakeClock()
    with InlineStores() as stores:
        clock.run(watch(clock, FakeTransport(clock, files), stores, FakeBackend(clock)))
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from cushion_player.clock import Clock
from cushion_player.errors import ServiceUnavailable
from cushion_sdk import device_schema
from cushion_sdk.backend import RequestRefused
from cushion_sdk.contracts.cmcd import CmcdError, CmcdRecord, decode_event, split_events
from cushion_sdk.contracts.resume import PositionReport, beats
from cushion_sdk.contracts.telemetry import TelemetryReceipt
from cushion_sdk.device import DeviceStores, StoreError
from cushion_sdk.device_schema import OutboxLimits

T = TypeVar("T")


class InlineStores(DeviceStores):
    """A DeviceStores that does everything at once, in the caller's thread, so that virtual time need not wait for it.

    Closed like any other, in the thread that made it: SQLite insists on that.

    is_full: every write fails, as on a full disk.
    """

    def __init__(self, path: Path | None = None, limits: OutboxLimits | None = None) -> None:
        self.is_full = False
        super().__init__(path, limits or OutboxLimits())

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._db.close()

    def _begin(self) -> str:
        self._db = device_schema.connect(self.path)
        try:
            return device_schema.own_device_id(self._db, "inline-device")
        except BaseException:
            self._db.close()
            raise

    def _post(self, work: Callable[[sqlite3.Connection], T], *, is_write: bool = False) -> Future[T]:
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(StoreError("the device's store is closed"))
            return future
        if is_write and self.is_full:
            future.set_exception(StoreError("the store cannot be written (database or disk is full)"))
            return future
        future.set_result(work(self._db))
        self._db.commit()
        return future


class FakeBackend:
    """A backend in memory that keeps the promises of `cushion_sdk.contracts`, and breaks them on request.

    is_down: every call fails with ServiceUnavailable. delay_us: every answer comes that much later. loses_answers:
    it does what it is asked, and then fails. refuses: a telemetry line that holds this text is refused as a request.
    """

    def __init__(self, clock: Clock, *, origin: str = "http://origin") -> None:
        self.is_down = False
        self.delay_us = 0
        self.loses_answers = False
        self.refuses = ""
        self.positions: dict[tuple[str, str], PositionReport] = {}
        self.records: dict[tuple[str, int | None], CmcdRecord] = {}
        """By (session id, sequence): each counted once."""
        self.calls: list[str] = []
        self._clock = clock
        self._origin = origin

    def media_url(self, path: str) -> str:
        return self._origin + path

    async def position(self, profile_id: str, title_id: str) -> PositionReport | None:
        await self._arrive("position")
        return self._answer(self.positions.get((profile_id, title_id)))

    async def put_position(self, profile_id: str, title_id: str, report: PositionReport) -> PositionReport:
        await self._arrive("put_position")
        held = self.positions.get((profile_id, title_id))
        if held is None or beats(report, held):
            held = self.positions[profile_id, title_id] = report
        return self._answer(held)

    async def send_telemetry(self, body: bytes) -> TelemetryReceipt:
        await self._arrive("send_telemetry")
        lines = split_events(body)
        if self.refuses and any(self.refuses in line for line in lines):
            raise RequestRefused("POST /v1/telemetry: HTTP 400, refused")
        accepted = repeated = rejected = 0
        for line in lines:
            try:
                record = decode_event(line)
            except CmcdError:
                rejected += 1
                continue
            key = (record.session_id, record.sequence)
            if not record.session_id or record.sequence is None:
                rejected += 1  # it could not be told from its repetition
            elif key in self.records:
                repeated += 1
            else:
                accepted += 1
                self.records[key] = record
        return self._answer(TelemetryReceipt(accepted=accepted, repeated=repeated, rejected=rejected))

    async def _arrive(self, call: str) -> None:
        self.calls.append(call)
        if self.delay_us:
            await self._clock.sleep_until(self._clock.now_us() + self.delay_us)
        if self.is_down:
            raise ServiceUnavailable(f"{call}: the backend is down")

    def _answer(self, answer: T) -> T:
        if self.loses_answers:
            raise ServiceUnavailable("the connection was lost before the answer")
        return answer
