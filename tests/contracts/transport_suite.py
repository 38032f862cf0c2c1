"""What every Transport owes its callers. Inherit it and say how to serve some bytes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from cushion_player.clock import Clock
from cushion_player.errors import FetchError, HttpStatusError, ResponseTooLarge, UsageError
from cushion_player.transport.base import FetchRequest, Transport, fetch_bytes

SMALL = bytes(range(256)) * 4
LARGE = bytes(index * 31 % 251 for index in range(700_001))
CONTENT = {"/small": SMALL, "/large": LARGE, "/empty": b"", "/dir/name with space.m4s": b"spaced"}


@dataclass(frozen=True, slots=True)
class Serving:
    """CONTENT being served: the transport under test, the clock it runs on, and the URL of a path."""

    transport: Transport
    clock: Clock
    url: Callable[[str], str]

    def request(self, path: str, byte_range: tuple[int, int | None] | None = None, label: str = "") -> FetchRequest:
        return FetchRequest(self.url(path), byte_range=byte_range, label=label)

    async def fetch(self, path: str, byte_range: tuple[int, int | None] | None = None) -> bytes:
        return (await fetch_bytes(self.transport, self.request(path, byte_range), self.clock)).body


Case = Callable[[Serving], Awaitable[None]]


async def no_tasks_left() -> None:
    """Fail if any task but this one survives a few turns of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


class TransportSuite(ABC):
    @abstractmethod
    def run(self, content: Mapping[str, bytes], case: Case) -> None:
        """Serve `content`, run `case`, close the transport, and call `no_tasks_left` before the loop ends."""

    def test_whole_body_arrives_unchanged(self) -> None:
        async def case(serving: Serving) -> None:
            assert await serving.fetch("/small") == SMALL
            assert await serving.fetch("/large") == LARGE

        self.run(CONTENT, case)

    def test_empty_body_yields_no_chunk(self) -> None:
        async def case(serving: Serving) -> None:
            async with serving.transport.stream(serving.request("/empty")) as response:
                assert [chunk async for chunk in response.chunks()] == []

        self.run(CONTENT, case)

    def test_response_tells_status_final_url_and_lower_case_headers(self) -> None:
        async def case(serving: Serving) -> None:
            async with serving.transport.stream(serving.request("/small")) as response:
                assert response.status == 200
                assert response.url == serving.url("/small")
                assert response.headers["content-length"] == str(len(SMALL))
                assert all(name == name.lower() for name in response.headers)

        self.run(CONTENT, case)

    def test_chunks_are_neither_empty_nor_larger_than_64_kib(self) -> None:
        async def case(serving: Serving) -> None:
            async with serving.transport.stream(serving.request("/large")) as response:
                sizes = [len(chunk) async for chunk in response.chunks()]
            assert min(sizes) > 0
            assert max(sizes) <= 64 * 1024

        self.run(CONTENT, case)

    def test_byte_range_yields_exactly_those_bytes(self) -> None:
        async def case(serving: Serving) -> None:
            assert await serving.fetch("/small", (10, 19)) == SMALL[10:20]
            assert await serving.fetch("/small", (0, 0)) == SMALL[:1]
            assert await serving.fetch("/large", (65_000, 400_000)) == LARGE[65_000:400_001]

        self.run(CONTENT, case)

    def test_open_byte_range_yields_the_rest(self) -> None:
        async def case(serving: Serving) -> None:
            assert await serving.fetch("/small", (1000, None)) == SMALL[1000:]

        self.run(CONTENT, case)

    def test_byte_range_reaching_past_the_end_is_clipped(self) -> None:
        async def case(serving: Serving) -> None:
            assert await serving.fetch("/small", (1020, 5000)) == SMALL[1020:]

        self.run(CONTENT, case)

    def test_byte_range_starting_past_the_end_is_status_416(self) -> None:
        async def case(serving: Serving) -> None:
            with pytest.raises(HttpStatusError, match="HTTP 416") as caught:
                await serving.fetch("/small", (5000, 6000))
            assert caught.value.status == 416
            assert not caught.value.retryable

        self.run(CONTENT, case)

    def test_what_is_missing_is_a_fetch_error_that_names_label_and_place(self) -> None:
        async def case(serving: Serving) -> None:
            request = serving.request("/absent", label="segment 412 of video/1080p")
            with pytest.raises(FetchError, match=r"^segment 412 of video/1080p: .*absent\)$") as caught:
                await fetch_bytes(serving.transport, request, serving.clock)
            assert caught.value.url == request.url
            assert not caught.value.retryable

        self.run(CONTENT, case)

    def test_escaped_path_is_found(self) -> None:
        async def case(serving: Serving) -> None:
            assert await serving.fetch("/dir/name%20with%20space.m4s") == b"spaced"

        self.run(CONTENT, case)

    def test_leaving_in_mid_body_does_not_hurt_the_next_request(self) -> None:
        async def case(serving: Serving) -> None:
            for _ in range(3):
                async with serving.transport.stream(serving.request("/large")) as response:
                    async for _chunk in response.chunks():
                        break
            assert await serving.fetch("/large") == LARGE

        self.run(CONTENT, case)

    def test_cancelling_in_mid_body_does_not_hurt_the_next_request(self) -> None:
        async def case(serving: Serving) -> None:
            started = asyncio.Event()

            def begun(_received: int, _first_byte_us: int) -> None:
                started.set()

            async def fetch() -> None:
                await fetch_bytes(serving.transport, serving.request("/large"), serving.clock, on_progress=begun)

            task = asyncio.create_task(fetch())
            await started.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            assert task.cancelled() or task.done()
            assert await serving.fetch("/large") == LARGE

        self.run(CONTENT, case)

    def test_requests_at_the_same_time_get_their_own_bodies(self) -> None:
        async def case(serving: Serving) -> None:
            paths = [("/large", None), ("/small", None), ("/large", (5, 300_000)), ("/small", (3, 4)), ("/empty", None)]

            bodies = await asyncio.gather(*(serving.fetch(path, byte_range) for path, byte_range in paths))

            assert bodies == [LARGE, SMALL, LARGE[5:300_001], SMALL[3:5], b""]

        self.run(CONTENT, case)

    def test_many_requests_at_once_all_finish(self) -> None:
        async def case(serving: Serving) -> None:
            bodies = await asyncio.gather(*(serving.fetch("/small", (n, n + 9)) for n in range(40)))
            assert bodies == [SMALL[n : n + 10] for n in range(40)]

        self.run(CONTENT, case)

    def test_progress_grows_to_the_whole_and_times_are_in_order(self) -> None:
        async def case(serving: Serving) -> None:
            seen: list[tuple[int, int]] = []

            result = await fetch_bytes(
                serving.transport,
                serving.request("/large"),
                serving.clock,
                on_progress=lambda received, first_us: seen.append((received, first_us)),
            )

            received = [count for count, _ in seen]
            assert received == sorted(received)
            assert received[-1] == len(LARGE)
            assert {first_us for _, first_us in seen} == {result.first_byte_us}
            assert result.request_us <= result.first_byte_us <= result.end_us

        self.run(CONTENT, case)

    def test_body_past_the_limit_is_refused_and_the_transport_lives_on(self) -> None:
        async def case(serving: Serving) -> None:
            with pytest.raises(ResponseTooLarge):
                await fetch_bytes(serving.transport, serving.request("/large"), serving.clock, limit_bytes=100_000)
            assert await serving.fetch("/small") == SMALL

        self.run(CONTENT, case)

    def test_closed_twice_is_closed_and_then_refuses(self) -> None:
        async def case(serving: Serving) -> None:
            await serving.fetch("/small")

            await serving.transport.close()
            await serving.transport.close()

            with pytest.raises(UsageError, match="closed"):
                await serving.fetch("/small")

        self.run(CONTENT, case)
