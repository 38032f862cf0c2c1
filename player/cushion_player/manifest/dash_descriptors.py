"""Descriptors (5.8) and what is said about sets and representations: roles, labels, protection, properties."""

from __future__ import annotations

import binascii
from base64 import b64decode
from fractions import Fraction
from struct import pack

from cushion_player.manifest.dash_values import date, flag, integer, optional_integer, words
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import parse_frame_rate
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import (
    Descriptor,
    Extra,
    InbandEvents,
    Label,
    ProducerReferenceTime,
    Protection,
    Resync,
    Tiles,
)

TRICK_MODE = "http://dashif.org/guidelines/trickmode"
THUMBNAILS = ("http://dashif.org/guidelines/thumbnail_tile", "http://dashif.org/thumbnail_tile")
SET_SWITCHING = "urn:mpeg:dash:adaptation-set-switching:2016"
PERIOD_CONTINUITY = "urn:mpeg:dash:period-continuity:2015"
PERIOD_CONNECTIVITY = "urn:mpeg:dash:period-connectivity:2015"
PRESELECTION = "urn:mpeg:dash:preselection:2016"
CHAINING = "urn:mpeg:dash:mpd-chaining:2016"
FALLBACK = "urn:mpeg:dash:fallback:2016"
CAPTIONS = ("urn:scte:dash:cc:cea-608:2015", "urn:scte:dash:cc:cea-708:2015")
_PSSH_HEAD_BYTES = 32

_KNOWN_ESSENTIAL = {
    TRICK_MODE,
    *THUMBNAILS,
    SET_SWITCHING,
    PERIOD_CONTINUITY,
    PERIOD_CONNECTIVITY,
    PRESELECTION,
    CHAINING,
    FALLBACK,
    "urn:mpeg:dash:srd:2014",
    "urn:dvb:dash:fontdownload:2014",
    "urn:dvb:dash:fontdownload:2016",
    "urn:dvb:dash:bitstream:hdr10plus",
    "urn:mpeg:dash:14496:10:frame_packing_arrangement_type:2011",
    "urn:mpeg:dash:13818:1:stereo_video_format_type:2011",
    "http://dashif.org/metadata/hdr",
}
HARMLESS = "urn:mpeg:mpegb:cicp:"
"""Properties that only describe colour, and channel layouts."""

_MODELLED = {
    "AudioChannelConfiguration", "Accessibility", "AdaptationSet", "BaseURL", "ContentProtection", "EssentialProperty",
    "EventStream", "InbandEventStream", "Label", "Preselection", "ProducerReferenceTime", "Representation", "Resync",
    "Role", "SegmentBase", "SegmentList", "SegmentTemplate", "SupplementalProperty", "ServiceDescription",
    "ContentSteering", "AssetIdentifier", "Period", "ProgramInformation", "Location", "PatchLocation", "UTCTiming",
    "ContentComponent",
}  # fmt: skip
_STANDARD_ATTRIBUTES = {
    "id", "lang", "contentType", "mimeType", "codecs", "width", "height", "frameRate", "bandwidth", "audioSamplingRate",
    "start", "duration", "type", "profiles", "group", "segmentAlignment", "subsegmentAlignment", "selectionPriority",
    "qualityRanking", "dependencyId", "maxPlayoutRate", "scanType", "mediaPresentationDuration", "minBufferTime",
    "availabilityStartTime", "availabilityEndTime", "publishTime", "minimumUpdatePeriod", "timeShiftBufferDepth",
    "suggestedPresentationDelay", "maxSegmentDuration",
}  # fmt: skip


def descriptors(node: Node, name: str) -> tuple[Descriptor, ...]:
    """All descriptors of one element name."""
    if not node.children:
        return ()
    return tuple([
        Descriptor(found.get("schemeIdUri"), found.get("value"), found.get("id"), found.inner_xml())
        for found in node.all(name)
    ])  # fmt: skip


def unknown_essential(properties: tuple[Descriptor, ...]) -> str:
    """The scheme of the first essential property that is not known here; "" when all are."""
    for item in properties:
        if item.scheme not in _KNOWN_ESSENTIAL and not item.scheme.lower().startswith(HARMLESS):
            return item.scheme or "without a scheme"
    return ""


def restricting(properties: tuple[Descriptor, ...]) -> tuple[str, ...]:
    """Schemes of essential properties that mean the set is not for plain playback."""
    return tuple(item.scheme for item in properties if not item.scheme.lower().startswith(HARMLESS))


def values_of(properties: tuple[Descriptor, ...], *schemes: str) -> tuple[str, ...]:
    """Everything listed in the properties of these schemes."""
    return tuple(word for item in properties if item.scheme in schemes for word in words(item.value))


def labels(node: Node) -> tuple[Label, ...]:
    return tuple([Label(found.text.strip(), found.get("lang"), found.get("id")) for found in node.all("Label")])


def extras(node: Node) -> tuple[Extra, ...]:
    """Child elements and attributes beyond this model, as written."""
    if not node.children and node.attrib.keys() <= _STANDARD_ATTRIBUTES:
        return ()
    attributes = [
        Extra(f"@{name}", value)
        for name, value in node.attrib.items()
        if name not in _STANDARD_ATTRIBUTES and not name.startswith("xmlns")
    ]
    return (*attributes, *(Extra(item.tag, item.xml()) for item in node.children if item.tag not in _MODELLED))


def tiles(properties: tuple[Descriptor, ...], notes: Notes, where: str) -> Tiles | None:
    """The grid of a thumbnail set (DASH-IF IOP 6.2.6)."""
    found = next((item for item in properties if item.scheme in THUMBNAILS), None)
    if found is None:
        return None
    columns, _, rows = found.value.lower().partition("x")
    numbers = [int(text) for text in (columns.strip(), rows.strip()) if text.isdecimal() and len(text) < 5]
    if len(numbers) == 2 and all(0 < number <= 1000 for number in numbers):
        return Tiles(numbers[0], numbers[1])
    notes.repair(f"tiles {found.value[:40]!r} were read as 1x1", where, "it is no grid")
    return Tiles(1, 1)


def protections(node: Node, notes: Notes, where: str) -> tuple[Protection, ...]:
    """ContentProtection elements (5.8.4.1), each with its default keys, pssh boxes and licence URLs."""
    return tuple([
        _protection(found, notes, f"{where}/ContentProtection[{index}]")
        for index, found in enumerate(node.all("ContentProtection"))
    ])  # fmt: skip


def _protection(node: Node, notes: Notes, where: str) -> Protection:
    key_ids: list[str] = []
    for text in (node.local("default_KID") or "").split():
        plain = text.replace("-", "").lower()
        if len(plain) == 32 and all(letter in "0123456789abcdef" for letter in plain):
            key_ids.append(plain)
        else:
            notes.repair(f"key id {text[:40]!r} was ignored", f"{where}@default_KID", "it is no UUID")
    boxes: list[bytes] = []
    urls: list[str] = []
    for found in node.walk():
        if found.tag == "pssh":
            box = _box(found, notes, where)
            boxes += [box] if box else []
        elif found.tag in ("Laurl", "laurl"):
            urls.append(found.text.strip() or found.get("licenseUrl"))
    scheme = node.get("schemeIdUri")
    return Protection(
        scheme=scheme.lower() if scheme.lower().startswith("urn:uuid:") else scheme or "unknown",
        value=node.get("value"),
        key_ids=tuple(key_ids),
        pssh=tuple(boxes),
        licence_urls=tuple(url for url in urls if url),
        robustness=node.get("robustness"),
        body=node.inner_xml(),
    )


def _box(node: Node, notes: Notes, where: str) -> bytes:
    data = decode_base64(node.text)
    if data is None or len(data) < _PSSH_HEAD_BYTES or data[4:8] != b"pssh":
        notes.repair("a pssh was left out", where, "it is no base64 of a pssh box")
        return b""
    size = int.from_bytes(data[:4], "big")
    return data if size == len(data) else pack(">I", len(data)) + data[4:]


def decode_base64(text: str) -> bytes | None:
    """Base64 with spaces and line breaks; None when it is none."""
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def inband_events(node: Node, notes: Notes, where: str) -> tuple[InbandEvents, ...]:
    return tuple([
        InbandEvents(found.get("schemeIdUri"), found.get("value"), integer(found, "timescale", notes, where, 1))
        for found in node.all("InbandEventStream")
    ])  # fmt: skip


def reference_times(node: Node, notes: Notes, where: str) -> tuple[ProducerReferenceTime, ...]:
    """ProducerReferenceTime elements (5.12)."""
    at = f"{where}/ProducerReferenceTime"
    return tuple([
        ProducerReferenceTime(
            integer(found, "id", notes, at),
            found.get("type", "encoder"),
            date(found, "wallClockTime", notes, at),
            integer(found, "presentationTime", notes, at),
            flag(found, "inband", False, notes, at),
            found.get("applicationScheme"),
        )
        for found in node.all("ProducerReferenceTime")
    ])  # fmt: skip


def resyncs(node: Node, notes: Notes, where: str) -> tuple[Resync, ...]:
    """Resync elements (5.13)."""
    at = f"{where}/Resync"
    return tuple([
        Resync(
            integer(found, "type", notes, at),
            optional_integer(found, "dT", notes, at),
            _distance(found, "dImin"),
            _distance(found, "dImax"),
            flag(found, "marker", False, notes, at),
        )
        for found in node.all("Resync")
    ])  # fmt: skip


def _distance(node: Node, name: str) -> Fraction | None:
    return parse_frame_rate(node.attrib[name]) if name in node.attrib else None


def channels(node: Node) -> str:
    """The value of its AudioChannelConfiguration; "" without one."""
    found = node.child("AudioChannelConfiguration")
    return found.get("value") if found is not None else ""
