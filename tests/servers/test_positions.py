from __future__ import annotations

import asyncio
from functools import reduce
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cushion_sdk.contracts import PositionReport
from cushion_sdk.contracts.resume import beats
from cushion_servers.db.database import open_database
from cushion_servers.db.positions import Positions
from cushion_servers.errors import NotFound

REPORT = PositionReport(
    device_id="tv",
    session_id="s1",
    session_started_ms=1_000,
    sequence=1,
    position_s=5.0,
    duration_s=60.0,
    reported_ms=2,
)


def reports() -> st.SearchStrategy[PositionReport]:
    """Reports of three sessions; a session's start is a fact of the session, and a sequence names one position."""
    named = st.tuples(st.sampled_from([("a", 10), ("b", 10), ("c", 20)]), st.integers(0, 5))
    return named.map(
        lambda name: msgspec.structs.replace(
            REPORT,
            session_id=name[0][0],
            session_started_ms=name[0][1],
            sequence=name[1],
            position_s=float(ord(name[0][0]) * 10 + name[1]),
        )
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(reports(), min_size=1, max_size=8))
def test_what_holds_is_the_best_report_in_whatever_order(tmp_path: Path, sent: list[PositionReport]) -> None:
    best = reduce(lambda held, new: new if beats(new, held) else held, sent)

    async def held(order: list[PositionReport]) -> PositionReport:
        (tmp_path / "positions.db").unlink(missing_ok=True)
        database = await open_database(tmp_path / "positions.db")
        positions = Positions(database)
        for report in order:
            answered = await positions.report("p", "t", report)
            assert not beats(report, answered.report)
        found = await positions.get("p", "t")
        await database.close()
        return found.report

    assert asyncio.run(held(sent)) == asyncio.run(held(sent[::-1])) == best


async def test_positions_survive_a_restart_newest_first(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "x.db")
    for at, title in enumerate(("old", "new")):
        await Positions(database).report("p", title, msgspec.structs.replace(REPORT, reported_ms=at))
    await database.close()

    database = await open_database(tmp_path / "x.db")
    page = await Positions(database).page("p")
    with pytest.raises(NotFound):
        await Positions(database).get("p", "never")
    await database.close()

    assert [position.title_id for position in page.positions] == ["new", "old"]


async def test_concurrent_reports_end_with_the_best(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "x.db")
    positions = Positions(database)

    await asyncio.gather(
        *(positions.report("p", "t", msgspec.structs.replace(REPORT, sequence=k)) for k in (3, 9, 1, 7, 5, 8, 2))
    )

    assert (await positions.get("p", "t")).report.sequence == 9
    await database.close()
