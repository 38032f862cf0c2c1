"""Published titles. A title is in the catalog from the moment its row is."""

from __future__ import annotations

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.dialects.sqlite import insert

from cushion_sdk.contracts import Title, TitlePage
from cushion_servers.db.database import Database
from cushion_servers.db.tables import titles
from cushion_servers.errors import InvalidRequest, NotFound


class Titles:
    """The catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, title: Title) -> None:
        """Add the title, or replace what was said of it; its place in the catalog stays."""
        document = msgspec.json.encode(title)
        statement = insert(titles).values(title_id=title.title_id, published_ms=title.published_ms, document=document)
        statement = statement.on_conflict_do_update(index_elements=["title_id"], set_={"document": document})
        async with self._database.writing() as connection:
            await connection.execute(statement)

    async def get(self, title_id: str) -> Title:
        """Raises NotFound."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(titles.c.document).where(titles.c.title_id == title_id))).first()
        if row is None:
            raise NotFound(f"There is no title {title_id!r}.")
        return msgspec.json.decode(row.document, type=Title)

    async def page(self, cursor: str, limit: int) -> TitlePage:
        """Titles after `cursor` ("" = from the first), oldest publication first. Raises InvalidRequest."""
        statement = select(titles).order_by(titles.c.published_ms, titles.c.title_id).limit(limit + 1)
        if cursor:
            published, separator, title_id = cursor.partition("-")
            if not separator or not published.isdecimal():
                raise InvalidRequest(f"{cursor!r} is not a cursor of ours.")
            statement = statement.where(
                tuple_(titles.c.published_ms, titles.c.title_id) > tuple_(int(published), title_id)
            )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        found = [msgspec.json.decode(row.document, type=Title) for row in rows[:limit]]
        more = f"{rows[limit - 1].published_ms}-{rows[limit - 1].title_id}" if len(rows) > limit else ""
        return TitlePage(titles=found, next_cursor=more)
