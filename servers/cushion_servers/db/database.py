"""One SQLite database behind SQLAlchemy: write-ahead log, one writer at a time, foreign errors translated."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cushion_servers.db.tables import metadata
from cushion_servers.errors import StoreError, StoreFull

_BUSY_MS = 5_000


class Database:
    """Connections to the backend's database. Open with `open_database`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection, None]:
        """A connection whose statements see one state. Raises StoreError."""
        with _translated():
            async with self._engine.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection, None]:
        """A transaction that holds the write lock from its start, so read-then-write is safe. Raises StoreError."""
        with _translated():
            async with self._engine.execution_options(begin_immediate=True).begin() as connection:
                yield connection

    async def close(self) -> None:
        await self._engine.dispose()


async def open_database(path: Path) -> Database:
    """Open the database file, made with its tables if absent. Raises StoreError."""
    with _translated():
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": _BUSY_MS / 1000})
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        async with engine.execution_options(begin_immediate=True).begin() as connection:
            await connection.run_sync(metadata.create_all)
    return Database(engine)


def _prepare(dbapi_connection: Any, _record: Any) -> None:
    # The driver's own transaction handling is off; `_begin` says BEGIN.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin(connection: Any) -> None:
    immediate = connection.get_execution_options().get("begin_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextlib.contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as exc:
        text = str(getattr(exc, "orig", None) or exc)
        if "disk is full" in text or "No space left" in text:
            raise StoreFull("No space is left for the database.") from exc
        raise StoreError(f"The database cannot be used: {text}.") from exc
