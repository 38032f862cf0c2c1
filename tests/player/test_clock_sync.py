"""The time of day: who is asked for it, how often, and for how long."""

from __future__ import annotations

from dataclasses import replace

from cushion_player.driving.clock_sync import LIMIT_S, ClockSync
from cushion_player.manifest import read
from cushion_player.model import Presentation, UtcTiming
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Drip, Hang
from cushion_player.testing.transport import FakeTransport
from tests.player.manifest_files import FOLDER, URL

SECOND = 1_000_000
NAMES = tuple(f"http://time/{number}" for number in range(20))
SAID_US = 1_700_000_000 * SECOND


def timed(urls: tuple[str, ...]) -> Presentation:
    presentation = read((FOLDER / "live.mpd").read_bytes(), URL).presentation
    scheme = "urn:mpeg:dash:utc:http-iso:2014"
    return replace(presentation, utc_timings=(UtcTiming(scheme, " ".join(urls), "iso"),))


def test_the_first_source_that_answers_tells_the_time_for_ten_minutes() -> None:
    clock = FakeClock(5 * SECOND)
    transport = FakeTransport(clock, {NAMES[1]: b"2023-11-14T22:13:20Z"})
    sync = ClockSync(transport, clock, wall_us=lambda: 0)

    async def ask_for_an_hour() -> None:
        for minute in range(60):
            await clock.sleep_until(minute * 60 * SECOND)
            await sync.sync(timed(NAMES))

    clock.run(ask_for_an_hour())

    assert abs(sync.utc_offset_us - (SAID_US - 5 * SECOND)) < 3600 * SECOND
    assert [request.url for request in transport.requests].count(NAMES[1]) == 6


def test_sources_that_hang_or_drip_hold_nobody_up_for_long_nor_at_every_refresh() -> None:
    for fault in (Hang(), Drip(1, 1.0)):
        clock = FakeClock()
        transport = FakeTransport(clock, dict.fromkeys(NAMES, b"2023-11-14T22:13:20Z"))
        transport.faults.always("*", fault)
        sync = ClockSync(transport, clock, wall_us=lambda: 0)

        async def ask(clock: FakeClock = clock, sync: ClockSync = sync) -> list[int]:
            waits: list[int] = []
            for _ in range(5):
                began_us = clock.now_us()
                await sync.sync(timed(NAMES))
                waits.append(clock.now_us() - began_us)
            return waits

        waits = clock.run(ask())

        assert 0 < waits[0] <= LIMIT_S * SECOND
        assert waits[1:] == [0] * 4
        assert sync.source == "the machine's clock"
