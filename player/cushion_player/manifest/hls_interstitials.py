"""HLS interstitials: what is played in between, from date ranges and asset lists (RFC 8216bis Appendix D)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import cast

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls_lines import parse_seconds
from cushion_player.manifest.reading import Need, NeedKind
from cushion_player.model import Cue, DateRange, Interstitial, InterstitialAsset, Presentation
from cushion_player.public_url import public_url

CLASS = "com.apple.hls.interstitial"
MAX_ASSETS = 1000
_NAMES = {
    "X-ASSET-URI", "X-ASSET-LIST", "X-RESUME-OFFSET", "X-PLAYOUT-LIMIT", "X-SNAP", "X-RESTRICT", "X-CONTENT-MAY-VARY",
    "X-TIMELINE-OCCUPIES", "X-TIMELINE-STYLE",
}  # fmt: skip


def interstitials_of(
    presentation: Presentation, ranges: Iterable[tuple[str, tuple[DateRange, ...]]]
) -> tuple[Interstitial, ...]:
    """Those that date ranges announce, by the URL of the playlist they stand in; assets already read are kept."""
    known = {item.id: item for item in presentation.interstitials}
    made: dict[str, Interstitial] = {}
    for url, items in ranges:
        base = Base(url)
        for item in items:
            if item.class_name != CLASS or item.id in made:
                continue
            found = _interstitial(item, base)
            if found is None:
                continue
            before = known.get(item.id)
            if before is not None and before.asset_list_url == found.asset_list_url:
                found = replace(found, assets=before.assets)
            made[item.id] = found
    return tuple(made.values())


def _interstitial(item: DateRange, base: Base) -> Interstitial | None:
    """None when there is no start, or not exactly one of X-ASSET-URI and X-ASSET-LIST (D.2)."""
    said = {extra.name: extra.value for extra in item.extra}
    asset, assets = said.get("X-ASSET-URI", ""), said.get("X-ASSET-LIST", "")
    if item.start is None or bool(asset) == bool(assets):
        return None
    where = f"EXT-X-DATERANGE {item.id}"
    duration = item.duration
    if duration is None:
        duration = item.end - item.start if item.end is not None else item.planned_duration
    resume_offset = parse_seconds(said.get("X-RESUME-OFFSET"))
    return Interstitial(
        id=item.id,
        start=item.start,
        is_absolute=True,
        duration=duration,
        asset_url=base.resolve(asset, where) if asset else "",
        asset_list_url=base.resolve(assets, where) if assets else "",
        resume_offset=resume_offset,
        playout_limit=parse_seconds(said.get("X-PLAYOUT-LIMIT")),
        snap=_words(said.get("X-SNAP"), ("IN", "OUT")),
        restrict=_words(said.get("X-RESTRICT"), ("SKIP", "JUMP")),
        cues=item.cues,
        replaces=resume_offset != 0,
        timeline_occupies=said.get("X-TIMELINE-OCCUPIES", "").upper(),
        timeline_style=said.get("X-TIMELINE-STYLE", "").upper(),
        content_may_vary=said.get("X-CONTENT-MAY-VARY", "YES").upper() != "NO",
        plays_once=Cue.ONCE in item.cues,
        extra=tuple(extra for extra in item.extra if extra.name not in _NAMES),
    )


def _words(text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    words = [word.strip().upper() for word in text.split(",")] if text else []
    return tuple(word for word in dict.fromkeys(words) if word in known)


def asset_list_need(interstitial: Interstitial, start_offset: Fraction | None = None) -> Need:
    """What to fetch before an interstitial with an asset list can be played.

    start_offset: seconds into it at which playback would join, when not at its start (_HLS_start_offset).
    """
    url = interstitial.asset_list_url
    if start_offset is not None:
        url = f"{url}{'&' if '?' in url else '?'}_HLS_start_offset={float(start_offset):.3f}"
    label = f"the assets of interstitial {interstitial.id}"
    return Need(NeedKind.ASSETS, url, None, label, -1, interstitial.id)


def read_asset_list(presentation: Presentation, need: Need, body: bytes, url: str) -> Presentation:
    """Put in what an asset list says: {"ASSETS": [{"URI": …, "DURATION": …}]}.

    Raises ManifestSyntaxError when it is none.
    """
    try:
        listed: object = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise ManifestSyntaxError(f"{need.label} is no JSON", location=url) from exc
    entries = cast("dict[str, object]", listed).get("ASSETS") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        raise ManifestSyntaxError(f"{need.label} has no ASSETS", location=url)
    assets: list[InterstitialAsset] = []
    base = Base(url)
    for number, entry in enumerate(cast("list[object]", entries)[:MAX_ASSETS]):
        where = f"{public_url(url)} ASSETS[{number}]"
        fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
        uri, duration = fields.get("URI"), fields.get("DURATION")
        if not isinstance(uri, str) or not uri:
            raise ManifestSyntaxError("an asset without URI", location=where)
        is_number = isinstance(duration, int | float) and not isinstance(duration, bool)
        assets.append(
            InterstitialAsset(base.resolve(uri, where), parse_seconds(f"{duration:.9f}") if is_number else None)
        )
    items = tuple(
        replace(item, assets=tuple(assets)) if item.id == need.representation else item
        for item in presentation.interstitials
    )
    return replace(presentation, interstitials=items)
