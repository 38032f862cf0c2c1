from __future__ import annotations

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cushion_player.testing.answers import Answer, NotYet
from cushion_player.testing.faults import (
    Drip,
    Hang,
    Redirect,
    Refuse,
    Reset,
    Shifted,
    Stall,
    Status,
    Truncate,
    WrongLength,
)
from cushion_player.testing.origin import Origin
from tests.contracts.transport_suite import no_tasks_left

BODY = bytes(range(200))


class Client:
    """A bare HTTP client: what went over the wire, nothing interpreted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, origin: Origin) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", origin.port))

    async def ask(self, path: str, *headers: str, method: str = "GET") -> tuple[str, dict[str, str]]:
        lines = [f"{method} {path} HTTP/1.1", "Host: origin", *headers, "", ""]
        self._writer.write("\r\n".join(lines).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status_line, *rest = head.strip().split("\r\n")
        return status_line, dict(line.split(": ", 1) for line in rest)

    async def body(self, n_bytes: int) -> bytes:
        return await self._reader.readexactly(n_bytes)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await self._reader.read()

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin({"/a.m4s": BODY, "/space here": b"s"}) as origin:
        yield origin
    await no_tasks_left()


@pytest.fixture
async def client(origin: Origin) -> AsyncIterator[Client]:
    client = await Client.connect(origin)
    yield client
    await client.close()


async def test_serves_with_length_type_and_cors(client: Client) -> None:
    status, headers = await client.ask("/a.m4s")

    assert status == "HTTP/1.1 200 OK"
    assert headers["content-length"] == "200"
    assert headers["content-type"] == "video/iso.segment"
    assert headers["access-control-allow-origin"] == "*"
    assert await client.body(200) == BODY


async def test_connection_serves_many_requests(origin: Origin, client: Client) -> None:
    for _ in range(3):
        await client.ask("/a.m4s")
        await client.body(200)

    assert [(entry.connection, entry.sent_bytes, entry.completed) for entry in origin.log] == [(0, 200, True)] * 3


async def test_connection_closes_when_asked(client: Client) -> None:
    await client.ask("/a.m4s", "Connection: close")

    assert await client.rest() == BODY


async def test_head_has_no_body(client: Client) -> None:
    _, headers = await client.ask("/a.m4s", method="HEAD")
    assert headers["content-length"] == "200"

    status, _ = await client.ask("/space%20here?x=1")
    assert status == "HTTP/1.1 200 OK"


async def test_other_methods_are_refused(client: Client) -> None:
    assert (await client.ask("/a.m4s", method="DELETE"))[0] == "HTTP/1.1 405 Method Not Allowed"


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=10-19", BODY[10:20], "bytes 10-19/200"),
        ("bytes=190-", BODY[190:], "bytes 190-199/200"),
        ("bytes=190-999", BODY[190:], "bytes 190-199/200"),
        ("bytes=-5", BODY[195:], "bytes 195-199/200"),
    ],
)
async def test_byte_ranges(client: Client, header: str, expected: bytes, content_range: str) -> None:
    status, headers = await client.ask("/a.m4s", f"Range: {header}")

    assert status == "HTTP/1.1 206 Partial Content"
    assert headers["content-range"] == content_range
    assert await client.body(int(headers["content-length"])) == expected


async def test_range_past_the_end_is_416(client: Client) -> None:
    status, headers = await client.ask("/a.m4s", "Range: bytes=200-")

    assert status == "HTTP/1.1 416 Range Not Satisfiable"
    assert headers["content-range"] == "bytes */200"


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=a-b", "bytes=0-1,3-4", "lines=1-2", "bytes=-"])
async def test_range_that_makes_no_sense_is_ignored(client: Client, header: str) -> None:
    assert (await client.ask("/a.m4s", f"Range: {header}"))[0] == "HTTP/1.1 200 OK"


async def test_log_tells_path_query_range_and_time(origin: Origin, client: Client) -> None:
    await client.ask("/a.m4s?n=7", "Range: bytes=0-9")
    await client.body(10)

    entry = origin.log[0]
    assert (entry.path, entry.query, entry.range, entry.status) == ("/a.m4s", "n=7", "bytes=0-9", 206)
    assert entry.time_us <= entry.end_us


async def test_faults_are_acted_out_in_turn(origin: Origin, client: Client) -> None:
    origin.faults.once("/a.m4s", Status(503, retry_after="3"), Redirect("/b"), None)

    status, headers = await client.ask("/a.m4s")
    assert (status, headers["retry-after"]) == ("HTTP/1.1 503 Service Unavailable", "3")
    status, headers = await client.ask("/a.m4s")
    assert (status, headers["location"]) == ("HTTP/1.1 302 Found", "/b")
    assert (await client.ask("/a.m4s"))[0] == "HTTP/1.1 200 OK"


async def test_truncation_announces_all_and_closes(origin: Origin, client: Client) -> None:
    origin.faults.once("/a.m4s", Truncate(after_bytes=50))

    _, headers = await client.ask("/a.m4s")

    assert headers["content-length"] == "200"
    assert await client.rest() == BODY[:50]
    assert not origin.log[0].completed


async def test_short_stall_and_drip_deliver_all(origin: Origin, client: Client) -> None:
    origin.faults.once("/a.m4s", Stall(after_bytes=50, seconds=0.02), Drip(piece_bytes=100, interval_s=0.02))

    for _ in range(2):
        await client.ask("/a.m4s")
        assert await client.body(200) == BODY
    assert all(entry.end_us - entry.time_us >= 19_000 for entry in origin.log)


async def test_short_hang_is_only_late(origin: Origin, client: Client) -> None:
    origin.faults.once("/a.m4s", Hang(seconds=0.02))

    assert (await client.ask("/a.m4s"))[0] == "HTTP/1.1 200 OK"


async def test_client_that_leaves_a_hang_frees_its_connection(origin: Origin) -> None:
    origin.faults.once("/a.m4s", Hang())
    client = await Client.connect(origin)
    asking = asyncio.create_task(client.ask("/a.m4s"))
    async with asyncio.timeout(5):
        await origin.asked()
    asking.cancel()
    await client.close()

    async with asyncio.timeout(5):
        await origin.settled()


async def test_nonsense_is_hung_up_on(client: Client, origin: Origin) -> None:
    client._writer.write(b"nonsense\r\n\r\n")

    assert await client.rest() == b""
    assert origin.log == []


def test_folder_is_served_and_not_left(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "a.mpd").write_bytes(b"<MPD/>")
    (tmp_path / "secret").write_bytes(b"no")

    async def main() -> None:
        async with Origin(tmp_path / "public") as origin:
            client = await Client.connect(origin)
            _, headers = await client.ask("/a.mpd")
            assert (headers["content-type"], await client.body(6)) == ("application/dash+xml", b"<MPD/>")
            for path in ("/../secret", "/%2e%2e/secret", "/", "/absent", "/%00"):
                assert (await client.ask(path))[0] == "HTTP/1.1 404 Not Found"
            await client.close()

    asyncio.run(main())


async def test_close_drops_whoever_waits() -> None:
    origin = Origin({"/a": bytes(50_000_000)})
    await origin.start()
    client = await Client.connect(origin)
    await client.ask("/a")  # never reads the body

    await origin.close()
    await origin.close()

    assert origin.open_connections == 0
    await client.close()
    await no_tasks_left()


def test_runs_in_a_thread_for_blocking_clients() -> None:
    with Origin({"/a": b"from a thread"}).in_thread() as origin:
        with urllib.request.urlopen(origin.url("/a")) as response:
            assert response.read() == b"from a thread"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(origin.url("/b"))
        caught.value.close()


def test_taken_port_is_an_os_error_in_a_thread_too() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(OSError, match=r"in use"):
            with Origin({}, port=taken.getsockname()[1]).in_thread():
                pass


@pytest.mark.parametrize("fault", [Refuse(), Reset(0)])
async def test_a_reset_is_no_orderly_end(origin: Origin, fault: Refuse | Reset) -> None:
    origin.faults.once("/a.m4s", fault)
    reader, writer = await asyncio.open_connection("127.0.0.1", origin.port)
    writer.write(b"GET /a.m4s HTTP/1.1\r\n\r\n")

    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.transport.abort()


@pytest.mark.parametrize("by", [5, -5])
async def test_a_wrong_length_is_announced_and_the_connection_closed(origin: Origin, client: Client, by: int) -> None:
    origin.faults.once("/a.m4s", WrongLength(by))

    _, headers = await client.ask("/a.m4s")

    assert headers["content-length"] == str(200 + by)
    assert await client.rest() == BODY


async def test_a_wrong_clock_shows_in_the_date(origin: Origin, client: Client) -> None:
    origin.utc_offset_us = 1_000_000_000 - origin.now_us()
    origin.faults.once("/a.m4s", Shifted(+3600))

    _, headers = await client.ask("/a.m4s")

    assert headers["date"].startswith("Thu, 01 Jan 1970 01:16:")


class Growing:
    """A site whose file grows, and whose future can be waited for; times are from when it was asked first."""

    def __init__(self) -> None:
        self.began_us = 0

    def response(self, path: str, query: str, now_us: int) -> Answer | NotYet:
        self.began_us = self.began_us or now_us
        if path == "/later" and now_us < self.began_us + 60_000:
            return NotYet(self.began_us + 60_000)
        return Answer(200, BODY, arrivals=((100, self.began_us), (200, self.began_us + 60_000)))


async def test_a_body_grows_in_chunks_and_a_request_can_be_held() -> None:
    async with Origin(Growing()) as origin:
        client = await Client.connect(origin)
        _, headers = await client.ask("/a")
        assert headers["transfer-encoding"] == "chunked"
        assert await client.body(4 + 100 + 2) == b"64\r\n" + BODY[:100] + b"\r\n"
        first_us = origin.utc_us()
        assert await client.body(4 + 100 + 2 + 5) == b"64\r\n" + BODY[100:] + b"\r\n0\r\n\r\n"
        assert origin.utc_us() - first_us > 30_000
        await client.close()

    async with Origin(Growing()) as origin:
        client = await Client.connect(origin)
        await client.ask("/later")
        assert origin.log[0].time_us + 60_000 <= origin.now_us() + 1_000
        await client.close()


async def test_another_loopback_address_is_another_host() -> None:
    async with Origin({"/a": b"1"}, host="127.0.0.2") as origin:
        assert origin.url("/a") == f"http://127.0.0.2:{origin.port}/a"
        _, writer = await asyncio.open_connection("127.0.0.2", origin.port)
        writer.close()
        await writer.wait_closed()
