"""The shaped origin in virtual time over real sockets: when bodies arrive, against the link arithmetic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from cushion_player.testing.clock import FakeClock
from cushion_player.testing.shaped_origin import ShapedOrigin
from cushion_traces.link import Link, SharedLink, finish_us, make_link

STEPS = make_link([3_000_000] * 4, [6_000_000, 1_000_000, 20_000_000, 3_000_000], latency_us=40_000)
TWO_MBPS = make_link([1_000_000], [2_000_000], latency_us=50_000)
GRACE_S = 0.001
"""For loopback sockets, before each jump of the clock."""
SLACK_US = 2_000
"""Pieces are rounded up to whole µs each, and the last one waits its turn behind another's."""


def over(
    link: Link, sizes: list[int], session: Callable[[ShapedOrigin, Callable[[int], Awaitable[int]]], Awaitable[None]]
) -> ShapedOrigin:
    """Run `session(origin, fetch)` in virtual time; `fetch(n)` tells how long body n took, alone on a connection."""
    clock = FakeClock(5_000_000)
    origin = ShapedOrigin({f"/{number}": bytes(size) for number, size in enumerate(sizes)}, link, clock=clock)

    async def fetch(number: int) -> int:
        asked_us = clock.now_us()
        reader, writer = await asyncio.open_connection("127.0.0.1", origin.port)
        try:
            writer.write(f"GET /{number} HTTP/1.1\r\nHost: origin\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(sizes[number])
            return clock.now_us() - asked_us
        finally:
            writer.close()
            await writer.wait_closed()

    async def main() -> None:
        async with origin:
            await session(origin, fetch)

    clock.run(main(), grace_s=GRACE_S)
    return origin


def test_one_connection_follows_the_trace_integral() -> None:
    sizes = [75_000, 200_000, 340_000, 625_000]
    arithmetic = SharedLink(STEPS)

    async def session(origin: ShapedOrigin, fetch: Callable[[int], Awaitable[int]]) -> None:
        passed_us = 0
        for number, size in enumerate(sizes):
            took_us = await fetch(number)
            ideal_us = arithmetic.reserve(passed_us + STEPS.latency_us, size) - passed_us
            assert took_us == pytest.approx(ideal_us, abs=SLACK_US)
            passed_us += took_us

    over(STEPS, sizes, session)


def test_four_connections_share_the_link_fairly() -> None:
    sizes = [250_000] * 4

    async def session(origin: ShapedOrigin, fetch: Callable[[int], Awaitable[int]]) -> None:
        took_us = await asyncio.gather(*(fetch(number) for number in range(4)))
        all_us = finish_us(TWO_MBPS, 50_000, 1_000_000)
        assert max(took_us) == pytest.approx(all_us, abs=SLACK_US)
        # A piece is 16 KiB: who is served first is at most three pieces ahead of who is served last.
        assert max(took_us) - min(took_us) <= 3 * 16_384 * 4 + SLACK_US

    over(TWO_MBPS, sizes, session)


def test_short_body_beside_a_long_one_gets_half_of_the_link() -> None:
    async def session(origin: ShapedOrigin, fetch: Callable[[int], Awaitable[int]]) -> None:
        long, short = await asyncio.gather(fetch(0), fetch(1))
        assert short == pytest.approx(50_000 + 2 * 131_072 * 4, abs=2 * 16_384 * 4)
        assert long == pytest.approx(finish_us(TWO_MBPS, 50_000, 631_072), abs=SLACK_US)

    over(TWO_MBPS, [500_000, 131_072], session)


def test_every_request_is_logged_with_its_times() -> None:
    async def session(origin: ShapedOrigin, fetch: Callable[[int], Awaitable[int]]) -> None:
        await fetch(0)
        await fetch(1)

    origin = over(TWO_MBPS, [25_000, 50_000], session)

    first, second = [json.loads(line) for line in origin.log_lines().splitlines()]
    assert (first["path"], first["status"], first["sent_bytes"], first["completed"]) == ("/0", 200, 25_000, True)
    assert first["request_us"] == 0
    assert first["first_byte_us"] == pytest.approx(50_000 + 1448 * 4, abs=10)
    assert first["end_us"] == pytest.approx(150_000, abs=100)
    assert second["request_us"] >= first["end_us"]


def test_client_that_leaves_frees_the_link_after_one_piece() -> None:
    async def session(origin: ShapedOrigin, fetch: Callable[[int], Awaitable[int]]) -> None:
        leaving = asyncio.ensure_future(fetch(0))
        await origin.clock.sleep_until(origin.now_us() + 1_000_000)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert await fetch(1) <= 50_000 + 25_000 * 4 + 100_000

    over(TWO_MBPS, [5_000_000, 25_000], session)


def test_restart_begins_the_link_anew_and_forgets_the_log() -> None:
    outage_later = make_link([1_000_000, 60_000_000], [2_000_000, 1], latency_us=0)

    async def session(origin: ShapedOrigin, fetch: Callable[[int], Awaitable[int]]) -> None:
        await origin.clock.sleep_until(origin.now_us() + 30_000_000)
        assert await fetch(0) == pytest.approx(100_000, abs=SLACK_US)
        await origin.clock.sleep_until(origin.now_us() + 30_000_000)
        origin.restart(outage_later)
        assert await fetch(0) == pytest.approx(100_000, abs=SLACK_US)
        assert len(origin.log) == 1

    over(outage_later, [25_000], session)
