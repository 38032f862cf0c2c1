"""MPEG-DASH: an MPD becomes a presentation (ISO/IEC 23009-1, with DASH-IF's reading where it is unclear).

Descends MPD, Period, AdaptationSet, Representation, handing down base URLs, attributes and segment information.
Segments themselves are made in `dash_segments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from cushion_player.boxes import read_sidx
from cushion_player.errors import DecodeError, ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.dash_segments import Budget, Context, Media, Outline, expand, whole_file
from cushion_player.manifest.dash_xml import attribute, child, children, integer, name_of, parse_xml
from cushion_player.manifest.guard import MAX_SEGMENTS, Base
from cushion_player.manifest.reading import (
    Need,
    NeedKind,
    Notes,
    ReadResult,
    edit_representation,
    with_durations,
    with_real_bitrate,
    without_need,
)
from cushion_player.manifest.values import (
    container_of_mime_type,
    parse_duration,
    parse_frame_rate,
    split_codecs,
)
from cushion_player.model import (
    AdaptationSet,
    Address,
    ContentKind,
    Period,
    Presentation,
    Representation,
    Segment,
)

_OUTLINES = ("SegmentTemplate", "SegmentList", "SegmentBase")
_XLINK_NOTHING = "urn:mpeg:dash:resolve-to-zero:2013"
_HARMLESS = "urn:mpeg:mpegb:cicp:"
"""Essential properties that only describe colour."""
INDEX_HEAD_BYTES = 64 * 1024
"""What is asked for of a nested index, whose reference also covers its media: room for 5,000 segments."""


def read(text: str, url: str) -> ReadResult:
    """Read an MPD that `guard` let in. Raises ManifestError kinds with the place."""
    root = parse_xml(text)
    if name_of(root) != "MPD":
        raise ManifestSyntaxError(f"the root element is {name_of(root)[:40]!r}, not MPD", location=url)
    return _Reader(root, url).read()


@dataclass(slots=True)
class _Level:
    """What is handed down from element to element."""

    base: Base
    outlines: tuple[Element, ...]
    """The levels that may hold segment information, nearest first."""
    where: str


@dataclass(frozen=True, slots=True)
class _PeriodSpan:
    element: Element
    start: Fraction
    duration: Fraction | None


class _Reader:
    def __init__(self, root: Element, url: str) -> None:
        self.root = root
        self.url = url
        self.notes = Notes()
        self.budget = Budget()
        self.needs: list[Need] = []
        self.is_live = root.attrib.get("type", "static").strip().lower() == "dynamic"

    def read(self) -> ReadResult:
        total = self._duration(self.root, "mediaPresentationDuration", "MPD")
        base = self._base(self.root, Base(self.url), "MPD")
        spans = list(self._period_spans(total))
        if not spans:
            raise UnsupportedManifestFeature("the MPD has no period that can be read", location="MPD")
        periods = tuple(self._period(index, span, base) for index, span in enumerate(spans))
        presentation = Presentation("dash", self.url, self.is_live, total, periods, tuple(self.notes.repairs))
        return ReadResult(presentation if self.needs else with_durations(presentation), tuple(self.needs))

    # ----------------------------------------------------------------------- periods

    def _period_spans(self, total: Fraction | None) -> Iterator[_PeriodSpan]:
        """Each period with its start and duration (5.3.2.1)."""
        elements: list[Element] = []
        for index, element in enumerate(children(self.root, "Period")):
            href = attribute(element, "href")
            if href is None:
                elements.append(element)
            elif href != _XLINK_NOTHING:
                self.notes.repair("a remote period was left out", f"MPD/Period[{index}]", "xlink is not followed yet")
        starts: list[Fraction | None] = []
        durations: list[Fraction | None] = []
        for index, element in enumerate(elements):
            where = f"MPD/Period[{index}]"
            start = self._duration(element, "start", where)
            if start is None and index == 0:
                start = Fraction(0)
            elif start is None and starts[-1] is not None and durations[-1] is not None:
                start = starts[-1] + durations[-1]
            starts.append(start)
            durations.append(self._duration(element, "duration", where))
        for index, (element, start, duration) in enumerate(zip(elements, starts, durations, strict=True)):
            if start is None:
                self.notes.repair(
                    "a period without a known start was left out",
                    f"MPD/Period[{index}]",
                    "5.3.2.1: it is early available",
                )
                continue
            following = starts[index + 1] if index + 1 < len(starts) else total
            if following is not None and following > start and (duration is None or index + 1 < len(starts)):
                duration = following - start
            yield _PeriodSpan(element, start, duration)

    def _period(self, index: int, span: _PeriodSpan, base: Base) -> Period:
        where = f"MPD/Period[{index}]"
        level = _Level(self._base(span.element, base, where), (span.element,), where)
        seen: set[str] = set()
        sets = tuple(
            self._adaptation_set(element, f"{where}/AdaptationSet[{number}]", number, level, span, index, seen)
            for number, element in enumerate(children(span.element, "AdaptationSet"))
            if attribute(element, "href") != _XLINK_NOTHING
        )
        kept = tuple(item for item in sets if item.representations)
        return Period(span.element.attrib.get("id", str(index)), span.start, span.duration, kept)

    # ----------------------------------------------------------------------- sets

    def _adaptation_set(
        self, element: Element, where: str, number: int, period: _Level, span: _PeriodSpan, index: int, seen: set[str]
    ) -> AdaptationSet:
        level = _Level(self._base(element, period.base, where), (element, *period.outlines), where)
        components = [
            self._representation(found, element, f"{where}/Representation[{position}]", level, span, index, seen)
            for position, found in enumerate(children(element, "Representation"))
        ]
        kind, is_muxed = _content_kind(element, components)
        label = child(element, "Label")
        essential = tuple(found.attrib.get("schemeIdUri", "") for found in children(element, "EssentialProperty"))
        return AdaptationSet(
            id=element.attrib.get("id", str(number)),
            kind=kind,
            representations=tuple(components),
            language=element.attrib.get("lang", ""),
            roles=tuple(found.attrib.get("value", "") for found in children(element, "Role")),
            label=(label.text or "").strip() if label is not None else "",
            is_muxed=is_muxed,
            essential=tuple(scheme for scheme in essential if not scheme.lower().startswith(_HARMLESS)),
        )

    def _representation(
        self,
        element: Element,
        parent: Element,
        where: str,
        above: _Level,
        span: _PeriodSpan,
        index: int,
        seen: set[str],
    ) -> Representation:
        def inherited(name: str) -> str:
            return element.attrib.get(name) or parent.attrib.get(name, "")

        def size(name: str) -> int:
            return max(0, integer(element if name in element.attrib else parent, name, self.notes, where))

        base = self._base(element, above.base, where)
        bandwidth = max(0, integer(element, "bandwidth", self.notes, where))
        identity = self._unique_id(element.attrib.get("id", ""), seen, where)
        context = Context(
            base, element.attrib.get("id", ""), bandwidth, span.duration, self.is_live, self.notes, self.budget
        )
        outline = _outline((element, *above.outlines), where)
        media = expand(outline, context) if outline is not None else whole_file(context)
        codecs = inherited("codecs")
        protections = children(parent, "ContentProtection") + children(element, "ContentProtection")
        frame_rate = inherited("frameRate")
        representation = Representation(
            id=identity,
            bitrate_bps=bandwidth,
            declared_bitrate_bps=bandwidth,
            width_px=size("width"),
            height_px=size("height"),
            frame_rate=parse_frame_rate(frame_rate) if frame_rate else None,
            codecs=codecs.strip(),
            container=container_of_mime_type(inherited("mimeType")),
            timescale=media.timescale,
            time_offset=media.time_offset,
            init=media.init,
            segments=media.segments,
            protection=tuple(dict.fromkeys(found.attrib.get("schemeIdUri", "unknown") for found in protections)),
            source=base.url if outline is None or outline.kind == "SegmentBase" else "",
        )
        self._note_need(media, representation, index, where)
        return with_real_bitrate(representation)

    def _note_need(self, media: Media, representation: Representation, index: int, where: str) -> None:
        if media.index_address is not None:
            label = f"the segment index of {representation.id or where}"
            self.needs.append(Need(NeedKind.SIDX, *media.index_address, label, index, representation.id))

    def _unique_id(self, identity: str, seen: set[str], where: str) -> str:
        """@id must be unique in a period; where it is not, the later one is renamed."""
        unique, count = identity, 1
        while unique in seen or not unique:
            count += 1
            unique = f"{identity}#{count}"
        if unique != identity:
            self.notes.repair(
                f"representation {identity!r} was renamed {unique!r}", where, "5.3.5.2: @id is unique in its period"
            )
        seen.add(unique)
        return unique

    # ----------------------------------------------------------------------- attributes

    def _base(self, element: Element, base: Base, where: str) -> Base:
        """The first BaseURL; alternatives are for fail-over, which comes later."""
        found = child(element, "BaseURL")
        text = (found.text or "").strip() if found is not None else ""
        return base.child(text, f"{where}/BaseURL") if text else base

    def _duration(self, element: Element, name: str, where: str) -> Fraction | None:
        text = element.attrib.get(name)
        if text is None:
            return None
        value = parse_duration(text)
        if value is None or value < 0:
            self.notes.repair(f"{text[:40]!r} was ignored", f"{where}@{name}", "it is no duration")
            return None
        return value


def _outline(levels: tuple[Element, ...], where: str) -> Outline | None:
    """The segment information in force: the nearest level's kind, with that kind's elements of all levels."""
    kind = next((name for level in levels for name in _OUTLINES if child(level, name) is not None), None)
    if kind is None:
        return None
    found = (child(level, kind) for level in levels)
    return Outline(kind, tuple(element for element in found if element is not None), f"{where}/{kind}")


def _content_kind(element: Element, representations: list[Representation]) -> tuple[ContentKind, bool]:
    """What a set carries, from @contentType, the MIME type or the codecs, and whether video and audio are muxed."""
    codecs = next((item.codecs for item in representations if item.codecs), "")
    mime_types = [element.attrib.get("mimeType", "")]
    mime_types += [found.attrib.get("mimeType", "") for found in children(element, "Representation")]
    mime_type = next((text.lower() for text in mime_types if text), "")
    video, audio, text = split_codecs(codecs)
    declared = element.attrib.get("contentType", "").lower()
    is_muxed = bool(video and audio)
    for candidate in (declared, mime_type.split("/")[0]):
        if candidate in ("video", "audio", "text", "image"):
            return ContentKind(candidate), is_muxed and candidate == "video"
    if video or audio or text:
        return ContentKind.VIDEO if video else ContentKind.AUDIO if audio else ContentKind.TEXT, is_muxed
    if "ttml" in mime_type or "vtt" in mime_type:
        return ContentKind.TEXT, False
    return ContentKind.UNKNOWN, False


# --------------------------------------------------------------------------- segment indexes


def resolve(result: ReadResult, need: Need, body: bytes) -> ReadResult:
    """Put in the segments that an index lists; indexes that it lists (6.3.3 lets them nest) become needs."""
    first = need.byte_range[0] if need.byte_range else 0
    try:
        index = read_sidx(body, file_position=first)
    except DecodeError as exc:
        raise ManifestSyntaxError(f"{need.label}: {exc}", location=need.url) from exc
    segments: list[Segment] = []
    deeper: list[Need] = []
    position, time = index.anchor, index.earliest
    for reference in index.references:
        span = (position, position + reference.size - 1)
        if reference.is_index and reference.size:
            head = min(reference.size, INDEX_HEAD_BYTES)
            deeper.append(replace(need, byte_range=(position, position + head - 1)))
        elif reference.size and reference.duration:
            segments.append(Segment(Address(need.url, span), time, reference.duration))
        position += reference.size
        time += reference.duration
    count = sum(
        len(item.segments)
        for period in result.presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
    )
    if count + len(segments) + len(deeper) + len(result.needs) > MAX_SEGMENTS:
        raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=need.url)

    def edit(representation: Representation) -> Representation:
        return with_real_bitrate(_indexed(representation, index.timescale, segments))

    presentation = edit_representation(result.presentation, need, edit)
    return without_need(presentation, replace(result, needs=(*result.needs, *deeper)), need)


def _indexed(representation: Representation, timescale: int, found: list[Segment]) -> Representation:
    """The representation with more segments (times on the media timeline, in ticks of an index), in file order."""
    offset = (representation.time_offset or 0) * timescale // representation.timescale
    if representation.segments and timescale != representation.timescale:
        raise UnsupportedManifestFeature("segment indexes of one file with different timescales")
    moved = [segment._replace(start=segment.start - offset) for segment in found]
    ordered = sorted((*representation.segments, *moved), key=lambda segment: segment.address.byte_range or (0, None))
    numbered = tuple(segment._replace(number=number) for number, segment in enumerate(ordered, 1))
    return replace(representation, timescale=timescale, time_offset=offset, segments=numbered)
