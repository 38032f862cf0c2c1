from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
from pathlib import Path

import pytest

from cushion_servers.errors import IngestError, StepCancelled, WorkerLost
from cushion_servers.ingest.plan import plan_ingest
from cushion_servers.transcode.facts import Source
from cushion_servers.transcode.pool import ProcessStepRunner
from cushion_servers.transcode.steps import Probed, ProbeStep


async def test_steps_run_in_workers_and_their_errors_come_back(tmp_path: Path, clip: Path) -> None:
    runner = ProcessStepRunner(tmp_path / "store", workers=1)
    try:
        probed = await runner.run(ProbeStep(path=str(clip)))
        with pytest.raises(IngestError, match="No such file"):
            await runner.run(ProbeStep(path=str(tmp_path / "none")))
    finally:
        await runner.close()

    assert isinstance(probed, Probed)
    assert not multiprocessing.active_children()


async def test_killed_worker_is_reported_and_the_next_step_gets_a_new_one(tmp_path: Path, clip: Path) -> None:
    runner = ProcessStepRunner(tmp_path / "store", workers=1)
    try:
        await runner.run(ProbeStep(path=str(clip)))
        (worker,) = multiprocessing.active_children()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        await asyncio.to_thread(worker.join)

        with pytest.raises(WorkerLost, match="'probe'"):
            await runner.run(ProbeStep(path=str(clip)))
        assert isinstance(await runner.run(ProbeStep(path=str(clip))), Probed)
    finally:
        await runner.close()


async def test_earlier_jobs_go_first_among_waiting_steps(tmp_path: Path) -> None:
    runner = ProcessStepRunner(tmp_path / "store", workers=1)
    order = list[int]()

    async def wait(priority: int) -> None:
        await runner._take_slot(priority)
        order.append(priority)
        runner._give_slot()

    await runner._take_slot(0)
    async with asyncio.TaskGroup() as group:
        for priority in (3, 1, 2):
            group.create_task(wait(priority))
        await asyncio.sleep(0)
        runner._give_slot()
    await runner.close()

    assert order == [1, 2, 3]


async def test_closing_stops_a_running_step_between_frames(tmp_path: Path, clip_source: Source) -> None:
    runner = ProcessStepRunner(tmp_path / "store", workers=1)
    (chunk,) = plan_ingest(clip_source, 0.0).chunks
    await runner.run(ProbeStep(path=clip_source.path))
    running = asyncio.create_task(runner.run(chunk))
    await asyncio.sleep(0)

    await runner.close()

    with pytest.raises(StepCancelled):
        await running
    assert not (tmp_path / "store" / "titles").exists()


def test_errors_survive_the_way_back_from_a_worker() -> None:
    copied = pickle.loads(pickle.dumps(IngestError("A sentence.")))

    assert (type(copied), str(copied)) == (IngestError, "A sentence.")


class Stuck:
    """Stands in for a step: the worker that takes it out of the queue opens a pipe that nobody writes to."""

    name = "stuck"

    def __init__(self, pipe: Path) -> None:
        self._pipe = pipe

    def __reduce__(self) -> tuple[object, ...]:
        return os.open, (str(self._pipe), os.O_RDONLY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this file system")
@pytest.mark.parametrize("is_deaf", [False, True], ids=["blocked in I/O", "deaf to SIGTERM"])
async def test_closing_ends_a_worker_that_hangs(tmp_path: Path, clip: Path, is_deaf: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    runner = ProcessStepRunner(tmp_path / "store", workers=1, grace_s=0.1)
    await runner.run(ProbeStep(path=str(clip)))
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    running = asyncio.create_task(runner.run(Stuck(tmp_path / "pipe")))  # type: ignore[arg-type]  # never gets to run
    await asyncio.sleep(0)
    if is_deaf:
        os.kill(worker.pid, signal.SIGSTOP)

    async with asyncio.timeout(10):
        await runner.close()

    with pytest.raises(StepCancelled):
        await running
    assert not multiprocessing.active_children()
