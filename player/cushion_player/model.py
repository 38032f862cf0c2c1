"""The common model of a presentation, whatever its manifest was written in.

    Presentation ─ Period ─ AdaptationSet ─ Representation ─ Segment

Values only: no addresses are fetched here and no choice is made. Times are exact: whole ticks of a
representation's timescale inside, Fractions of a second outside; `ticks_to_us` is the one rounding.
Readers (cushion_player.manifest) make it; addressing turns it into what an engine schedules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

US_PER_S = 1_000_000
ByteRange = tuple[int, int | None]
"""First and last byte, both included; last None means to the end of the resource."""


def ticks_to_us(ticks: int, timescale: int) -> int:
    """Nearest µs, halves up. Convert boundaries, never durations: sums of rounded durations drift."""
    return (2 * ticks * US_PER_S + timescale) // (2 * timescale)


def seconds_to_us(seconds: Fraction) -> int:
    """Nearest µs, halves up."""
    return ticks_to_us(seconds.numerator, seconds.denominator)


class ContentKind(StrEnum):
    """What an adaptation set carries."""

    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    IMAGE = "image"
    UNKNOWN = "unknown"


class Container(StrEnum):
    """How segments are wrapped."""

    MP4 = "mp4"
    WEBM = "webm"
    MPEG_TS = "mpeg-ts"
    PACKED_AUDIO = "packed-audio"
    """Bare AAC, MP3 or AC-3 frames with an ID3 tag (HLS)."""
    TEXT = "text"
    UNKNOWN = "unknown"


class Address(NamedTuple):
    """Where bytes are: an absolute URL, and the part of it when not the whole."""

    url: str
    byte_range: ByteRange | None = None

    @property
    def size_bytes(self) -> int | None:
        """How many bytes, when the range says so."""
        if self.byte_range is None or self.byte_range[1] is None:
            return None
        return self.byte_range[1] - self.byte_range[0] + 1


@dataclass(frozen=True, slots=True)
class InitSegment:
    """What a decoder must be given before any segment."""

    address: Address


class Segment(NamedTuple):
    """One stretch of a representation. A NamedTuple, not a dataclass: a presentation has up to 10⁵ of them."""

    address: Address
    start: int
    """Ticks from the start of the period (may be negative when the period begins inside the segment)."""
    duration: int
    """Ticks."""
    number: int = 0
    """$Number$ in DASH, media sequence number in HLS."""
    discontinuity: int = 0
    """Segments of one number share a media timeline (HLS); a change needs new offsets."""
    init: InitSegment | None = None
    """Only when it differs from the representation's own."""
    is_gap: bool = False
    """Announced as not there (HLS EXT-X-GAP)."""

    @property
    def end(self) -> int:
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Representation:
    """One quality of a set.

    bitrate_bps: the mean rate of the real segment sizes when all are known; else what was declared (DASH @bandwidth,
        HLS AVERAGE-BANDWIDTH or BANDWIDTH, which count the audio group in); 0 when nothing is known.
    declared_bitrate_bps, peak_bitrate_bps: as the manifest has them; 0 when it does not.
    timescale, time_offset: ticks a second of `segments`; media time at the start of the period, in the same ticks,
        None where the manifest does not say (HLS).
    source: the media playlist or the one file that must be read before segments are known; "" when none.
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

    @property
    def sizes_known(self) -> bool:
        """Whether every segment's exact size is known from its byte range."""
        return bool(self.segments) and all(segment.address.size_bytes is not None for segment in self.segments)

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


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the presentation with its own sets. Seconds; duration None when not known."""

    id: str
    start: Fraction
    duration: Fraction | None
    adaptation_sets: tuple[AdaptationSet, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """Something tolerated: what was wrong and what was done, where, and why that is safe (or by which clause)."""

    what: str
    where: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a manifest describes. `url` is the manifest's; `duration` in seconds, None when live or not said."""

    kind: str
    """`dash` or `hls`."""
    url: str
    is_live: bool
    duration: Fraction | None
    periods: tuple[Period, ...]
    repairs: tuple[Repair, ...] = ()
