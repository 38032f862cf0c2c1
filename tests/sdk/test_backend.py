"""The backend client: what it sends, what it reads, and how every refusal gets its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest

from cushion_player.errors import NotAuthorised, NotFound, ServiceError, ServiceUnavailable, UsageError
from cushion_sdk.backend import MAX_BODY_BYTES, BackendClient, RequestRefused
from cushion_sdk.contracts.catalog import TitlePage
from cushion_sdk.contracts.ingest import IngestJob, IngestRequest, IngestState
from cushion_sdk.contracts.problem import Problem, ProblemCode
from cushion_sdk.contracts.resume import Position, PositionPage, PositionReport
from cushion_sdk.contracts.telemetry import TelemetryReceipt
from tests.sdk.conftest import TITLE

REPORT = PositionReport(
    device_id="d",
    session_id="s",
    session_started_ms=1,
    sequence=2,
    position_s=3.5,
    duration_s=60.0,
    reported_ms=4,
)
HELD = Position(profile_id="a b", title_id="film", report=REPORT)
JOB = IngestJob(job_id="j", state=IngestState.QUEUED, name="n")


class Server:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, status: int = 200, answer: object = None) -> None:
        self.status = status
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def client(self) -> BackendClient:
        return BackendClient("http://backend:8000/", transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        body = self.answer if isinstance(self.answer, bytes) else msgspec.json.encode(self.answer)
        return httpx.Response(self.status, content=body)


Call = Callable[[BackendClient], Awaitable[object]]

CALLS: list[tuple[Call, str, str, object, object]] = [
    (lambda client: client.title("a/b"), "GET", "/v1/titles/a%2Fb", TITLE, TITLE),
    (lambda client: client.titles(), "GET", "/v1/titles", TitlePage(titles=[TITLE]), [TITLE]),
    (lambda client: client.position("a b", "film"), "GET", "/v1/profiles/a%20b/positions/film", HELD, REPORT),
    (lambda client: client.positions("p"), "GET", "/v1/profiles/p/positions", PositionPage(positions=[HELD]), [HELD]),
    (lambda client: client.put_position("p", "t", REPORT), "PUT", "/v1/profiles/p/positions/t", HELD, REPORT),
    (
        lambda client: client.send_telemetry(b"e=t,ts=1,v=2"),
        "POST",
        "/v1/telemetry",
        TelemetryReceipt(accepted=1, repeated=0),
        TelemetryReceipt(accepted=1, repeated=0),
    ),
    (lambda client: client.ingest(IngestRequest(path="/x")), "POST", "/v1/ingests", JOB, JOB),
    (lambda client: client.ingest_job("j"), "GET", "/v1/ingests/j", JOB, JOB),
    (lambda client: client.ingest_jobs(), "GET", "/v1/ingests", [JOB], [JOB]),
]


@pytest.mark.parametrize(("call", "method", "path", "answer", "result"), CALLS)
async def test_each_call_asks_its_route_and_reads_its_answer(
    call: Call, method: str, path: str, answer: object, result: object
) -> None:
    server = Server(answer=answer)

    async with server.client() as client:
        assert await call(client) == result

    assert server.asked[0].method == method
    assert server.asked[0].url.raw_path.decode() == path


async def test_telemetry_goes_as_cmcd() -> None:
    server = Server(answer=TelemetryReceipt(accepted=1, repeated=0))

    async with server.client() as client:
        await client.send_telemetry(b"e=t,ts=1,v=2")

    assert server.asked[0].headers["content-type"] == "application/cmcd"
    assert server.asked[0].content == b"e=t,ts=1,v=2"


async def test_the_catalog_is_read_page_by_page_and_never_round_and_round() -> None:
    pages = {"": TitlePage(titles=[TITLE], next_cursor="x"), "x": TitlePage(titles=[TITLE], next_cursor="x")}

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=msgspec.json.encode(pages[request.url.params.get("cursor", "")]))

    async with BackendClient("http://backend", transport=httpx.MockTransport(handle)) as client:
        assert await client.titles() == [TITLE, TITLE]


async def test_a_position_never_watched_is_none() -> None:
    async with Server(404, Problem(status=404, code=ProblemCode.NOT_FOUND, title="No position")).client() as client:
        assert await client.position("p", "t") is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, RequestRefused),
        (400, RequestRefused),
        (401, NotAuthorised),
        (403, NotAuthorised),
        (404, NotFound),
        (408, ServiceUnavailable),
        (413, RequestRefused),
        (429, ServiceUnavailable),
        (500, ServiceUnavailable),
        (503, ServiceUnavailable),
    ],
)
async def test_each_status_is_an_error_of_its_kind(status: int, kind: type[ServiceError]) -> None:
    problem = Problem(status=status, code=ProblemCode.INVALID, title="Nothing here", detail="look elsewhere")

    async with Server(status, problem).client() as client:
        with pytest.raises(ServiceError, match=f"HTTP {status}, Nothing here: look elsewhere") as caught:
            await client.title("t")

    assert type(caught.value) is kind
    assert caught.value.retryable == (kind is ServiceUnavailable)


async def test_an_error_page_that_is_no_problem_document_is_still_an_error() -> None:
    async with Server(502, b"<html>Bad gateway</html>").client() as client:
        with pytest.raises(ServiceUnavailable, match="HTTP 502, no reason given"):
            await client.title("t")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"titles": 3}', b"\xff\xfe", b""])
async def test_an_answer_that_makes_no_sense_is_an_error(body: bytes) -> None:
    async with Server(200, body).client() as client:
        with pytest.raises(ServiceError, match="makes no sense"):
            await client.titles()


async def test_an_answer_without_end_is_cut_off() -> None:
    async with Server(200, b" " * (MAX_BODY_BYTES + 1)).client() as client:
        with pytest.raises(ServiceError, match="larger than"):
            await client.titles()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.ConnectError("connection refused"), "connection refused"),
        (httpx.ReadTimeout("slow"), "no answer in time"),
    ],
)
async def test_a_backend_that_is_down_is_unavailable(failure: Exception, words: str) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise failure

    async with BackendClient("http://backend", transport=httpx.MockTransport(handle)) as client:
        with pytest.raises(ServiceUnavailable, match=words):
            await client.titles()
        assert not await client.is_healthy()


async def test_a_port_where_nobody_listens_is_unavailable() -> None:
    async with BackendClient("http://127.0.0.1:9", timeout_s=1.0) as client:
        with pytest.raises(ServiceUnavailable):
            await client.titles()


@pytest.mark.parametrize("address", ["", "backend:8000", "ftp://backend", "http://"])
def test_an_address_that_is_no_http_url_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="http or https"):
        BackendClient(address)


def test_catalog_paths_become_urls_on_the_backend() -> None:
    client = BackendClient("http://backend:8000")

    assert client.media_url("/media/a/manifest.mpd") == "http://backend:8000/media/a/manifest.mpd"


async def test_a_client_can_be_used_again_after_it_was_closed() -> None:
    server = Server(answer=TITLE)
    client = server.client()

    await client.title("t")
    await client.close()
    assert await client.title("t") == TITLE
    await client.close()
