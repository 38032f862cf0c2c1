"""The JSON API of `cushion_sdk.contracts`, on Litestar. Handlers translate; the services decide."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, Router, get, post, put
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from cushion_sdk.contracts import (
    IngestJob,
    IngestRequest,
    Position,
    PositionPage,
    PositionReport,
    Problem,
    ProblemCode,
    Title,
    TitlePage,
)
from cushion_servers.api.asgi import PROBLEM_TYPE, problem_of
from cushion_servers.backend import Backend
from cushion_servers.errors import InvalidRequest, ServerError

log = logging.getLogger(__name__)

_MAX_JSON_BYTES = 64 * 1024
_CODES = {404: ProblemCode.NOT_FOUND, 409: ProblemCode.CONFLICT, 413: ProblemCode.TOO_LARGE}


def build_api(backend: Backend) -> Litestar:
    """The API over an opened backend."""

    @get("/titles")
    async def list_titles(
        cursor: FromQuery[str] = "", limit: Annotated[int, QueryParameter(ge=1, le=200)] = 100
    ) -> TitlePage:
        return await backend.titles.page(cursor, limit)

    @get("/titles/{title_id:str}")
    async def show_title(title_id: FromPath[str]) -> Title:
        return await backend.titles.get(title_id)

    @put("/profiles/{profile_id:str}/positions/{title_id:str}")
    async def report_position(
        profile_id: FromPath[str], title_id: FromPath[str], data: JSONBody[PositionReport]
    ) -> Position:
        _check_report(profile_id, title_id, data)
        return await backend.positions.report(profile_id, title_id, data)

    @get("/profiles/{profile_id:str}/positions/{title_id:str}")
    async def show_position(profile_id: FromPath[str], title_id: FromPath[str]) -> Position:
        return await backend.positions.get(profile_id, title_id)

    @get("/profiles/{profile_id:str}/positions")
    async def list_positions(profile_id: FromPath[str]) -> PositionPage:
        return await backend.positions.page(profile_id)

    @post("/ingests", status_code=202)
    async def start_ingest(data: JSONBody[IngestRequest]) -> IngestJob:
        return await backend.ingest.submit(data)

    @get("/ingests")
    async def list_ingests() -> list[IngestJob]:
        return await backend.ingest.jobs()

    @get("/ingests/{job_id:str}")
    async def show_ingest(job_id: FromPath[str]) -> IngestJob:
        return await backend.ingest.job(job_id)

    @get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    handlers: list[Any] = [
        list_titles,
        show_title,
        report_position,
        show_position,
        list_positions,
        start_ingest,
        list_ingests,
        show_ingest,
    ]
    return Litestar(
        [health, Router("/v1", route_handlers=handlers)],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=_MAX_JSON_BYTES,
        exception_handlers={ServerError: _on_server_error, HTTPException: _on_http_error, Exception: _on_bug},
    )


def _check_report(profile_id: str, title_id: str, report: PositionReport) -> None:
    """Raise InvalidRequest for what no player reports."""
    names = (profile_id, title_id, report.device_id, report.session_id)
    if not all(0 < len(name) <= 128 for name in names):
        raise InvalidRequest("Ids must have between 1 and 128 characters.")
    if report.sequence < 0 or report.session_started_ms < 0 or report.reported_ms < 0:
        raise InvalidRequest("Sequence numbers and times must not be negative.")
    if not (0 <= report.position_s <= 1e7 and 0 <= report.duration_s <= 1e7):
        raise InvalidRequest("Positions and durations must be seconds from 0 on.")


def _response(problem: Problem) -> Response[bytes]:
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_TYPE.decode("ascii"))


def _on_server_error(_: Request[Any, Any, Any], exc: ServerError) -> Response[bytes]:
    return _response(problem_of(exc))


def _on_http_error(_: Request[Any, Any, Any], exc: HTTPException) -> Response[bytes]:
    code = _CODES.get(exc.status_code, ProblemCode.INVALID if exc.status_code < 500 else ProblemCode.INTERNAL)
    extra = exc.extra if isinstance(exc.extra, list) else []
    causes = "; ".join(f"{item.get('key', '')}: {item.get('message', '')}" for item in extra if isinstance(item, dict))
    title = type(exc).__name__.removesuffix("Exception")
    return _response(Problem(status=exc.status_code, code=code, title=title, detail=causes or exc.detail))


def _on_bug(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    log.error("a handler failed path=%s", request.url.path, exc_info=exc)
    return _response(Problem(status=500, code=ProblemCode.INTERNAL, title="Internal error"))
