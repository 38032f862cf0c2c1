from __future__ import annotations

import asyncio

from cushion_player.clock import MonotonicClock, wall_ms
from tests.contracts.clock_suite import ClockSuite, Main


class TestMonotonicClock(ClockSuite):
    def run(self, main: Main) -> None:
        asyncio.run(main(MonotonicClock()))


def test_wall_ms_is_after_2024() -> None:
    assert wall_ms() > 1_700_000_000_000
