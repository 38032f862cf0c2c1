"""Media delivery: bare ASGI under /media/. Objects are immutable and cached for ever; manifests are revalidated.

Browsers of any origin may read (CORS), players may ask for byte ranges, hot objects come from memory.
"""

from __future__ import annotations

import asyncio
from typing import Final

from cushion_sdk.contracts import Problem, ProblemCode
from cushion_servers.api.asgi import Headers, Receive, Scope, Send, answer, answer_problem, header, problem_of
from cushion_servers.api.cache import ByteBudgetCache, CachedObject
from cushion_servers.api.ranges import RangeNotSatisfiable, parse_range
from cushion_servers.errors import NotFound, ServerError
from cushion_servers.store import ObjectStore, is_safe_name

MEDIA_PREFIX: Final = "/media/"
_IMMUTABLE: Final = b"public, max-age=31536000, immutable"
_REVALIDATED: Final = b"public, max-age=2, must-revalidate"
_TYPES: Final = {
    ".mpd": b"application/dash+xml",
    ".m3u8": b"application/vnd.apple.mpegurl",
    ".mp4": b"video/mp4",
    ".m4s": b"video/mp4",
    ".jpg": b"image/jpeg",
}
_CORS: Final[Headers] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Accept-Ranges, Content-Length, Content-Range, Content-Type, Date, ETag"),
    (b"timing-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
]
_PREFLIGHT: Final[Headers] = [
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"Range, If-None-Match, If-Range, Cache-Control, Content-Type, CMCD-Object, "
        b"CMCD-Request, CMCD-Session, CMCD-Status",
    ),
    (b"access-control-max-age", b"86400"),
]


class Edge:
    """The ASGI application that delivers the store's objects."""

    def __init__(self, store: ObjectStore, cache_bytes: int) -> None:
        self._store, self.cache = store, ByteBudgetCache(cache_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        if method == "OPTIONS":
            await answer(send, 204, [*_CORS, *_PREFLIGHT])
            return
        if method not in ("GET", "HEAD"):
            problem = Problem(status=405, code=ProblemCode.INVALID, title="Media is read with GET or HEAD.")
            await answer_problem(send, problem, [*_CORS, (b"allow", b"GET, HEAD, OPTIONS")])
            return
        head_only = method == "HEAD"
        try:
            name = scope["path"].removeprefix(MEDIA_PREFIX)
            found = await self._find(name)
        except ServerError as exc:
            await answer_problem(send, problem_of(exc), _CORS, head_only=head_only)
            return
        await _deliver(scope, send, name, found, head_only=head_only)

    async def _find(self, name: str) -> CachedObject:
        """The object, from memory where it is there and current. Raises NotFound or StoreError."""
        immutable = name.startswith("objects/")
        if not is_safe_name(name) or not (immutable or name.startswith("titles/")):
            raise NotFound(f"There is no media object {name!r}.")
        cached = self.cache.get(name)
        if cached is not None and immutable:
            return cached
        # Threads, because a store may block; a manifest's tag is asked for each time, its bytes only when it changed.
        tag = _content_tag(name) if immutable else (await asyncio.to_thread(self._store.info, name)).tag
        if cached is not None and cached.tag == tag:
            return cached
        found = CachedObject(await asyncio.to_thread(self._store.get, name), tag)
        self.cache.put(name, found)
        return found


async def _deliver(scope: Scope, send: Send, name: str, found: CachedObject, *, head_only: bool) -> None:
    """Answer with the object, a part of it, or that the client has it already."""
    etag, size = f'"{found.tag}"', len(found.data)
    headers: Headers = [
        *_CORS,
        (b"etag", etag.encode("latin-1")),
        (b"cache-control", _IMMUTABLE if name.startswith("objects/") else _REVALIDATED),
        (b"accept-ranges", b"bytes"),
    ]
    if _matches(header(scope, b"if-none-match"), etag):
        await answer(send, 304, headers)
        return
    headers.append((b"content-type", _TYPES.get(name[name.rfind(".") :], b"application/octet-stream")))
    wanted, condition = header(scope, b"range"), header(scope, b"if-range")
    try:
        span = parse_range(wanted, size) if wanted and condition in ("", etag) else None
    except RangeNotSatisfiable:
        problem = Problem(
            status=416,
            code=ProblemCode.INVALID,
            title="Range not satisfiable",
            detail=f"{name} has {size} bytes; {wanted!r} was asked for.",
        )
        content_range = (b"content-range", f"bytes */{size}".encode())
        await answer_problem(send, problem, [*_CORS, content_range], head_only=head_only)
        return
    if span is None:
        await answer(send, 200, headers, found.data, head_only=head_only)
        return
    headers.append((b"content-range", f"bytes {span.first}-{span.last}/{size}".encode()))
    await answer(send, 206, headers, found.data[span.first : span.last + 1], head_only=head_only)


def _content_tag(name: str) -> str:
    return name[name.rfind("/") + 1 : name.rfind(".")]


def _matches(condition: str, etag: str) -> bool:
    """If-None-Match: weak comparison (RFC 9110, 8.8.3.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in condition.split(",")}
    return etag in tags or tags == {"*"}
