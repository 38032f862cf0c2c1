"""Runs ingest jobs. The ledger is the truth: a job interrupted anywhere goes on from there, no step is done twice.

Jobs run side by side on one step runner, earlier ones first, so a title is published as soon as it is complete.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec

from cushion_sdk.contracts import IngestJob, IngestRequest, IngestState
from cushion_servers.db.ledger import Ledger, StepState
from cushion_servers.db.titles import Titles
from cushion_servers.errors import InvalidRequest, NotFound, ServerError, StepCancelled, WorkerLost
from cushion_servers.ingest.plan import IngestPlan, plan_ingest
from cushion_servers.ingest.publish import publish_title
from cushion_servers.store import ObjectStore
from cushion_servers.transcode.pool import StepRunner
from cushion_servers.transcode.steps import (
    Encoded,
    Poster,
    Probed,
    ProbeStep,
    RepeatStep,
    Step,
    StepResult,
    objects_of,
    step_key,
)

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 3
"""How often one run of a job gives a step to a worker that dies of it."""
_LONGEST_S: Final = 24 * 3600.0
MAX_NAME_CHARACTERS: Final = 200


class IngestService:
    """Accepts jobs, runs them in the background of its `async with`, and answers for them."""

    def __init__(
        self, ledger: Ledger, titles: Titles, store: ObjectStore, runner: StepRunner, now_ms: Callable[[], int]
    ) -> None:
        self._ledger, self._titles, self._store, self._runner = ledger, titles, store, runner
        self._now_ms = now_ms
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._step_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._order = 0

    async def __aenter__(self) -> IngestService:
        for job_id in await self._ledger.unfinished_jobs():
            self._start(job_id)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.close()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def submit(self, request: IngestRequest) -> IngestJob:
        """Queue an ingest and return at once. Raises InvalidRequest."""
        if not Path(request.path).is_absolute():
            raise InvalidRequest(f"The path {request.path!r} must be an absolute one.")
        if len(request.name) > MAX_NAME_CHARACTERS:
            raise InvalidRequest(
                f"The title has {len(request.name)} characters, but {MAX_NAME_CHARACTERS} at most are allowed."
            )
        if not 0 <= request.min_duration_s <= _LONGEST_S:
            raise InvalidRequest("min_duration_s must be between 0 and a day.")
        job = await self._ledger.add_job(request, self._now_ms())
        if job.job_id not in self._tasks:
            self._start(job.job_id)
        return job

    async def job(self, job_id: str) -> IngestJob:
        """Raises NotFound."""
        job = await self._ledger.job(job_id)
        if job is None:
            raise NotFound(f"There is no ingest {job_id!r}.")
        return job

    async def jobs(self) -> list[IngestJob]:
        return await self._ledger.all_jobs()

    async def wait(self, job_id: str) -> IngestJob:
        """Wait until a job of this process ended; returns how."""
        task = self._tasks.get(job_id)
        if task is not None:
            await asyncio.wait([task])
        return await self.job(job_id)

    def _start(self, job_id: str) -> None:
        self._order += 1
        task = asyncio.create_task(self._run(job_id, self._order), name=f"ingest-{job_id}")
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job_id, None))

    async def _run(self, job_id: str, priority: int) -> None:
        """Run a job to its end, and write down how it ended; interrupted, it stays unfinished in the ledger."""
        try:
            try:
                await _Job(self, job_id, priority).run()
            except BaseExceptionGroup as group:
                raise _telling(group) from group
        except (StepCancelled, asyncio.CancelledError):
            log.info("ingest interrupted job=%s", job_id)
        except ServerError as exc:
            log.info("ingest failed job=%s problem=%s", job_id, exc)
            await self._fail(job_id, str(exc))
        except Exception as exc:
            log.info("ingest failed job=%s problem=%r", job_id, exc)
            _log_traceback("ingest failed job=%s", job_id)
            await self._fail(job_id, f"The ingest failed for a reason of ours: {type(exc).__name__}: {exc}.")

    async def _fail(self, job_id: str, problem: str) -> None:
        try:
            await self._ledger.update_job(job_id, state=IngestState.FAILED, problem=problem, step="")
        except ServerError:
            log.warning("the failure could not be written down job=%s", job_id)
            _log_traceback("the failure could not be written down job=%s", job_id)


class _Job:
    """One run of one job."""

    def __init__(self, service: IngestService, job_id: str, priority: int) -> None:
        self._job_id, self._priority = job_id, priority
        self._ledger, self._titles = service._ledger, service._titles
        self._store, self._runner = service._store, service._runner
        self._now_ms, self._step_locks = service._now_ms, service._step_locks
        self._done = 0

    async def run(self) -> None:
        request = await self._ledger.request_of(self._job_id)
        assert request is not None
        name = request.name or Path(request.path).stem
        await self._note(state=IngestState.RUNNING, step="probe", problem="", done_steps=0)
        probed = await self._runner.run(ProbeStep(path=request.path), self._priority)
        assert isinstance(probed, Probed)
        plan = plan_ingest(probed.source, request.min_duration_s)
        video_steps: list[Step] = [*plan.chunks]
        other_steps: list[Step] = [plan.poster, *([plan.audio] if plan.audio else [])]
        self._done = 1
        # Probe, joining and publication are the three beside these.
        await self._note(done_steps=1, total_steps=len(video_steps) + len(other_steps) + 3)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._do(step)) for step in (*video_steps, *other_steps)]
        results = [task.result() for task in tasks]
        chunks = [result.tracks for result in results[: len(video_steps)] if isinstance(result, Encoded)]
        joined = await self._do(RepeatStep(chunks=chunks, repeats=plan.repeats))
        await self._publish(plan, request, name, joined, results[len(video_steps) :])

    async def _publish(
        self, plan: IngestPlan, request: IngestRequest, name: str, video: StepResult, others: list[StepResult]
    ) -> None:
        await self._note(step="publish")
        audio = next((result.tracks[0] for result in others if isinstance(result, Encoded)), None)
        poster = next(result.image for result in others if isinstance(result, Poster))
        assert isinstance(video, Encoded)
        title = await publish_title(
            plan,
            request,
            video.tracks,
            audio,
            poster,
            name=name,
            store=self._store,
            titles=self._titles,
            now_ms=self._now_ms(),
        )
        done = self._done + 1
        await self._note(
            state=IngestState.PUBLISHED, title_id=title.title_id, done_steps=done, total_steps=done, step=""
        )
        log.info("title published title=%s name=%s", title.title_id, title.name)

    async def _do(self, step: Step) -> StepResult:
        """The step's result: the ledger's if its objects are all there, else by running it.

        Two jobs that need the same step at the same time share one run of it.
        """
        key = step_key(step)
        async with self._step_locks.setdefault(key, asyncio.Lock()):
            result = await self._finished(key)
            if result is None:
                result = await self._attempted(step, key)
        self._done += 1
        await self._note(done_steps=self._done, step=step.name)
        return result

    async def _finished(self, key: str) -> StepResult | None:
        entry = await self._ledger.step(key)
        if entry is None or entry.state is not StepState.DONE or entry.result is None:
            return None
        result: StepResult = msgspec.json.decode(entry.result, type=StepResult)
        whole = await asyncio.to_thread(lambda: all(self._store.exists(name) for name in objects_of(result)))
        return result if whole else None

    async def _attempted(self, step: Step, key: str) -> StepResult:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            await self._ledger.start_step(key, self._job_id, step.name, self._now_ms())
            try:
                result = await self._runner.run(step, self._priority)
            except StepCancelled:
                raise
            except ServerError as exc:
                await self._ledger.fail_step(key, str(exc), self._now_ms())
                if not isinstance(exc, WorkerLost) or attempt == MAX_ATTEMPTS:
                    raise
            else:
                await self._ledger.finish_step(key, msgspec.json.encode(result), self._now_ms())
                return result
        raise AssertionError("unreachable")

    async def _note(self, **values: Any) -> None:
        await self._ledger.update_job(self._job_id, **values)


def _log_traceback(words: str, job_id: str) -> None:
    """The error at hand with its traceback, for whoever looks for a bug: at DEBUG, or always under CUSHION_DEBUG."""
    is_wanted = os.environ.get("CUSHION_DEBUG", "") not in ("", "0")
    log.log(logging.ERROR if is_wanted else logging.DEBUG, words, job_id, exc_info=True)


def _telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error of a group of failed steps that explains the others: a problem before an interruption."""
    leaves = list[BaseException]()
    for exc in group.exceptions:
        leaves.append(_telling(exc) if isinstance(exc, BaseExceptionGroup) else exc)
    return next((exc for exc in leaves if not isinstance(exc, StepCancelled | asyncio.CancelledError)), leaves[0])
