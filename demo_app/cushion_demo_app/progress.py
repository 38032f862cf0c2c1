"""How the preparation of the catalog is shown on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cushion_demo_app.seed import SeedReport
from cushion_sdk.contracts.ingest import IngestJob, IngestState


class PreparationProgress:
    """A line for each title on its way, on stderr; where that is no terminal, a plain line when one is done."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[step]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        self._console.print("Preparing the catalog (this is done once) …", highlight=False)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, report: SeedReport) -> None:
        """Make the lines agree with the report."""
        for job in (*report.preparing, *report.jobs):
            self._show_job(job)

    def _show_job(self, job: IngestJob) -> None:
        if job.state is IngestState.PUBLISHED:
            self._finish(job)
            return
        if job.name not in self._tasks:
            if job.state is IngestState.FAILED:
                return
            self._tasks[job.name] = self._progress.add_task(job.name, total=None, step="")
        step = "failed" if job.state is IngestState.FAILED else job.step or job.state.value
        self._progress.update(self._tasks[job.name], total=job.total_steps or None, completed=job.done_steps, step=step)

    def _finish(self, job: IngestJob) -> None:
        if job.name in self._tasks and job.name not in self._told:
            self._told.add(job.name)
            self._progress.update(self._tasks[job.name], visible=False)
            self._console.print(f"  {job.name} is ready", highlight=False)
