"""What a backend has and what it works on, asked so that nothing falls between the two answers."""

from __future__ import annotations

from typing import Protocol

from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob


class Stock(Protocol):
    """What is asked of cushion_sdk.backend.BackendClient."""

    async def titles(self) -> list[Title]: ...
    async def ingest_jobs(self) -> list[IngestJob]: ...


async def look(backend: Stock) -> tuple[list[Title], list[IngestJob]]:
    """Titles and jobs. Raises ServiceError.

    Jobs first: what is published between the two questions then is a title, and perhaps still a job. The other way
    round it would be neither.
    """
    jobs = await backend.ingest_jobs()
    return await backend.titles(), jobs
