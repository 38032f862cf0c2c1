"""What transports say when something goes wrong: one form for all, `segment 412 of video/1080p: HTTP 404 (http://…)`.

URLs appear without query, fragment and credentials, because these carry tokens. The error's `url` stays whole.
"""

from __future__ import annotations

from cushion_player.errors import ConnectionLost, FetchError, FetchTimeout, HttpStatusError
from cushion_player.public_url import public_url
from cushion_player.transport.base import FetchRequest

__all__ = ["public_url"]


def sentence(request: FetchRequest, what: str, url: str = "") -> str:
    """`label: what (url)`; without a label the URL stands in its place."""
    shown = public_url(url or request.url)
    return f"{request.label}: {what} ({shown})" if request.label else f"{shown}: {what}"


def failed(request: FetchRequest, what: str, url: str = "", *, retryable: bool = False) -> FetchError:
    return FetchError(sentence(request, what, url), url=request.url, retryable=retryable)


def timed_out(request: FetchRequest, what: str, url: str = "") -> FetchTimeout:
    return FetchTimeout(sentence(request, what, url), url=request.url)


def lost(request: FetchRequest, what: str, url: str = "") -> ConnectionLost:
    return ConnectionLost(sentence(request, what, url), url=request.url)


def status_error(
    request: FetchRequest, status: int, url: str = "", *, retry_after_s: float | None = None
) -> HttpStatusError:
    return HttpStatusError(
        sentence(request, f"HTTP {status}", url), status=status, url=request.url, retry_after_s=retry_after_s
    )


def no_answer(request: FetchRequest, url: str = "") -> FetchTimeout:
    return timed_out(request, f"no answer within {request.timeouts.first_byte_s:g} s", url)


def stalled(request: FetchRequest, received_bytes: int, total_bytes: int | None, url: str = "") -> FetchTimeout:
    return timed_out(
        request, f"silent for {request.timeouts.stall_s:g} s at {progress(received_bytes, total_bytes)}", url
    )


def cut_short(request: FetchRequest, received_bytes: int, total_bytes: int | None, url: str = "") -> ConnectionLost:
    return lost(request, f"ended at {progress(received_bytes, total_bytes)}", url)


def progress(received_bytes: int, total_bytes: int | None) -> str:
    """`70 of 100 bytes`; `70 bytes` when the length was not announced."""
    return f"{received_bytes} bytes" if total_bytes is None else f"{received_bytes} of {total_bytes} bytes"
