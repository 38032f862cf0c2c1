"""Exact time, kinds, addresses, and how a manifest's own words are kept: what every other part of the model uses."""

from __future__ import annotations

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
    PACKETS = "packets"
    """Coded frames as they were found in a file of another kind (see media.demux.packets)."""
    TEXT = "text"
    IMAGE = "image"
    """JPEG, PNG, WebP or AVIF: thumbnails."""
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
class Repair:
    """Something tolerated: what was wrong and what was done, where, and why that is safe (or by which clause)."""

    what: str
    where: str
    why: str = ""


class Extra(NamedTuple):
    """What a manifest says beyond this model, as written: a tag, an attribute (`@name`) or an element (its XML)."""

    name: str
    value: str


class Descriptor(NamedTuple):
    """A DASH descriptor (5.8): a scheme, what it says, and its child elements as XML."""

    scheme: str
    value: str = ""
    id: str = ""
    body: str = ""


class Label(NamedTuple):
    """A name for people."""

    text: str
    language: str = ""
    id: str = ""
