"""Ingest: from a file on the server's machine to a published title.

POST /v1/ingests IngestRequest -> 202 IngestJob · GET /v1/ingests/{job_id} -> IngestJob · GET /v1/ingests -> [IngestJob]
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class IngestState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PUBLISHED = "published"
    FAILED = "failed"


class IngestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a file to become a title. The same source and settings again give the same title."""

    path: str
    name: str = ""
    min_duration_s: float = 0.0
    """A shorter source is repeated (encoded segments with shifted decode times) until it is at least this long."""
    licence: str = ""


class IngestJob(msgspec.Struct, frozen=True, kw_only=True):
    """Where an ingest stands. `problem` is one sentence when it failed."""

    job_id: str
    state: IngestState
    name: str
    title_id: str = ""
    done_steps: int = 0
    total_steps: int = 0
    step: str = ""
    problem: str = ""
