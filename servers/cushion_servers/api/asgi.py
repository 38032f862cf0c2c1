"""The few ASGI pieces the hot paths need: types, header access, whole answers, problem bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from cushion_sdk.contracts import Problem, ProblemCode
from cushion_servers.errors import BodyTooLarge, InvalidRequest, ServerError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PROBLEM_TYPE = b"application/problem+json"


def header(scope: Scope, name: bytes) -> str:
    """The value of a request header (lower-case name), "" when absent."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


async def answer(send: Send, status: int, headers: Headers, body: bytes = b"", *, head_only: bool = False) -> None:
    """Send a whole response; Content-Length is that of `body` even when only the head is sent."""
    headers = [*headers, (b"content-length", str(len(body)).encode())] if status not in (204, 304) else headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else body})


def problem_of(exc: ServerError) -> Problem:
    """An error of ours as problem details."""
    title = {
        ProblemCode.NOT_FOUND: "Not found",
        ProblemCode.INVALID: "Invalid request",
        ProblemCode.CONFLICT: "Conflict",
        ProblemCode.TOO_LARGE: "Too large",
        ProblemCode.UNAVAILABLE: "Not available now",
        ProblemCode.INTERNAL: "Internal error",
    }[exc.code]
    return Problem(status=exc.status, code=exc.code, title=title, detail=str(exc))


async def answer_problem(
    send: Send, problem: Problem, headers: Headers | None = None, *, head_only: bool = False
) -> None:
    """Send problem details as RFC 9457 wants them."""
    body = msgspec.json.encode(problem)
    await answer(send, problem.status, [*(headers or []), (b"content-type", PROBLEM_TYPE)], body, head_only=head_only)


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The request body. Raises BodyTooLarge, or InvalidRequest when the client went away."""
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The client went away before its body had arrived.")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise BodyTooLarge(f"The body is larger than {limit_bytes} bytes.")
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)
