from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.errors import FetchTimeout, HttpStatusError
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Hang, Stall, Status
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest, FetchResult, FetchTimeouts, fetch_bytes
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import PACKET_BYTES, Link, SharedLink, finish_us, make_link
from tests.contracts.transport_suite import Case, Serving, TransportSuite, no_tasks_left

ONE_MBPS = make_link([1_000_000], [1_000_000], latency_us=40_000)
STEP = make_link([10_000_000] * 3, [6_000_000, 1_000_000, 6_000_000], latency_us=40_000)
URL = "http://origin/seg"
DEFAULT_TIMEOUTS = FetchTimeouts()


class TestShapedTransport(TransportSuite):
    link: Link | None = STEP

    def run(self, content: Mapping[str, bytes], case: Case) -> None:
        clock = FakeClock()

        async def main() -> None:
            inner = FakeTransport(clock, {f"http://origin{quote(path)}": body for path, body in content.items()})
            transport = ShapedTransport(inner, clock, self.link)
            await case(Serving(transport, clock, lambda path: f"http://origin{path}"))
            await transport.close()
            assert inner.open_streams == 0
            await no_tasks_left()

        clock.run(main())


class TestUnshapedTransport(TestShapedTransport):
    link = None


class Shaped:
    """A shaped transport over bodies of given sizes, in virtual time."""

    def __init__(self, link: Link | None, *sizes: int, start_us: int = 0, latency_us: int = 0) -> None:
        self.clock = FakeClock(start_us)
        content = {f"{URL}/{number}": bytes(size) for number, size in enumerate(sizes)}
        self.inner = FakeTransport(self.clock, content, latency_us=latency_us)
        self.transport = ShapedTransport(self.inner, self.clock, link)

    async def fetch(self, number: int, timeouts: FetchTimeouts = DEFAULT_TIMEOUTS) -> FetchResult:
        request = FetchRequest(f"{URL}/{number}", timeouts=timeouts, label=f"segment {number}")
        return await fetch_bytes(self.transport, request, self.clock)

    def run(self, main: Coroutine[Any, Any, Any]) -> None:
        self.clock.run(main)


def test_segment_takes_latency_plus_its_time_on_the_link() -> None:
    shaped = Shaped(ONE_MBPS, 125_000)

    result = shaped.clock.run(shaped.fetch(0))

    assert result.request_us == 0
    assert result.end_us == 40_000 + 1_000_000


def test_first_byte_is_seen_after_one_packet() -> None:
    shaped = Shaped(ONE_MBPS, 125_000)

    result = shaped.clock.run(shaped.fetch(0))

    assert result.first_byte_us == 40_000 + PACKET_BYTES * 8


def test_link_time_begins_with_the_first_request() -> None:
    shaped = Shaped(STEP, 7_500_000 + 125_000, start_us=123_456_789)

    result = shaped.clock.run(shaped.fetch(0))

    # 9.96 s at 6 Mb/s after the latency, the rest (0.24 Mbit + 1 Mbit) at 1 Mb/s
    assert result.end_us - result.request_us == pytest.approx(10_000_000 + 1_240_000, rel=3e-4)


@settings(max_examples=40, deadline=None)
@given(
    durations=st.lists(st.integers(50_000, 3_000_000), min_size=1, max_size=5),
    rates=st.lists(st.integers(100_000, 20_000_000), min_size=5, max_size=5),
    sizes=st.lists(st.integers(1, 300_000), min_size=1, max_size=4),
    pauses=st.lists(st.integers(0, 2_000_000), min_size=4, max_size=4),
)
def test_segments_in_turn_end_by_the_link_arithmetic(
    durations: list[int], rates: list[int], sizes: list[int], pauses: list[int]
) -> None:
    link = make_link(durations, rates[: len(durations)], latency_us=30_000)
    shaped = Shaped(link, *sizes)

    async def main() -> None:
        for number, size in enumerate(sizes):
            result = await shaped.fetch(number)
            ideal_us = finish_us(link, result.request_us + 30_000, size)
            # Each piece is rounded up to the next µs, and what a fast period lost thus a slow one must carry.
            rounding_us = (2 + size // PACKET_BYTES) * max(link.rate_bps) / min(link.rate_bps)
            assert 0 <= result.end_us - ideal_us <= 1 + rounding_us
            await shaped.clock.sleep_until(shaped.clock.now_us() + pauses[number])

    shaped.run(main())


def test_two_requests_share_one_link() -> None:
    shaped = Shaped(ONE_MBPS, 125_000, 125_000)

    async def main() -> None:
        first, second = await asyncio.gather(shaped.fetch(0), shaped.fetch(1))
        assert max(first.end_us, second.end_us) == 40_000 + 2_000_000
        assert min(first.end_us, second.end_us) > 1_900_000

    shaped.run(main())


def test_late_consumer_loses_no_capacity() -> None:
    shaped = Shaped(ONE_MBPS, 125_000)

    async def main() -> None:
        async with shaped.transport.stream(FetchRequest(f"{URL}/0")) as response:
            async for _ in response.chunks():
                await shaped.clock.sleep_until(shaped.clock.now_us() + 7_000)  # always late
        assert shaped.clock.now_us() <= 1_040_000 + 7_000

    shaped.run(main())


def test_slow_inner_transport_leaves_the_link_idle() -> None:
    shaped = Shaped(ONE_MBPS, 125_000)
    shaped.inner.faults.once(f"{URL}/0", Hang(seconds=3))

    result = shaped.clock.run(shaped.fetch(0))

    assert result.end_us == 3_000_000 + 1_000_000


def test_stall_of_the_inner_transport_delays_only_what_comes_after_it() -> None:
    shaped = Shaped(ONE_MBPS, 125_000)
    shaped.inner.faults.once(f"{URL}/0", Stall(after_bytes=25_000, seconds=5))

    result = shaped.clock.run(shaped.fetch(0))

    assert result.end_us == pytest.approx(240_000 + 5_000_000 + 800_000, abs=100_000)


def test_error_status_is_heard_after_the_latency() -> None:
    shaped = Shaped(ONE_MBPS)
    shaped.inner.faults.always(f"{URL}/0", Status(404))

    with pytest.raises(HttpStatusError):
        shaped.clock.run(shaped.fetch(0))
    assert shaped.clock.now_us() == 40_000


def test_latency_longer_than_patience_is_a_timeout() -> None:
    shaped = Shaped(make_link([1], [1], latency_us=5_000_000), 1)

    with pytest.raises(FetchTimeout, match="no answer within 2 s"):
        shaped.clock.run(shaped.fetch(0, FetchTimeouts(first_byte_s=2)))
    assert shaped.clock.now_us() == 2_000_000


def test_outage_longer_than_patience_is_a_stall() -> None:
    outage = make_link([500_000, 60_000_000], [1_000_000, 0], latency_us=0)
    shaped = Shaped(outage, 125_000)

    with pytest.raises(FetchTimeout, match=r"segment 0: silent for 3 s at \d+ of 125000 bytes"):
        shaped.clock.run(shaped.fetch(0, FetchTimeouts(stall_s=3)))
    assert shaped.clock.now_us() == pytest.approx(3_500_000, abs=100_000)


def test_progress_is_fine_grained_on_a_slow_link() -> None:
    shaped = Shaped(make_link([1_000_000], [100_000]), 30_000)
    times: list[int] = []

    async def main() -> None:
        async with shaped.transport.stream(FetchRequest(f"{URL}/0")) as response:
            times.extend([shaped.clock.now_us() async for _ in response.chunks()])

    shaped.run(main())
    assert max(later - earlier for earlier, later in pairwise(times)) <= 150_000


def test_unshaping_in_mid_body_hurries_the_rest() -> None:
    shaped = Shaped(make_link([1_000_000], [10_000]), 125_000)

    async def main() -> None:
        fetching = asyncio.create_task(shaped.fetch(0))
        await shaped.clock.sleep_until(10_000_000)
        assert shaped.transport.link is not None
        shaped.transport.set_link(None)
        result = await fetching
        assert result.end_us <= 10_250_000

    shaped.run(main())
    assert shaped.transport.link is None


def test_new_link_in_mid_body_shapes_the_rest_from_its_own_beginning() -> None:
    shaped = Shaped(ONE_MBPS, 125_000)

    async def main() -> None:
        fetching = asyncio.create_task(shaped.fetch(0))
        await shaped.clock.sleep_until(540_000)
        shaped.transport.set_link(make_link([1_000_000], [4_000_000]))
        result = await fetching
        assert result.end_us == pytest.approx(540_000 + 125_000, abs=150_000)

    shaped.run(main())


def test_shaping_begins_in_mid_body() -> None:
    shaped = Shaped(None, 1_000_000)

    async def main() -> None:
        async with shaped.transport.stream(FetchRequest(f"{URL}/0")) as response:
            body = response.chunks()
            await anext(body)
            assert shaped.clock.now_us() == 0
            shaped.transport.set_link(ONE_MBPS)
            left = 0
            async for chunk in body:
                left += len(chunk)
            assert shaped.clock.now_us() == pytest.approx(left * 8, abs=100)

    shaped.run(main())


def test_abandoned_request_costs_the_link_at_most_one_piece() -> None:
    shaped = Shaped(ONE_MBPS, 1_000_000, 125_000)

    async def main() -> None:
        doomed = asyncio.create_task(shaped.fetch(0))
        await shaped.clock.sleep_until(2_000_000)
        doomed.cancel()
        await asyncio.gather(doomed, return_exceptions=True)
        result = await shaped.fetch(1)
        assert result.end_us - result.request_us <= 1_040_000 + 100_000

    shaped.run(main())


def test_shared_link_is_the_one_of_traces() -> None:
    """Whatever the pieces, the link is free again where one reservation of all bytes would have put it.

    But for rounding up: one µs a piece, of which an hour of 1080p has some 150,000 (0.004 %).
    """
    shaped = Shaped(STEP, 500_000)
    whole = SharedLink(STEP)

    result = shaped.clock.run(shaped.fetch(0))

    assert result.end_us - whole.reserve(40_000, 500_000) <= 500_000 // PACKET_BYTES
