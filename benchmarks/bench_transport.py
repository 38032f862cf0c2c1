"""How exact are shaped transport and origin, how soon after an abandoned download is the next, what is a gigabyte?"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import httpx

from benchmarks.harness import Report, Spread, arguments, finish, ratio
from cushion_player.clock import MonotonicClock
from cushion_player.testing.origin import Origin
from cushion_player.testing.shaped_origin import ShapedOrigin
from cushion_player.transport.base import FetchRequest, fetch_bytes
from cushion_player.transport.http import HttpTransport
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import SharedLink, make_link

SIZES_BYTES = (75_000, 200_000, 340_000, 625_000)
"""Two-second segments at 0.3, 0.8, 1.4 and 2.5 Mb/s."""
STEPS = make_link([3_000_000] * 4, [6_000_000, 1_000_000, 20_000_000, 3_000_000], latency_us=40_000)
LARGE_BYTES = 3_000_000
CLOCK = MonotonicClock()

Bodies = Callable[[str, int], AbstractAsyncContextManager[AsyncIterator[bytes]]]


def shaper_error(base: str, n_segments: int) -> Report:
    """Each segment's time against the link arithmetic, in percent of the latter."""
    report = Report(f"shaped transport on loopback: {n_segments} segments over a link of 1 to 20 Mb/s, 40 ms")
    errors = asyncio.run(_segment_errors(base, n_segments))
    spread = report.add("error of a segment's time", errors, "%")
    mean = sum(errors) / len(errors)
    report.notes.append(f"mean error {mean:.3f} %")
    report.judge(f"mean error at most 2 % (seen {mean:.3f})", mean <= 2)
    report.judge(f"largest error at most 5 % (seen {spread.high:.3f})", spread.high <= 5)
    return report


async def _segment_errors(base: str, n_segments: int) -> list[float]:
    transport = ShapedTransport(HttpTransport(), CLOCK, STEPS)
    arithmetic = SharedLink(STEPS)
    origin_us = 0
    errors: list[float] = []
    for number in range(n_segments):
        size = SIZES_BYTES[number % len(SIZES_BYTES)]
        result = await fetch_bytes(transport, FetchRequest(f"{base}/{size}"), CLOCK)
        origin_us = origin_us or result.request_us
        asked_us = result.request_us - origin_us
        ideal_us = arithmetic.reserve(asked_us + STEPS.latency_us, size) - asked_us
        errors.append(abs(result.end_us - result.request_us - ideal_us) / ideal_us * 100)
    await transport.close()
    return errors


def origin_error(connections: int, n_segments: int) -> Report:
    """Times over a shaped origin's link, with that many connections at once, against the link arithmetic.

    With several at once each round's last byte is what the arithmetic knows; how far the first lies before it says
    how fair the link was. A round begins when its first request has reached the origin: on its way there it is not the
    link's, and where the link goes from 20 to 3 Mb/s a millisecond on the way would count for seven.
    """
    report = Report(f"shaped origin on loopback, {connections} at once: {n_segments} rounds over the same link")
    rounds = asyncio.run(_origin_rounds(connections, n_segments))
    errors = [each.off_us / each.ideal_us * 100 for each in rounds]
    mean = sum(errors) / len(errors)
    report.add("error of a round's time", errors, "%")
    report.add("the same", [each.off_us / 1000 for each in rounds], "ms")
    report.add("a round's first request on its way", [each.way_us / 1000 for each in rounds], "ms")
    report.add("first to last body of a round, of its time", [e.spread_us / e.ideal_us * 100 for e in rounds], "%")
    report.notes.append(f"mean error {mean:.3f} %")
    report.judge(f"mean error at most 2 % (seen {mean:.3f})", mean <= 2)
    worst = quantile([min(each.off_us / each.ideal_us * 20, each.off_us / 5000) for each in rounds], 0.99)
    report.judge(f"99 of 100 rounds within 5 % or 5 ms (seen {worst:.2f} of that)", worst <= 1)
    return report


def quantile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed; of fewer than a hundred, p99 is the largest."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


@dataclass(frozen=True, slots=True)
class Round:
    """Some requests at once. off_us: how far the last byte lies from where the arithmetic has it."""

    ideal_us: int
    off_us: int
    way_us: int
    spread_us: int


async def _origin_rounds(connections: int, n_rounds: int) -> list[Round]:
    arithmetic = SharedLink(STEPS)
    asked: list[tuple[int, int, int, int]] = []
    with shaped_process() as (base, arrivals):
        transport = HttpTransport()
        for number in range(n_rounds):
            size = SIZES_BYTES[number % len(SIZES_BYTES)]
            request = FetchRequest(f"{base}/{size}")
            results = await asyncio.gather(*(fetch_bytes(transport, request, CLOCK) for _ in range(connections)))
            ends = [result.end_us for result in results]
            asked.append((size * connections, min(result.request_us for result in results), min(ends), max(ends)))
        await transport.close()
        arrived = arrivals()  # by the same clock: it is the machine's
    rounds: list[Round] = []
    for number, (n_bytes, asked_us, first_us, last_us) in enumerate(asked):
        start_us = min(arrived[number * connections : (number + 1) * connections])
        ideal_us = arithmetic.reserve(start_us - arrived[0] + STEPS.latency_us, n_bytes) - (start_us - arrived[0])
        rounds.append(
            Round(ideal_us, abs(last_us - start_us - ideal_us), max(0, start_us - asked_us), last_us - first_us)
        )
    return rounds


def abandonment(base: str, rounds: int) -> Report:
    """From letting go of a download to the first byte of the next one."""
    report = Report("abandoning a 3 MB download: from letting go to the first byte of the next request, loopback")
    after_abandoning, after_finishing = asyncio.run(_next_first_bytes(base, rounds))
    spread = report.add("after abandoning", after_abandoning, "ms")
    report.add("after finishing", after_finishing, "ms")
    report.judge(f"the next request is under way within 100 ms (worst {spread.high:.1f})", spread.high <= 100)
    return report


async def _next_first_bytes(base: str, rounds: int) -> tuple[list[float], list[float]]:
    transport = HttpTransport()
    large = FetchRequest(f"{base}/{LARGE_BYTES}")
    small = FetchRequest(f"{base}/{SIZES_BYTES[0]}")
    delays_ms: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for abandon, delays in zip((True, False), delays_ms, strict=True):
            async with transport.stream(large) as response:
                async for _chunk in response.chunks():
                    if abandon:
                        break
                left_us = CLOCK.now_us()
            result = await fetch_bytes(transport, small, CLOCK)
            delays.append((result.first_byte_us - left_us) / 1000)
    await transport.close()
    return delays_ms


def cost(base: str, pairs: int) -> Report:
    """CPU of our transport against httpx alone, for the same bytes."""
    megabytes = 60
    report = Report(f"CPU for {megabytes} MB in bodies of 3 MB over loopback, in seconds a gigabyte")
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(pairs):
        ours.append(asyncio.run(_cpu_s_per_gb(_our_bodies, base, megabytes)))
        bare.append(asyncio.run(_cpu_s_per_gb(_bare_bodies, base, megabytes)))
    report.add("HttpTransport", ours, "s/GB")
    report.add("httpx alone", bare, "s/GB")
    spread: Spread = ratio(ours, bare)
    report.rows.append(("ratio", spread, ""))
    report.judge(f"at most 1.25 times httpx alone (median {spread.median:.2f})", spread.median <= 1.25)
    return report


async def _cpu_s_per_gb(bodies: Bodies, base: str, megabytes: int) -> float:
    received = 0
    started_s = time.process_time()
    async with bodies(f"{base}/{LARGE_BYTES}", megabytes // 3) as chunks:
        async for chunk in chunks:
            received += len(chunk)
    assert received == megabytes * 1_000_000
    return (time.process_time() - started_s) / (received / 1e9)


@asynccontextmanager
async def _our_bodies(url: str, times: int) -> AsyncGenerator[AsyncIterator[bytes], None]:
    transport = HttpTransport()

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(times):
            async with transport.stream(FetchRequest(url)) as response:
                async for chunk in response.chunks():
                    yield chunk

    yield chunks()
    await transport.close()


@asynccontextmanager
async def _bare_bodies(url: str, times: int) -> AsyncGenerator[AsyncIterator[bytes], None]:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(times):
                async with client.stream("GET", url) as response:
                    async for chunk in response.aiter_bytes():
                        yield chunk

        yield chunks()


@contextmanager
def origin_process() -> Generator[str, None, None]:
    """An origin in a process of its own, so that it does not share our interpreter. Yields its address."""
    with _process(_serve) as (base, _):
        yield base


@contextmanager
def _process(serve: Callable[[Connection], None]) -> Generator[tuple[str, Connection], None, None]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}", ours
    finally:
        ours.send(None)
        process.join()


@contextmanager
def shaped_process() -> Generator[tuple[str, Callable[[], list[int]]], None, None]:
    """As `origin_process`, behind the link; yields also how to ask when each request reached it."""
    with _process(_serve_shaped) as (base, pipe):

        def arrivals() -> list[int]:
            pipe.send("arrivals")
            return list(pipe.recv())

        yield base, arrivals


def _bodies() -> dict[str, bytes]:
    return {f"/{size}": bytes(size) for size in (*SIZES_BYTES, LARGE_BYTES)}


def _serve(pipe: Connection) -> None:
    with Origin(_bodies()).in_thread() as origin:
        pipe.send(origin.port)
        pipe.recv()


def _serve_shaped(pipe: Connection) -> None:
    with ShapedOrigin(_bodies(), STEPS).in_thread() as origin:
        pipe.send(origin.port)
        while pipe.recv() is not None:
            pipe.send([entry.time_us for entry in origin.log])


def main() -> int:
    parser = arguments(__doc__ or "", pairs=7)
    parser.add_argument("--segments", type=int, default=40, metavar="N", help="segments over the shaped link")
    options = parser.parse_args()
    with origin_process() as base:
        reports = [
            shaper_error(base, options.segments),
            origin_error(1, options.segments),
            origin_error(4, options.segments),
            abandonment(base, 10 * options.pairs),
            cost(base, options.pairs),
        ]
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
