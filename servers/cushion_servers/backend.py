"""The backend's parts, opened together and closed together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from cushion_servers.config import BackendConfig
from cushion_servers.db.database import open_database
from cushion_servers.db.ledger import Ledger
from cushion_servers.db.positions import Positions
from cushion_servers.db.telemetry import Telemetry
from cushion_servers.db.titles import Titles
from cushion_servers.ingest.service import IngestService
from cushion_servers.store import LocalObjectStore, ObjectStore
from cushion_servers.transcode.pool import ProcessStepRunner, StepRunner


@dataclass(frozen=True, slots=True)
class Backend:
    """What the API answers from."""

    config: BackendConfig
    store: ObjectStore
    titles: Titles
    positions: Positions
    telemetry: Telemetry
    ingest: IngestService
    now_ms: Callable[[], int]


def unix_now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextlib.asynccontextmanager
async def open_backend(
    config: BackendConfig,
    *,
    store: ObjectStore | None = None,
    runner: StepRunner | None = None,
    now_ms: Callable[[], int] = unix_now_ms,
) -> AsyncGenerator[Backend, None]:
    """Open the data directory and go on with unfinished ingests; leaving stops them between two frames.

    Raises StoreError when the directory or the database cannot be used.
    """
    database = await open_database(config.database_path)
    try:
        local = LocalObjectStore(config.store_dir)
        local.remove_staged()
        used: ObjectStore = store if store is not None else local
        titles = Titles(database)
        steps = runner if runner is not None else ProcessStepRunner(config.store_dir, config.workers)
        async with IngestService(Ledger(database), titles, used, steps, now_ms) as ingest:
            yield Backend(config, used, titles, Positions(database), Telemetry(database), ingest, now_ms)
    finally:
        await database.close()
