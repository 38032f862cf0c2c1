"""Adaptation sets and representations of a period (5.3.3, 5.3.5), with everything they inherit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.manifest import dash_descriptors as described
from cushion_player.manifest.dash_bases import Places, descend
from cushion_player.manifest.dash_segments import Budget, Context, Media, Outline, availability, expand, whole_file
from cushion_player.manifest.dash_values import decimal, integer, optional_integer, words
from cushion_player.manifest.reading import Need, NeedKind, Notes, with_real_bitrate
from cushion_player.manifest.values import container_of_mime_type, parse_frame_rate, split_codecs
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import (
    AdaptationSet,
    ContentKind,
    Descriptor,
    InbandEvents,
    Preselection,
    ProducerReferenceTime,
    Protection,
    Representation,
    Resync,
)

MAX_REPRESENTATIONS = 256
"""Of one set: each costs some 50 µs to read, whatever its length, and ladders have a few dozen rungs at most."""
_OUTLINES = ("SegmentTemplate", "SegmentList", "SegmentBase")


@dataclass(slots=True)
class Reading:
    """What one reading of an MPD gathers."""

    is_live: bool
    notes: Notes = field(default_factory=Notes)
    budget: Budget = field(default_factory=Budget)
    needs: list[Need] = field(default_factory=list[Need])
    referable: dict[str, Node] | None = None
    """ContentProtection elements of the whole MPD by @refId, once one was referred to."""


@dataclass(frozen=True, slots=True)
class Within:
    """The period that sets are read in."""

    index: int
    duration: Fraction | None
    node: Node
    places: Places
    where: str
    seen: dict[str, int]
    """Representation ids met so far, and how often."""
    root: Node
    """Shared ContentProtection elements may be referred to from anywhere (5.8.4.1)."""


def read_sets(within: Within, reading: Reading) -> tuple[AdaptationSet, ...]:
    """Every adaptation set that has representations."""
    sets = [
        _read_set(node, f"{within.where}/AdaptationSet[{number}]", number, within, reading)
        for number, node in enumerate(within.node.all("AdaptationSet"))
    ]
    return tuple(item for item in sets if item.representations)


def read_preselections(period: Node) -> tuple[Preselection, ...]:
    """Preselection elements, and sets' descriptors of that meaning (5.3.11)."""
    found = [
        Preselection(
            id=node.get("id", "1"),
            components=words(node.get("preselectionComponents")),
            tag=node.get("tag"),
            codecs=node.get("codecs"),
            language=node.get("lang"),
            roles=tuple(item.value for item in described.descriptors(node, "Role")),
            labels=described.labels(node),
            order=node.get("order", "undefined"),
        )
        for node in period.all("Preselection")
    ]
    for node in period.all("AdaptationSet"):
        properties = described.descriptors(node, "SupplementalProperty") + described.descriptors(
            node, "EssentialProperty"
        )
        for item in properties:
            if item.scheme == described.PRESELECTION and item.value:
                tag, _, rest = item.value.partition(",")
                found.append(Preselection(item.id or tag, words(rest) or (node.get("id"),), tag))
    return tuple(found)


def _read_set(node: Node, where: str, number: int, within: Within, reading: Reading) -> AdaptationSet:
    notes = reading.notes
    places = descend(node, within.places, notes, where)
    levels = (node, within.node)
    essential = described.descriptors(node, "EssentialProperty")
    supplemental = described.descriptors(node, "SupplementalProperty")
    protections = _protections(node, within.root, reading, where)
    shared = _Shared(
        node,
        levels,
        _outline(levels),
        places,
        protections,
        tuple(dict.fromkeys(item.scheme for item in protections)),
        essential + supplemental,
        channels=described.channels(node),
        inband_events=described.inband_events(node, notes, where),
        reference_times=described.reference_times(node, notes, where),
        resyncs=described.resyncs(node, notes, where),
    )
    elements = node.all("Representation")
    if len(elements) > MAX_REPRESENTATIONS:
        raise UnsupportedManifestFeature(f"more than {MAX_REPRESENTATIONS} representations in a set", location=where)
    representations = tuple([
        _read_representation(found, f"{where}/Representation[{position}]", shared, within, reading)
        for position, found in enumerate(elements)
    ])  # fmt: skip
    kind, is_muxed = _content_kind(node, representations)
    properties = essential + supplemental
    if any(item.scheme in described.THUMBNAILS for item in properties) or any(item.tiles for item in representations):
        kind = ContentKind.IMAGE
    unknown = described.unknown_essential(essential)
    if unknown:
        notes.repair(f"the set is left alone: essential property {unknown[:80]!r}", where, "5.8.4.8: it is not known")
    names = described.labels(node)
    accessibility = described.descriptors(node, "Accessibility")
    alignment = node.attrib.get("segmentAlignment", node.attrib.get("subsegmentAlignment"))
    roles = tuple(item.value for item in described.descriptors(node, "Role"))
    component = node.child("ContentComponent")
    return AdaptationSet(
        id=node.get("id", str(number)),
        kind=kind,
        representations=representations,
        language=node.get("lang") or (component.get("lang") if component is not None else ""),
        roles=roles,
        label=names[0].text if names else "",
        is_muxed=is_muxed,
        essential=described.restricting(essential),
        labels=names,
        accessibility=accessibility,
        essential_properties=essential,
        supplemental_properties=supplemental,
        trick_of=described.values_of(properties, described.TRICK_MODE),
        switchable_with=described.values_of(properties, described.SET_SWITCHING),
        continues=described.values_of(properties, described.PERIOD_CONTINUITY),
        connects=described.values_of(properties, described.PERIOD_CONNECTIVITY),
        selection_priority=integer(node, "selectionPriority", notes, where, 1),
        group=node.get("group"),
        is_aligned=None if alignment is None else alignment.strip().lower() not in ("false", "0"),
        is_forced=any(role in ("forced-subtitle", "forced_subtitle") for role in roles),
        captions_in_video=tuple(item for item in accessibility if item.scheme in described.CAPTIONS),
        excluded=f"essential property {unknown}" if unknown else "",
        extra=described.extras(node),
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What a set hands down to its representations."""

    node: Node
    levels: tuple[Node, ...]
    outline: tuple[Node, ...]
    """What holds for representations without segment information of their own."""
    places: Places
    protections: tuple[Protection, ...]
    schemes: tuple[str, ...]
    """Of the protections."""
    properties: tuple[Descriptor, ...]
    channels: str
    inband_events: tuple[InbandEvents, ...]
    reference_times: tuple[ProducerReferenceTime, ...]
    resyncs: tuple[Resync, ...]


def _read_representation(node: Node, where: str, shared: _Shared, within: Within, reading: Reading) -> Representation:
    notes, parent = reading.notes, shared.node

    def inherited(name: str) -> str:
        return node.attrib.get(name) or parent.attrib.get(name, "")

    def number(name: str) -> int:
        return max(0, integer(node if name in node.attrib else parent, name, notes, where))

    places = descend(node, shared.places, notes, where)
    bandwidth = max(0, integer(node, "bandwidth", notes, where))
    identity = _unique_id(node.get("id"), within.seen, notes, where)
    base = places[0].base
    context = Context(base, node.get("id"), bandwidth, within.duration, reading.is_live, notes, reading.budget)
    nodes = _outline((node, *shared.levels)) if node.children else shared.outline
    outline = Outline(nodes[0].tag, nodes, f"{where}/{nodes[0].tag}") if nodes else None
    media = expand(outline, context) if outline is not None else whole_file(context)
    offset, is_complete = availability(outline, places[0].info.availability_time_offset, notes)
    essential = described.descriptors(node, "EssentialProperty")
    supplemental = described.descriptors(node, "SupplementalProperty")
    unknown = described.unknown_essential(essential)
    if unknown:
        what = f"the representation is left alone: essential property {unknown[:80]!r}"
        notes.repair(what, where, "5.8.4.8: it is not known")
    protections, schemes = shared.protections, shared.schemes
    own = _protections(node, within.root, reading, where)
    if own:
        protections += own
        schemes = tuple(dict.fromkeys((*schemes, *(item.scheme for item in own))))
    frame_rate = inherited("frameRate")
    mime_type = inherited("mimeType").strip()
    quality = optional_integer(node, "qualityRanking", notes, where)
    representation = Representation(
        id=identity,
        bitrate_bps=bandwidth,
        declared_bitrate_bps=bandwidth,
        width_px=number("width"),
        height_px=number("height"),
        frame_rate=parse_frame_rate(frame_rate) if frame_rate else None,
        codecs=inherited("codecs").strip(),
        container=container_of_mime_type(mime_type),
        timescale=media.timescale,
        time_offset=media.time_offset,
        init=media.init,
        segments=media.segments,
        protection=schemes,
        source=base.url if outline is None or outline.kind == "SegmentBase" else "",
        pattern=media.pattern,
        protections=protections,
        mime_type=mime_type,
        profiles=words(inherited("profiles")),
        supplemental_codecs=(node.local("supplementalCodecs") or parent.local("supplementalCodecs") or "").strip(),
        sample_rate_hz=_sample_rate(inherited("audioSamplingRate")),
        channels=described.channels(node) or shared.channels,
        scan_type=inherited("scanType"),
        dependency_ids=words(node.get("dependencyId")),
        quality_ranking=quality,
        tiles=described.tiles(essential + supplemental + shared.properties, notes, where),
        max_playout_rate=decimal(inherited("maxPlayoutRate") or None),
        bases=tuple(place.info for place in places),
        availability_time_offset=offset,
        availability_time_complete=is_complete and places[0].info.availability_time_complete,
        essential=essential,
        supplemental=supplemental,
        inband_events=shared.inband_events + described.inband_events(node, notes, where),
        reference_times=shared.reference_times + described.reference_times(node, notes, where),
        resyncs=described.resyncs(node, notes, where) or shared.resyncs,
        excluded=f"essential property {unknown}" if unknown else "",
        extra=described.extras(node),
    )
    _note_need(media, representation, within.index, where, reading)
    return with_real_bitrate(representation)


def _sample_rate(text: str) -> int:
    """@audioSamplingRate; of a range the higher end."""
    found = [int(word) for word in text.split() if word.isascii() and word.isdigit() and len(word) < 10]
    return max(found, default=0)


def _note_need(media: Media, representation: Representation, index: int, where: str, reading: Reading) -> None:
    if media.index_address is not None:
        label = f"the segment index of {representation.id or where}"
        reading.needs.append(Need(NeedKind.SIDX, *media.index_address, label, index, representation.id))


def _unique_id(identity: str, seen: dict[str, int], notes: Notes, where: str) -> str:
    """@id must be unique in a period; where it is not, the later one is renamed."""
    unique = identity
    while unique in seen or not unique:
        count = seen[identity] = seen.get(identity, 1) + 1
        unique = f"{identity}#{count}"
    if unique != identity:
        notes.repair(
            f"representation {identity!r} was renamed {unique!r}", where, "5.3.5.2: @id is unique in its period"
        )
    seen[unique] = 1
    return unique


def _protections(node: Node, root: Node, reading: Reading, where: str) -> tuple[Protection, ...]:
    """A level's ContentProtection; an empty one with @ref takes what the referred one has (@refId)."""
    notes = reading.notes
    own = described.protections(node, notes, where)
    elements = node.all("ContentProtection")
    if not any("ref" in element.attrib for element in elements):
        return own
    if reading.referable is None:
        found_at = [item for item in root.walk() if item.tag == "ContentProtection" and "refId" in item.attrib]
        reading.referable = {item.attrib["refId"]: item for item in reversed(found_at)}
    filled: list[Protection] = []
    for element, found in zip(elements, own, strict=True):
        wanted = element.attrib.get("ref")
        source = reading.referable.get(wanted or "")
        if wanted and source is None:
            notes.repair(f"ContentProtection refers to {wanted[:40]!r}", where, "no element has this @refId")
        if source is None:
            filled.append(found)
            continue
        around = Node("AdaptationSet", {})
        around.children = [source]
        referred = described.protections(around, notes, where)[0]
        filled.append(
            replace(
                referred,
                scheme=found.scheme if found.scheme != "unknown" else referred.scheme,
                value=found.value or referred.value,
                key_ids=found.key_ids or referred.key_ids,
                pssh=found.pssh or referred.pssh,
            )
        )
    return tuple(filled)


def _outline(levels: tuple[Node, ...]) -> tuple[Node, ...]:
    """The segment information in force: of the nearest level's kind, that kind's elements of all levels."""
    kind = next((name for level in levels for name in _OUTLINES if level.child(name) is not None), None)
    if kind is None:
        return ()
    found = (level.child(kind) for level in levels)
    return tuple(node for node in found if node is not None)


def _content_kind(node: Node, representations: tuple[Representation, ...]) -> tuple[ContentKind, bool]:
    """What a set carries, from @contentType, the MIME type or the codecs, and whether video and audio are muxed."""
    codecs = next((item.codecs for item in representations if item.codecs), "")
    mime_type = next((item.mime_type.lower() for item in representations if item.mime_type), "")
    mime_type = mime_type or node.get("mimeType").lower()
    video, audio, text = split_codecs(codecs)
    components = {item.get("contentType").lower() for item in node.all("ContentComponent")}
    is_muxed = bool(video and audio) or {"video", "audio"} <= components
    declared = node.get("contentType").lower()
    single = next(iter(components)) if len(components) == 1 else "video" if "video" in components else ""
    for candidate in (declared, mime_type.split("/")[0], single):
        if candidate in ("video", "audio", "text", "image"):
            return ContentKind(candidate), is_muxed and candidate == "video"
    if video or audio or text:
        return ContentKind.VIDEO if video else ContentKind.AUDIO if audio else ContentKind.TEXT, is_muxed
    if "ttml" in mime_type or "vtt" in mime_type:
        return ContentKind.TEXT, False
    return ContentKind.UNKNOWN, False
