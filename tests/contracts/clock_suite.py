"""What every Clock owes its callers. Inherit it and say how to run a coroutine on one. Sleeps are a few ms long."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cushion_player.clock import Clock

Main = Callable[[Clock], Coroutine[Any, Any, None]]


class ClockSuite(ABC):
    @abstractmethod
    def run(self, main: Main) -> None:
        """Run `main(clock)` to its end on a clock that moves by itself."""

    def test_is_a_clock(self) -> None:
        async def main(clock: Clock) -> None:
            assert isinstance(clock, Clock)
            assert type(clock.now_us()) is int

        self.run(main)

    def test_time_never_decreases(self) -> None:
        async def main(clock: Clock) -> None:
            times = [clock.now_us()]
            for _ in range(50):
                await clock.sleep_until(times[-1] + 20)
                times.append(clock.now_us())
            assert times == sorted(times)

        self.run(main)

    def test_sleep_ends_at_or_after_its_deadline(self) -> None:
        async def main(clock: Clock) -> None:
            for delay_us in (1, 999, 1_500, 3_000):
                deadline_us = clock.now_us() + delay_us
                await clock.sleep_until(deadline_us)
                assert clock.now_us() >= deadline_us

        self.run(main)

    def test_sleep_until_the_past_yields_once_to_others(self) -> None:
        async def main(clock: Clock) -> None:
            turns: list[str] = []
            other = asyncio.create_task(_note(turns, "other"))

            await clock.sleep_until(clock.now_us() - 1_000_000)
            turns.append("sleeper")
            await other

            assert turns == ["other", "sleeper"]

        self.run(main)

    def test_sleep_until_now_returns(self) -> None:
        async def main(clock: Clock) -> None:
            await clock.sleep_until(clock.now_us())

        self.run(main)

    def test_sleepers_wake_in_order_of_deadline(self) -> None:
        async def main(clock: Clock) -> None:
            woken: list[int] = []
            start_us = clock.now_us() + 1_000

            async def sleeper(delay_us: int) -> None:
                await clock.sleep_until(start_us + delay_us)
                woken.append(delay_us)

            async with asyncio.TaskGroup() as group:
                for delay_us in (9_000, 3_000, 6_000, 0):
                    group.create_task(sleeper(delay_us))

            assert woken == [0, 3_000, 6_000, 9_000]

        self.run(main)

    def test_cancelled_sleep_ends_at_once_and_disturbs_nobody(self) -> None:
        async def main(clock: Clock) -> None:
            now_us = clock.now_us()
            doomed = asyncio.create_task(clock.sleep_until(now_us + 3_600_000_000))
            other = asyncio.create_task(clock.sleep_until(now_us + 2_000))
            await asyncio.sleep(0)

            doomed.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doomed
            await other

            assert now_us + 2_000 <= clock.now_us() < now_us + 3_600_000_000

        self.run(main)

    def test_a_sleeper_that_sleeps_again_is_woken_again(self) -> None:
        async def main(clock: Clock) -> None:
            start_us = clock.now_us()
            for tick in range(1, 5):
                await clock.sleep_until(start_us + tick * 1_000)
            assert clock.now_us() >= start_us + 4_000

        self.run(main)


async def _note(turns: list[str], name: str) -> None:
    turns.append(name)
