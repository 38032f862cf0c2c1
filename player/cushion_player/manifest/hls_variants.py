"""HLS multivariant playlists: what there is to play, before any media playlist is read (RFC 8216bis 4.4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls_lines import Variables, attributes, lines
from cushion_player.manifest.hls_tags import read_key, read_protection, read_start
from cushion_player.manifest.reading import Notes
from cushion_player.model import ContentKind, ContentSteering, Extra, Protection, SessionData, Start

MAX_PLAYLISTS = 1000
"""Variants and renditions of one presentation: fifty languages in a dozen groups, and room to spare."""

KINDS = {
    "AUDIO": ContentKind.AUDIO,
    "SUBTITLES": ContentKind.TEXT,
    "VIDEO": ContentKind.VIDEO,
    "CLOSED-CAPTIONS": ContentKind.TEXT,
}
GROUP_NAMES = ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS")
_GROUP_OF = {ContentKind.AUDIO: "AUDIO", ContentKind.VIDEO: "VIDEO", ContentKind.TEXT: "SUBTITLES"}
_SOURCES = {
    "EXT-X-I-FRAME-STREAM-INF": "iframes",
    "EXT-X-IMAGE-STREAM-INF": "images",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """EXT-X-STREAM-INF and its URI, or EXT-X-I-FRAME-STREAM-INF and the like, which carry it. URLs are absolute."""

    attributes: Mapping[str, str]
    url: str
    where: str
    alternatives: tuple[Variant, ...] = ()
    """Redundant ones: the same content elsewhere, or on other pathways."""

    @property
    def pathway(self) -> str:
        return self.attributes.get("PATHWAY-ID", "")


@dataclass(frozen=True, slots=True)
class Rendition:
    """EXT-X-MEDIA."""

    attributes: Mapping[str, str]
    kind: ContentKind
    url: str
    """"" when the variant's own segments carry it."""
    where: str
    alternatives: tuple[Rendition, ...] = ()

    @property
    def group(self) -> str:
        return self.attributes.get("GROUP-ID", "")

    @property
    def is_captions(self) -> bool:
        return self.attributes.get("TYPE", "").upper() == "CLOSED-CAPTIONS"


@dataclass(slots=True)
class Multivariant:
    """Everything a multivariant playlist says."""

    variants: list[Variant] = field(default_factory=list[Variant])
    iframes: list[Variant] = field(default_factory=list[Variant])
    images: list[Variant] = field(default_factory=list[Variant])
    renditions: list[Rendition] = field(default_factory=list[Rendition])
    session_data: list[SessionData] = field(default_factory=list[SessionData])
    session_keys: dict[Protection, None] = field(default_factory=dict[Protection, None])
    steering: ContentSteering | None = None
    start: Start | None = None
    has_independent_segments: bool = False
    variables: dict[str, str] = field(default_factory=dict[str, str])
    extra: list[Extra] = field(default_factory=list[Extra])

    def size(self) -> int:
        """How many playlists it lists."""
        return len(self.variants) + len(self.renditions) + len(self.iframes) + len(self.images)


def read_multivariant(text: str, url: str, notes: Notes) -> Multivariant:
    """Read a multivariant playlist. Raises ManifestError kinds with the line."""
    return _Reader(url, notes).read(text)


class _Reader:
    def __init__(self, url: str, notes: Notes) -> None:
        self.base = Base(url)
        self.notes = notes
        self.variables = Variables(url, {})
        self.listed = Multivariant(variables=self.variables.values)

    def read(self, text: str) -> Multivariant:
        listed = self.listed
        pending: dict[str, str] | None = None
        for at, name, value in lines(text):
            if name == "EXT-X-STREAM-INF":
                if pending is not None:
                    self.notes.repair("an EXT-X-STREAM-INF without URI was left out", f"line {at}", "4.4.6.2")
                pending = self.variables.attributes(value, at)
            elif not name:
                self._uri(pending, value, at)
                pending = None
            else:
                self._tag(name, value, at)
            if listed.size() > MAX_PLAYLISTS:
                raise UnsupportedManifestFeature(f"more than {MAX_PLAYLISTS} playlists", location=f"line {at}")
        if pending is not None:
            self.notes.repair("an EXT-X-STREAM-INF without URI was left out", "the last line", "4.4.6.2")
        return listed

    def _uri(self, pending: dict[str, str] | None, value: str, at: int) -> None:
        where = f"line {at}"
        if pending is None:
            self.notes.repair("a URI without EXT-X-STREAM-INF was left out", where, "4.4.6.2: nothing says what it is")
            return
        url = self.base.resolve(self.variables.substitute(value, at), where)
        self.listed.variants.append(Variant(pending, url, where))

    def _tag(self, name: str, value: str, at: int) -> None:
        listed = self.listed
        if name == "EXT-X-MEDIA":
            self._media(self.variables.attributes(value, at), at)
        elif name in _SOURCES:
            self._variant_with_uri(_SOURCES[name], self.variables.attributes(value, at), at)
        elif name == "EXT-X-SESSION-DATA":
            self._session_data(self.variables.attributes(value, at), at)
        elif name == "EXT-X-SESSION-KEY":
            found = self.variables.attributes(value, at)
            protection = read_protection(found, read_key(found, self.base, at, self.notes))
            listed.session_keys.setdefault(protection)
        elif name == "EXT-X-CONTENT-STEERING":
            self._steering(self.variables.attributes(value, at), at)
        elif name == "EXT-X-DEFINE":
            self.variables.define(value, at, self.notes)
        elif name == "EXT-X-START":
            listed.start = read_start(attributes(value), at, self.notes)
        elif name == "EXT-X-INDEPENDENT-SEGMENTS":
            listed.has_independent_segments = True
        elif name not in ("EXTM3U", "EXT-X-VERSION"):
            listed.extra.append(Extra(name, value))

    def _media(self, found: dict[str, str], at: int) -> None:
        where = f"line {at}"
        kind = KINDS.get(found.get("TYPE", "").upper())
        if kind is None:
            self.notes.repair(f"a rendition of type {found.get('TYPE', '')[:40]!r} was left out", where, "4.4.6.1")
            return
        if "GROUP-ID" not in found:
            self.notes.repair("a rendition without GROUP-ID was kept", where, "4.4.6.1: nothing can refer to it")
        uri = found.get("URI", "")
        url = self.base.resolve(uri, where) if uri else ""
        self.listed.renditions.append(Rendition(found, kind, url, where))

    def _variant_with_uri(self, kind: str, found: dict[str, str], at: int) -> None:
        uri = found.get("URI", "")
        if not uri:
            self.notes.repair(f"a playlist of {kind} without URI was left out", f"line {at}", "4.4.6.3: it is required")
            return
        variants = self.listed.iframes if kind == "iframes" else self.listed.images
        variants.append(Variant(found, self.base.resolve(uri, f"line {at}"), f"line {at}"))

    def _session_data(self, found: dict[str, str], at: int) -> None:
        identity, uri, value = found.get("DATA-ID", ""), found.get("URI", ""), found.get("VALUE", "")
        if not identity or not (uri or "VALUE" in found):
            what = "session data without DATA-ID, or without VALUE and URI, was left out"
            self.notes.repair(what, f"line {at}", "4.4.6.4: they are required")
            return
        url = self.base.resolve(uri, f"line {at}") if uri else ""
        language, form = found.get("LANGUAGE", ""), found.get("FORMAT", "JSON").upper()
        self.listed.session_data.append(SessionData(identity, value, url, language, form))

    def _steering(self, found: dict[str, str], at: int) -> None:
        uri = found.get("SERVER-URI", "")
        if not uri:
            self.notes.repair("content steering without SERVER-URI was left out", f"line {at}", "4.4.6.6: required")
            return
        pathway = found.get("PATHWAY-ID", "")
        url = self.base.resolve(uri, f"line {at}")
        self.listed.steering = ContentSteering(url, (pathway,) if pathway else ())


# --------------------------------------------------------------------------- one of each


def without_copies(listed: Multivariant) -> Multivariant:
    """Variants and renditions of the same content as one, the others being its alternatives.

    Copies have equal attributes (redundant variants, 6.2.4 of RFC 8216), or differ in their pathway and its groups
    (content steering, 7.2). The pathway to begin with comes first.
    """
    preferred = listed.steering.default[0] if listed.steering is not None and listed.steering.default else ""
    variants: dict[object, list[Variant]] = {}
    for variant in listed.variants:
        variants.setdefault(_variant_signature(variant), []).append(variant)
    distinct = [_first_variant(copies, preferred) for copies in variants.values()]
    groups = _paired_groups(distinct)
    renditions: dict[object, list[Rendition]] = {}
    for number, rendition in enumerate(listed.renditions):
        pair = groups.get((_GROUP_OF[rendition.kind], rendition.group)) if rendition.url else None
        if pair is not None and pair.pathway:
            rendition = replace(rendition, attributes={**rendition.attributes, "PATHWAY-ID": pair.pathway})
        signature = _rendition_signature(rendition, number, pair)
        if pair is not None and any(copy.group == rendition.group for copy in renditions.get(signature, ())):
            signature = number
        renditions.setdefault(signature, []).append(rendition)
    return Multivariant(
        distinct,
        listed.iframes,
        listed.images,
        [_first_rendition(copies, preferred, groups) for copies in renditions.values()],
        listed.session_data,
        listed.session_keys,
        listed.steering,
        listed.start,
        listed.has_independent_segments,
        listed.variables,
        listed.extra,
    )


def _variant_signature(variant: Variant) -> object:
    found = dict(variant.attributes)
    if found.pop("PATHWAY-ID", None) is not None and "STABLE-VARIANT-ID" in found:
        return found["STABLE-VARIANT-ID"]
    for name in GROUP_NAMES:
        found.pop(name, None)
    return frozenset(found.items())


class _Pair(NamedTuple):
    """A group of renditions that stands for another one on its pathway."""

    group: str
    """Of the pathway to begin with."""
    pathway: str


def _paired_groups(variants: list[Variant]) -> dict[tuple[str, str], _Pair]:
    """By attribute and group, the first pathway's group of the same renditions: copies of a variant name both.

    A group that several pathways share is the same on each.
    """
    pairs: dict[tuple[str, str], _Pair] = {}
    for first in variants:
        for name in GROUP_NAMES:
            group = first.attributes.get(name, "")
            others = {copy.attributes.get(name, ""): copy for copy in first.alternatives}
            if not group or group in others or not any(others):
                continue
            pairs.setdefault((name, group), _Pair(group, first.pathway))
            for other, copy in others.items():
                if other:
                    pairs.setdefault((name, other), _Pair(group, copy.pathway))
    return pairs


def _rendition_signature(rendition: Rendition, number: int, pair: _Pair | None) -> object:
    """Renditions of other pathways' groups are copies of one another; those of one group never are."""
    found = dict(rendition.attributes)
    if pair is not None:
        for name in ("PATHWAY-ID", "URI", "STABLE-RENDITION-ID"):
            found.pop(name, None)
        return frozenset({**found, "GROUP-ID": pair.group}.items())
    if rendition.url and found.pop("PATHWAY-ID", None) is not None:
        found.pop("GROUP-ID", None)
        found.pop("URI", None)
        return frozenset(found.items())
    return number


def _first_variant(copies: list[Variant], preferred: str) -> Variant:
    first = next((item for item in copies if item.pathway == preferred), copies[0])
    others = tuple(item for item in copies if item is not first and item.url != first.url)
    return Variant(first.attributes, first.url, first.where, others)


def _first_rendition(copies: list[Rendition], preferred: str, groups: Mapping[tuple[str, str], _Pair]) -> Rendition:
    first = next((item for item in copies if item.attributes.get("PATHWAY-ID", "") == preferred), copies[0])
    pair = groups.get((_GROUP_OF[first.kind], first.group))
    if pair is not None:
        first = next((item for item in copies if item.group == pair.group), first)
    others = tuple(item for item in copies if item is not first and item.url != first.url)
    return Rendition(first.attributes, first.kind, first.url, first.where, others)
