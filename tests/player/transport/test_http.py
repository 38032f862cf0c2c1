from __future__ import annotations

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.errors import ConnectionLost, FetchError, FetchTimeout, HttpStatusError
from cushion_player.testing.faults import (
    HTML_PAGE,
    Corrupt,
    Disconnect,
    Drip,
    Hang,
    Html,
    IgnoreRange,
    Redirect,
    Stall,
    Status,
    Truncate,
)
from cushion_player.testing.origin import Origin
from cushion_player.transport.base import FetchRequest, FetchResult, FetchTimeouts, fetch_bytes
from cushion_player.transport.http import HttpTransport, checked_target
from tests.contracts.transport_suite import Case, Serving, TransportSuite, no_tasks_left

CLOCK = MonotonicClock()
BODY = bytes(index % 256 for index in range(200_000))
GZIPPED = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b"
SHORT = FetchTimeouts(connect_s=0.5, first_byte_s=0.1, stall_s=0.1)


class TestHttpTransport(TransportSuite):
    def run(self, content: Mapping[str, bytes], case: Case) -> None:
        async def main() -> None:
            async with Origin(content) as origin:
                transport = HttpTransport()
                await case(Serving(transport, CLOCK, origin.url))
                await transport.close()
            await no_tasks_left()

        asyncio.run(main())


async def get(
    transport: HttpTransport,
    url: str,
    *,
    byte_range: tuple[int, int | None] | None = None,
    headers: Mapping[str, str] | None = None,
    timeouts: FetchTimeouts = SHORT,
) -> FetchResult:
    request = FetchRequest(url, byte_range, headers or {}, timeouts, "segment 412 of video/1080p")
    return await fetch_bytes(transport, request, CLOCK)


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin({"/seg": BODY, "/moved/here": b"here"}) as origin:
        yield origin


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    transport = HttpTransport()
    yield transport
    await transport.close()


@pytest.mark.parametrize(("status", "methods"), [(307, ["POST", "POST"]), (303, ["POST", "GET"])])
async def test_body_is_posted_and_follows_only_redirects_that_keep_it(
    transport: HttpTransport, status: int, methods: list[str]
) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        is_post = head.startswith(b"POST")
        body = await reader.readexactly(9) if is_post else b""
        seen.append(head.split(b" ")[0] + b" " + body)
        moved = b"HTTP/1.1 %d Moved\r\nlocation: /here\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
        writer.write(moved if len(seen) == 1 else b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/licence"

    result = await fetch_bytes(transport, FetchRequest(url, body=b"challenge"), CLOCK)

    server.close()
    await server.wait_closed()
    assert result.body == b"yes"
    assert seen == [f"{method} {'challenge' if method == 'POST' else ''}".encode() for method in methods]


async def test_connection_is_kept_between_requests(origin: Origin, transport: HttpTransport) -> None:
    for _ in range(3):
        await get(transport, origin.url("/seg"))

    assert [entry.connection for entry in origin.log] == [0, 0, 0]


async def test_abandoned_body_closes_its_connection_and_the_next_request_opens_another(
    origin: Origin, transport: HttpTransport
) -> None:
    origin.faults.once("/seg", Stall(after_bytes=1000))
    async with transport.stream(FetchRequest(origin.url("/seg"))) as response:
        async for _ in response.chunks():
            break

    result = await get(transport, origin.url("/seg"))

    assert result.body == BODY
    assert [entry.connection for entry in origin.log] == [0, 1]
    async with asyncio.timeout(5):
        await origin.settled(open_connections=1)


async def test_status_message_has_label_status_and_url_without_query(origin: Origin, transport: HttpTransport) -> None:
    url = origin.url("/absent.m4s") + "?token=secret"

    with pytest.raises(HttpStatusError) as caught:
        await get(transport, url)

    assert str(caught.value) == f"segment 412 of video/1080p: HTTP 404 ({origin.url('/absent.m4s')})"
    assert (caught.value.status, caught.value.retryable, caught.value.url) == (404, False, url)


async def test_unavailable_tells_when_to_come_back(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Status(503, retry_after="2"))

    with pytest.raises(HttpStatusError) as caught:
        await get(transport, origin.url("/seg"))

    assert (caught.value.retry_after_s, caught.value.retryable) == (2.0, True)


async def test_server_that_hangs_is_a_timeout(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Hang())

    with pytest.raises(FetchTimeout, match=r"segment 412 of video/1080p: no answer within 0\.1 s \(http://127"):
        await get(transport, origin.url("/seg"))


async def test_connection_that_is_never_accepted_is_a_timeout(transport: HttpTransport) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        fillers = [socket.socket() for _ in range(2)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())

        with pytest.raises(FetchTimeout, match=r"no connection within 0\.1 s"):
            await get(transport, url, timeouts=FetchTimeouts(connect_s=0.1))

        for filler in fillers:
            filler.close()


async def test_refused_connection_is_lost(transport: HttpTransport) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    with pytest.raises(ConnectionLost, match="no connection") as caught:
        await get(transport, f"http://127.0.0.1:{port}/seg")

    assert caught.value.retryable


async def test_stalled_body_is_a_timeout_that_says_where(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Stall(after_bytes=70_000))

    with pytest.raises(FetchTimeout, match=r"silent for 0\.1 s at 70000 of 200000 bytes"):
        await get(transport, origin.url("/seg"))


async def test_slow_but_steady_body_is_no_timeout(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Drip(piece_bytes=50_000, interval_s=0.05))

    assert (await get(transport, origin.url("/seg"))).body == BODY


async def test_truncated_body_is_lost_and_says_where(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Truncate(after_bytes=70_000))

    with pytest.raises(ConnectionLost, match="ended at 70000 of 200000 bytes") as caught:
        await get(transport, origin.url("/seg"))

    assert caught.value.retryable


async def test_range_answered_with_everything_is_cut_out(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", IgnoreRange(), IgnoreRange())

    cut = await get(transport, origin.url("/seg"), byte_range=(70_000, 70_009))
    tail = await get(transport, origin.url("/seg"), byte_range=(199_990, None))

    assert (cut.status, cut.body) == (200, BODY[70_000:70_010])
    assert tail.body == BODY[199_990:]


async def test_range_is_asked_for_and_the_rest_not_sent(origin: Origin, transport: HttpTransport) -> None:
    await get(transport, origin.url("/seg"), byte_range=(5, 9))

    assert origin.log[0].range == "bytes=5-9"
    assert (origin.log[0].status, origin.log[0].sent_bytes) == (206, 5)
    assert origin.log[0].headers["accept-encoding"] == "identity"


async def test_redirect_is_followed_on_the_same_connection(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Redirect("moved/here?x=1"))

    result = await get(transport, origin.url("/seg"))

    assert (result.body, result.url) == (b"here", origin.url("/moved/here?x=1"))
    assert [entry.connection for entry in origin.log] == [0, 0]


async def test_redirect_loop_ends_after_eight(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.always("/seg", Redirect("/seg"))

    with pytest.raises(FetchError, match="more than 8 redirects"):
        await get(transport, origin.url("/seg"))

    assert len(origin.log) == 9


@pytest.mark.parametrize("location", ["file:///etc/passwd", "data:text/plain,x", "ftp://127.0.0.1/x"])
async def test_redirect_off_the_web_is_refused(origin: Origin, transport: HttpTransport, location: str) -> None:
    origin.faults.once("/seg", Redirect(location))

    with pytest.raises(FetchError, match=r"redirected to a \w+: URL|redirected to one|no host") as caught:
        await get(transport, origin.url("/seg"))

    assert not caught.value.retryable


async def test_a_header_that_cannot_be_sent_is_not_shown(origin: Origin, transport: HttpTransport) -> None:
    with pytest.raises(FetchError, match="one of its headers is malformed") as refused:
        await get(transport, origin.url("/seg"), headers={"authorization": "Bearer sesame\n"})

    assert "sesame" not in str(refused.value)


async def test_secrets_do_not_follow_a_redirect_to_another_host(origin: Origin, transport: HttpTransport) -> None:
    async with Origin({"/x": b"x"}) as other:
        origin.faults.once("/seg", Redirect(other.url("/x")), Redirect("/moved/here"))

        for _ in range(2):
            await get(transport, origin.url("/seg"), headers={"Authorization": "Bearer t", "X-Kept": "1"})

        assert "authorization" not in other.log[0].headers
        assert other.log[0].headers["x-kept"] == "1"
        assert origin.log[-1].headers["authorization"] == "Bearer t"


async def test_kept_connection_that_died_costs_no_error(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", None, Disconnect())
    await get(transport, origin.url("/seg"))

    assert (await get(transport, origin.url("/seg"))).body == BODY

    assert [entry.connection for entry in origin.log] == [0, 0, 1]


async def test_new_connection_that_closes_without_an_answer_is_lost(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Disconnect())

    with pytest.raises(ConnectionLost, match="closed before an answer"):
        await get(transport, origin.url("/seg"))

    assert len(origin.log) == 1


async def test_only_so_many_requests_are_in_flight_to_one_host() -> None:
    transport = HttpTransport(max_per_host=2)
    async with Origin({"/a": b"a"}, latency_s=0.02) as origin:
        bodies = await asyncio.gather(*(get(transport, origin.url("/a")) for _ in range(6)))

        assert [result.body for result in bodies] == [b"a"] * 6
        assert {entry.connection for entry in origin.log} == {0, 1}
        await transport.close()


async def test_closing_ends_what_is_in_flight(origin: Origin) -> None:
    origin.faults.once("/seg", Stall(after_bytes=1000), Hang())
    transport = HttpTransport()
    fetches = [asyncio.create_task(get(transport, origin.url("/seg"), timeouts=FetchTimeouts())) for _ in range(2)]
    await origin.asked(2)

    await transport.close()
    outcomes = await asyncio.gather(*fetches, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ConnectionLost, ConnectionLost]


async def test_html_and_corruption_pass_through_as_they_came(origin: Origin, transport: HttpTransport) -> None:
    origin.faults.once("/seg", Html(), Corrupt(offset=5, n_bytes=1))

    page = await get(transport, origin.url("/seg"))
    damaged = await get(transport, origin.url("/seg"))

    assert (page.body, page.headers["content-type"]) == (HTML_PAGE, "text/html")
    assert [index for index in range(10) if damaged.body[index] != BODY[index]] == [5]


async def test_gzip_is_undone() -> None:
    async with RawServer(GZIPPED, gzip.compress(b"#EXTM3U")) as url:
        transport = HttpTransport()
        assert (await get(transport, url)).body == b"#EXTM3U"
        await transport.close()


@pytest.mark.parametrize(
    ("head", "body", "error", "what"),
    [
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b",
            b"no",
            FetchError,
            "undecodable",
        ),
        (b"SMTP ready %d %b\r\n\r\n", b"", ConnectionLost, "closed before"),
        (b"HTTP/1.1 302 Found\r\ncontent-length: %d\r\n\r\n%b", b"", FetchError, "HTTP 302 without a location"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", None, HttpStatusError, "HTTP 304"),
        (
            b"HTTP/1.1 206 Partial\r\ncontent-range: bytes 0-3/9\r\ncontent-length: %d\r\n\r\n%b",
            b"abcd",
            FetchError,
            "asked for bytes from 2, got content-range 'bytes 0-3/9'",
        ),
        (b"HTTP/1.1 206 Partial\r\ncontent-length: %d\r\n\r\n%b", b"ab", FetchError, "got content-range 'none'"),
    ],
)
async def test_strange_answers_are_typed_errors(
    head: bytes, body: bytes | None, error: type[FetchError], what: str
) -> None:
    async with RawServer(head, body) as url:
        transport = HttpTransport()
        with pytest.raises(error, match=what):
            await get(transport, url, byte_range=(2, 5))
        await transport.close()


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "no-scheme", "http://", "http://[::1", "http://h:99999/", "http://a b/", "http://\x00/"]
)
async def test_url_that_is_none_is_a_fetch_error(transport: HttpTransport, url: str) -> None:
    with pytest.raises(FetchError) as caught:
        await get(transport, url)

    assert not caught.value.retryable


def test_unknown_host_is_lost() -> None:
    async def main() -> None:
        transport = HttpTransport()
        with pytest.raises(FetchError, match=r"no connection"):
            await get(transport, "http://cushion.invalid/x", timeouts=FetchTimeouts(connect_s=2))
        await transport.close()

    asyncio.run(main())


async def test_untrusted_certificate_is_refused_for_good(transport: HttpTransport, tmp_path: Path) -> None:
    async with RawServer(b"%d%b", b"", tls=self_signed(tmp_path)) as url:
        with pytest.raises(FetchError, match="certificate refused: self-signed") as caught:
            await get(transport, url.replace("http:", "https:"), timeouts=FetchTimeouts())

    assert not caught.value.retryable


async def test_https_does_not_fall_back_to_http() -> None:
    with pytest.raises(FetchError, match="redirected from https to http://cdn/x"):
        checked_target(FetchRequest("https://cdn/x"), "http://cdn/x?y", previous="https://cdn/x")


def test_loopback_is_not_proxied_even_when_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")

    async def main() -> None:
        async with Origin({"/a": b"a"}) as origin:
            for transport in (HttpTransport(), HttpTransport(trust_env=True)):
                assert (await get(transport, origin.url("/a"))).body == b"a"
                await transport.close()

    asyncio.run(main())


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate that nobody vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class RawServer:
    """Answers every connection with the same bytes, then closes it. The head's `%d%b`: length of the body, and it."""

    def __init__(self, head: bytes, body: bytes | None, tls: ssl.SSLContext | None = None) -> None:
        self._answer = head % (len(body), body) if body is not None else head
        self._tls = tls

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self._answer)
        writer.close()
        await writer.wait_closed()
