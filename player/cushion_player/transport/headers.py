"""Reading the few response headers a transport acts on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cushion_player.clock import wall_ms

_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """`Content-Range: bytes first-last/total`, inclusive; total None when the server does not know."""

    first: int
    last: int
    total: int | None

    @classmethod
    def parse(cls, value: str | None) -> ContentRange | None:
        """None for anything that is not a satisfied byte range (RFC 9110 section 14.4)."""
        match = _CONTENT_RANGE.match(value.strip()) if value else None
        if match is None or int(match[2]) < int(match[1]):
            return None
        return cls(int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3]))


def parse_retry_after(value: str | None, date: str | None = None) -> float | None:
    """Seconds to wait by a Retry-After header; None when absent or bad. Source: RFC 9110 section 10.2.3.

    value: a number of seconds, or a date.
    date: the response's Date header: a date is counted from there, so that the clocks need not agree.
    """
    if not value:
        return None
    value = value.strip()
    if value.isdecimal():
        return float(value)
    until_s = _date_s(value)
    if until_s is None:
        return None
    now_s = _date_s(date) if date else None
    return max(0.0, until_s - (wall_ms() / 1000 if now_s is None else now_s))


def _date_s(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None
