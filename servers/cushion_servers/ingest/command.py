"""`cushion ingest`: the same job on a running backend over HTTP, or in this process when none serves the data."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from cushion_sdk.contracts import IngestJob, IngestRequest, IngestState, Problem
from cushion_servers.address import live_address
from cushion_servers.backend import open_backend
from cushion_servers.config import BackendConfig
from cushion_servers.errors import ServerError, StoreError

_POLL_S: Final = 0.25
_TIMEOUT_S: Final = 10.0
_ENDED: Final = (IngestState.PUBLISHED, IngestState.FAILED)
T = TypeVar("T")
Look = Callable[[], Awaitable[IngestJob]]
"""Asks how the job stands now."""


def run_ingest(request: IngestRequest, config: BackendConfig, server: str, *, as_json: bool) -> bool:
    """Ingest and show progress on stderr; whether the title was published. Raises ServerError."""
    if not server:
        running = live_address(config.address_path)
        server = running.url if running is not None else ""
    job = asyncio.run(_run(request, config, server))
    if as_json:
        print(msgspec.json.encode(job).decode())  # noqa: T201
    elif job.state is IngestState.PUBLISHED:
        print(f"{job.name} is published as title {job.title_id}.")  # noqa: T201
    if job.state is IngestState.FAILED:
        print(f"cushion ingest: {job.problem}", file=sys.stderr)  # noqa: T201
    return job.state is IngestState.PUBLISHED


async def _run(request: IngestRequest, config: BackendConfig, server: str) -> IngestJob:
    source = _remote(request, server) if server else _local(request, config)
    async with source as look:
        return await _shown(look)


@contextlib.asynccontextmanager
async def _local(request: IngestRequest, config: BackendConfig) -> AsyncGenerator[Look, None]:
    async with open_backend(config) as backend:
        job = await backend.ingest.submit(request)
        yield lambda: backend.ingest.job(job.job_id)


@contextlib.asynccontextmanager
async def _remote(request: IngestRequest, server: str) -> AsyncGenerator[Look, None]:
    def call(method: str, path: str, body: bytes | None = None) -> IngestJob:
        return _call(server, method, path, body, IngestJob)

    job = await asyncio.to_thread(call, "POST", "/v1/ingests", msgspec.json.encode(request))
    yield lambda: asyncio.to_thread(call, "GET", f"/v1/ingests/{job.job_id}")


async def _shown(look: Look) -> IngestJob:
    """Follow the job to its end under a progress bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("probe", total=None)
        while True:
            job = await look()
            description = f"{job.name}: {job.step or job.state.value}"
            progress.update(bar, description=description, total=job.total_steps or None, completed=job.done_steps)
            if job.state in _ENDED:
                return job
            await asyncio.sleep(_POLL_S)


def _call(server: str, method: str, path: str, body: bytes | None, kind: type[T]) -> T:
    """One request to a backend. Raises StoreError when it is out of reach and ServerError with its own words."""
    host, port = _host_and_port(server)
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content: Any = response.read()
        if response.status >= 400:
            raise ServerError(_words(content, response.status))
        return msgspec.json.decode(content, type=kind)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as exc:
        raise StoreError(f"The backend at {server} cannot be used: {exc}.") from exc
    finally:
        connection.close()


def _host_and_port(server: str) -> tuple[str, int]:
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port or 80
    except ValueError as exc:
        raise StoreError(f"The backend's address {server!r} is not a URL: {exc}.") from exc
    if parts.scheme != "http" or not host:
        raise StoreError(f"The backend's address must be an http URL, got {server!r}.")
    return host, port


def _words(content: bytes, status: int) -> str:
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except msgspec.MsgspecError:
        return f"The backend answered HTTP {status}."
    return problem.detail or problem.title
