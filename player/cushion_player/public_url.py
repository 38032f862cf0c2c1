"""URLs as messages and logs may show them: without query, fragment and credentials, which carry tokens and keys."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def public_url(url: str) -> str:
    """`url` without what may be secret. Of a data: URL (it may be a key) only the media type is left."""
    if url[:5].lower() == "data:":
        head, comma, _ = url.partition(",")
        return f"{head[:64]},…" if comma else "data:…"
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return url.partition("?")[0]
