"""What the two readers share: needs, results, repairs, and what is done to a model once it is complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from cushion_player.errors import ManifestError
from cushion_player.model import ByteRange, Period, Presentation, Repair, Representation

MAX_REPAIRS = 200
"""After these, further ones are tolerated in silence: one habit of a packager repeats for every segment."""


@dataclass(slots=True)
class Notes:
    """Repairs, gathered while reading."""

    repairs: list[Repair] = field(default_factory=list[Repair])

    def repair(self, what: str, where: str, why: str = "") -> None:
        if len(self.repairs) < MAX_REPAIRS:
            self.repairs.append(Repair(what, where, why))


class NeedKind(StrEnum):
    """What a need asks for."""

    PLAYLIST = "playlist"
    """A media playlist of an HLS presentation."""
    SIDX = "sidx"
    """The segment index of a single-file representation."""
    XLINK = "xlink"
    """A remote element of an MPD."""
    MANIFEST = "manifest"
    """The whole manifest again: a change to it did not fit."""
    ASSETS = "assets"
    """The list of what an HLS interstitial plays."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something to fetch before the presentation is complete. `label` says what, for messages."""

    kind: NeedKind
    url: str
    byte_range: ByteRange | None
    label: str
    period: int = 0
    representation: str = ""
    """The id of the representation it completes, within its period."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A presentation, whole once `needs` is empty. Representations with an open need have no segments yet."""

    presentation: Presentation
    needs: tuple[Need, ...] = ()


class Change(NamedTuple):
    """What a refresh did to one representation."""

    period: str
    representation: str
    added: int
    """Segments at its end."""
    removed: int
    """Segments that left its window."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """A presentation after a reload of its manifest or of one of its playlists.

    presentation: the very same object when nothing in it changed.
    needs: what must be fetched to go on (playlists of new representations; the whole playlist or manifest when a
        delta did not fit).
    changes: of the representations that changed; a new one has everything added.
    """

    presentation: Presentation
    needs: tuple[Need, ...] = ()
    changes: tuple[Change, ...] = ()


def drop(result: ReadResult, need: Need, reason: str) -> ReadResult:
    """Go on without the representation that needed this; the repair says so.

    Raises ManifestError with `reason` when no video and audio would be left.
    """
    presentation = edit_representation(result.presentation, need, lambda _: None)
    if not any(period.adaptation_sets for period in presentation.periods):
        raise ManifestError(f"{need.label}: {reason}", location=need.url)
    repair = Repair(f"{need.label} was left out: {reason}", need.url, "the other representations can be played")
    presentation = replace(presentation, repairs=(*presentation.repairs, repair))
    return without_need(presentation, result, need)


def without_need(presentation: Presentation, result: ReadResult, need: Need) -> ReadResult:
    """The next result, `need` being settled; with the last one the durations that were open are known."""
    needs = tuple(other for other in result.needs if other != need)
    return ReadResult(presentation if needs else with_durations(presentation), needs)


def with_durations(presentation: Presentation) -> Presentation:
    """The presentation with what its last period's segments tell of its duration, where the manifest does not."""
    last = presentation.periods[-1]
    ends = [
        Fraction(item.segments[-1].end, item.timescale)
        for adaptation_set in last.adaptation_sets
        for item in adaptation_set.representations
        if item.segments
    ]
    length = last.duration or max(ends, default=Fraction(0))
    if presentation.is_live or length <= 0:
        return presentation
    periods = (*presentation.periods[:-1], replace(last, duration=length))
    return replace(presentation, periods=periods, duration=presentation.duration or last.start + length)


def edit_representation(
    presentation: Presentation, need: Need, edit: Callable[[Representation], Representation | None]
) -> Presentation:
    """The presentation with the representation of a need replaced, or removed by None (and its set when empty)."""

    def edit_period(period: Period) -> Period:
        sets = []
        for adaptation_set in period.adaptation_sets:
            if any(item.id == need.representation for item in adaptation_set.representations):
                edited = [
                    edit(item) if item.id == need.representation else item for item in adaptation_set.representations
                ]
                kept = tuple(item for item in edited if item is not None)
                if not kept:
                    continue
                adaptation_set = replace(adaptation_set, representations=kept)
            sets.append(adaptation_set)
        return replace(period, adaptation_sets=tuple(sets))

    periods = tuple(
        edit_period(period) if index == need.period else period for index, period in enumerate(presentation.periods)
    )
    return replace(presentation, periods=periods)


def mean_bitrate_bps(representation: Representation) -> int | None:
    """Real bytes × 8 over real duration, when every segment's size is known."""
    if not representation.sizes_known:
        return None
    duration = representation.duration()
    if not duration:
        return None
    total_bytes = sum(segment.address.size_bytes or 0 for segment in representation.segments)
    return round(total_bytes * 8 / duration)


def with_real_bitrate(representation: Representation) -> Representation:
    """The representation with its bitrate measured from its segment sizes, where they are known."""
    measured = mean_bitrate_bps(representation)
    return replace(representation, bitrate_bps=measured) if measured else representation
