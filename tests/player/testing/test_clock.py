from __future__ import annotations

import asyncio
import threading
import time

import pytest

from cushion_player.testing.clock import FakeClock, VirtualTimeError
from tests.contracts.clock_suite import ClockSuite, Main


class TestFakeClock(ClockSuite):
    def run(self, main: Main) -> None:
        clock = FakeClock(start_us=5_000_000)
        clock.run(main(clock))


async def test_time_stands_still_until_advanced() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep_until(1_000))

    await clock.advance(999)

    assert clock.now_us() == 999
    assert not task.done()
    await clock.advance(1)
    assert task.done()


async def test_advance_stops_at_every_deadline_and_at_those_made_on_the_way() -> None:
    clock = FakeClock()
    seen: list[int] = []

    async def ticker() -> None:
        for _ in range(5):
            await clock.sleep_until(clock.now_us() + 300)
            seen.append(clock.now_us())

    async with asyncio.TaskGroup() as group:
        group.create_task(ticker())
        await clock.advance(1_000)
        assert seen == [300, 600, 900]
        assert clock.now_us() == 1_000
        await clock.advance_to(1_500)

    assert seen == [300, 600, 900, 1_200, 1_500]


def test_the_clock_never_goes_back() -> None:
    clock = FakeClock(100)

    clock.jump_to(50)

    assert clock.now_us() == 100


def test_ten_minutes_pass_in_milliseconds_of_cpu() -> None:
    clock = FakeClock()

    async def session() -> int:
        for _ in range(600):
            await clock.sleep_until(clock.now_us() + 1_000_000)
        return clock.now_us()

    cpu_s = time.process_time()
    assert clock.run(session()) == 600_000_000
    assert time.process_time() - cpu_s < 1.0


def test_the_loops_own_timers_follow_the_virtual_clock() -> None:
    clock = FakeClock()

    async def main() -> None:
        await asyncio.sleep(90)
        assert clock.now_us() == 90_000_000
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await clock.sleep_until(100_000_000)
        assert clock.now_us() == 90_030_000

    clock.run(main())


def test_sleepers_and_loop_timers_wake_in_one_order() -> None:
    clock = FakeClock()
    woken: list[str] = []

    async def by_loop() -> None:
        await asyncio.sleep(0.002)
        woken.append("loop")

    async def by_clock(deadline_us: int) -> None:
        await clock.sleep_until(deadline_us)
        woken.append(f"clock {deadline_us}")

    async def main() -> None:
        await asyncio.gather(by_clock(3_000), by_loop(), by_clock(1_000))

    clock.run(main())
    assert woken == ["clock 1000", "loop", "clock 3000"]


def test_a_session_that_never_ends_is_stopped_at_its_limit() -> None:
    clock = FakeClock()
    cleaned_up = False

    async def ticks_for_ever() -> None:
        nonlocal cleaned_up
        try:
            while True:
                await clock.sleep_until(clock.now_us() + 1_000_000)
        finally:
            cleaned_up = True

    with pytest.raises(VirtualTimeError, match=r"after 60\.000 s"):
        clock.run(ticks_for_ever(), limit_us=60_000_000)
    assert cleaned_up


def test_a_deadlock_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cushion_player.testing.clock._JumpingSelector.IDLE_LIMIT_S", 0.01)
    clock = FakeClock()

    async def waits_for_nothing() -> None:
        await asyncio.Event().wait()

    with pytest.raises(VirtualTimeError, match="deadlock"):
        clock.run(waits_for_nothing())


def test_a_thread_is_waited_for_when_nothing_is_scheduled() -> None:
    clock = FakeClock()

    async def main() -> str:
        return await asyncio.to_thread(lambda: threading.current_thread().name)

    assert clock.run(main()).startswith("asyncio")
    assert clock.now_us() == 0


def test_a_thread_that_outlives_the_session_is_joined_in_real_time() -> None:
    clock = FakeClock()
    ended = threading.Event()

    def works_on() -> None:
        threading.Event().wait(0.05)
        ended.set()

    async def main() -> None:
        asyncio.get_running_loop().run_in_executor(None, works_on)

    clock.run(main())
    assert ended.is_set()
    assert clock.now_us() == 0


def test_grace_lets_a_thread_answer_before_the_clock_jumps() -> None:
    clock = FakeClock()

    async def main() -> str:
        async with asyncio.timeout(5):
            return await asyncio.to_thread(lambda: "in time")

    assert clock.run(main(), grace_s=5.0) == "in time"


def test_timers_of_the_loop_are_due_at_times_of_day_too() -> None:
    clock = FakeClock(1_700_000_000_060_001)
    woken: list[int] = []

    async def sleep_often() -> None:
        for number in range(200):
            async with asyncio.timeout(1.05 + number / 7):
                await asyncio.sleep(1.0 + number / 7)
            woken.append(clock.now_us())

    clock.run(sleep_often())

    assert len(woken) == 200
    assert woken == sorted(woken)
