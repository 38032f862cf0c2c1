"""Events of an MPD (5.10.2) and the presentations that they put in (5.16)."""

from __future__ import annotations

from fractions import Fraction

from cushion_player.errors import ManifestError
from cushion_player.manifest.dash_descriptors import decode_base64
from cushion_player.manifest.dash_values import duration, flag, integer, optional_integer
from cushion_player.manifest.guard import Base
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import Event, EventStream, Extra, Interstitial

_ALTERNATIVES = ("InsertPresentation", "ReplacePresentation", "AlternativeMPD")
_EARLIEST_RESOLUTION_S = 60
"""Ed. 6, 5.16.5: what holds when @earliestResolutionTimeOffset is absent."""
_NO_LIMIT = 1 << 51


def event_streams(period: Node, notes: Notes, where: str) -> tuple[EventStream, ...]:
    """EventStream elements, their events ordered by time."""
    streams: list[EventStream] = []
    for index, element in enumerate(period.all("EventStream")):
        at = f"{where}/EventStream[{index}]"
        timescale = _timescale(element, notes, at)
        offset = integer(element, "presentationTimeOffset", notes, at)
        events = [
            _event(found, timescale, offset, notes, f"{at}/Event[{number}]")
            for number, found in enumerate(element.all("Event"))
        ]
        streams.append(
            EventStream(
                element.get("schemeIdUri"),
                element.get("value"),
                tuple(sorted(events, key=lambda event: event.start)),
                timescale,
                offset,
            )
        )
    return tuple(streams)


def _timescale(element: Node, notes: Notes, where: str) -> int:
    timescale = integer(element, "timescale", notes, where, 1)
    if timescale > 0:
        return timescale
    notes.repair(f"timescale {timescale} was read as 1", where, "it must be positive")
    return 1


def _event(node: Node, timescale: int, offset: int, notes: Notes, where: str) -> Event:
    ticks = optional_integer(node, "duration", notes, where)
    start = Fraction(integer(node, "presentationTime", notes, where) - offset, timescale)
    body = node.attrib.get("messageData")
    if body is None:
        body = node.inner_xml() if node.children else node.text.strip()
    return Event(
        start,
        Fraction(ticks, timescale) if ticks is not None else None,
        optional_integer(node, "id", notes, where),
        body,
        _binary(node, body),
    )


def _binary(node: Node, body: str) -> bytes | None:
    """What is base64: the content where it says so, and the Binary of SCTE-35."""
    if node.get("contentEncoding") == "base64":
        return decode_base64(body)
    binary = next((found for found in node.walk() if found.tag == "Binary"), None)
    return decode_base64(binary.text) if binary is not None else None


def interstitials(period: Node, base: Base, notes: Notes, where: str) -> tuple[Interstitial, ...]:
    """Alternative MPD events as interstitials; seconds from the start of the period."""
    found: list[Interstitial] = []
    for index, element in enumerate(period.all("EventStream")):
        at = f"{where}/EventStream[{index}]"
        timescale = _timescale(element, Notes(), at)
        offset = integer(element, "presentationTimeOffset", Notes(), at)
        for number, event in enumerate(element.all("Event")):
            alternative = next((item for item in event.children if item.tag in _ALTERNATIVES), None)
            if alternative is None:
                continue
            place = f"{at}/Event[{number}]/{alternative.tag}"
            try:
                url = base.resolve(alternative.get("uri") or alternative.get("url"), place)
            except ManifestError as exc:
                notes.repair(f"an alternative presentation was left out: {exc}", place, "the main one can be played")
                continue
            start = Fraction(integer(event, "presentationTime", notes, place) - offset, timescale)
            found.append(_interstitial(event, alternative, url, start, timescale, notes, place))
    return tuple(found)


def _interstitial(
    event: Node, alternative: Node, url: str, start: Fraction, timescale: int, notes: Notes, where: str
) -> Interstitial:
    def span(node: Node, name: str) -> Fraction | None:
        ticks = optional_integer(node, name, notes, where)
        return Fraction(ticks, timescale) if ticks is not None and ticks < _NO_LIMIT else None

    replaces = alternative.tag == "ReplacePresentation" or alternative.get("mode").lower() == "replace"
    skip_after = duration(alternative, "skipAfter", notes, where)
    resume = span(alternative, "returnOffset")
    earliest = span(alternative, "earliestResolutionTimeOffset")
    kept = ("clip", "startWithOffset", "noJump", "skipAfter", "serviceDescriptionId", "executeOnce")
    return Interstitial(
        id=event.get("id"),
        start=start,
        is_absolute=False,
        duration=span(event, "duration"),
        asset_url=url,
        resume_offset=resume if replaces else Fraction(0),
        playout_limit=span(alternative, "maxDuration"),
        restrict=(
            *(("JUMP",) if integer(alternative, "noJump", notes, where) else ()),
            *(("SKIP",) if skip_after else ()),
        ),
        replaces=replaces,
        plays_once=flag(alternative, "executeOnce", False, notes, where),
        earliest_resolution=Fraction(_EARLIEST_RESOLUTION_S) if earliest is None else earliest,
        extra=tuple(Extra(f"@{name}", alternative.attrib[name]) for name in kept if name in alternative.attrib),
    )
