"""What mpd-parser and rx-player expect of MPDs, and what our model says, in one plain form to compare.

See corpus_views. mpd-parser joins the periods of a representation into one list, so segments are compared as a set,
each with its period's start; rx-player lists the first segments of each representation.
"""

from __future__ import annotations

from fractions import Fraction

from cushion_player.manifest import NeedKind, ReadResult
from cushion_player.model import Address, ByteRange, ContentKind, Period, Presentation, Representation
from cushion_player.planning.lookup import segment, segment_at
from tests.player.corpus_views import Json, View

Facts = tuple[int, int, int, str, str, ByteRange | tuple[()], tuple[tuple[str, int, int], ...]]
"""Of a representation: bitrate, width, height, codecs, initialisation segment, its range, segments."""
_HAIR = Fraction(1, 1000)
"""rx-player's times are floats: a little inside the segment they are surely in it."""
_GROUPS = {"AUDIO": ContentKind.AUDIO, "SUBTITLES": ContentKind.TEXT}


def _ms(seconds: Fraction | float) -> int:
    return round(seconds * 1000)


# --------------------------------------------------------------------------- mpd-parser


def mpd_of(result: ReadResult) -> View:
    """Our reading of an MPD."""
    presentation = result.presentation
    segments: set[tuple[object, ...]] = set()
    representations: set[tuple[object, ...]] = set()
    protection: set[str] = set()
    for period, kind, item in _items(presentation):
        representations.add((kind, item.declared_bitrate_bps, item.width_px, item.height_px, item.codecs))
        protection.update(item.protection)
        for found in item.segments:
            start = period.start + Fraction(found.start, item.timescale)
            segments.add(
                (
                    kind,
                    found.address.url,
                    _ms(period.start),
                    _ms(start),
                    _ms(Fraction(found.duration, item.timescale)),
                    found.address.byte_range,
                )
            )
    return {
        "duration": _ms(presentation.duration or 0),
        "periods": [_ms(period.start) for period in presentation.periods],
        "representations": representations,
        "segments": segments,
        "initialisation segments": {
            item.init.address.url for _, _, item in _items(presentation) if item.init is not None
        },
        "protection": protection,
        "locations": [item.url for item in presentation.locations],
        "segment indexes": {(need.url, need.byte_range) for need in result.needs if need.kind is NeedKind.SIDX},
        "delay": presentation.live.suggested_presentation_delay,
        "update period": _optional_ms(presentation.live.minimum_update_period),
    }


def _items(presentation: Presentation) -> list[tuple[Period, ContentKind, Representation]]:
    return [
        (period, adaptation_set.kind, item)
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
    ]


def _optional_ms(seconds: Fraction | None) -> int | None:
    return None if seconds is None else _ms(seconds)


def expected_mpd(expected: Json) -> View:
    """mpd-parser's reading of an MPD."""
    segments: set[tuple[object, ...]] = set()
    representations: set[tuple[object, ...]] = set()
    inits: set[str] = set()
    indexes: set[tuple[str, ByteRange]] = set()
    protection: set[str] = set()
    for kind, playlist in _their_playlists(expected):
        attributes = playlist["attributes"]
        size = attributes.get("RESOLUTION", {})
        representations.add(
            (
                kind,
                attributes["BANDWIDTH"],
                size.get("width", 0),
                size.get("height", 0),
                attributes.get("CODECS", ""),
            )
        )
        protection.update(item["attributes"]["schemeIdUri"] for item in playlist.get("contentProtection", {}).values())
        if "sidx" in playlist:
            indexes.add((playlist["sidx"]["resolvedUri"], _their_range(playlist["sidx"]["byterange"])))
            inits.add(playlist["sidx"]["map"]["resolvedUri"])
        for item in playlist["segments"]:
            segments.add(
                (
                    kind,
                    item["resolvedUri"],
                    _ms(item["timeline"]),
                    _ms(item.get("presentationTime", 0)),
                    _ms(item["duration"]),
                    _their_range(item["byterange"]) if "byterange" in item else None,
                )
            )
            if item.get("map", {}).get("uri"):
                inits.add(item["map"]["resolvedUri"])
    return {
        "duration": _ms(expected["duration"]),
        "periods": [_ms(item["start"]) for item in expected["timelineStarts"]],
        "representations": representations,
        "segments": segments,
        "initialisation segments": inits,
        "protection": protection,
        "locations": expected.get("locations", []),
        "segment indexes": indexes,
        "delay": expected.get("suggestedPresentationDelay"),
        "update period": expected.get("minimumUpdatePeriod"),
    }


def _their_playlists(expected: Json) -> list[tuple[ContentKind, Json]]:
    found = [(ContentKind.VIDEO, item) for item in expected["playlists"]]
    for name, kind in _GROUPS.items():
        for group in expected["mediaGroups"].get(name, {}).values():
            for rendition in group.values():
                found += [(kind, item) for item in rendition["playlists"]]
    return found


def _their_range(item: Json) -> ByteRange:
    return item["offset"], item["offset"] + item["length"] - 1


# --------------------------------------------------------------------------- rx-player


def rx_of(presentation: Presentation, expected: Json) -> View:
    """Our reading of what rx-player lists, in its form; of segments as many, from the time of its first on."""
    live = presentation.live
    view: View = {
        "isLive": presentation.is_live,
        "isDynamic": presentation.is_live,
        "availabilityStartTime": live.availability_start or 0,
    }
    for index, listed in enumerate(expected.get("periods", ())):
        period = presentation.periods[index] if index < len(presentation.periods) else None
        if period is None:
            continue
        view[f"start of period {index}"] = _ms(period.start)
        view[f"duration of period {index}"] = _optional_ms(period.duration)
        for kind, sets in listed.get("adaptations", {}).items():
            view[f"{kind} of period {index}"] = _our_kind(period, kind, sets)
    return view


def _our_kind(period: Period, kind: str, sets: list[Json]) -> list[Facts]:
    wanted = {item["bitrate"]: item for each in sets for item in each["representations"]}
    ours = [
        item
        for adaptation_set in period.adaptation_sets
        if adaptation_set.kind == kind and not adaptation_set.trick_of
        for item in adaptation_set.representations
    ]
    return sorted((_our_facts(period, item, wanted.get(item.declared_bitrate_bps)) for item in ours), key=str)


def _our_facts(period: Period, item: Representation, wanted: Json | None) -> Facts:
    index: Json = wanted["index"] if wanted is not None else {"segments": []}
    listed: list[Json] = index["segments"]
    segments: list[tuple[str, int, int]] = []
    if listed:
        first = segment_at(item, Fraction(str(listed[0]["time"])) / listed[0]["timescale"] - period.start + _HAIR)
        for position in range(first or 0, (first or 0) + len(listed)):
            found = segment(item, position)
            start = period.start + Fraction(found.start, item.timescale)
            name = _name(found.address.url) if listed[0]["url"] else ""
            segments.append((name, _ms(start), _ms(Fraction(found.duration, item.timescale))))
    init = item.init.address if item.init is not None else Address("")
    is_named = bool(index.get("init", {}).get("url"))
    return (
        item.declared_bitrate_bps,
        item.width_px,
        item.height_px,
        item.codecs,
        _name(init.url) if is_named else "",
        init.byte_range or (),
        tuple(segments),
    )


def _name(url: str) -> str:
    """The last part of a URL: rx-player's lists leave out the folder that a BaseURL names."""
    return url.rsplit("/", 1)[-1]


def expected_rx(expected: Json) -> View:
    """rx-player's reading."""
    view: View = {name: expected[name] for name in ("isLive", "isDynamic", "availabilityStartTime") if name in expected}
    for index, period in enumerate(expected.get("periods", ())):
        view |= {f"{name} of period {index}": _ms(period[name]) for name in ("start", "duration") if name in period}
        for kind, sets in period.get("adaptations", {}).items():
            view[f"{kind} of period {index}"] = sorted(
                (_their_facts(item) for each in sets for item in each["representations"]), key=str
            )
    return view


def _their_facts(item: Json) -> Facts:
    init = item["index"].get("init", {})
    return (
        item["bitrate"],
        item.get("width", 0),
        item.get("height", 0),
        item.get("codec", ""),
        _name(init.get("url") or ""),
        (init["range"][0], init["range"][1]) if "range" in init else (),
        tuple(
            (_name(found["url"]), _ms(found["time"] / found["timescale"]), _ms(found["duration"] / found["timescale"]))
            for found in item["index"]["segments"]
        ),
    )
