"""Resume: where playback starts, and how the position gets from the screen to the device and to the backend.

The rules, in order:
- Between the device's report and the backend's, the one that beats the other counts (`contracts.resume.beats`).
- A position in the last 3 % of a title means it was watched: the next start is at 0, and the title is marked completed.
- A session that never played never writes: a start that fails leaves the saved position as it was.
- What is written: every second of playing, and on pause, seek, end and close. The device first, then the backend.
- A session's reports beat whatever this device knew when it opened, even after its wall clock was set back.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass

from cushion_player.clock import Clock
from cushion_player.errors import NotFound, ServiceError
from cushion_sdk.backend import Backend, RequestRefused
from cushion_sdk.contracts.resume import PositionReport, beats
from cushion_sdk.device import DeviceStores, StoreError, stored
from cushion_sdk.device_schema import StoredPosition
from cushion_sdk.session_events import ResumeSource
from cushion_sdk.waiting import Backoff, wait_event

log = logging.getLogger(__name__)

COMPLETED_FRACTION = 0.97
"""Of the duration, from which on a title counts as watched: 3.6 min of a two-hour film, 1.8 s of a minute."""
REMOTE_PATIENCE_US = 300_000
"""How long a start waits for the backend's answer when the device has one of its own."""
REMOTE_LIMIT_US = 1_500_000
"""And when it has none."""
UPLOAD_INTERVAL_US = 5_000_000
"""Positions go to the backend at most this often while playing, at once on pause, seek, end and close."""


def is_completed(position_s: float, duration_s: float) -> bool:
    """Whether somebody who stopped here has watched the title."""
    return duration_s > 0 and position_s >= duration_s * COMPLETED_FRACTION


def latest(device: PositionReport | None, backend: PositionReport | None) -> PositionReport | None:
    """The report that counts."""
    if device is None or backend is None:
        return backend if device is None else device
    return backend if beats(backend, device) else device


@dataclass(frozen=True, slots=True)
class StartPoint:
    """Where to start, and why there."""

    position_s: float
    source: ResumeSource


def choose_start(asked_s: float | None, device: PositionReport | None, backend: PositionReport | None) -> StartPoint:
    """What was asked for; else where the profile stopped; else the beginning."""
    if asked_s is not None:
        return StartPoint(asked_s, ResumeSource.ARGUMENT)
    report = latest(device, backend)
    if report is None or is_completed(report.position_s, report.duration_s) or report.position_s <= 0:
        return StartPoint(0.0, ResumeSource.BEGINNING)
    return StartPoint(report.position_s, ResumeSource.DEVICE if report is device else ResumeSource.BACKEND)


def session_start_ms(now_ms: int, known: tuple[PositionReport | None, ...]) -> int:
    """The start time a new session reports: now, but later than every session it knows of."""
    return max([now_ms, *(report.session_started_ms + 1 for report in known if report is not None)])


async def ask_backend(
    backend: Backend, profile_id: str, title_id: str, clock: Clock, *, limit_us: int
) -> PositionReport | None:
    """The backend's report, if it comes within `limit_us`. Never raises ServiceError."""
    asking = asyncio.ensure_future(backend.position(profile_id, title_id))
    giving_up = asyncio.ensure_future(clock.sleep_until(clock.now_us() + limit_us))
    try:
        await asyncio.wait((asking, giving_up), return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            log.info("the backend did not say in time where the profile stopped; going on without")
            return None
        return asking.result()
    except ServiceError as exc:
        log.info("the backend did not say where the profile stopped: %s", exc)
        return None
    finally:
        asking.cancel()
        giving_up.cancel()
        await asyncio.gather(asking, giving_up, return_exceptions=True)


class PositionKeeper:
    """Writes one session's positions to the device. `is_shared`: they are meant for the backend too."""

    def __init__(
        self,
        stores: DeviceStores,
        *,
        profile_id: str,
        title_id: str,
        session_id: str,
        session_started_ms: int,
        is_shared: bool,
    ) -> None:
        self._stores = stores
        self._profile_id = profile_id
        self._title_id = title_id
        self._session_id = session_id
        self._session_started_ms = session_started_ms
        self._is_shared = is_shared
        self._has_played = False
        self._sequence = 0
        self._last_s: float | None = None

    def played(self) -> None:
        """The clock ran: from now on positions are worth keeping."""
        self._has_played = True

    def save(self, position_s: float, duration_s: float, now_ms: int) -> bool:
        """Keep a position; False when there is nothing to keep (never played, or not moved)."""
        position_s = round(max(0.0, position_s), 3)
        if not self._has_played or position_s == self._last_s:
            return False
        self._last_s = position_s
        self._sequence += 1
        report = PositionReport(
            device_id=self._stores.device_id,
            session_id=self._session_id,
            session_started_ms=self._session_started_ms,
            sequence=self._sequence,
            position_s=position_s,
            duration_s=round(duration_s, 3),
            reported_ms=now_ms,
        )
        self._stores.save_position(
            StoredPosition(
                self._profile_id,
                self._title_id,
                report,
                is_pending=self._is_shared,
                is_completed=is_completed(position_s, duration_s),
            )
        )
        return True


class PositionUploader:
    """Takes what the device keeps to the backend, of this session and older ones, and brings back what beats it."""

    def __init__(self, stores: DeviceStores, backend: Backend, clock: Clock, rng: random.Random) -> None:
        self._stores = stores
        self._backend = backend
        self._clock = clock
        self._backoff = Backoff(rng)
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Something worth telling at once (a pause, a seek, the end)."""
        self._hurry.set()

    async def run(self) -> None:
        """Upload until cancelled. Failures are waited out; nothing is lost meanwhile."""
        while True:
            try:
                await self.upload_all()
                self._backoff.succeeded()
                await wait_event(self._hurry, self._clock, UPLOAD_INTERVAL_US)
            except (ServiceError, StoreError) as exc:
                log.info("positions stay on the device for now: %s", exc)
                await self._clock.sleep_until(self._clock.now_us() + self._backoff.failed_us())
            self._hurry.clear()

    async def upload_all(self) -> None:
        """Upload everything that is pending. Raises ServiceError kinds, StoreError."""
        for position in await stored(self._stores.pending_positions()):
            await self._upload(position)

    async def _upload(self, position: StoredPosition) -> None:
        try:
            held = await self._backend.put_position(position.profile_id, position.title_id, position.report)
        except (NotFound, RequestRefused) as exc:
            log.info("the backend does not want the position of %s: %s", position.title_id, exc)
            await stored(self._stores.confirm_position(position))
            return
        if beats(held, position.report):
            newer = StoredPosition(
                position.profile_id,
                position.title_id,
                held,
                is_pending=False,
                is_completed=is_completed(held.position_s, held.duration_s),
            )
            await stored(self._stores.save_position(newer))
        else:
            await stored(self._stores.confirm_position(position))
