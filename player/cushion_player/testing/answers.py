"""What a testing server answers, before anything goes wrong: values that virtual and socket origins both deliver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final, Protocol

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".mpd": "application/dash+xml",
    ".mpp": "application/dash-patch+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".txt": "text/plain",
}

KINDS: Final[Mapping[str, str]] = {
    ".mpd": "manifest",
    ".mpp": "manifest",
    ".m3u8": "manifest",
    ".m4s": "segment",
    ".ts": "segment",
    ".mp4": "init",
    ".key": "key",
    ".json": "steering",
    ".txt": "time",
}
"""What a path is for, by its suffix; everything else is `other`."""


def media_type_of(path: str) -> str:
    """The Content-Type of a path, by its suffix."""
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def kind_of(path: str) -> str:
    """`manifest`, `segment`, `init`, `key`, `steering`, `time` or `other`."""
    return KINDS.get(PurePosixPath(path).suffix.lower(), "other")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    arrivals: (end, time) pairs, ascending: body[:end] is there from that time on (µs since 1970 UTC). Empty when all
        of it is. A socket origin sends such a body in chunks as time passes.
    """

    status: int = 200
    body: bytes = b""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    arrivals: tuple[tuple[int, int], ...] = ()

    def sliced(self, byte_range: tuple[int, int | None] | None) -> Answer:
        """What a range request for (first, last) gets: 206, 416, or the answer itself where ranges do not apply."""
        if byte_range is None or self.status != 200:
            return self
        first, size = byte_range[0], len(self.body)
        part = slice_range(self.body, byte_range)
        if part is None:
            return Answer(416, headers={"content-range": f"bytes */{size}"})
        last = first + len(part) - 1
        headers = {**self.headers, "content-range": f"bytes {first}-{last}/{size}"}
        arrivals = [(min(end, last + 1) - first, time_us) for end, time_us in self.arrivals if end > first]
        return replace(self, status=206, body=part, headers=headers, arrivals=tuple(arrivals))


@dataclass(frozen=True, slots=True)
class NotYet:
    """There is no answer before `until_us` (µs since 1970 UTC): hold the request and ask again then."""

    until_us: int


class Site(Protocol):
    """What an origin serves: a function of path, query and time, without state."""

    def response(self, path: str, query: str, now_us: int) -> Answer | NotYet:
        """The answer to GET `path`?`query` at `now_us` (µs since 1970 UTC)."""
        ...


class StaticSite:
    """Paths beginning with a slash, to bytes that never change. What is not there answers 404."""

    def __init__(self, content: Mapping[str, bytes]) -> None:
        self.content: dict[str, bytes] = dict(content)

    def response(self, path: str, query: str, now_us: int) -> Answer:
        body = self.content.get(path)
        return Answer(404) if body is None else Answer(200, body, media_type_of(path))


def slice_range(body: bytes, byte_range: tuple[int, int | None] | None) -> bytes | None:
    """The bytes of (first, last) inclusive, clipped to the body; None when it starts past the end."""
    if byte_range is None:
        return body
    first, last = byte_range
    if first >= len(body):
        return None
    return body[first:] if last is None else body[first : last + 1]
