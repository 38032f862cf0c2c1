"""The tree: Presentation, Period, AdaptationSet, Representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from cushion_player.model.basics import Container, ContentKind, Descriptor, Extra, Label, Repair
from cushion_player.model.events import DateRange, EventStream, InbandEvents, Interstitial
from cushion_player.model.live import (
    BaseUrl,
    ContentSteering,
    LiveWindow,
    Location,
    PatchLocation,
    PlaylistInfo,
    ProducerReferenceTime,
    Resync,
    ServiceDescription,
    Start,
    UtcTiming,
)
from cushion_player.model.protection import Protection
from cushion_player.model.segments import InitSegment, LazySegments, Segment, SegmentPattern


class Tiles(NamedTuple):
    """One image holds columns × rows thumbnails, in reading order."""

    columns: int
    rows: int
    each: Fraction | None = None
    """Seconds that one stands for (HLS); None where they share the time of their image evenly."""


@dataclass(frozen=True, slots=True)
class Representation:
    """One quality of a set.

    bitrate_bps: the mean rate of the real segment sizes when all are known; else what was declared (DASH @bandwidth,
        HLS AVERAGE-BANDWIDTH or BANDWIDTH, which count the audio group in); 0 when nothing is known.
    declared_bitrate_bps, peak_bitrate_bps: as the manifest has them; 0 when it does not.
    timescale, time_offset: ticks a second of `segments`; media time at the start of the period, in the same ticks,
        None where the manifest does not say (HLS).
    source: the media playlist or the one file that must be read before segments are known; "" when none.
    pattern: instead of segments, where they come one a duration without a listed end (live).
    availability_time_offset: seconds a segment may be asked for before its end; None is at any time.
    """

    id: str
    bitrate_bps: int = 0
    declared_bitrate_bps: int = 0
    peak_bitrate_bps: int = 0
    width_px: int = 0
    height_px: int = 0
    frame_rate: Fraction | None = None
    codecs: str = ""
    container: Container = Container.UNKNOWN
    timescale: int = 1
    time_offset: int | None = None
    init: InitSegment | None = None
    segments: Sequence[Segment] = ()
    protection: tuple[str, ...] = ()
    """Encryption methods in force, as the manifest names them; () when in the clear."""
    source: str = ""
    pattern: SegmentPattern | None = None
    protections: tuple[Protection, ...] = ()
    mime_type: str = ""
    profiles: tuple[str, ...] = ()
    supplemental_codecs: str = ""
    sample_rate_hz: int = 0
    channels: str = ""
    """AudioChannelConfiguration's value, HLS CHANNELS: as written (`2`, `F801`, `16/JOC`)."""
    scan_type: str = ""
    video_range: str = ""
    """HLS VIDEO-RANGE."""
    dependency_ids: tuple[str, ...] = ()
    quality_ranking: int | None = None
    score: Fraction | None = None
    """HLS SCORE: higher is better."""
    tiles: Tiles | None = None
    max_playout_rate: Fraction | None = None
    bases: tuple[BaseUrl, ...] = ()
    """Every place that has it, preferred first; segments are addressed at the first."""
    pathway: str = ""
    alternatives: tuple[str, ...] = ()
    """Further media playlists with the same content (HLS redundant variants)."""
    stable_id: str = ""
    availability_time_offset: Fraction | None = Fraction(0)
    availability_time_complete: bool = True
    essential: tuple[Descriptor, ...] = ()
    supplemental: tuple[Descriptor, ...] = ()
    inband_events: tuple[InbandEvents, ...] = ()
    reference_times: tuple[ProducerReferenceTime, ...] = ()
    resyncs: tuple[Resync, ...] = ()
    playlist: PlaylistInfo | None = None
    """Of its media playlist, once read (HLS)."""
    excluded: str = ""
    """Why it must be left alone; "" when it may be played."""
    extra: tuple[Extra, ...] = ()

    @property
    def sizes_known(self) -> bool:
        """Whether every segment's exact size is known from its byte range."""
        if not self.segments:
            return False
        if isinstance(self.segments, LazySegments):
            return self.segments.total_bytes() is not None
        return all(segment.address.size_bytes is not None for segment in self.segments)

    def duration(self) -> Fraction:
        """Seconds from the first segment's start to the last one's end; 0 without segments."""
        if not self.segments:
            return Fraction(0)
        return Fraction(self.segments[-1].end - self.segments[0].start, self.timescale)


@dataclass(frozen=True, slots=True)
class AdaptationSet:
    """Representations of the same content, between which a player may switch."""

    id: str
    kind: ContentKind
    representations: tuple[Representation, ...]
    language: str = ""
    """BCP 47, as written; "" when not said."""
    roles: tuple[str, ...] = ()
    """DASH role values (`main`, `alternate`, `caption` …); HLS DEFAULT=YES reads as `main`."""
    label: str = ""
    is_muxed: bool = False
    """Video segments that carry the audio too (HLS variants without an audio playlist)."""
    essential: tuple[str, ...] = ()
    """Schemes of essential properties: who does not know them must leave the set alone."""
    labels: tuple[Label, ...] = ()
    accessibility: tuple[Descriptor, ...] = ()
    """DASH Accessibility; HLS CHARACTERISTICS under the scheme `characteristics`."""
    essential_properties: tuple[Descriptor, ...] = ()
    supplemental_properties: tuple[Descriptor, ...] = ()
    trick_of: tuple[str, ...] = ()
    """Ids of the sets that this one shows at speed (trick mode); HLS I-frame playlists: every video set."""
    switchable_with: tuple[str, ...] = ()
    """Ids of sets between whose representations a player may switch too."""
    continues: tuple[str, ...] = ()
    """Ids of earlier periods whose set of the same id this one continues: no new initialisation is needed."""
    connects: tuple[str, ...] = ()
    """Ids of earlier periods whose initialisation fits this one too (period connectivity)."""
    selection_priority: int = 1
    group: str = ""
    """DASH @group; HLS GROUP-ID."""
    is_aligned: bool | None = None
    """DASH @segmentAlignment or @subsegmentAlignment; None when not said."""
    is_forced: bool = False
    is_autoselect: bool = True
    captions_in_video: tuple[Descriptor, ...] = ()
    """CEA-608/708 services that the video carries (DASH Accessibility; HLS CLOSED-CAPTIONS)."""
    excluded: str = ""
    """Why it must be left alone (an essential property that is not known here); "" when it may be played."""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Preselection:
    """A combination of sets that makes one experience (5.3.11)."""

    id: str
    components: tuple[str, ...]
    """Ids of adaptation sets; the first is the main one."""
    tag: str = ""
    codecs: str = ""
    language: str = ""
    roles: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    order: str = "undefined"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the presentation with its own sets. Seconds; duration None when not known."""

    id: str
    start: Fraction
    duration: Fraction | None
    adaptation_sets: tuple[AdaptationSet, ...]
    event_streams: tuple[EventStream, ...] = ()
    asset: Descriptor | None = None
    """Which work it is a part of: periods with the same one belong together."""
    preselections: tuple[Preselection, ...] = ()
    service_descriptions: tuple[ServiceDescription, ...] = ()
    interstitials: tuple[Interstitial, ...] = ()
    supplemental: tuple[Descriptor, ...] = ()
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlyPeriod:
    """A period announced before its start is known (5.3.2.1)."""

    id: str
    duration: Fraction | None
    adaptation_sets: tuple[AdaptationSet, ...]


class SessionData(NamedTuple):
    """HLS EXT-X-SESSION-DATA: a value, or the URL of one."""

    id: str
    value: str = ""
    url: str = ""
    language: str = ""
    format: str = "JSON"


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a manifest describes. `url` is the manifest's; `duration` in seconds, None when live or not said.

    next_url, fallback_urls: what to play when it ends (MPD chaining) and when it cannot be played.
    state: what the reader keeps for a refresh; nobody else looks into it.
    """

    kind: str
    """`dash` or `hls`."""
    url: str
    is_live: bool
    duration: Fraction | None
    periods: tuple[Period, ...]
    repairs: tuple[Repair, ...] = ()
    live: LiveWindow = field(default_factory=LiveWindow)
    early_periods: tuple[EarlyPeriod, ...] = ()
    min_buffer_time: Fraction | None = None
    profiles: tuple[str, ...] = ()
    utc_timings: tuple[UtcTiming, ...] = ()
    locations: tuple[Location, ...] = ()
    patch_locations: tuple[PatchLocation, ...] = ()
    bases: tuple[BaseUrl, ...] = ()
    steering: ContentSteering | None = None
    service_descriptions: tuple[ServiceDescription, ...] = ()
    next_url: str = ""
    fallback_urls: tuple[str, ...] = ()
    date_ranges: tuple[DateRange, ...] = ()
    interstitials: tuple[Interstitial, ...] = ()
    start: Start | None = None
    session_data: tuple[SessionData, ...] = ()
    session_keys: tuple[Protection, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    """HLS EXT-X-DEFINE, as far as they were resolved."""
    has_independent_segments: bool = False
    id: str = ""
    information: tuple[Extra, ...] = ()
    """ProgramInformation: title, source, copyright …"""
    essential: tuple[Descriptor, ...] = ()
    supplemental: tuple[Descriptor, ...] = ()
    extra: tuple[Extra, ...] = ()
    state: object = field(default=None, compare=False, repr=False)
