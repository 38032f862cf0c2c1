"""How exact is the shaped transport, how soon after an abandoned download comes the next, what does a gigabyte cost?"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection

import httpx

from benchmarks.harness import Report, Spread, arguments, finish, ratio
from cushion_player.clock import MonotonicClock
from cushion_player.testing.origin import Origin
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
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.send(None)
        process.join()


def _serve(pipe: Connection) -> None:
    sizes = (*SIZES_BYTES, LARGE_BYTES)
    with Origin({f"/{size}": bytes(size) for size in sizes}).in_thread() as origin:
        pipe.send(origin.port)
        pipe.recv()


def main() -> int:
    parser = arguments(__doc__ or "", pairs=7)
    parser.add_argument("--segments", type=int, default=40, metavar="N", help="segments over the shaped link")
    options = parser.parse_args()
    with origin_process() as base:
        reports = [
            shaper_error(base, options.segments),
            abandonment(base, 10 * options.pairs),
            cost(base, options.pairs),
        ]
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
