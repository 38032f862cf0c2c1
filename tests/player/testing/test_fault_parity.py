"""A fault does the same to a client over a socket as in virtual time: one script serves both."""

from __future__ import annotations

import asyncio

import pytest

from cushion_player.clock import Clock, MonotonicClock
from cushion_player.errors import FetchError, HttpStatusError
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import FaultScript, Rule
from cushion_player.testing.faults import (
    Corrupt,
    Disconnect,
    Drip,
    Fault,
    Frozen,
    Hang,
    Html,
    IgnoreRange,
    Instead,
    Redirect,
    Refuse,
    Reset,
    Rewrite,
    Shifted,
    Shorten,
    Stall,
    Status,
    Truncate,
    WrongLength,
    WrongType,
)
from cushion_player.testing.live import DashOptions, LiveConfig, LiveSite, Programme, made_up_asset
from cushion_player.testing.origin import Origin
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest, FetchTimeouts, Transport, fetch_bytes
from cushion_player.transport.http import HttpTransport

UTC_US = 1_700_000_000_000_000
"""What the clock says in both worlds, and hardly moves while a test lasts."""
SITE = LiveSite(
    LiveConfig(
        (Programme(made_up_asset(bitrates_bps=(100_000,))),),
        start_us=UTC_US - 61_000_000,
        dash=DashOptions(addressing="timeline-time"),
    )
)
TIMEOUTS = FetchTimeouts(connect_s=5, first_byte_s=0.3, stall_s=0.3)
MPD, SEGMENT = "/live.mpd", "/p0/v0/30.m4s"

Told = tuple[str, int, bytes]
"""What a fetch came to: the error's name or "", the status, the body."""

CASES: list[tuple[str, Fault | None]] = [
    (SEGMENT, None),
    (MPD, None),
    ("/nothing", None),
    (SEGMENT, Status(503, retry_after="7")),
    (SEGMENT, Status(404)),
    (SEGMENT, Hang()),
    (SEGMENT, Hang(0.05)),
    (SEGMENT, Refuse()),
    (SEGMENT, Disconnect()),
    (SEGMENT, Stall(100)),
    (SEGMENT, Stall(100, 0.05)),
    (SEGMENT, Truncate(100)),
    (SEGMENT, Reset(100)),
    (SEGMENT, WrongLength(+50)),
    (SEGMENT, WrongLength(-50)),
    (SEGMENT, Corrupt(8, 16)),
    (SEGMENT, Shorten(99)),
    (SEGMENT, Drip(20_000, 0.02)),
    (SEGMENT, IgnoreRange()),
    (SEGMENT, WrongType()),
    (SEGMENT, Redirect(MPD)),
    (SEGMENT, Redirect("")),
    (MPD, Html()),
    (MPD, Instead(b"#EXTM3U")),
    (MPD, Rewrite('type="dynamic"', 'type="static"')),
    (MPD, Shifted(-20)),
    (MPD, Shifted(+4, has_date=False)),
    (MPD, Frozen(UTC_US - 30_000_000)),
]


def script(path: str, fault: Fault | None) -> FaultScript:
    return FaultScript(Rule(path, (fault,), repeats=True)) if fault is not None else FaultScript()


async def told(transport: Transport, url: str, clock: Clock, byte_range: tuple[int, int | None] | None) -> Told:
    try:
        result = await fetch_bytes(transport, FetchRequest(url, byte_range, timeouts=TIMEOUTS), clock)
    except FetchError as error:
        return type(error).__name__, error.status if isinstance(error, HttpStatusError) else 0, b""
    finally:
        await transport.close()
    return "", result.status, result.body


def in_virtual_time(path: str, fault: Fault | None, byte_range: tuple[int, int | None] | None) -> Told:
    clock = FakeClock()
    transport = FakeTransport(
        clock, {}, sites={"http://origin": SITE}, utc_offset_us=UTC_US, faults=script(path, fault), latency_us=1000
    )
    return clock.run(told(transport, f"http://origin{path}", clock, byte_range))


async def over_a_socket(path: str, fault: Fault | None, byte_range: tuple[int, int | None] | None) -> Told:
    clock = MonotonicClock()
    origin = Origin(SITE, clock=clock, utc_offset_us=UTC_US - clock.now_us(), faults=script(path, fault))
    async with origin:
        return await told(HttpTransport(), origin.url(path), clock, byte_range)


@pytest.mark.parametrize("byte_range", [None, (10, 2009)], ids=["whole", "range"])
@pytest.mark.parametrize(("path", "fault"), CASES, ids=lambda value: str(value)[:40])
def test_both_origins_do_the_same(path: str, fault: Fault | None, byte_range: tuple[int, int | None] | None) -> None:
    if byte_range is not None and path == MPD:
        byte_range = (0, 99)

    virtual = in_virtual_time(path, fault, byte_range)
    real = asyncio.run(over_a_socket(path, fault, byte_range))

    assert real == virtual


def test_every_fault_is_compared() -> None:
    assert {type(fault) for _, fault in CASES if fault is not None} == set(Fault.__args__)
