"""Where the catalog page gets what it shows: the backend, this device's positions, and what was seen last time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from cushion_demo_app.stock import look
from cushion_player.clock import MonotonicClock
from cushion_player.errors import CushionError, FetchError, ServiceError, ServiceUnavailable
from cushion_sdk.backend import BackendClient
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob, IngestState
from cushion_sdk.contracts.resume import DEFAULT_PROFILE_ID, PositionReport
from cushion_sdk.device import DeviceStores, StoreError, stored
from cushion_sdk.resume import choose_start, latest

log = logging.getLogger(__name__)

CACHE_KEY = "app.catalog"
_POSTER_LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CatalogReply:
    """What one look at the backend brought. `offline` is a sentence when it did not answer: titles are from before."""

    titles: tuple[Title, ...] = ()
    jobs: tuple[IngestJob, ...] = ()
    resume_s: dict[str, float] = field(default_factory=dict)
    posters: dict[str, bytes] = field(default_factory=dict)
    """New ones only, by poster path."""
    offline: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is on its way: no need to look again soon."""
        return not self.offline and all(job.state is IngestState.FAILED for job in self.jobs)


class CatalogSource:
    """Looks at the backend when asked. `look` runs on the runtime's loop."""

    def __init__(
        self,
        backend: BackendClient,
        stores: DeviceStores,
        *,
        profile_id: str = DEFAULT_PROFILE_ID,
        preparing: Callable[[], tuple[IngestJob, ...]] = tuple,
        advice: str = "",
        revive: Callable[[], bool] | None = None,
    ) -> None:
        """preparing: what is on its way to the backend, which does not know of it yet; asked on the loop's thread.

        advice: what to do when the backend does not answer, one sentence. revive: brings it back, True when it did;
        called on a thread of its own.
        """
        self._advice = advice
        self._revive = revive
        self._preparing = preparing
        self._backend = backend
        self._stores = stores
        self._profile_id = profile_id
        self._kept = b""
        self._posters_had: set[str] = set()

    async def look(self) -> CatalogReply:
        """Everything the page needs. Never raises CushionError: a backend that is away is part of the answer."""
        try:
            titles, jobs = await self._ask()
        except ServiceError as exc:
            log.info("the catalog could not be read: %s", exc)
            titles = await self._seen_last_time()
            return CatalogReply(tuple(titles), (), await self._resume_points(titles, {}), offline=self._away_sentence())
        remote = await self._remote_positions()
        await self._keep(titles)
        return CatalogReply(
            tuple(titles),
            open_jobs([*jobs, *self._preparing()], titles),
            await self._resume_points(titles, remote),
            await self._new_posters(titles),
        )

    async def _ask(self) -> tuple[list[Title], list[IngestJob]]:
        try:
            return await look(self._backend)
        except ServiceUnavailable:
            if self._revive is None or not await asyncio.to_thread(self._revive):
                raise
            return await look(self._backend)

    def _away_sentence(self) -> str:
        advice = f"{self._advice} " if self._advice else ""
        return f"Nothing answers at {self._backend.base_url}. {advice}This page looks again every few seconds."

    async def resume_points(self, titles: list[Title]) -> dict[str, float]:
        """Where this device stopped, in seconds by title; the backend is not asked, so it is there at once."""
        return await self._resume_points(titles, {})

    async def _resume_points(self, titles: list[Title], remote: dict[str, PositionReport]) -> dict[str, float]:
        try:
            kept = {
                position.title_id: position.report
                for position in await stored(self._stores.positions(self._profile_id))
            }
        except StoreError:
            kept = {}
        points: dict[str, float] = {}
        for title in titles:
            report = latest(kept.get(title.title_id), remote.get(title.title_id))
            start = choose_start(None, report, None)
            if start.position_s > 0:
                points[title.title_id] = start.position_s
        return points

    async def _remote_positions(self) -> dict[str, PositionReport]:
        try:
            return {held.title_id: held.report for held in await self._backend.positions(self._profile_id)}
        except ServiceError:
            return {}

    async def _seen_last_time(self) -> list[Title]:
        try:
            kept = await stored(self._stores.setting(CACHE_KEY))
            return msgspec.json.decode(kept, type=list[Title]) if kept else []
        except (StoreError, msgspec.DecodeError):
            return []

    async def _keep(self, titles: list[Title]) -> None:
        encoded = msgspec.json.encode(titles)
        if encoded == self._kept:
            return
        try:
            await stored(self._stores.set_setting(CACHE_KEY, encoded.decode()))
            self._kept = encoded
        except StoreError as exc:
            log.info("the catalog is not kept for later: %s", exc)

    async def _new_posters(self, titles: list[Title]) -> dict[str, bytes]:
        wanted = [
            title.poster_path for title in titles if title.poster_path and title.poster_path not in self._posters_had
        ]
        if not wanted:
            return {}
        from cushion_player.transport.base import FetchRequest, fetch_bytes
        from cushion_player.transport.http import HttpTransport

        found: dict[str, bytes] = {}
        transport = HttpTransport()
        try:
            for path in wanted:
                request = FetchRequest(self._backend.media_url(path), label="a poster")
                try:
                    result = await fetch_bytes(transport, request, MonotonicClock(), limit_bytes=_POSTER_LIMIT_BYTES)
                    found[path] = result.body
                except FetchError as exc:
                    log.info("no poster: %s", exc)
                self._posters_had.add(path)
        except CushionError as exc:
            log.info("no posters: %s", exc)
        finally:
            await transport.close()
        return found


def open_jobs(jobs: list[IngestJob], titles: list[Title]) -> tuple[IngestJob, ...]:
    """Jobs worth showing: on their way or failed, and not a title already (a job may be tried again)."""
    ids = {title.title_id for title in titles}
    return tuple(job for job in jobs if job.state is not IngestState.PUBLISHED and job.title_id not in ids)
