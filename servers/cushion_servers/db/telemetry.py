"""Telemetry records, each kept once however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from cushion_servers.db.database import Database
from cushion_servers.db.tables import telemetry


class TelemetryRecord(NamedTuple):
    """A record named by (session id, sequence); `line` is all of it as it came."""

    session_id: str
    sequence: int
    line: str


class Telemetry:
    """The telemetry log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, records: Sequence[TelemetryRecord], now_ms: int) -> int:
        """Keep the records not seen before, in one transaction; how many those were."""
        if not records:
            return 0
        rows = [
            {"session_id": each.session_id, "sequence": each.sequence, "record": each.line, "received_ms": now_ms}
            for each in records
        ]
        statement = insert(telemetry).on_conflict_do_nothing()
        async with self._database.writing() as connection:
            before = await connection.scalar(_TOTAL_CHANGES)
            await connection.execute(statement, rows)
            after = await connection.scalar(_TOTAL_CHANGES)
        return int(after or 0) - int(before or 0)

    async def count(self, session_id: str = "") -> int:
        """How many records there are, of one session or of all."""
        statement = select(func.count()).select_from(telemetry)
        if session_id:
            statement = statement.where(telemetry.c.session_id == session_id)
        async with self._database.reading() as connection:
            return int(await connection.scalar(statement) or 0)


_TOTAL_CHANGES = select(func.total_changes())
