"""Fills the demo's catalog: finds out what is missing, brings or makes it, and hands it to the backend.

A second start finds everything there and does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from cushion_demo_app.clips import Clip, ClipUnavailable, fetch_clip, run_to_end
from cushion_demo_app.stock import look
from cushion_player.clock import wall_ms
from cushion_player.errors import ServiceError
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob, IngestRequest, IngestState

log = logging.getLogger(__name__)

FILM_NAME = "Reference film"
FILM_LICENCE = "Made by cushion film on this machine; free for any use"
MIN_DURATION_S = 60.0
RETRY_AFTER_MS = 24 * 3600 * 1000
"""A registry that was out of reach is asked again after a day, so that an offline start stays a quick one."""
_LOOK_S = 0.5

Bring = Callable[[Clip, Path], Awaitable[Path]]
MakeFilm = Callable[["FilmWish", Path], Awaitable[None]]


class Backend(Protocol):
    """What seeding needs of cushion_sdk.backend.BackendClient."""

    async def titles(self) -> list[Title]: ...
    async def ingest_jobs(self) -> list[IngestJob]: ...
    async def ingest(self, request: IngestRequest) -> IngestJob: ...


@dataclass(frozen=True, slots=True)
class FilmWish:
    """The reference film to be made when the catalog has none."""

    seconds: float = MIN_DURATION_S
    width_px: int = 1280
    height_px: int = 720

    @property
    def file_name(self) -> str:
        return f"film-{self.width_px}x{self.height_px}-{self.seconds:g}s.mp4"


@dataclass(frozen=True, slots=True)
class SeedReport:
    """Where seeding stands. `preparing` has the same form as the backend's jobs, for what it has not heard of yet."""

    preparing: tuple[IngestJob, ...] = ()
    jobs: tuple[IngestJob, ...] = ()
    titles: tuple[Title, ...] = ()
    done: bool = False
    left_out: tuple[str, ...] = field(default=())
    """One sentence for each thing that could not be had."""

    @property
    def problems(self) -> list[str]:
        """Every sentence that explains a missing title."""
        failed = [f"“{job.name}” could not be prepared: {job.problem}" for job in self.jobs if job.state is _FAILED]
        return [*self.left_out, *failed]


_FAILED = IngestState.FAILED


def missing(names: Sequence[str], titles: Sequence[Title], jobs: Sequence[IngestJob]) -> list[str]:
    """Of these names, in this order, those the backend neither shows nor works on."""
    known = {title.name for title in titles}
    known |= {job.name for job in jobs if job.state in (IngestState.QUEUED, IngestState.RUNNING)}
    return [name for name in names if name not in known]


class Seeder:
    """Runs once. `report` may be read from any thread at any time."""

    def __init__(
        self,
        backend: Backend,
        downloads: Path,
        film: FilmWish,
        clips: Sequence[Clip],
        *,
        bring: Bring = fetch_clip,
        make_film: MakeFilm | None = None,
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._backend = backend
        self._downloads = downloads.absolute()
        self._film = film
        self._clips = {clip.name: clip for clip in clips}
        self._bring = bring
        self._make_film = make_film or write_film_elsewhere
        self._now_ms = now_ms
        self._steps: dict[str, str] = {}
        self._posted: set[str] = set()
        self.report = SeedReport()

    async def run(self) -> SeedReport:
        """Bring what is missing and wait until the backend is done. Raises ServiceError when the backend is gone."""
        titles, jobs = await look(self._backend)
        wanted = missing([*self._clips, FILM_NAME], titles, jobs)
        self._publish(titles=tuple(titles), jobs=tuple(jobs))
        self._steps = dict.fromkeys(wanted, "waiting")
        async with asyncio.TaskGroup() as group:
            if FILM_NAME in wanted:
                group.create_task(self._seed_film())
            group.create_task(self._seed_clips([self._clips[name] for name in wanted if name != FILM_NAME]))
            group.create_task(self._watch())
        self._publish(done=True)
        return self.report

    # ------------------------------------------------------------------ bringing

    async def _seed_film(self) -> None:
        path = self._downloads / self._film.file_name
        if not path.is_file():
            self._step(FILM_NAME, "making the film")
            try:
                await self._make_film(self._film, path)
            except ClipUnavailable as exc:
                self._leave_out(FILM_NAME, str(exc))
                return
        await self._hand_over(FILM_NAME, path, FILM_LICENCE)

    async def _seed_clips(self, clips: Sequence[Clip]) -> None:
        unreachable: dict[str, str] = {}
        for clip in clips:
            if clip.registry in unreachable or self._failed_lately(clip.registry):
                reason = "cannot be reached" if clip.registry in unreachable else "could not be reached lately"
                self._leave_out(clip.name, f"“{clip.name}” is left out: {clip.registry} {reason}")
                continue
            self._step(clip.name, "downloading")
            try:
                path = await self._bring(clip, self._downloads)
            except ClipUnavailable as exc:
                unreachable[clip.registry] = str(exc)
                self._remember_failure(clip.registry)
                self._leave_out(clip.name, str(exc))
                continue
            await self._hand_over(clip.name, path, clip.licence)

    async def _hand_over(self, name: str, path: Path, licence: str) -> None:
        self._step(name, "waiting for the backend")
        at_least_s = 0.0 if name == FILM_NAME else MIN_DURATION_S
        request = IngestRequest(path=str(path), name=name, min_duration_s=at_least_s, licence=licence)
        try:
            job = await self._backend.ingest(request)
        except ServiceError as exc:
            self._leave_out(name, f"“{name}” was not taken by the backend: {exc}")
            return
        self._posted.add(job.job_id)
        self._steps.pop(name, None)
        self._publish()

    def _marker(self, registry: str) -> Path:
        return self._downloads / f"{registry}-out-of-reach"

    def _failed_lately(self, registry: str) -> bool:
        try:
            at_ms = int(self._marker(registry).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return False
        return 0 <= self._now_ms() - at_ms < RETRY_AFTER_MS

    def _remember_failure(self, registry: str) -> None:
        try:
            self._downloads.mkdir(parents=True, exist_ok=True)
            self._marker(registry).write_text(str(self._now_ms()), encoding="ascii")
        except OSError as exc:
            log.info("the failure of %s is not remembered: %s", registry, exc)

    # ------------------------------------------------------------------ watching

    async def _watch(self) -> None:
        """Follow the backend's jobs until nothing is on its way any more."""
        while True:
            titles, jobs = await look(self._backend)
            self._publish(titles=tuple(titles), jobs=tuple(jobs))
            busy = any(job.state in (IngestState.QUEUED, IngestState.RUNNING) for job in jobs)
            unheard = self._posted - {job.job_id for job in jobs}
            if not self._steps and not busy and not unheard:
                return
            await asyncio.sleep(_LOOK_S)

    def _step(self, name: str, step: str) -> None:
        self._steps[name] = step
        self._publish()

    def _leave_out(self, name: str, sentence: str) -> None:
        self._steps.pop(name, None)
        self._publish(left_out=(*self.report.left_out, sentence))

    def _publish(self, **changes: Any) -> None:
        preparing = tuple(
            IngestJob(job_id=f"seed-{name}", state=IngestState.RUNNING, name=name, step=step)
            for name, step in self._steps.items()
        )
        self.report = replace(self.report, preparing=preparing, **changes)


async def write_film_elsewhere(film: FilmWish, path: Path) -> None:
    """`cushion film` as a process of its own, so that it can be ended in the middle. Raises ClipUnavailable."""
    command = [sys.executable, "-m", "cushion_sdk.cli", "film", "--seconds", f"{film.seconds:g}"]
    size = f"{film.width_px}x{film.height_px}"
    await run_to_end([*command, "--size", size, str(path)], "the reference film could not be made")
