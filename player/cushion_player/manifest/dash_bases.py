"""BaseURL (5.6): where a level's references lead, and every other place with the same content."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cushion_player.errors import ManifestError
from cushion_player.manifest.dash_values import duration, flag, integer, offset_seconds
from cushion_player.manifest.guard import Base
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import BaseUrl

MAX_BASES = 16
"""Of one representation: base URLs multiply from level to level."""


@dataclass(frozen=True, slots=True)
class Place:
    """One base URL with what resolves against it."""

    base: Base
    info: BaseUrl


Places = tuple[Place, ...]
"""Preferred first; never empty."""


def outermost(url: str) -> Places:
    """The place of the manifest itself."""
    return (Place(Base(url), BaseUrl(url)),)


def descend(node: Node, above: Places, notes: Notes, where: str) -> Places:
    """The places of an element: each BaseURL of its own against each of the level above (5.6.4).

    Raises ManifestError kinds when none of them may be pointed at.
    """
    elements = [found for found in node.all("BaseURL") if found.text.strip()]
    if not elements:
        return above
    places: list[Place] = []
    refused: ManifestError | None = None
    for index, element in enumerate(elements):
        at = f"{where}/BaseURL[{index}]" if len(elements) > 1 else f"{where}/BaseURL"
        for place in above:
            if len(places) == MAX_BASES:
                notes.repair(f"base URLs after the first {MAX_BASES} were left out", at, "they multiply by level")
                break
            try:
                child = place.base.child(element.text, at)
            except ManifestError as exc:
                refused = refused or exc
                notes.repair(f"a base URL was left out: {exc}", at, "another may be used")
                continue
            places.append(Place(child, _info(element, child.url, place.info, notes, at)))
    if not places and refused is not None:
        raise refused
    unique = {place.base.url: place for place in reversed(places)}
    kept = [place for place in places if unique[place.base.url] is place]
    return tuple(sorted(kept, key=lambda place: place.info.priority))


def _info(element: Node, url: str, above: BaseUrl, notes: Notes, where: str) -> BaseUrl:
    text = element.attrib.get("availabilityTimeOffset")
    own = offset_seconds(text, notes, f"{where}@availabilityTimeOffset") if text is not None else Fraction(0)
    priority, weight = element.local("priority"), element.local("weight")
    depth = duration(element, "timeShiftBufferDepth", notes, where)
    return BaseUrl(
        url,
        element.get("serviceLocation") or above.service_location or url,
        _number(element, "priority", notes, where) if priority is not None else above.priority,
        _number(element, "weight", notes, where) if weight is not None else above.weight,
        None if own is None or above.availability_time_offset is None else own + above.availability_time_offset,
        flag(element, "availabilityTimeComplete", above.availability_time_complete, notes, where),
        depth if depth is not None else above.time_shift_buffer_depth,
    )


def _number(element: Node, name: str, notes: Notes, where: str) -> int:
    """A dvb: attribute, whatever its prefix; 1 when it is no number, at least 1."""
    plain = Node("BaseURL", {name: element.local(name) or ""})
    return max(1, integer(plain, name, notes, where, 1))
