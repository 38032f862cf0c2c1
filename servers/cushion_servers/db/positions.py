"""Where profiles stopped watching: the newest report wins, in whatever order reports arrive."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.dialects.sqlite import insert

from cushion_sdk.contracts import Position, PositionPage, PositionReport
from cushion_sdk.contracts.resume import beats
from cushion_servers.db.database import Database
from cushion_servers.db.tables import positions
from cushion_servers.errors import NotFound


class Positions:
    """The resume service's memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, profile_id: str, title_id: str, report: PositionReport) -> Position:
        """Take a report; what holds afterwards is this one or the one that beats it."""
        chosen = _chosen(profile_id, title_id)
        async with self._database.writing() as connection:
            row = (await connection.execute(chosen)).first()
            if row is not None:
                held = _position(row)
                if not beats(report, held.report):
                    return held
            values = msgspec.to_builtins(report)
            statement = insert(positions).values(profile_id=profile_id, title_id=title_id, **values)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["profile_id", "title_id"], set_=values)
            )
        return Position(profile_id=profile_id, title_id=title_id, report=report)

    async def get(self, profile_id: str, title_id: str) -> Position:
        """Raises NotFound when the title was never watched."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_chosen(profile_id, title_id))).first()
        if row is None:
            raise NotFound(f"The profile {profile_id!r} has no position in {title_id!r}.")
        return _position(row)

    async def page(self, profile_id: str) -> PositionPage:
        """All positions of a profile, newest report first."""
        statement = (
            select(positions).where(positions.c.profile_id == profile_id).order_by(positions.c.reported_ms.desc())
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return PositionPage(positions=[_position(row) for row in rows])


def _chosen(profile_id: str, title_id: str) -> Any:
    return select(positions).where(positions.c.profile_id == profile_id, positions.c.title_id == title_id)


def _position(row: Row[Any]) -> Position:
    return msgspec.convert(
        {
            "profile_id": row.profile_id,
            "title_id": row.title_id,
            "report": {str(key): value for key, value in row._mapping.items()},
        },
        type=Position,
    )
