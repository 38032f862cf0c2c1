"""How a server can misbehave: values that FakeTransport (in virtual time) and Origin (on a socket) both act out.

What only changes an answer's content is done here, by `spoil`; what takes time or breaks connections is for the two.
Which request gets which is for a FaultScript (`fault_script`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cushion_player.testing.answers import Answer

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
class Refuse:
    """Nobody listens. A socket origin, which has accepted by then, resets the connection at once."""


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
class Reset:
    """Announce the whole length, reset the connection after `after_bytes`."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class WrongLength:
    """Announce `by` bytes more (or, below 0, fewer) than are sent, then close the connection."""

    by: int


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Invert `n_bytes` bytes of the body from `offset` on."""

    offset: int = 0
    n_bytes: int = 64


@dataclass(frozen=True, slots=True)
class Shorten:
    """Send the first `n_bytes` of the body as if they were all: a file that was never written to its end."""

    n_bytes: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Put `replacement` in place of what the regular expression `pattern` finds in a text (`count` times, 0: all)."""

    pattern: str
    replacement: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Instead:
    """Answer 200 with this body."""

    body: bytes
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class WrongType:
    """Say that the body is something else."""

    media_type: str = "text/plain"


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


@dataclass(frozen=True, slots=True)
class Shifted:
    """Answer as if it were `seconds` later (below 0: earlier), in the Date header too unless `has_date` is False.

    A server whose clock is wrong; without the date, a cache that serves what is old.
    """

    seconds: float
    has_date: bool = True


@dataclass(frozen=True, slots=True)
class Frozen:
    """From `at_us` (µs since 1970 UTC) on, answer as if time stood still: an encoder that has died."""

    at_us: int


Fault = (
    Status
    | Hang
    | Refuse
    | Disconnect
    | Stall
    | Truncate
    | Reset
    | WrongLength
    | Corrupt
    | Shorten
    | Rewrite
    | Instead
    | WrongType
    | Redirect
    | Drip
    | Html
    | IgnoreRange
    | Shifted
    | Frozen
)


def time_of(fault: Fault | None, now_us: int) -> tuple[int, int]:
    """(what the content is made for, what the Date header says), µs since 1970 UTC."""
    match fault:
        case Shifted(seconds, has_date):
            shifted_us = now_us + round(seconds * 1e6)
            return shifted_us, shifted_us if has_date else now_us
        case Frozen(at_us):
            return min(now_us, at_us), now_us
        case _:
            return now_us, now_us


def answer_instead(fault: Fault | None) -> Answer | None:
    """What a fault answers whatever was asked; None when the content matters."""
    match fault:
        case Status(status, retry_after):
            return Answer(status, headers={"retry-after": retry_after} if retry_after else {})
        case Redirect(location, status):
            return Answer(status, headers={"location": location})
        case Html():
            return Answer(200, HTML_PAGE, "text/html")
        case Instead(body, media_type):
            return Answer(200, body, media_type)
        case _:
            return None


def spoil(answer: Answer, fault: Fault | None) -> Answer:
    """The answer with its content changed as the fault says; faults of time and connection change nothing."""
    if answer.status not in (200, 206):
        return answer
    match fault:
        case Corrupt():
            return replace(answer, body=corrupted(answer.body, fault))
        case Shorten(n_bytes):
            return replace(answer, body=answer.body[:n_bytes], arrivals=())
        case Rewrite(pattern, replacement, count):
            text = re.sub(pattern, replacement, answer.body.decode("utf-8"), count=count)
            return replace(answer, body=text.encode())
        case WrongType(media_type):
            return replace(answer, media_type=media_type)
        case _:
            return answer


def corrupted(body: bytes, fault: Corrupt) -> bytes:
    """`body` with the bytes the fault names inverted."""
    end = min(fault.offset + fault.n_bytes, len(body))
    return body[: fault.offset] + bytes(byte ^ 0xFF for byte in body[fault.offset : end]) + body[end:]
