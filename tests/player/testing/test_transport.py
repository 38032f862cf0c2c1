from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from cushion_player.errors import ConnectionLost, FetchError, FetchTimeout, HttpStatusError
from cushion_player.testing.answers import Answer, NotYet
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import (
    HTML_PAGE,
    Corrupt,
    Disconnect,
    Drip,
    Fault,
    Hang,
    Html,
    IgnoreRange,
    Redirect,
    Refuse,
    Reset,
    Stall,
    Status,
    Truncate,
    WrongLength,
)
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest, FetchResult, FetchTimeouts, fetch_bytes
from tests.contracts.transport_suite import Case, Serving, TransportSuite, no_tasks_left

URL = "http://origin/seg.m4s"
BODY = bytes(range(100))
TIMEOUTS = FetchTimeouts(connect_s=5, first_byte_s=3, stall_s=7)


class TestFakeTransport(TransportSuite):
    def run(self, content: Mapping[str, bytes], case: Case) -> None:
        clock = FakeClock()

        async def main() -> None:
            by_url = {f"http://origin{quote(path)}": body for path, body in content.items()}
            transport = FakeTransport(clock, by_url, latency_us=20_000)
            await case(Serving(transport, clock, lambda path: f"http://origin{path}"))
            await transport.close()
            assert transport.open_streams == 0
            await no_tasks_left()

        clock.run(main())


class Bench:
    """One URL on a fake transport that misbehaves once."""

    def __init__(self, *faults: Fault | None, latency_us: int = 40_000) -> None:
        self.clock = FakeClock()
        self.transport = FakeTransport(self.clock, {URL: BODY, "http://other/x": b"there"}, latency_us=latency_us)
        self.transport.faults.once(URL, *faults)

    def fetch(self, byte_range: tuple[int, int | None] | None = None) -> FetchResult:
        request = FetchRequest(URL, byte_range=byte_range, timeouts=TIMEOUTS, label="segment 1 of video/720p")
        fetching: Coroutine[Any, Any, FetchResult] = fetch_bytes(self.transport, request, self.clock)
        return self.clock.run(fetching)


def test_latency_passes_on_the_clock() -> None:
    result = Bench(latency_us=40_000).fetch()

    assert result.first_byte_us == result.end_us == 40_000


def test_content_may_be_made_to_order() -> None:
    bench = Bench()
    bench.transport.content[URL] = lambda request: request.url.encode()

    assert bench.fetch().body == URL.encode()


def test_status_with_retry_after() -> None:
    with pytest.raises(HttpStatusError, match="HTTP 503") as caught:
        Bench(Status(503, retry_after="4")).fetch()

    assert caught.value.retry_after_s == 4.0
    assert caught.value.retryable


def test_hang_times_out_by_the_first_byte_limit() -> None:
    bench = Bench(Hang())

    with pytest.raises(FetchTimeout, match="no answer within 3 s"):
        bench.fetch()
    assert bench.clock.now_us() == 3_000_000


def test_short_hang_is_only_late() -> None:
    assert Bench(Hang(seconds=2)).fetch().end_us == 2_040_000


def test_disconnect_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost, match="before an answer"):
        Bench(Disconnect()).fetch()


def test_stall_times_out_in_mid_body() -> None:
    bench = Bench(Stall(after_bytes=30))

    with pytest.raises(FetchTimeout, match="silent for 7 s at 30 of 100 bytes"):
        bench.fetch()
    assert bench.clock.now_us() == 7_040_000


def test_short_stall_goes_on() -> None:
    result = Bench(Stall(after_bytes=30, seconds=2)).fetch()

    assert result.body == BODY
    assert result.end_us == 2_040_000


def test_truncated_body_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost, match="ended at 30 of 100 bytes"):
        Bench(Truncate(after_bytes=30)).fetch()


def test_corrupt_body_has_its_length() -> None:
    body = Bench(Corrupt(offset=10, n_bytes=2)).fetch().body

    assert len(body) == len(BODY)
    assert [index for index in range(100) if body[index] != BODY[index]] == [10, 11]


def test_redirect_changes_the_final_url() -> None:
    result = Bench(Redirect("http://other/x")).fetch()

    assert (result.body, result.url) == (b"there", "http://other/x")


def test_redirect_loop_ends() -> None:
    bench = Bench()
    bench.transport.faults.always(URL, Redirect("/seg.m4s"))

    with pytest.raises(FetchError, match="more than 8 redirects"):
        bench.fetch()


def test_drip_spreads_the_body_over_time() -> None:
    result = Bench(Drip(piece_bytes=10, interval_s=0.5)).fetch()

    assert result.body == BODY
    assert result.first_byte_us == 40_000
    assert result.end_us == 40_000 + 10 * 500_000


def test_html_comes_instead_of_media() -> None:
    result = Bench(Html()).fetch()

    assert (result.body, result.status, result.headers["content-type"]) == (HTML_PAGE, 200, "text/html")


def test_ignored_range_is_cut_out_all_the_same() -> None:
    result = Bench(IgnoreRange()).fetch((10, 19))

    assert (result.status, result.body) == (200, BODY[10:20])


def test_requests_are_recorded_with_time_range_and_fault() -> None:
    bench = Bench(Status(404))
    with pytest.raises(HttpStatusError):
        bench.fetch((1, 2))
    bench.fetch()

    seen = [(request.url, request.byte_range, request.time_us, request.fault) for request in bench.transport.requests]
    assert seen == [(URL, (1, 2), 0, Status(404)), (URL, None, 40_000, None)]


@pytest.mark.parametrize("fault", [Refuse(), Reset(30), WrongLength(+5)])
def test_broken_connections_are_lost(fault: Fault) -> None:
    with pytest.raises(ConnectionLost):
        Bench(fault).fetch()


def test_a_length_announced_too_short_cuts_the_body() -> None:
    assert Bench(WrongLength(-5)).fetch().body == BODY[:-5]


class Growing:
    """A site whose file grows by ten bytes a second, and whose future can be waited for."""

    def response(self, path: str, query: str, now_us: int) -> Answer | NotYet:
        if path == "/later" and now_us < 2_000_000:
            return NotYet(2_000_000)
        return Answer(200, BODY, arrivals=tuple((end, end * 100_000) for end in range(10, 101, 10)))


def test_a_body_comes_as_it_grows() -> None:
    clock = FakeClock(500_000)
    transport = FakeTransport(clock, {}, sites={"http://live": Growing()}, utc_offset_us=1_000_000)
    times: list[tuple[int, int]] = []

    def on_progress(received: int, first_byte_us: int) -> None:
        times.append((received, clock.now_us() + 1_000_000))

    result = clock.run(fetch_bytes(transport, FetchRequest("http://live/a"), clock, on_progress=on_progress))

    assert result.body == BODY
    assert times[0] == (10, 1_500_000)
    assert times[1:] == [(end, end * 100_000) for end in range(20, 101, 10)]
    assert "content-length" not in result.headers


@pytest.mark.parametrize(("first_byte_s", "expected"), [(3, 1_000_000), (0.5, None)])
def test_a_held_request_is_answered_in_time_or_times_out(first_byte_s: float, expected: int | None) -> None:
    clock = FakeClock(0)
    transport = FakeTransport(clock, {}, sites={"http://live": Growing()}, utc_offset_us=1_000_000)
    request = FetchRequest("http://live/later", timeouts=FetchTimeouts(first_byte_s=first_byte_s))

    if expected is None:
        with pytest.raises(FetchTimeout):
            clock.run(fetch_bytes(transport, request, clock))
    else:
        assert clock.run(fetch_bytes(transport, request, clock)).first_byte_us == expected
