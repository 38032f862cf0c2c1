"""The door: what is let in as manifest text, and where a manifest may point."""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import urljoin, urlsplit

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature

MAX_CHARACTERS = 32 * 1024 * 1024
MAX_SEGMENTS = 500_000
"""Over all representations: a day of 2 s segments in eleven rungs."""
MAX_URL_CHARACTERS = 64 * 1024
SCHEMES = frozenset({"http", "https", "file", "data"})

_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")
_HTML = re.compile(
    r"\s*+(?:<\?xml[^>]*>\s*+)?(?:<!--(?>.*?-->)\s*+)*+(?:<!doctype\s+html|<html|<head|<body)",
    re.IGNORECASE | re.DOTALL,
)
_NEEDS_JOINING = re.compile(r"[/?#]|[^/]*:|(?:.*/)?\.\.?(?:/|$|\?|#)")


class Notation(Enum):
    """What a manifest is written in."""

    DASH = "dash"
    HLS = "hls"


def check_text(text: str | bytes, url: str) -> tuple[Notation, str]:
    """The notation of a manifest and its text without byte order mark.

    Raises ManifestSyntaxError when it is neither, too long, or not text. What is hostile in XML, `xml_tree` refuses.
    """
    if len(text) > MAX_CHARACTERS:
        raise ManifestSyntaxError(f"the manifest is longer than {MAX_CHARACTERS >> 20} MiB", location=url)
    if isinstance(text, bytes):
        text = _decode(text, url)
    text = text.removeprefix("\ufeff")
    start = text[:4096].lstrip()
    if not start:
        raise ManifestSyntaxError("the manifest is empty", location=url)
    if start.startswith("#EXT"):
        return Notation.HLS, text
    if _HTML.match(text[:4096]):
        raise ManifestSyntaxError("this is an HTML page, not a manifest", location=url)
    if start.startswith("<"):
        return Notation.DASH, text
    if (start.startswith("#") and "\n#EXTINF" in text) or "\n#EXTM3U" in text[:4096]:
        return Notation.HLS, text
    raise ManifestSyntaxError(
        f"neither an MPD nor an HLS playlist: it begins with {start[:40].splitlines()[0]!r}", location=url
    )


def _decode(data: bytes, url: str) -> str:
    encoding = "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        declared = _ENCODING.match(data[:200])
        if declared:
            encoding = declared.group(1).decode("ascii")
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as exc:
        message = f"this is no manifest, for it is not {encoding} text, and no media file of a kind that plays"
        raise ManifestSyntaxError(f"{message}: it begins with {data[:12]!r}", location=url) from exc


class Base:
    """A base URL: resolves references against it and refuses those that lead where a manifest may not point."""

    __slots__ = ("_may_point_at_files", "_prefix", "scheme", "url")

    def __init__(self, url: str, *, may_point_at_files: bool | None = None) -> None:
        """may_point_at_files: None takes it from `url` itself: only a local manifest may."""
        self.url = url
        self.scheme = _scheme(url)
        if may_point_at_files is None:
            may_point_at_files = self.scheme in ("file", "")
        self._may_point_at_files = may_point_at_files
        path = url.split("#", 1)[0].split("?", 1)[0]
        is_plain = self.scheme in ("http", "https", "file") and path.count("/") > 2
        self._prefix = path[: path.rfind("/") + 1] if is_plain else ""

    def resolve(self, reference: str, where: str) -> str:
        """The absolute URL of a reference.

        Raises ManifestSyntaxError when it is no URL, UnsupportedManifestFeature for a scheme that is not allowed here.
        """
        reference = reference.strip()
        if self._prefix and reference and not _NEEDS_JOINING.match(reference):
            return self._prefix + reference
        try:
            url = urljoin(self.url, reference)
            scheme = _scheme(url)
        except ValueError as exc:
            raise ManifestSyntaxError(f"{reference[:80]!r} is not a URL", location=where) from exc
        if len(url) > MAX_URL_CHARACTERS and scheme != "data":
            raise ManifestSyntaxError(f"a URL of {len(url)} characters", location=where)
        if scheme not in SCHEMES and not (scheme == "" and self._may_point_at_files):
            raise UnsupportedManifestFeature(f"URLs with the scheme {scheme!r} are not supported", location=where)
        if scheme == "file" and not self._may_point_at_files:
            raise UnsupportedManifestFeature("a remote manifest may not point at local files", location=where)
        return url

    def join(self, reference: str) -> str:
        """The absolute URL of a reference that was found to be allowed, here or with another base of this scheme."""
        reference = reference.strip()
        if self._prefix and reference and not _NEEDS_JOINING.match(reference):
            return self._prefix + reference
        return urljoin(self.url, reference)

    def child(self, reference: str, where: str) -> Base:
        """The base that results from a BaseURL."""
        return Base(self.resolve(reference, where), may_point_at_files=self._may_point_at_files)


def _scheme(url: str) -> str:
    return urlsplit(url).scheme.lower()
