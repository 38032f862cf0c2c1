"""Content steering: where to ask, and what a steering server answers (RFC 8216bis 7; ETSI TS 103 998)."""

from __future__ import annotations

import json
from typing import NamedTuple, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import MAX_URL_CHARACTERS, Base
from cushion_player.model import ContentSteering, PathwayClone, SteeringManifest

DEFAULT_TTL_S = 300
MAX_PATHWAYS = 100
_MAX_TTL_S = 10**9


class SourceUse(NamedTuple):
    """A source that was requested from, and what it brought; 0 where that is not known."""

    source: str
    throughput_bps: int = 0


def read_steering(body: bytes, url: str) -> SteeringManifest:
    """Read a steering manifest: PATHWAY-PRIORITY, or SERVICE-LOCATION-PRIORITY as DASH once had it.

    url: where it came from, the base of RELOAD-URI. Raises ManifestError kinds when it is none, or leads where a
    manifest may not point.
    """
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise ManifestSyntaxError("the steering manifest is no JSON", location=url) from exc
    if not isinstance(found, dict):
        raise ManifestSyntaxError("the steering manifest is no JSON object", location=url)
    fields = cast("dict[str, object]", found)
    if fields.get("VERSION") != 1:
        raise ManifestSyntaxError(f"steering manifests of version {fields.get('VERSION')!r:.20}", location=url)
    priority = _names(fields.get("PATHWAY-PRIORITY")) or _names(fields.get("SERVICE-LOCATION-PRIORITY"))
    if not priority:
        raise ManifestSyntaxError("the steering manifest has no priorities", location=url)
    ttl, reload = fields.get("TTL"), _text(fields.get("RELOAD-URI"))
    is_ttl = isinstance(ttl, int) and not isinstance(ttl, bool) and 0 < ttl < _MAX_TTL_S
    clones = fields.get("PATHWAY-CLONES")
    entries = cast("list[object]", clones)[:MAX_PATHWAYS] if isinstance(clones, list) else []
    return SteeringManifest(
        ttl_s=ttl if isinstance(ttl, int) and is_ttl else DEFAULT_TTL_S,
        reload_url=Base(url).resolve(reload, url) if reload else url,
        priority=priority,
        clones=tuple(clone for clone in map(_clone, entries) if clone is not None),
    )


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(name for item in cast("list[object]", value)[:MAX_PATHWAYS] if (name := _text(item))))


def _text(value: object) -> str:
    """A text that can be a part of a URL; "" for anything else (JSON may hold half a character)."""
    if not isinstance(value, str) or len(value) > MAX_URL_CHARACTERS:
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return ""
    return value


def _clone(entry: object) -> PathwayClone | None:
    """A clone that says what it is made from and how it differs; others are left out (7.1)."""
    fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    base, identity, replacement = _text(fields.get("BASE-ID")), _text(fields.get("ID")), fields.get("URI-REPLACEMENT")
    if not base or not identity or not isinstance(replacement, dict):
        return None
    changes = cast("dict[str, object]", replacement)
    return PathwayClone(
        base,
        identity,
        _text(changes.get("HOST")),
        _pairs(changes.get("PARAMS")),
        _pairs(changes.get("PER-VARIANT-URIS")),
        _pairs(changes.get("PER-RENDITION-URIS")),
    )


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    pairs = ((_text(name), value) for name, value in fields.items())
    return tuple((name, _text(value)) for name, value in pairs if name and (_text(value) or value == ""))[:MAX_PATHWAYS]


def asking_url(steering: ContentSteering, kind: str, uses: tuple[SourceUse, ...] = (), reload_url: str = "") -> str:
    """Where to ask the steering server, telling it what was used since it was asked last and what that brought.

    kind: of the presentation, `dash` or `hls`. reload_url: as its last answer said. HLS knows one pathway, the last of
    `uses` (7.2); DASH a list. A proxy gets the server's own URL as `url`. What is in a data: URL is not told anything.
    """
    url = reload_url or steering.server_url
    if urlsplit(url).scheme == "data":
        return url
    added: list[tuple[str, str]] = []
    if steering.proxy_url:
        added.append(("url", url))
        url = steering.proxy_url
    prefix = "_DASH" if kind == "dash" else "_HLS"
    told = uses if kind == "dash" else uses[-1:]
    if told:
        added.append((f"{prefix}_pathway", '"' + ",".join(use.source for use in told) + '"'))
        if any(use.throughput_bps for use in told):
            added.append((f"{prefix}_throughput", ",".join(str(use.throughput_bps) for use in told)))
    if not added:
        return url
    parts = urlsplit(url)
    kept = [piece for piece in parts.query.split("&") if piece and not piece.startswith(f"{prefix}_")]
    return urlunsplit(parts._replace(query="&".join([*kept, urlencode(added)])))
