"""Single HLS tags as values of the model: keys, date ranges, server control, hints, reports (RFC 8216bis 4.4)."""

from __future__ import annotations

from base64 import b64decode
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls_lines import date_us, parse_date, parse_hex, parse_integer, parse_seconds, parse_yes
from cushion_player.manifest.reading import Notes
from cushion_player.model import (
    US_PER_S,
    Cue,
    DateRange,
    Extra,
    HintKind,
    Key,
    PreloadHint,
    Protection,
    RenditionReport,
    ServerControl,
    Start,
)

Attributes = Mapping[str, str]

MAX_KEYS_IN_FORCE = 32
"""Key formats over one segment: there are not half as many DRM systems."""

_DATE_RANGE_NAMES = {
    "ID", "CLASS", "START-DATE", "END-DATE", "DURATION", "PLANNED-DURATION", "END-ON-NEXT", "CUE",
    "SCTE35-CMD", "SCTE35-OUT", "SCTE35-IN",
}  # fmt: skip


def read_key(found: Attributes, base: Base, at: int, notes: Notes) -> Key:
    """EXT-X-KEY or EXT-X-SESSION-KEY."""
    where = f"line {at}"
    method = found.get("METHOD", "").upper()
    if not method:
        notes.repair("a key without METHOD was kept as unknown", where, "what it covers must not pass as clear")
        method = "unknown"
    iv = parse_hex(found.get("IV"))
    if "IV" in found and (iv is None or len(iv) > 16):
        notes.repair(f"the vector {found['IV'][:40]!r} was left out", where, "4.4.4.4: it has 128 bits")
        iv = None
    uri = found.get("URI", "")
    if not uri and method != "NONE":
        notes.repair("a key without URI was kept", where, "4.4.4.4: it cannot be fetched")
    return Key(
        method,
        base.resolve(uri, where) if uri and _is_fetched(uri) else uri,
        iv.rjust(16, b"\0") if iv is not None else None,
        found.get("KEYFORMAT", "identity"),
        found.get("KEYFORMATVERSIONS", "1"),
    )


def _is_fetched(uri: str) -> bool:
    """Whether a key's URI is for us: `skd:`, `urn:` and the like are a DRM system's own."""
    scheme = uri.partition(":")[0].lower() if ":" in uri.partition("/")[0] else ""
    return scheme in ("", "http", "https", "file", "data")


def with_key(in_force: tuple[Key, ...], key: Key, at: int, notes: Notes) -> tuple[Key, ...]:
    """The keys in force after this one: it takes the place of its own KEYFORMAT's; NONE ends all (4.4.4.4)."""
    if key.method == "NONE":
        if key.uri:
            notes.repair("METHOD=NONE with a URI was read as no encryption", f"line {at}", "4.4.4.4")
        return ()
    kept = [other for other in in_force if other.key_format != key.key_format]
    if len(kept) >= MAX_KEYS_IN_FORCE:
        raise UnsupportedManifestFeature(f"more than {MAX_KEYS_IN_FORCE} key formats at once", location=f"line {at}")
    return (*kept, key)


def read_protection(found: Attributes, key: Key) -> Protection:
    """The model's view of a key: what a DRM system needs to ask for a licence."""
    key_id = parse_hex(found.get("KEYID"))
    return Protection(
        scheme=key.method,
        key_ids=(key_id.hex(),) if key_id is not None else (),
        pssh=_pssh(key),
        key_format=key.key_format,
        uri=key.uri,
    )


def _pssh(key: Key) -> tuple[bytes, ...]:
    """The `pssh` box in a data: URI, as Widevine and PlayReady playlists carry it."""
    head, comma, text = key.uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return ()
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return ()
    return (data,) if data[4:8] == b"pssh" else ()


def read_server_control(found: Attributes, at: int, notes: Notes) -> ServerControl:
    """EXT-X-SERVER-CONTROL (4.4.3.8)."""
    for name in ("CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK"):
        if name in found and parse_seconds(found[name]) is None:
            notes.repair(f"{name} {found[name][:40]!r} was left out", f"line {at}", "it is no number")
    return ServerControl(
        parse_yes(found.get("CAN-BLOCK-RELOAD")),
        parse_seconds(found.get("CAN-SKIP-UNTIL")),
        parse_yes(found.get("CAN-SKIP-DATERANGES")),
        parse_seconds(found.get("HOLD-BACK")),
        parse_seconds(found.get("PART-HOLD-BACK")),
    )


def read_start(found: Attributes, at: int, notes: Notes) -> Start | None:
    """EXT-X-START; None, with a repair, when it says no offset."""
    offset = parse_seconds(found.get("TIME-OFFSET"))
    if offset is None:
        notes.repair("an EXT-X-START without TIME-OFFSET was left out", f"line {at}", "4.4.2.2: it is required")
        return None
    return Start(offset, parse_yes(found.get("PRECISE")))


def read_hint(found: Attributes, base: Base, at: int, notes: Notes) -> PreloadHint | None:
    """EXT-X-PRELOAD-HINT (4.4.5.3); None, with a repair, when it names no part and no map."""
    uri, kind = found.get("URI", ""), found.get("TYPE", "").upper()
    if not uri or kind not in HintKind.__members__:
        notes.repair(
            f"a preload hint of type {kind[:40]!r} was left out", f"line {at}", "4.4.5.3: PART or MAP, with URI"
        )
        return None
    first = parse_integer(found.get("BYTERANGE-START")) or 0
    length = parse_integer(found.get("BYTERANGE-LENGTH"))
    url = base.resolve(uri, f"line {at}")
    return PreloadHint(HintKind(kind), url, first, first + length - 1 if length else None)


def read_report(found: Attributes, base: Base, at: int, notes: Notes) -> RenditionReport | None:
    """EXT-X-RENDITION-REPORT (4.4.5.4)."""
    uri = found.get("URI", "")
    if not uri:
        notes.repair("a rendition report without URI was left out", f"line {at}", "4.4.5.4: it is required")
        return None
    url = base.resolve(uri, f"line {at}")
    return RenditionReport(url, parse_integer(found.get("LAST-MSN")), parse_integer(found.get("LAST-PART")))


# --------------------------------------------------------------------------- date ranges


def read_date_range(found: Attributes, at: int, notes: Notes) -> DateRange | None:
    """EXT-X-DATERANGE; None, with a repair, without ID (4.4.5.1)."""
    identity = found.get("ID", "")
    if not identity:
        notes.repair("a date range without ID was left out", f"line {at}", "4.4.5.1: it is required")
        return None
    start, end = _instant(found, "START-DATE", at, notes), _instant(found, "END-DATE", at, notes)
    duration = parse_seconds(found.get("DURATION"))
    if start is not None and end is not None and end < start:
        notes.repair(f"the end of date range {identity[:40]!r} was left out", f"line {at}", "it is before the start")
        end = None
    if end is None and start is not None and duration is not None and duration >= 0:
        end = start + duration
    return DateRange(
        identity,
        found.get("CLASS", ""),
        start,
        end,
        duration if duration is None or duration >= 0 else None,
        parse_seconds(found.get("PLANNED-DURATION")),
        parse_yes(found.get("END-ON-NEXT")),
        tuple(Cue(word) for word in _words(found.get("CUE")) if word in Cue.__members__),
        parse_hex(found.get("SCTE35-CMD")),
        parse_hex(found.get("SCTE35-OUT")),
        parse_hex(found.get("SCTE35-IN")),
        tuple(Extra(name, text) for name, text in found.items() if name not in _DATE_RANGE_NAMES),
    )


def _instant(found: Attributes, name: str, at: int, notes: Notes) -> Fraction | None:
    text = found.get(name)
    if text is None:
        return None
    value = parse_date(text)
    if value is None:
        notes.repair(f"{name} {text[:40]!r} was left out", f"line {at}", "it is no date")
        return None
    return Fraction(date_us(value), US_PER_S)


def _words(text: str | None) -> list[str]:
    return [word.strip().upper() for word in text.split(",")] if text else []


def merged(ranges: Iterable[DateRange]) -> tuple[DateRange, ...]:
    """Tags of one ID as one range, the first word counting, and END-ON-NEXT settled (4.4.5.1)."""
    by_id: dict[str, list[DateRange]] = {}
    for item in ranges:
        by_id.setdefault(item.id, []).append(item)
    made = [_joined(items) if len(items) > 1 else items[0] for items in by_id.values()]
    if not any(item.end_on_next for item in made):
        return tuple(made)
    starts: dict[str, list[Fraction]] = {}
    for item in made:
        if item.start is not None:
            starts.setdefault(item.class_name, []).append(item.start)
    for instants in starts.values():
        instants.sort()
    return tuple([_ended(item, starts.get(item.class_name, [])) for item in made])


def _joined(items: list[DateRange]) -> DateRange:
    start, end, duration, planned = (
        next((value for value in values if value is not None), None)
        for values in (
            [item.start for item in items],
            [item.end for item in items],
            [item.duration for item in items],
            [item.planned_duration for item in items],
        )
    )
    if end is None and start is not None and duration is not None:
        end = start + duration
    extra = {attribute.name: attribute for item in reversed(items) for attribute in item.extra}
    names = dict.fromkeys(attribute.name for item in items for attribute in item.extra)
    return replace(
        items[0],
        class_name=next((item.class_name for item in items if item.class_name), ""),
        start=start,
        end=end,
        duration=duration,
        planned_duration=planned,
        end_on_next=any(item.end_on_next for item in items),
        cues=next((item.cues for item in items if item.cues), ()),
        scte35_command=next((item.scte35_command for item in items if item.scte35_command), None),
        scte35_out=next((item.scte35_out for item in items if item.scte35_out), None),
        scte35_in=next((item.scte35_in for item in items if item.scte35_in), None),
        extra=tuple(extra[name] for name in names),
    )


def _ended(item: DateRange, starts: list[Fraction]) -> DateRange:
    if not item.end_on_next or item.start is None or item.end is not None:
        return item
    index = bisect_right(starts, item.start)
    return replace(item, end=starts[index]) if index < len(starts) else item
