"""Whether a title that was asked for by name is there, before a window opens on nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from cushion_demo_app.stock import look
from cushion_player.errors import ServiceUnavailable, UsageError
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob, IngestState


def check_title(wanted: str, titles: Iterable[Title], jobs: Iterable[IngestJob], promised: Iterable[str] = ()) -> None:
    """Let a title's id or name pass, also one that is on its way. `promised`: names that will be.

    Raises UsageError that names those there are.
    """
    there = list(titles)
    known = {name for title in there for name in (title.title_id, title.name)}
    known |= {name for job in jobs if job.state is not IngestState.FAILED for name in (job.title_id, job.name)}
    if wanted not in known.union(promised):
        raise UsageError(no_such_title(wanted, there))


def no_such_title(wanted: str, titles: Iterable[Title]) -> str:
    """One sentence that names the titles there are."""
    names = ", ".join(f"“{title.name}”" for title in titles) or "nothing"
    return f"the catalog has no “{wanted}”; it has {names}"


def check_title_of(server_url: str, wanted: str) -> None:
    """Ask the backend for `check_title`; one that is away is left for the window to tell of."""
    asyncio.run(_check(server_url, wanted))


async def _check(server_url: str, wanted: str) -> None:
    from cushion_sdk.backend import BackendClient

    async with BackendClient(server_url) as backend:
        try:
            titles, jobs = await look(backend)
        except ServiceUnavailable:
            return
    check_title(wanted, titles, jobs)
