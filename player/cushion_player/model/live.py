"""What a live presentation says about itself: windows, clocks, where to reload, and how to follow the edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from cushion_player.model.basics import Descriptor
from cushion_player.model.events import DateRange
from cushion_player.model.segments import Chunk


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """When a dynamic presentation is there. Instants are seconds since 1970 UTC, spans are seconds; exact.

    minimum_update_period: None when the manifest will not change; 0 when changes are announced in events or on demand.
    time_shift_buffer_depth: None when everything since the start stays.
    """

    availability_start: Fraction | None = None
    availability_end: Fraction | None = None
    publish_time: Fraction | None = None
    minimum_update_period: Fraction | None = None
    time_shift_buffer_depth: Fraction | None = None
    suggested_presentation_delay: Fraction | None = None
    max_segment_duration: Fraction | None = None
    target_duration: Fraction | None = None
    """HLS EXT-X-TARGETDURATION."""
    playlist_type: str = ""
    """HLS `EVENT`, `VOD` or ""."""


@dataclass(frozen=True, slots=True)
class UtcTiming:
    """A way to learn the time (5.8.4.11). `value` is its URLs (resolved, separated by spaces) or the time itself."""

    scheme: str
    value: str
    method: str
    """`head`, `xsdate`, `iso`, `direct`, or "" for those that are not supported (ntp, sntp)."""

    @property
    def is_supported(self) -> bool:
        return bool(self.method)


class BaseUrl(NamedTuple):
    """One of several places with the same content; lower priority first, then by weight (DVB-DASH 10.8.2.1).

    weight: 0 where nothing is said; then the order they are listed in counts. params: what a cloned pathway adds to the
    query of every URL below it.
    """

    url: str
    service_location: str = ""
    priority: int = 1
    weight: int = 0
    availability_time_offset: Fraction | None = Fraction(0)
    """Seconds a segment is there before its end; None is INF."""
    availability_time_complete: bool = True
    time_shift_buffer_depth: Fraction | None = None
    params: tuple[tuple[str, str], ...] = ()


class Location(NamedTuple):
    """Where a manifest is to be reloaded from."""

    url: str
    service_location: str = ""


class PatchLocation(NamedTuple):
    """Where changes to an MPD can be had, and for how many seconds after its publication (None: for ever)."""

    url: str
    ttl: Fraction | None = None
    service_location: str = ""


@dataclass(frozen=True, slots=True)
class ContentSteering:
    """Who decides which service location (DASH) or pathway (HLS) to use."""

    server_url: str
    default: tuple[str, ...] = ()
    """Service locations or pathways to begin with, preferred first."""
    query_before_start: bool = False
    client_requirement: bool = True
    proxy_url: str = ""
    """Who is asked instead, and told the server's URL (DASH)."""


class PathwayClone(NamedTuple):
    """A pathway that a steering manifest makes from another."""

    base_id: str
    id: str
    host: str = ""
    params: tuple[tuple[str, str], ...] = ()
    per_variant_uris: tuple[tuple[str, str], ...] = ()
    per_rendition_uris: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SteeringManifest:
    """What a steering server answered. `ttl_s`: ask again after; `reload_url`: there."""

    ttl_s: int
    reload_url: str
    priority: tuple[str, ...]
    clones: tuple[PathwayClone, ...] = ()


class Latency(NamedTuple):
    """Wanted distance from the edge, ms as the manifest has it; None where it says nothing."""

    target_ms: int | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    reference_id: int | None = None
    """The ProducerReferenceTime it is counted from."""


class PlaybackRate(NamedTuple):
    min: Fraction | None = None
    max: Fraction | None = None


class CmcdReporting(NamedTuple):
    """Common media client data the service asks for (CTA-5004, ClientDataReporting)."""

    mode: str = "query"
    version: int = 1
    keys: tuple[str, ...] = ()
    content_id: str = ""
    session_id: str = ""
    include_in: tuple[str, ...] = ("segment",)
    service_locations: tuple[str, ...] = ()
    adaptation_sets: tuple[str, ...] = ()


class OperatingRange(NamedTuple):
    """Quality or bandwidth a service wants of one media type."""

    media_type: str = "any"
    minimum: int | None = None
    maximum: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceDescription:
    """How the service wants to be played (Annex K; HLS EXT-X-SERVER-CONTROL reads as a latency)."""

    id: str = ""
    scopes: tuple[Descriptor, ...] = ()
    latency: Latency = field(default_factory=Latency)
    playback_rate: PlaybackRate = field(default_factory=PlaybackRate)
    operating_bandwidth: tuple[OperatingRange, ...] = ()
    operating_quality: tuple[OperatingRange, ...] = ()
    cmcd: CmcdReporting | None = None
    steering: ContentSteering | None = None


class ProducerReferenceTime(NamedTuple):
    """Wall-clock time at which a media time was captured or encoded (5.12). Ticks of the representation."""

    id: int
    kind: str
    wall_clock: Fraction | None
    presentation_time: int
    is_inband: bool = False
    scheme: str = ""


class Resync(NamedTuple):
    """Where inside segments decoding may start (5.13). Spans in ticks, distances in bytes."""

    kind: int = 0
    max_interval: int | None = None
    min_bytes: Fraction | None = None
    max_bytes: Fraction | None = None
    has_marker: bool = False


# --------------------------------------------------------------------------- media playlists (HLS)


@dataclass(frozen=True, slots=True)
class Start:
    """Where the author wants playback to begin (HLS EXT-X-START): seconds, from the end when negative."""

    offset: Fraction
    is_precise: bool = False


class ServerControl(NamedTuple):
    """EXT-X-SERVER-CONTROL; seconds."""

    can_block_reload: bool = False
    can_skip_until: Fraction | None = None
    can_skip_dateranges: bool = False
    hold_back: Fraction | None = None
    part_hold_back: Fraction | None = None


class HintKind(StrEnum):
    """What a preload hint announces."""

    PART = "PART"
    MAP = "MAP"


class PreloadHint(NamedTuple):
    """What will be there next; `last` None: to the end of the resource."""

    kind: HintKind
    url: str
    first_byte: int = 0
    last_byte: int | None = None


class RenditionReport(NamedTuple):
    """How far another playlist has come."""

    url: str
    last_sequence: int | None
    last_part: int | None = None


@dataclass(frozen=True, slots=True)
class PlaylistInfo:
    """What a media playlist says beside its segments."""

    target_duration: Fraction = Fraction(0)
    version: int = 1
    media_sequence: int = 0
    discontinuity_sequence: int = 0
    playlist_type: str = ""
    has_ended: bool = False
    is_iframes_only: bool = False
    part_target: Fraction | None = None
    server_control: ServerControl = field(default_factory=ServerControl)
    partial: tuple[Chunk, ...] = ()
    """What is there of the segment after the last listed one (its number is the last one's plus one)."""
    preload_hints: tuple[PreloadHint, ...] = ()
    rendition_reports: tuple[RenditionReport, ...] = ()
    start: Start | None = None
    date_ranges: tuple[DateRange, ...] = ()
    unknown_skipped: int = 0
    """Segments before the first listed one that a delta update left out and that nothing before it told of."""
