"""How a server can misbehave: values that FakeTransport (in virtual time) and Origin (on a socket) both act out.

A FaultScript says which request gets which: the nth request of a path gets the nth entry, None means well-behaved.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase

HTML_PAGE = b"<!doctype html>\n<html><head><title>Welcome</title></head><body><p>Please sign in.</p></body></html>\n"


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with an error status; `retry_after` goes out as the header of that name (seconds or a date)."""

    status: int
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Hang:
    """Accept the request, then say nothing for `seconds` (for ever by default) before answering as usual."""

    seconds: float = float("inf")


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Fall silent after `after_bytes` of the body for `seconds` (for ever by default), then go on."""

    after_bytes: int
    seconds: float = float("inf")


@dataclass(frozen=True, slots=True)
class Truncate:
    """Announce the whole length, close the connection after `after_bytes`."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Invert `n_bytes` bytes of the body from `offset` on."""

    offset: int = 0
    n_bytes: int = 64


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send elsewhere; a relative or absolute reference. To the same path: a loop."""

    location: str
    status: int = 302


@dataclass(frozen=True, slots=True)
class Drip:
    """Send the body in pieces of `piece_bytes`, one each `interval_s`."""

    piece_bytes: int
    interval_s: float


@dataclass(frozen=True, slots=True)
class Html:
    """Answer 200 with a sign-in page instead of what was asked for."""


@dataclass(frozen=True, slots=True)
class IgnoreRange:
    """Answer a range request with 200 and the whole body."""


Fault = Status | Hang | Disconnect | Stall | Truncate | Corrupt | Redirect | Drip | Html | IgnoreRange


class FaultScript:
    """Which request gets which fault. Paths are shell patterns; the rule added last wins."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, tuple[Fault | None, ...], bool]] = []
        self._seen: Counter[str] = Counter()

    def once(self, path: str, *faults: Fault | None) -> None:
        """The next requests of each path that matches get these in turn, later ones are served well."""
        self._rules.append((path, faults, False))
        self._forget(path)

    def always(self, path: str, fault: Fault) -> None:
        """Every request of a path that matches gets this."""
        self._rules.append((path, (fault,), True))

    def clear(self) -> None:
        """Behave from now on."""
        self._rules.clear()
        self._seen.clear()

    def take(self, path: str) -> Fault | None:
        """The fault for a request of `path` that has just come."""
        nth = self._seen[path]
        self._seen[path] += 1
        for pattern, faults, endless in reversed(self._rules):
            if path == pattern or fnmatchcase(path, pattern):
                if endless:
                    return faults[0]
                return faults[nth] if nth < len(faults) else None
        return None

    def _forget(self, pattern: str) -> None:
        for path in [path for path in self._seen if path == pattern or fnmatchcase(path, pattern)]:
            del self._seen[path]


def corrupted(body: bytes, fault: Corrupt) -> bytes:
    """`body` with the bytes the fault names inverted."""
    end = min(fault.offset + fault.n_bytes, len(body))
    return body[: fault.offset] + bytes(byte ^ 0xFF for byte in body[fault.offset : end]) + body[end:]


def slice_range(body: bytes, byte_range: tuple[int, int | None] | None) -> bytes | None:
    """The bytes of (first, last) inclusive, clipped to the body; None when it starts past the end."""
    if byte_range is None:
        return body
    first, last = byte_range
    if first >= len(body):
        return None
    return body[first:] if last is None else body[first : last + 1]
