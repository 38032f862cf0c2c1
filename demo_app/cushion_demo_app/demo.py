"""`cushion demo`: a backend, a catalog, and somebody to watch it; and nothing left running afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cushion_abr import DEFAULT_RULE
from cushion_demo_app.backend_process import BackendProcess, serve_advice
from cushion_demo_app.clips import CLIPS, Clip
from cushion_demo_app.seed import FILM_NAME, FilmWish, Seeder, SeedReport
from cushion_demo_app.title_check import check_title, no_such_title
from cushion_player.errors import CushionError, NotFound
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.session_types import SessionOptions

if TYPE_CHECKING:
    from cushion_sdk.headless import HeadlessOutcome

T = TypeVar("T")

HEADLESS_SECONDS = 30.0
HEADLESS_TRACE = "step"
_LOOK_S = 0.25


class NothingToWatch(CushionError):
    """No title could be prepared."""

    code = "nothing_to_watch"


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What `cushion demo` was asked for; empty strings and None leave the choice to it."""

    data_dir: Path
    headless: bool = False
    seconds: float | None = None
    json_target: str = ""
    trace: str = ""
    rule: str = DEFAULT_RULE
    title: str = ""
    film: FilmWish = field(default_factory=FilmWish)
    film_only: bool = False

    @property
    def device_dir(self) -> Path:
        return self.data_dir / "device"


def run_demo(plan: DemoPlan) -> int:
    """Do it all; returns the exit status. Raises CushionError kinds with one sentence each."""
    say = _Teller()
    with BackendProcess(plan.data_dir) as backend:
        if plan.headless:
            return _run_headless(plan, backend.url, say)
        return _run_window(plan, backend, say)


# --------------------------------------------------------------------------- without a window


def _run_headless(plan: DemoPlan, url: str, say: _Teller) -> int:
    from cushion_sdk.cli.reports import LiveLine, tell_summary, write_summary
    from cushion_sdk.cli.running import run_async

    async def prepare_and_play() -> HeadlessOutcome:
        from cushion_sdk.headless import play_headless

        async with _seeder(plan, url) as seeder:
            seeding = asyncio.ensure_future(seeder.run())
            try:
                # Everything is prepared first: encoding beside playing would spoil what is measured.
                await say.follow(lambda: seeder.report, seeding.done)
                report = await seeding
            finally:
                seeding.cancel()
                await asyncio.gather(seeding, return_exceptions=True)
        say.problems(report)
        title = choose_title(report, plan.title or FILM_NAME)
        options = SessionOptions(rule=plan.rule, trace=plan.trace or HEADLESS_TRACE)
        seconds = plan.seconds if plan.seconds is not None else HEADLESS_SECONDS
        with LiveLine() as line:
            return await play_headless(
                title, options, device_dir=plan.device_dir, server=url, seconds=seconds, on_snapshot=line.show
            )

    outcome = run_async(prepare_and_play())
    if plan.json_target:
        write_summary(outcome.summary, plan.json_target)
    else:
        tell_summary(outcome.summary)
    if outcome.problem:
        say.line(f"cushion demo: {outcome.problem}")
    return 1 if outcome.problem else 0


def choose_title(report: SeedReport, wanted: str) -> Title:
    """The title of that id or name. Raises NotFound, or NothingToWatch with what went wrong."""
    for title in report.titles:
        if wanted in (title.title_id, title.name):
            return title
    if report.problems:
        raise NothingToWatch(f"“{wanted}” is not there to be played: {'; '.join(report.problems)}")
    raise NotFound(no_such_title(wanted, report.titles))


def advice(data_dir: Path, backend: BackendProcess) -> str:
    """What to do about a backend that is gone and that we could not bring back."""
    if backend.is_ours:
        return (
            f"It was started again in vain; what it said last is in {backend.log_path}. Close this window and run "
            f"“cushion demo --data {shlex.quote(str(data_dir))}” again."
        )
    return serve_advice(data_dir)


# --------------------------------------------------------------------------- with a window


def _run_window(plan: DemoPlan, backend: BackendProcess, say: _Teller) -> int:
    from cushion_sdk.runtime import Runtime

    with Runtime("cushion-seed") as runtime:
        seeder: Seeder | None = None

        async def seed() -> None:
            nonlocal seeder
            async with _seeder(plan, backend.url) as seeder:
                await seeder.run()

        def report() -> SeedReport:
            return seeder.report if seeder is not None else SeedReport()

        seeding = runtime.submit(seed())
        try:
            asyncio.run(say.follow(report, lambda: bool(report().titles) or seeding.done()))
            if seeding.done():
                seeding.result()
            if not report().titles:
                raise NothingToWatch(f"there is nothing to watch: {'; '.join(report().problems)}")
            say.problems(report())
            if plan.title:
                now = report()
                promised = () if seeding.done() else (FILM_NAME, *(clip.name for clip in _clips(plan)))
                check_title(plan.title, now.titles, (*now.preparing, *now.jobs), promised)
            return _open_window(plan, backend, report)
        finally:
            seeding.cancel()


def _open_window(plan: DemoPlan, backend: BackendProcess, report: Callable[[], SeedReport]) -> int:
    from cushion_demo_app.app import AppPlan, run_app
    from cushion_demo_app.main_window import WindowStart

    return run_app(
        AppPlan(
            device_dir=plan.device_dir,
            server_url=backend.url,
            start=WindowStart(
                title_id=plan.title,
                link=plan.trace or None,
                preparing=lambda: report().preparing,
                advice=advice(plan.data_dir, backend),
                revive=backend.revive if backend.is_ours else None,
            ),
            options=SessionOptions(rule=plan.rule),
            seconds=plan.seconds,
        )
    ).status


def _clips(plan: DemoPlan) -> tuple[Clip, ...]:
    return () if plan.film_only else CLIPS


@contextlib.asynccontextmanager
async def _seeder(plan: DemoPlan, url: str) -> AsyncGenerator[Seeder]:
    from cushion_sdk.backend import BackendClient

    async with BackendClient(url) as backend:
        yield Seeder(backend, plan.data_dir / "downloads", plan.film, _clips(plan))


# --------------------------------------------------------------------------- telling


class _Teller:
    """Says what goes on, on stderr: stdout belongs to the summary."""

    def line(self, text: str) -> None:
        """One line."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def problems(self, report: SeedReport) -> None:
        """What is missing, a line each."""
        for sentence in report.problems:
            self.line(f"cushion demo: {sentence}")

    async def follow(self, report: Callable[[], SeedReport], is_over: Callable[[], bool]) -> None:
        """Show progress until it is over; nothing at all when that takes less than a second."""
        for _ in range(round(1.0 / _LOOK_S)):
            if is_over():
                return
            await asyncio.sleep(_LOOK_S)
        from cushion_demo_app.progress import PreparationProgress

        with PreparationProgress() as progress:
            while not is_over():
                progress.show(report())
                await asyncio.sleep(_LOOK_S)
            progress.show(report())
