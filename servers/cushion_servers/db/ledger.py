"""The durable ledger of ingest: which jobs were asked for, which steps are done. Schedulers forget; this does not."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.sqlite import insert

from cushion_sdk.contracts import IngestJob, IngestRequest, IngestState
from cushion_servers.db.database import Database
from cushion_servers.db.tables import jobs, steps

_UNFINISHED = (IngestState.QUEUED, IngestState.RUNNING)


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StepEntry(NamedTuple):
    """What the ledger knows of a step; `result` is None until it is done."""

    state: StepState
    attempts: int
    result: bytes | None


class Ledger:
    """Jobs and steps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_job(self, request: IngestRequest, now_ms: int) -> IngestJob:
        """Queue a job; an unfinished one for the same file and settings is returned instead of a second."""
        same = (
            select(jobs)
            .where(jobs.c.path == request.path, jobs.c.min_duration_s == request.min_duration_s)
            .where(jobs.c.name == request.name, jobs.c.licence == request.licence, jobs.c.state.in_(_UNFINISHED))
        )
        job_id = secrets.token_hex(8)
        async with self._database.writing() as connection:
            row = (await connection.execute(same)).first()
            if row is not None:
                return _job(row)
            await connection.execute(
                insert(jobs).values(
                    job_id=job_id,
                    created_ms=now_ms,
                    path=request.path,
                    name=request.name,
                    min_duration_s=request.min_duration_s,
                    licence=request.licence,
                    state=IngestState.QUEUED,
                )
            )
        return IngestJob(job_id=job_id, state=IngestState.QUEUED, name=request.name or Path(request.path).stem)

    async def job(self, job_id: str) -> IngestJob | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.job_id == job_id))).first()
        return None if row is None else _job(row)

    async def all_jobs(self) -> list[IngestJob]:
        """Every job, the oldest first."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(jobs).order_by(jobs.c.created_ms, jobs.c.job_id))).all()
        return [_job(row) for row in rows]

    async def request_of(self, job_id: str) -> IngestRequest | None:
        """What was asked for, where the job exists."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.job_id == job_id))).first()
        if row is None:
            return None
        return IngestRequest(path=row.path, name=row.name, min_duration_s=row.min_duration_s, licence=row.licence)

    async def unfinished_jobs(self) -> list[str]:
        """Ids of jobs to run (again) after a start, the oldest first."""
        return [job.job_id for job in await self.all_jobs() if job.state in _UNFINISHED]

    async def update_job(self, job_id: str, **values: Any) -> None:
        """Set columns of a job: state, done_steps, total_steps, step, title_id, problem."""
        async with self._database.writing() as connection:
            await connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))

    async def step(self, key: str) -> StepEntry | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(steps).where(steps.c.key == key))).first()
        return None if row is None else StepEntry(StepState(row.state), row.attempts, row.result)

    async def start_step(self, key: str, job_id: str, name: str, now_ms: int) -> None:
        """Note an attempt."""
        fresh = {"job_id": job_id, "name": name, "state": StepState.RUNNING, "updated_ms": now_ms}
        statement = insert(steps).values(key=key, attempts=1, **fresh)
        again = {"attempts": steps.c.attempts + 1, "state": StepState.RUNNING, "updated_ms": now_ms, "problem": ""}
        async with self._database.writing() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=again))

    async def finish_step(self, key: str, result: bytes, now_ms: int) -> None:
        await self._set_step(key, state=StepState.DONE, result=result, updated_ms=now_ms)

    async def fail_step(self, key: str, problem: str, now_ms: int) -> None:
        await self._set_step(key, state=StepState.FAILED, problem=problem, updated_ms=now_ms)

    async def _set_step(self, key: str, **values: Any) -> None:
        async with self._database.writing() as connection:
            await connection.execute(update(steps).where(steps.c.key == key).values(**values))


def _job(row: Row[Any]) -> IngestJob:
    return IngestJob(
        job_id=row.job_id,
        state=IngestState(row.state),
        name=row.name or Path(row.path).stem,
        title_id=row.title_id,
        done_steps=row.done_steps,
        total_steps=row.total_steps,
        step=row.step,
        problem=row.problem,
    )
