"""From an error of a request to what an engine is told of it."""

from __future__ import annotations

from cushion_player.engine.config import FetchFailure
from cushion_player.errors import CushionError, HttpStatusError


def failure_of(error: CushionError, kept_bytes: int = 0) -> FetchFailure:
    """kept_bytes: what the driver keeps of the body."""
    status, retry_after_s = (error.status, error.retry_after_s) if isinstance(error, HttpStatusError) else (0, None)
    retry_after_us = round((retry_after_s or 0.0) * 1_000_000)
    return FetchFailure(error.code, str(error), error.retryable, retry_after_us, status, kept_bytes)
