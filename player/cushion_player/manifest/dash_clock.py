"""What arrives beside an MPD and concerns its time: answers of UTCTiming servers, and validity events."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.dash_values import instant
from cushion_player.model import UtcTiming

_HTTP_DATE = re.compile(r"(?:\w+,\s*)?(\d{1,2})[ -](\w{3})[ -](\d{4}) (\d\d):(\d\d):(\d\d) GMT")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def server_time(timing: UtcTiming, body: bytes = b"", date: str = "") -> Fraction:
    """Seconds since 1970 UTC that a time server said (5.8.4.11).

    body: what it answered (http-xsdate, http-iso; `direct` needs nothing). date: the Date header (http-head).
    Raises ManifestSyntaxError when it said no time, UnsupportedManifestFeature for ntp and sntp.
    """
    if not timing.is_supported:
        raise UnsupportedManifestFeature(f"the time cannot be had by {timing.scheme[:60]}", location="MPD/UTCTiming")
    if timing.method == "head":
        text, found = date, http_date(date)
    else:
        text = timing.value if timing.method == "direct" else body[:200].decode("utf-8", "replace").strip()
        found = instant(text)
    if found is None:
        raise ManifestSyntaxError(f"{text[:40]!r} is no time", location="MPD/UTCTiming")
    return found


def http_date(text: str) -> Fraction | None:
    """RFC 9110 5.6.7, the preferred form."""
    found = _HTTP_DATE.fullmatch(text.strip())
    if found is None or found[2].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found[2].lower()) + 1
    return instant(f"{found[3]}-{month:02d}-{int(found[1]):02d}T{found[4]}:{found[5]}:{found[6]}Z")


class Validity(NamedTuple):
    """An event of MPD_VALIDITY_SCHEME: MPDs published up to `publish_time` hold until the event only (5.10.4)."""

    publish_time: Fraction | None
    """Seconds since 1970 UTC."""
    manifest: str = ""
    """The new MPD (value 3) or the patch to it (value 2), when the event brings one."""


def read_validity(value: str, message: bytes) -> Validity:
    """Read the message of a validity event; `value` is that of its stream. Raises ManifestSyntaxError."""
    if value not in ("1", "2", "3"):
        raise ManifestSyntaxError(f"a validity event of value {value[:40]!r}", location="InbandEventStream")
    text, _, rest = message.partition(b"\0")
    published = instant(text.decode("utf-8", "replace"))
    if published is None and text:
        raise ManifestSyntaxError("a validity event without a publish time", location="InbandEventStream")
    return Validity(published, rest.decode("utf-8", "replace").rstrip("\0") if value != "1" else "")
