"""Small pictures for the seek bar: where the one for a moment lies, whatever kind of source it has.

Sources: image sets of DASH and image playlists of HLS (tiles), WebVTT files that point into sprites, and, where there
is nothing better, I-frame playlists and trick-mode sets, whose pictures must be decoded.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from urllib.parse import urldefrag, urljoin

from cushion_player.model import (
    AdaptationSet,
    Address,
    ContentKind,
    Period,
    Presentation,
    Representation,
    Segment,
    segment_index_at,
    ticks_to_us,
)
from cushion_player.text.vtt import read_vtt

WANTED_HEIGHT_PX: Final = 180
_XYWH: Final = re.compile(r"xywh=(?:(pixel|percent):)?" + ",".join([r"([0-9]{1,6}(?:\.[0-9]{1,6})?)"] * 4))


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture, in its pixels or, with `is_share`, in shares of its width and height."""

    left: float
    top: float
    width: float
    height: float
    is_share: bool = False

    def in_pixels(self, width_px: int, height_px: int) -> tuple[int, int, int, int]:
        """left, top, width, height inside a picture of this size."""
        across, down = (width_px, height_px) if self.is_share else (1, 1)
        left = min(max(round(self.left * across), 0), max(width_px - 1, 0))
        top = min(max(round(self.top * down), 0), max(height_px - 1, 0))
        right = round((self.left + self.width) * across)
        bottom = round((self.top + self.height) * down)
        return left, top, max(min(right, width_px) - left, 0), max(min(bottom, height_px) - top, 0)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture for [start_us, end_us): the bytes at `address`, or the part `crop` of them.

    is_video: not an image, but media whose first picture is meant; `init` is what its decoder needs first.
    """

    address: Address
    start_us: int
    end_us: int
    crop: Crop | None = None
    is_video: bool = False
    init: Address | None = None


class ThumbnailIndex:
    """Finds thumbnails by time."""

    def __init__(self, listed: tuple[Thumbnail, ...] = (), sources: tuple[_Source, ...] = ()) -> None:
        self._listed = listed
        self._starts = [thumbnail.start_us for thumbnail in listed]
        self._sources = sources

    def __bool__(self) -> bool:
        return bool(self._listed or self._sources)

    @staticmethod
    def of_presentation(presentation: Presentation, wanted_height_px: int = WANTED_HEIGHT_PX) -> ThumbnailIndex:
        """The thumbnails a manifest announces. Playlists that were not read yet have none."""
        found = [
            _Source(period.start, _end_of(period), *chosen)
            for period in presentation.periods
            if (chosen := _choose(period, wanted_height_px)) is not None
        ]
        return ThumbnailIndex(sources=tuple(found))

    @staticmethod
    def of_vtt(data: bytes | str, url: str) -> ThumbnailIndex:
        """The thumbnails a WebVTT file at `url` lists: each cue's text is an address, with `#xywh=` for a part.

        Raises DecodeError when it is no WebVTT.
        """
        found: list[Thumbnail] = []
        for cue in read_vtt(data).cues:
            line = cue.text.strip().split("\n")[0].strip()
            try:
                address, fragment = urldefrag(urljoin(url, line))
            except ValueError:
                continue
            if line and address.partition(":")[0].lower() in ("http", "https", "file", "data"):
                found.append(Thumbnail(Address(address), cue.start_us, cue.end_us, _crop(fragment)))
        return ThumbnailIndex(tuple(found))

    def at(self, position_us: int) -> Thumbnail | None:
        """The thumbnail for a moment; None when there is none."""
        index = bisect_right(self._starts, position_us) - 1
        if index >= 0 and position_us < self._listed[index].end_us:
            return self._listed[index]
        for source in self._sources:
            if source.covers(position_us):
                return source.at(position_us)
        return None


@dataclass(frozen=True, slots=True)
class _Source:
    """The representation that has a period's thumbnails."""

    start: Fraction
    end: Fraction | None
    representation: Representation
    is_video: bool

    def covers(self, position_us: int) -> bool:
        at = Fraction(position_us, 1_000_000)
        return self.start <= at and (self.end is None or at < self.end)

    def at(self, position_us: int) -> Thumbnail | None:
        item = self.representation
        ticks = int((Fraction(position_us, 1_000_000) - self.start) * item.timescale)
        segment = _segment_at(item, ticks)
        if segment is None or segment.is_gap:
            return None
        tiles = item.tiles
        count = tiles.columns * tiles.rows if tiles is not None and not self.is_video else 1
        number = min(max((ticks - segment.start) * count // segment.duration, 0), count - 1)
        crop = None
        if tiles is not None and count > 1:
            row, column = divmod(number, tiles.columns)
            crop = Crop(column / tiles.columns, row / tiles.rows, 1 / tiles.columns, 1 / tiles.rows, is_share=True)
        init = segment.init or item.init if self.is_video else None
        return Thumbnail(
            segment.address,
            self._time_us(segment, number, count),
            self._time_us(segment, number + 1, count),
            crop,
            self.is_video,
            init.address if init is not None else None,
        )

    def _time_us(self, segment: Segment, number: int, count: int) -> int:
        ticks = self.start * self.representation.timescale + segment.start + Fraction(segment.duration * number, count)
        return ticks_to_us(ticks.numerator, ticks.denominator * self.representation.timescale)


def _segment_at(item: Representation, ticks: int) -> Segment | None:
    if item.pattern is not None:
        index = max((ticks - item.pattern.start) // item.pattern.duration, 0)
        found = item.pattern.segments(index, index)
        return found[0] if found else None
    index = segment_index_at(item.segments, ticks)
    segment = item.segments[index] if index >= 0 else None
    return segment if segment is not None and segment.duration > 0 and ticks < segment.end else None


def _end_of(period: Period) -> Fraction | None:
    return None if period.duration is None else period.start + period.duration


def _choose(period: Period, wanted_height_px: int) -> tuple[Representation, bool] | None:
    """Images, the smallest that are large enough, else the largest; without images the lowest rung of I-frames."""
    images = [item for each in period.adaptation_sets if _is_of(each, ContentKind.IMAGE) for item in _usable(each)]
    if images:
        enough = [item for item in images if _height_px(item) >= wanted_height_px]
        return (min(enough, key=_height_px) if enough else max(images, key=_height_px)), False
    tricks = [item for each in period.adaptation_sets if _is_trick(each) for item in _usable(each)]
    return (min(tricks, key=lambda item: (item.height_px, item.bitrate_bps)), True) if tricks else None


def _is_of(adaptation_set: AdaptationSet, kind: ContentKind) -> bool:
    return adaptation_set.kind is kind and not adaptation_set.excluded


def _is_trick(adaptation_set: AdaptationSet) -> bool:
    return bool(adaptation_set.trick_of) and _is_of(adaptation_set, ContentKind.VIDEO)


def _usable(adaptation_set: AdaptationSet) -> list[Representation]:
    return [
        item
        for item in adaptation_set.representations
        if not item.excluded and not item.protection and (item.segments or item.pattern is not None)
    ]


def _height_px(item: Representation) -> float:
    """Of one thumbnail; a DASH height is that of all tiles together."""
    return item.height_px / (item.tiles.rows if item.tiles is not None else 1)


def _crop(fragment: str) -> Crop | None:
    """The part that a media fragment names (W3C Media Fragments 4.2.2)."""
    found = _XYWH.search(fragment)
    if found is None:
        return None
    left, top, width, height = [float(found[group]) for group in (2, 3, 4, 5)]
    if found[1] == "percent":
        return Crop(left / 100, top / 100, width / 100, height / 100, is_share=True)
    return Crop(left, top, width, height)
