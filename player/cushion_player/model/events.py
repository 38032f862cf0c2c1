"""What happens along a presentation: events, date ranges, and other presentations that are put in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from cushion_player.model.basics import Extra


class Event(NamedTuple):
    """One event of a stream (5.10.2). Seconds from the start of its period; duration None when not said."""

    start: Fraction
    duration: Fraction | None
    id: int | None
    body: str
    """Its text, or its child elements as XML (SCTE-35 is kept as written)."""
    data: bytes | None = None
    """The message where it is binary: base64 content, or the Binary of SCTE-35."""


@dataclass(frozen=True, slots=True)
class EventStream:
    """Events of one scheme in a period."""

    scheme: str
    value: str
    events: tuple[Event, ...]
    timescale: int = 1
    presentation_offset: int = 0


class InbandEvents(NamedTuple):
    """Segments carry events of this scheme in `emsg` boxes."""

    scheme: str
    value: str = ""
    timescale: int = 1


MPD_VALIDITY_SCHEME = "urn:mpeg:dash:event:2012"
"""Events that say until when a manifest is valid: value 1 expires it, 2 also carries a patch, 3 a whole manifest."""


class Cue(StrEnum):
    """When an interstitial plays, if not at its start time."""

    PRE = "PRE"
    POST = "POST"
    ONCE = "ONCE"


@dataclass(frozen=True, slots=True)
class InterstitialAsset:
    """One entry of an asset list."""

    url: str
    duration: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Interstitial:
    """Another presentation to play here (HLS interstitials; DASH alternative MPD events).

    start: seconds since 1970 UTC (HLS) or from the start of the period (DASH); see `is_absolute`.
    resume_offset: where to go on in the primary, seconds after the start; None: after what was played (HLS) or
        at the start (DASH insertion says 0).
    """

    id: str
    start: Fraction
    is_absolute: bool
    duration: Fraction | None = None
    asset_url: str = ""
    asset_list_url: str = ""
    """JSON that lists several assets: a need when it is to be played."""
    assets: tuple[InterstitialAsset, ...] = ()
    """What the list held, once read; with `asset_url` set, that one is all."""
    resume_offset: Fraction | None = None
    playout_limit: Fraction | None = None
    snap: tuple[str, ...] = ()
    """`IN`, `OUT`: align with segment boundaries of the primary."""
    restrict: tuple[str, ...] = ()
    """`SKIP`, `JUMP`: what the viewer may not do."""
    cues: tuple[Cue, ...] = ()
    replaces: bool = True
    """It takes the place of the primary, which goes on beneath; False: the primary waits."""
    timeline_occupies: str = ""
    timeline_style: str = ""
    content_may_vary: bool = True
    plays_once: bool = False
    earliest_resolution: Fraction | None = None
    """Seconds before the start from which it may be fetched."""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class DateRange:
    """An HLS EXT-X-DATERANGE. Instants are seconds since 1970 UTC."""

    id: str
    class_name: str = ""
    start: Fraction | None = None
    end: Fraction | None = None
    duration: Fraction | None = None
    planned_duration: Fraction | None = None
    end_on_next: bool = False
    cues: tuple[Cue, ...] = ()
    scte35_command: bytes | None = None
    scte35_out: bytes | None = None
    scte35_in: bytes | None = None
    extra: tuple[Extra, ...] = ()
    """Client attributes (X-…) as written."""
