"""Content steering: what a steering server answers, and the pathways it clones (RFC 8216bis 7; ETSI TS 103 998)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls import playlist_need
from cushion_player.manifest.reading import Need, ReadResult
from cushion_player.model import (
    BaseUrl,
    PathwayClone,
    Presentation,
    Representation,
    SteeringManifest,
)

DEFAULT_TTL_S = 300
MAX_PATHWAYS = 100
DEFAULT_PATHWAY = "."
"""Of variants without PATHWAY-ID (4.4.6.2)."""


def read_steering(body: bytes, url: str) -> SteeringManifest:
    """Read a steering manifest: HLS's PATHWAY-PRIORITY or DASH's SERVICE-LOCATION-PRIORITY.

    url: where it came from, the base of RELOAD-URI. Raises ManifestSyntaxError when it is none.
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
    ttl, reload = fields.get("TTL"), fields.get("RELOAD-URI")
    is_ttl = isinstance(ttl, int) and not isinstance(ttl, bool) and 0 < ttl < 10**9
    clones = fields.get("PATHWAY-CLONES")
    entries = cast("list[object]", clones)[:MAX_PATHWAYS] if isinstance(clones, list) else []
    return SteeringManifest(
        ttl_s=ttl if isinstance(ttl, int) and is_ttl else DEFAULT_TTL_S,
        reload_url=Base(url).resolve(reload, url) if isinstance(reload, str) and reload else url,
        priority=priority,
        clones=tuple(clone for clone in map(_clone, entries) if clone is not None),
    )


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(item for item in cast("list[object]", value)[:MAX_PATHWAYS] if isinstance(item, str)))


def _clone(entry: object) -> PathwayClone | None:
    """A clone that says what it is made from and how it differs; others are left out (7.1)."""
    fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    base, identity, replacement = fields.get("BASE-ID"), fields.get("ID"), fields.get("URI-REPLACEMENT")
    if not isinstance(base, str) or not isinstance(identity, str) or not isinstance(replacement, dict):
        return None
    changes = cast("dict[str, object]", replacement)
    host = changes.get("HOST")
    return PathwayClone(
        base,
        identity,
        host if isinstance(host, str) else "",
        _pairs(changes.get("PARAMS")),
        _pairs(changes.get("PER-VARIANT-URIS")),
        _pairs(changes.get("PER-RENDITION-URIS")),
    )


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return tuple((name, text) for name, text in fields.items() if isinstance(text, str))


def steering_url(presentation: Presentation, pathway: str = "", throughput_bps: int = 0) -> str:
    """Where to ask the steering server: with the pathway in use and what it brings, where they are known (7.2)."""
    steering = presentation.steering
    if steering is None:
        return ""
    parts = urlsplit(steering.server_url)
    added = [("_HLS_pathway", f'"{pathway}"')] if pathway else []
    if throughput_bps:
        added.append(("_HLS_throughput", str(throughput_bps)))
    if not added or parts.scheme == "data":
        return steering.server_url
    query = urlencode(added)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))


# --------------------------------------------------------------------------- pathways of a presentation


def with_clones(presentation: Presentation, steering: SteeringManifest) -> Presentation:
    """The presentation with the pathways that the steering manifest clones, as further places of each playlist.

    A clone of a clone is made when its base comes first. Raises ManifestError kinds for URLs that may not be followed.
    """
    url = presentation.url

    def edit(item: Representation) -> Representation:
        for clone in steering.clones:
            item = _with_clone(item, clone, url)
        return item

    return _edited(presentation, edit)


def with_priority(presentation: Presentation, priority: tuple[str, ...]) -> ReadResult:
    """The presentation with the places of each playlist in the order of their pathways; those not named go last.

    The needs are the playlists that had been read and now come from elsewhere: pathways have the same content (7.4),
    and what was read stays until its place is taken.
    """
    rank = {name: number for number, name in enumerate(priority)}
    needs: list[Need] = []

    def edit(item: Representation) -> Representation:
        if len(item.bases) < 2:
            return item
        ordered = sorted(item.bases, key=lambda base: rank.get(base.service_location or DEFAULT_PATHWAY, len(rank)))
        bases = tuple(base._replace(priority=number + 1) for number, base in enumerate(ordered))
        made = replace(
            item,
            source=bases[0].url,
            pathway=bases[0].service_location,
            alternatives=tuple(base.url for base in bases[1:]),
            bases=bases,
        )
        if made.source != item.source and item.playlist is not None:
            needs.append(playlist_need(made))
        return made

    made = _edited(presentation, edit)
    return ReadResult(made, tuple(needs))


def _edited(presentation: Presentation, edit: Callable[[Representation], Representation]) -> Presentation:
    periods = tuple(
        replace(
            period,
            adaptation_sets=tuple(
                replace(item, representations=tuple(map(edit, item.representations))) for item in period.adaptation_sets
            ),
        )
        for period in presentation.periods
    )
    return replace(presentation, periods=periods)


def _with_clone(item: Representation, clone: PathwayClone, manifest_url: str) -> Representation:
    bases = item.bases or (BaseUrl(item.source, item.pathway),)
    known = {base.service_location or DEFAULT_PATHWAY: base for base in bases}
    if clone.base_id not in known or clone.id in known or not item.source:
        return item
    by_id = dict(clone.per_variant_uris if item.id.startswith("variant-") else clone.per_rendition_uris)
    own = by_id.get(item.stable_id) if item.stable_id else None
    url = own if own is not None else known[clone.base_id].url
    parts = urlsplit(Base(manifest_url).resolve(url, f"pathway clone {clone.id}"))
    if clone.host and own is None:
        parts = parts._replace(netloc=clone.host)
    if clone.params:
        replaced = dict(clone.params)
        query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in replaced]
        parts = parts._replace(query=urlencode([*query, *sorted(replaced.items())]))
    made = Base(manifest_url).resolve(urlunsplit(parts), f"pathway clone {clone.id}")
    bases = (*bases, BaseUrl(made, clone.id, len(bases) + 1))
    return replace(item, bases=bases, alternatives=(*item.alternatives, made))
