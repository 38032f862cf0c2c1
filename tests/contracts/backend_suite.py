"""What every backend owes a session. Inherit it and say which backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from cushion_sdk.backend import Backend
from cushion_sdk.contracts.resume import PositionReport


def report(position_s: float, *, session: str = "a", started_ms: int = 1000, sequence: int = 1) -> PositionReport:
    return PositionReport(
        device_id="d",
        session_id=session,
        session_started_ms=started_ms,
        sequence=sequence,
        position_s=position_s,
        duration_s=60.0,
        reported_ms=started_ms,
    )


def line(sequence: int, session: str = "s") -> str:
    return f'com.cushion-pid="default",e=t,sid="{session}",sn={sequence},ts=1700000000000,v=2'


class BackendSuite(ABC):
    @abstractmethod
    def open(self, tmp_path: Path) -> AbstractAsyncContextManager[Backend]:
        """A backend that knows nothing yet."""

    async def test_a_title_never_watched_has_no_position(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            assert await backend.position("p", "never") is None

    async def test_a_position_is_held_for_its_profile_and_title(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            assert await backend.put_position("p", "t", report(5.0)) == report(5.0)

            assert await backend.position("p", "t") == report(5.0)
            assert await backend.position("q", "t") is None
            assert await backend.position("p", "u") is None

    async def test_a_later_report_of_a_session_replaces_an_earlier_one(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            await backend.put_position("p", "t", report(5.0, sequence=1))

            assert (await backend.put_position("p", "t", report(3.0, sequence=2))).position_s == 3.0

    async def test_an_earlier_report_changes_nothing_and_hears_what_holds(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            newer = report(5.0, sequence=2)
            await backend.put_position("p", "t", newer)

            assert await backend.put_position("p", "t", report(9.0, sequence=1)) == newer
            assert await backend.position("p", "t") == newer

    async def test_a_later_session_wins_whatever_its_numbers(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            await backend.put_position("p", "t", report(50.0, sequence=900))
            later = report(2.0, session="b", started_ms=2000)

            assert await backend.put_position("p", "t", later) == later
            assert await backend.put_position("p", "t", report(51.0, sequence=901)) == later

    async def test_names_may_hold_any_character(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            await backend.put_position("Zoë & co", "a title?", report(5.0))

            assert await backend.position("Zoë & co", "a title?") == report(5.0)

    async def test_each_record_is_accepted_once(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            first = await backend.send_telemetry("\n".join(line(n) for n in range(3)).encode())
            second = await backend.send_telemetry("\n".join(line(n) for n in range(1, 5)).encode())
            other = await backend.send_telemetry(line(0, "other").encode())

        assert (first.accepted, first.repeated, first.rejected) == (3, 0, 0)
        assert (second.accepted, second.repeated, second.rejected) == (2, 2, 0)
        assert (other.accepted, other.repeated) == (1, 0)

    async def test_a_record_that_cannot_be_read_does_not_hold_up_the_others(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as backend:
            receipt = await backend.send_telemetry(f"{line(0)}\nnonsense here\n{line(1)}\ne=t,ts=1,v=2".encode())

        assert (receipt.accepted, receipt.repeated, receipt.rejected) == (2, 0, 2)
