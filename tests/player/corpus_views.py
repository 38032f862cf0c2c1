"""What other projects' parsers expect of their manifests, and what our model says, in one plain form to compare.

A view is a dict of named facts. Only what both can say is in it.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from cushion_player.model import (
    AdaptationSet,
    Address,
    ByteRange,
    ContentKind,
    Key,
    Presentation,
    Representation,
    Segment,
)

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
URL = "https://example.com/a/x"
Json = dict[str, Any]
View = dict[str, Any]


def expected_of(path: Path) -> Json:
    """The parse another project expects of a manifest."""
    found: Json = json.loads(path.with_suffix(".expected.json").read_text())
    return found


def with_expected(folder: str, suffix: str) -> list[Path]:
    """The manifests of a corpus folder that have an expected parse."""
    return sorted(path for path in (CORPUS / folder).rglob("*" + suffix) if path.with_suffix(".expected.json").exists())


def differing(ours: View, theirs: View) -> dict[str, tuple[object, object]]:
    """The facts on which two views do not agree."""
    return {name: (ours.get(name), fact) for name, fact in theirs.items() if ours.get(name) != fact}


def sets_of(presentation: Presentation, *kinds: ContentKind) -> list[AdaptationSet]:
    return [item for period in presentation.periods for item in period.adaptation_sets if item.kind in kinds]


# --------------------------------------------------------------------------- media playlists, m3u8-parser


def media_playlist_of(representation: Representation) -> View:
    """Our reading of a media playlist."""
    segments, timescale = representation.segments, representation.timescale
    info = representation.playlist
    assert info is not None
    return {
        "urls": [segment.address.url for segment in segments],
        "durations": [_ms(Fraction(segment.duration, timescale)) for segment in segments],
        "byte ranges": [segment.address.byte_range for segment in segments],
        "keys": [[_our_key(key) for key in segment.keys] for segment in segments],
        "maps": [_our_map(segment, representation) for segment in segments],
        "sequence numbers": [segment.number for segment in segments],
        "discontinuities": [segment.discontinuity for segment in segments],
        "dates": [_date_ms(segment) for segment in segments],
        "parts": [
            [(chunk.address, _ms(Fraction(chunk.duration, timescale)), chunk.is_independent) for chunk in item.chunks]
            for item in segments
        ],
        "target duration": info.target_duration,
        "type": info.playlist_type,
        "has ended": info.has_ended,
        "reports": [(item.url, item.last_sequence, item.last_part) for item in info.rendition_reports],
    }


def _our_key(key: Key) -> tuple[str, str, str | None]:
    return key.method, key.uri, key.iv.hex() if key.iv is not None else None


def _our_map(segment: Segment, representation: Representation) -> Address | None:
    init = segment.init or representation.init
    return init.address if init is not None else None


def _date_ms(segment: Segment) -> int | None:
    return None if segment.program_time_us is None else round(segment.program_time_us / 1000)


def _ms(seconds: Fraction | float) -> int:
    return round(seconds * 1000)


def expected_media_playlist(expected: Json) -> View:
    """m3u8-parser's reading of a media playlist."""
    segments = [item for item in expected["segments"] if "uri" in item]
    first = expected.get("mediaSequence", 0)
    return {
        "urls": [_absolute(item["uri"]) for item in segments],
        "durations": [_ms(item.get("duration", 0)) for item in segments],
        "byte ranges": [_range(item.get("byterange")) for item in segments],
        "keys": [_their_keys(item.get("key")) for item in segments],
        "maps": [_their_map(item.get("map")) for item in segments],
        "sequence numbers": list(range(first, first + len(segments))),
        "discontinuities": [item["timeline"] for item in segments],
        "dates": [round(item["programDateTime"]) if "programDateTime" in item else None for item in segments],
        "parts": [[_their_part(part) for part in item.get("parts", ())] for item in segments],
        "target duration": expected.get("targetDuration", 0),
        "type": expected.get("playlistType", ""),
        "has ended": expected.get("endList", False),
        "reports": [
            (_absolute(item["uri"]), item["lastMsn"], item.get("lastPart"))
            for item in expected.get("renditionReports", ())
        ],
    }


def _absolute(url: str) -> str:
    return urljoin(URL, url)


def _range(item: Json | None) -> ByteRange | None:
    return (item["offset"], item["offset"] + item["length"] - 1) if item else None


def _their_keys(key: Json | None) -> list[tuple[str, str, str | None]]:
    if key is None:
        return []
    iv = "".join(f"{word:08x}" for word in key["iv"]) if "iv" in key else None
    return [(key["method"], _absolute(key["uri"]), iv)]


def _their_map(item: Json | None) -> Address | None:
    return Address(_absolute(item["uri"]), _range(item.get("byterange"))) if item else None


def _their_part(part: Json) -> tuple[Address, int, bool]:
    address = Address(_absolute(part["uri"]), _range(part.get("byterange")))
    return address, _ms(part["duration"]), part.get("independent", False)


# --------------------------------------------------------------------------- multivariant playlists, m3u8-parser


def multivariant_of(presentation: Presentation) -> View:
    """Our reading of a multivariant playlist."""
    playable = [item for item in sets_of(presentation, ContentKind.VIDEO, ContentKind.AUDIO) if not item.trick_of]
    variants = [item for each in playable for item in each.representations if _is_variant(item)]
    renditions = [
        (item.source, each.language)
        for each in sets_of(presentation, ContentKind.AUDIO, ContentKind.TEXT)
        for item in each.representations
        if not _is_variant(item)
    ]
    iframes = [
        item for each in sets_of(presentation, ContentKind.VIDEO) if each.trick_of for item in each.representations
    ]
    return {
        "variants": sorted(_variant(item) for item in variants),
        "renditions": sorted(set(renditions)),
        "trick playlists": sorted(_variant(item) for item in iframes),
    }


def _is_variant(item: Representation) -> bool:
    return item.id.startswith("variant")


def _variant(item: Representation) -> tuple[str, int, int, int, int]:
    """Its URL, BANDWIDTH, AVERAGE-BANDWIDTH (or the former) and resolution."""
    return item.source, item.peak_bitrate_bps, item.declared_bitrate_bps, item.width_px, item.height_px


def expected_multivariant(expected: Json) -> View:
    """m3u8-parser's reading of a multivariant playlist: variants with the same playlist count once."""
    groups = expected.get("mediaGroups", {})
    renditions = {
        (_absolute(item["uri"]), item.get("language", ""))
        for kind in ("AUDIO", "SUBTITLES")
        for group in groups.get(kind, {}).values()
        for item in group.values()
        if "uri" in item
    }
    spoken = {url for url, _ in renditions}
    variants = [item for item in map(_their_variant, expected.get("playlists", ())) if item[0] not in spoken]
    return {
        "variants": sorted({item[0]: item for item in reversed(variants)}.values()),
        "renditions": sorted(renditions),
        "trick playlists": sorted(map(_their_variant, expected.get("iFramePlaylists", ()))),
    }


def _their_variant(item: Json) -> tuple[str, int, int, int, int]:
    attributes = item.get("attributes", {})
    peak = attributes.get("BANDWIDTH", 0)
    size = attributes.get("RESOLUTION", {})
    average = int(attributes.get("AVERAGE-BANDWIDTH", peak))
    return _absolute(item["uri"]), peak, average, size.get("width", 0), size.get("height", 0)
