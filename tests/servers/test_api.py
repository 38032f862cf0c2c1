from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cushion_sdk.contracts import IngestJob, Position, PositionPage, Problem, TelemetryReceipt, Title, TitlePage
from cushion_sdk.contracts.cmcd import CmcdEvent, CmcdRecord, CmcdState, encode_events
from cushion_servers.backend import Backend

REPORT: dict[str, Any] = {
    "device_id": "tv",
    "session_id": "s1",
    "session_started_ms": 1000,
    "sequence": 3,
    "position_s": 12.5,
    "duration_s": 60.0,
    "reported_ms": 2000,
}
POSITION = "/v1/profiles/default/positions/t1"


async def test_ingest_then_catalog_then_media(client: httpx.AsyncClient, backend: Backend, clip: Path) -> None:
    accepted = await client.post("/v1/ingests", json={"path": str(clip), "name": "A clip"})
    job = msgspec.json.decode(accepted.content, type=IngestJob)
    await backend.ingest.wait(job.job_id)

    shown = msgspec.json.decode((await client.get(f"/v1/ingests/{job.job_id}")).content, type=IngestJob)
    page = msgspec.json.decode((await client.get("/v1/titles")).content, type=TitlePage)
    title = msgspec.json.decode((await client.get(f"/v1/titles/{shown.title_id}")).content, type=Title)

    assert accepted.status_code == 202
    assert shown.state == "published"
    assert page.titles == [title]
    assert page.next_cursor == ""
    assert len(msgspec.json.decode((await client.get("/v1/ingests")).content, type=list[IngestJob])) == 1
    for path in (title.dash_path, title.hls_path, title.poster_path):
        assert (await client.get(path)).status_code == 200


async def test_catalog_comes_in_pages(client: httpx.AsyncClient, backend: Backend, clip: Path) -> None:
    accepted = await client.post("/v1/ingests", json={"path": str(clip)})
    await backend.ingest.wait(accepted.json()["job_id"])
    title = (await backend.titles.page("", 1)).titles[0]
    for k in range(4):
        await backend.titles.publish(msgspec.structs.replace(title, title_id=f"t{k}", published_ms=100 + k // 2))

    seen, cursor = list[str](), ""
    while True:
        answer = await client.get("/v1/titles", params={"cursor": cursor, "limit": 2})
        page = msgspec.json.decode(answer.content, type=TitlePage)
        seen += [each.title_id for each in page.titles]
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == [title.title_id, "t0", "t1", "t2", "t3"]


async def test_position_never_goes_back(client: httpx.AsyncClient) -> None:
    await client.put(POSITION, json=REPORT)
    older = await client.put(POSITION, json={**REPORT, "sequence": 2, "position_s": 1.0})
    held = await client.get(POSITION)

    assert older.status_code == 200
    assert msgspec.json.decode(older.content, type=Position).report.position_s == 12.5
    assert msgspec.json.decode(held.content, type=Position).report.sequence == 3
    page = msgspec.json.decode((await client.get("/v1/profiles/default/positions")).content, type=PositionPage)
    assert [position.title_id for position in page.positions] == ["t1"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/titles/none", None, 404, "not_found"),
        ("GET", "/nowhere", None, 404, "not_found"),
        ("GET", "/v1/ingests/none", None, 404, "not_found"),
        ("GET", POSITION, None, 404, "not_found"),
        ("GET", "/v1/titles?cursor=x", None, 400, "invalid"),
        ("GET", "/v1/titles?limit=0", None, 400, "invalid"),
        ("PUT", POSITION, {"device_id": "tv"}, 400, "invalid"),
        ("PUT", POSITION, {**REPORT, "position_s": -1.0}, 400, "invalid"),
        ("PUT", POSITION, {**REPORT, "session_id": "x" * 200}, 400, "invalid"),
        ("POST", "/v1/ingests", {"path": "relative.mp4"}, 400, "invalid"),
        ("POST", "/v1/ingests", {"path": "/a.mp4", "name": "x" * 201}, 400, "invalid"),
        ("POST", "/v1/ingests", {"path": "/" + "x" * 100_000}, 413, "too_large"),
        ("DELETE", "/v1/titles", None, 405, "invalid"),
        ("GET", "/v1/telemetry", None, 405, "invalid"),
    ],
)
async def test_every_refusal_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    response = await client.request(method, path, json=body)

    problem = msgspec.json.decode(response.content, type=Problem)
    assert (response.status_code, problem.status, problem.code) == (status, status, code)
    assert response.headers["content-type"] == "application/problem+json"


def batch(*sequences: int) -> bytes:
    return encode_events(
        CmcdRecord(event=CmcdEvent.PLAY_STATE, timestamp_ms=1, session_id="s", sequence=k, state=CmcdState.PLAYING)
        for k in sequences
    )


async def test_telemetry_counts_each_record_once(client: httpx.AsyncClient, backend: Backend) -> None:
    first = await client.post("/v1/telemetry", content=batch(0, 1, 2))
    again = await client.post("/v1/telemetry", content=batch(1, 2, 3, 3))
    broken = await client.post("/v1/telemetry", content=batch(4) + b"\nnot cmcd\n")

    receipts = [msgspec.json.decode(each.content, type=TelemetryReceipt) for each in (first, again, broken)]
    assert receipts == [
        TelemetryReceipt(accepted=3, repeated=0),
        TelemetryReceipt(accepted=1, repeated=3),
        TelemetryReceipt(accepted=1, repeated=0, rejected=1),
    ]
    assert await backend.telemetry.count("s") == 5


async def test_telemetry_that_is_no_text_or_too_large_is_refused(client: httpx.AsyncClient) -> None:
    binary = await client.post("/v1/telemetry", content=b"\xff\xfe")
    large = await client.post("/v1/telemetry", content=b"x" * (1 << 20) + b"y")

    assert (binary.status_code, large.status_code) == (400, 413)
    assert binary.headers["content-type"] == "application/problem+json"


async def test_health(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
