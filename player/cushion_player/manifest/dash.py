"""MPEG-DASH: an MPD becomes a presentation (ISO/IEC 23009-1, with DASH-IF's reading where it is unclear).

    text ─ xml_tree ─ dash_links ─ dash (periods) ─ dash_sets ─ dash_segments ─ Presentation

The tree is kept in `Presentation.state`, so that remote elements and patches change it instead of being read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from cushion_player.errors import ManifestError, ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest import dash_descriptors as described
from cushion_player.manifest import dash_service as service
from cushion_player.manifest.dash_bases import Places, descend, outermost
from cushion_player.manifest.dash_events import event_streams, interstitials
from cushion_player.manifest.dash_index import carry_over, resolve_index
from cushion_player.manifest.dash_links import Link, fill_in, find_links, unlinked
from cushion_player.manifest.dash_sets import Reading, Within, read_preselections, read_sets
from cushion_player.manifest.dash_values import date, duration, words
from cushion_player.manifest.guard import Base, check_text
from cushion_player.manifest.reading import Need, NeedKind, ReadResult, with_durations
from cushion_player.manifest.xml_tree import Node, parse_xml
from cushion_player.model import (
    Descriptor,
    EarlyPeriod,
    Extra,
    LiveWindow,
    Period,
    Presentation,
    Repair,
)


@dataclass(frozen=True, slots=True)
class DashState:
    """What is kept for the next reading: the tree while it may change, and the links in it that are open."""

    root: Node | None
    links: tuple[Link, ...]
    text: str | bytes = ""
    """As it came, to tell when nothing changed."""


def read(text: str, url: str, body: str | bytes = "") -> ReadResult:
    """Read an MPD that `guard` let in; `body` is what it came as. Raises ManifestError kinds with the place."""
    root = parse_xml(text)
    if root.tag != "MPD":
        raise ManifestSyntaxError(f"the root element is {root.tag[:40]!r}, not MPD", location=url)
    return keep_text(read_tree(root, url, ()), body)


def keep_text(result: ReadResult, body: str | bytes) -> ReadResult:
    """The result with what it was read from, by which a refresh sees that nothing changed."""
    state = result.presentation.state
    assert isinstance(state, DashState), "the presentation was read from an MPD"
    may_change = result.presentation.is_live or bool(state.links)
    root = state.root if may_change else None
    if state.root is not None and body == state.root.source:
        body = state.root.source  # one copy will do
    presentation = replace(result.presentation, state=replace(state, root=root, text=body))
    return replace(result, presentation=presentation)


def read_tree(root: Node, url: str, links: tuple[Link, ...]) -> ReadResult:
    """Read the tree of an MPD, of which some links are known already."""
    return _Reader(root, url, links).read()


@dataclass(frozen=True, slots=True)
class _PeriodSpan:
    node: Node
    where: str
    start: Fraction | None
    duration: Fraction | None


class _Reader:
    def __init__(self, root: Node, url: str, links: tuple[Link, ...]) -> None:
        kind = root.get("type", "static").strip().lower()
        self.reading = Reading(kind == "dynamic")
        self.notes = self.reading.notes
        self.url = url
        self.base = Base(url)
        self.root, self.links = find_links(root, self.base, links, self.notes)
        if kind not in ("static", "dynamic"):
            self.notes.repair(f"type {kind[:40]!r} was read as static", "MPD@type", "only static and dynamic are known")

    def read(self) -> ReadResult:
        root, notes = self.root, self.notes
        total = duration(root, "mediaPresentationDuration", notes, "MPD")
        places = descend(root, outermost(self.url), notes, "MPD")
        required = tuple(link.need for link in self.links if link.is_required)
        spans = list(self._period_spans(total))
        periods = tuple(
            self._period(index, span, places)
            for index, span in enumerate(item for item in spans if item.start is not None)
        )
        if not periods and not required:
            raise UnsupportedManifestFeature("the MPD has no period that can be read", location="MPD")
        waiting = [span for span in spans if span.start is None] if self.reading.is_live else []
        early = tuple(self._early(span, places) for span in waiting)
        presentation = self._presentation(total, places, periods, early)
        presentation = replace(presentation, repairs=tuple(notes.repairs))
        if required:
            return ReadResult(presentation, required)
        needs = tuple(self.reading.needs)
        return ReadResult(presentation if needs else with_durations(presentation), needs)

    def _presentation(
        self, total: Fraction | None, places: Places, periods: tuple[Period, ...], early: tuple[EarlyPeriod, ...]
    ) -> Presentation:
        root, notes, base = self.root, self.notes, self.base
        essential = described.descriptors(root, "EssentialProperty")
        supplemental = described.descriptors(root, "SupplementalProperty")
        unknown = described.unknown_essential(essential)
        if unknown:
            what = f"the MPD is read in spite of essential property {unknown[:80]!r}"
            notes.repair(what, "MPD", "5.8.4.8 would have it ignored; players of the web play it")
        chained = self._chained(essential + supplemental, described.CHAINING)
        descriptions = service.service_descriptions(root, base, notes, "MPD")
        steering = service.steering(root, base, notes, "MPD")
        information = root.child("ProgramInformation")
        return Presentation(
            kind="dash",
            url=self.url,
            is_live=self.reading.is_live,
            duration=total,
            periods=periods,
            live=self._live(),
            early_periods=early,
            min_buffer_time=duration(root, "minBufferTime", notes, "MPD"),
            profiles=words(root.get("profiles")),
            utc_timings=service.utc_timings(root, base, notes),
            locations=service.locations(root, base, notes),
            patch_locations=service.patch_locations(root, base, notes),
            bases=tuple(place.info for place in places) if root.child("BaseURL") is not None else (),
            steering=steering or next((item.steering for item in descriptions if item.steering), None),
            service_descriptions=descriptions,
            next_url=chained[0] if chained else "",
            fallback_urls=self._chained(essential + supplemental, described.FALLBACK),
            id=root.get("id"),
            information=tuple(Extra(item.tag, item.text.strip()) for item in information.children)
            if information is not None
            else (),
            essential=essential,
            supplemental=supplemental,
            extra=described.extras(root),
            state=DashState(self.root, self.links),
        )

    def _chained(self, properties: tuple[Descriptor, ...], scheme: str) -> tuple[str, ...]:
        """URLs in the properties of a scheme (MPD chaining, 5.11)."""
        urls: list[str] = []
        for word in described.values_of(properties, scheme):
            try:
                urls.append(self.base.resolve(word, "MPD"))
            except ManifestError as exc:
                self.notes.repair(f"a further MPD was left out: {exc}", "MPD", "this one can be played")
        return tuple(urls)

    def _live(self) -> LiveWindow:
        root, notes = self.root, self.notes
        published = date(root, "publishTime", notes, "MPD")
        if not self.reading.is_live:
            longest = duration(root, "maxSegmentDuration", notes, "MPD")
            return LiveWindow(publish_time=published, max_segment_duration=longest)
        start = date(root, "availabilityStartTime", notes, "MPD")
        if start is None:
            notes.repair("availabilityStartTime was read as 1970", "MPD", "5.3.1.2: a dynamic MPD must have it")
            start = Fraction(0)
        return LiveWindow(
            availability_start=start,
            availability_end=date(root, "availabilityEndTime", notes, "MPD"),
            publish_time=published,
            minimum_update_period=duration(root, "minimumUpdatePeriod", notes, "MPD"),
            time_shift_buffer_depth=duration(root, "timeShiftBufferDepth", notes, "MPD"),
            suggested_presentation_delay=duration(root, "suggestedPresentationDelay", notes, "MPD"),
            max_segment_duration=duration(root, "maxSegmentDuration", notes, "MPD"),
        )

    # ----------------------------------------------------------------------- periods

    def _period_spans(self, total: Fraction | None) -> Iterator[_PeriodSpan]:
        """Each period with its start and duration (5.3.2.1); the start of one that is early available is None."""
        waiting = {id(link.node) for link in self.links if link.is_required}
        found = [(index, node) for index, node in enumerate(self.root.all("Period")) if id(node) not in waiting]
        starts: list[Fraction | None] = []
        durations: list[Fraction | None] = []
        for index, node in found:
            where = f"MPD/Period[{index}]"
            start = duration(node, "start", self.notes, where)
            if start is None and not starts:
                start = Fraction(0)
                if self.reading.is_live and "start" not in node.attrib and len(found) > 1 and index:
                    start = None
            elif start is None and starts[-1] is not None and durations[-1] is not None:
                start = starts[-1] + durations[-1]
            starts.append(start)
            durations.append(duration(node, "duration", self.notes, where))
        for at, ((index, node), start, length) in enumerate(zip(found, starts, durations, strict=True)):
            where = f"MPD/Period[{index}]"
            if start is None:
                if not self.reading.is_live:
                    why = "5.3.2.1: it is early available"
                    self.notes.repair("a period without a known start was left out", where, why)
                yield _PeriodSpan(node, where, None, length)
                continue
            following = starts[at + 1] if at + 1 < len(starts) else total
            if following is not None and following > start and (length is None or at + 1 < len(starts)):
                length = following - start
            yield _PeriodSpan(node, where, start, length)

    def _within(self, index: int, span: _PeriodSpan, above: Places) -> Within:
        places = descend(span.node, above, self.notes, span.where)
        return Within(index, span.duration, span.node, places, span.where, {}, self.root)

    def _period(self, index: int, span: _PeriodSpan, above: Places) -> Period:
        node, where, notes = span.node, span.where, self.notes
        within = self._within(index, span, above)
        assets = described.descriptors(node, "AssetIdentifier")
        assert span.start is not None
        return Period(
            id=node.get("id", str(index)),
            start=span.start,
            duration=span.duration,
            adaptation_sets=read_sets(within, self.reading),
            event_streams=event_streams(node, notes, where),
            asset=assets[0] if assets else None,
            preselections=read_preselections(node),
            service_descriptions=service.service_descriptions(node, self.base, notes, where),
            interstitials=interstitials(node, within.places[0].base, notes, where),
            supplemental=described.descriptors(node, "SupplementalProperty"),
            extra=described.extras(node),
        )

    def _early(self, span: _PeriodSpan, above: Places) -> EarlyPeriod:
        """A period announced before its start is known; its sets tell what will be needed."""
        apart = Reading(True, self.notes, self.reading.budget)
        within = self._within(0, span, above)
        return EarlyPeriod(span.node.get("id"), span.duration, read_sets(within, apart))


# --------------------------------------------------------------------------- needs


def resolve(result: ReadResult, need: Need, body: bytes, url: str) -> ReadResult:
    """Go on with a segment index or a remote element that was fetched."""
    if need.kind is not NeedKind.XLINK:
        return resolve_index(result, need, body)
    state, root, link = _link(result, need)
    _, text = check_text(body, url)
    return _reread(result.presentation, fill_in(root, link, text), state)


def forgo(result: ReadResult, need: Need, reason: str) -> ReadResult:
    """Go on without a remote element: what the MPD has in its place is used (5.5.3)."""
    state, root, link = _link(result, need)
    again = _reread(result.presentation, unlinked(root, link), state)
    repair = Repair(f"{need.label} was left out: {reason}", need.url, "5.5.3: what stands in its place is used")
    presentation = replace(again.presentation, repairs=(*again.presentation.repairs, repair))
    return replace(again, presentation=presentation)


def later_needs(presentation: Presentation) -> tuple[Need, ...]:
    """Remote elements that are to be fetched only when they are wanted (actuate="onRequest")."""
    state = presentation.state
    return tuple(link.need for link in state.links if not link.is_required) if isinstance(state, DashState) else ()


def _link(result: ReadResult, need: Need) -> tuple[DashState, Node, Link]:
    state = result.presentation.state
    assert isinstance(state, DashState), "the presentation was read from an MPD"
    assert state.root is not None, "a tree with links is kept"
    return state, state.root, next(link for link in state.links if link.need == need)


def _reread(previous: Presentation, root: Node, state: DashState) -> ReadResult:
    result = carry_over(read_tree(root, previous.url, state.links), previous)
    repairs = result.presentation.repairs
    kept = tuple(item for item in previous.repairs if item.why.startswith("5.5.3") and item not in repairs)
    presentation = replace(result.presentation, repairs=(*repairs, *kept))
    return keep_text(replace(result, presentation=presentation), state.text)
