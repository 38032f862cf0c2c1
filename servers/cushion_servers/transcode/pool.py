"""The `run(step)` port: a process pool that runs steps, and an inline one for tests and tools.

Steps wait for a free worker in the order of their priority, so an earlier job finishes first while a later one fills
the gaps. Workers are spawned (never forked: the server has threads), ignore Ctrl-C, leave when their parent dies and
drop their step between two frames when asked to; one that does not (it hangs in I/O) is ended after a grace period.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event as ProcessEvent
from pathlib import Path
from typing import Final, Protocol

from cushion_servers.errors import StepCancelled, WorkerLost
from cushion_servers.store import LocalObjectStore, ObjectStore, full_disk_translated
from cushion_servers.transcode.steps import Step, StepResult, run_step

log = logging.getLogger(__name__)

_GRACE_S: Final = 2.0
"""How long a step may take to notice that the backend is stopping."""
_TERMINATE_S: Final = 0.5
"""How long a worker may take to die of SIGTERM before it is killed."""


class StepRunner(Protocol):
    """Runs steps somewhere. Raises what `run_step` raises, and WorkerLost when the place itself died."""

    async def run(self, step: Step, priority: int = 0) -> StepResult:
        """Run a step; lower priorities go first among those waiting."""
        ...

    async def close(self) -> None:
        """Stop running steps soon (they raise StepCancelled) and free everything."""
        ...


class InlineStepRunner:
    """Runs each step on the calling thread, one after the other."""

    def __init__(self, store: ObjectStore) -> None:
        self._store, self._closed = store, False

    async def run(self, step: Step, priority: int = 0) -> StepResult:
        await asyncio.sleep(0)
        if self._closed:
            raise StepCancelled("The backend is stopping.")
        return run_guarded(step, self._store, lambda: self._closed)

    async def close(self) -> None:
        self._closed = True


class ProcessStepRunner:
    """Runs steps on spawned worker processes that share the object directory. Workers start with the first step."""

    def __init__(self, objects_dir: Path, workers: int = 2, grace_s: float = _GRACE_S) -> None:
        self._objects_dir, self._workers, self._grace_s = objects_dir, workers, grace_s
        self._context = multiprocessing.get_context("spawn")
        self._stop = self._context.Event()
        self._pool: ProcessPoolExecutor | None = None
        self._free = workers
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    async def run(self, step: Step, priority: int = 0) -> StepResult:
        await self._take_slot(priority)
        try:
            if self._stop.is_set():
                raise StepCancelled("The backend is stopping.")
            pool = self._started()
            try:
                return await asyncio.wrap_future(pool.submit(_run_in_worker, step))
            except BrokenProcessPool as exc:
                if self._pool is pool:
                    self._pool = None
                    pool.shutdown(wait=False)
                if self._stop.is_set():
                    raise StepCancelled("The backend is stopping.") from None
                raise WorkerLost(f"The worker that ran {step.name!r} died.") from exc
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._stop.is_set() and task is not None and not task.cancelling():
                    raise StepCancelled("The backend is stopping.") from None  # closing dropped a step not yet begun
                raise
        finally:
            self._give_slot()

    async def close(self) -> None:
        self._stop.set()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            # Before Python 3.14 (terminate_workers) the pool ends no worker, and shutdown forgets them.
            workers = list((pool._processes or {}).values())  # pyright: ignore[reportPrivateUsage]
            ended = asyncio.ensure_future(asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True))
            await asyncio.wait([ended], timeout=self._grace_s)
            if not ended.done():
                await asyncio.to_thread(_end_workers, workers)
            await ended

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=self._context,
                initializer=_start_worker,
                initargs=(str(self._objects_dir), self._stop),
            )
        return self._pool

    async def _take_slot(self, priority: int) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_slot()
            raise

    def _give_slot(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def run_guarded(step: Step, store: ObjectStore, should_stop: Callable[[], bool]) -> StepResult:
    """`run_step`, with what the operating system says translated: a full disk is StoreFull."""
    with full_disk_translated():
        return run_step(step, store, should_stop)


def _end_workers(workers: Sequence[BaseProcess]) -> None:
    """End processes whatever they do: SIGTERM, then SIGKILL."""
    log.info("ending workers that do not stop by themselves")
    for worker in workers:
        worker.terminate()
    for worker in workers:
        if not connection.wait([worker.sentinel], _TERMINATE_S):
            worker.kill()


_worker_store: ObjectStore | None = None
_worker_stop: ProcessEvent | None = None


def _start_worker(objects_dir: str, stop: ProcessEvent) -> None:
    """First thing in a worker: no Ctrl-C, low priority, its own store, and a watch on its parent."""
    global _worker_store, _worker_stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)
    _worker_store, _worker_stop = LocalObjectStore(Path(objects_dir)), stop
    threading.Thread(target=_leave_with_parent, name="parent-watch", daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run_in_worker(step: Step) -> StepResult:
    assert _worker_store is not None
    assert _worker_stop is not None
    return run_guarded(step, _worker_store, _worker_stop.is_set)
