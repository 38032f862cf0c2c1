"""Small pictures for the seek bar: where the one for a moment lies, whatever kind of source it has.

Sources: image sets of DASH and image playlists of HLS (tiles), WebVTT files that point into sprites, and, where there
is nothing better, I-frame playlists and trick-mode sets, whose pictures must be decoded.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container as Holder
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from urllib.parse import urldefrag

from cushion_player import manifest
from cushion_player.errors import ManifestError
from cushion_player.manifest import Need
from cushion_player.manifest.guard import Base
from cushion_player.model import (
    AdaptationSet,
    Address,
    Container,
    ContentKind,
    Period,
    Presentation,
    Representation,
    Segment,
    seconds_to_us,
    segment_index_at,
)

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

    is_video: not an image, but media of that container and those codecs whose first picture is meant; `init` is what
        its decoder needs first.
    """

    address: Address
    start_us: int
    end_us: int
    crop: Crop | None = None
    is_video: bool = False
    init: Address | None = None
    container: Container = Container.IMAGE
    codecs: str = ""


def has_thumbnails(presentation: Presentation) -> bool:
    """Whether a manifest announces any, in playlists that were not read yet too."""
    return any(_candidates(period, only_read=False, but_for=()) is not None for period in presentation.periods)


def playlist_to_read(
    presentation: Presentation, failed: Holder[str] = (), wanted_height_px: int = WANTED_HEIGHT_PX
) -> Need | None:
    """The playlist with the thumbnails that serve best, if it is still to be read (HLS); None when nothing is missing.

    failed: addresses of playlists that cannot be had.
    """
    for period in presentation.periods:
        found = _choose(period, wanted_height_px, only_read=False, but_for=failed)
        if found is not None and not _is_read(found[0]):
            needs = manifest.later_needs(presentation)
            return next((need for need in needs if need.representation == found[0].id), None)
    return None


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
        from cushion_player.text.vtt import read_vtt  # 10 ms, and few titles have such a file

        base = Base(url)
        found: list[Thumbnail] = []
        for cue in read_vtt(data).cues:
            line = cue.text.strip().split("\n")[0].strip()
            try:
                address, fragment = urldefrag(base.resolve(line, "a list of thumbnails"))
            except ManifestError:  # it leads where nobody may be led, or nowhere
                continue
            if line:
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
        tiles = item.tiles if not self.is_video else None
        count = tiles.columns * tiles.rows if tiles is not None else 1
        each = Fraction(segment.duration, count)
        if tiles is not None and tiles.each is not None:
            each = tiles.each * item.timescale
        number = min(max(int((ticks - segment.start) / each), 0), count - 1)
        crop = None
        if tiles is not None and count > 1:
            row, column = divmod(number, tiles.columns)
            crop = Crop(column / tiles.columns, row / tiles.rows, 1 / tiles.columns, 1 / tiles.rows, is_share=True)
        init = segment.init or item.init if self.is_video else None
        last = Fraction(segment.end)
        end = last if number == count - 1 else min(segment.start + each * (number + 1), last)
        return Thumbnail(
            segment.address,
            self._time_us(segment.start + each * number),
            self._time_us(end),
            crop,
            self.is_video,
            init.address if init is not None else None,
            item.container if self.is_video else Container.IMAGE,
            item.codecs,
        )

    def _time_us(self, ticks: Fraction) -> int:
        return seconds_to_us(self.start + ticks / self.representation.timescale)


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


def _choose(
    period: Period, wanted_height_px: int, *, only_read: bool = True, but_for: Holder[str] = ()
) -> tuple[Representation, bool] | None:
    """Images, the smallest that are large enough, else the largest; without images the lowest rung of I-frames.

    only_read: leaves out what is in playlists that were not read yet. but_for: addresses of playlists to leave alone.
    """
    found = _candidates(period, only_read=only_read, but_for=but_for)
    if found is None:
        return None
    items, is_video = found
    if is_video:
        return min(items, key=lambda item: (item.height_px, item.bitrate_bps)), True
    enough = [item for item in items if _height_px(item) >= wanted_height_px]
    return (min(enough, key=_height_px) if enough else max(items, key=_height_px)), False


def _candidates(period: Period, *, only_read: bool, but_for: Holder[str]) -> tuple[list[Representation], bool] | None:
    """The representations that have a period's pictures, and whether these are key frames; None when none has."""
    for matches, is_video in ((_is_images, False), (_is_trick, True)):
        items = [
            item
            for each in period.adaptation_sets
            if matches(each)
            for item in each.representations
            if not (item.excluded or item.protection or item.source in but_for)
            and (_is_read(item) or (not only_read and item.source and item.playlist is None))
        ]
        if items:
            return items, is_video
    return None


def _is_images(adaptation_set: AdaptationSet) -> bool:
    return adaptation_set.kind is ContentKind.IMAGE and not adaptation_set.excluded


def _is_trick(adaptation_set: AdaptationSet) -> bool:
    return adaptation_set.kind is ContentKind.VIDEO and bool(adaptation_set.trick_of) and not adaptation_set.excluded


def _is_read(item: Representation) -> bool:
    return bool(item.segments) or item.pattern is not None


def _height_px(item: Representation) -> float:
    """Of one thumbnail: a DASH height is that of all tiles together, that of an HLS playlist is of one."""
    return item.height_px / (item.tiles.rows if item.tiles is not None and not item.source else 1)


def _crop(fragment: str) -> Crop | None:
    """The part that a media fragment names (W3C Media Fragments 4.2.2)."""
    found = _XYWH.search(fragment)
    if found is None:
        return None
    left, top, width, height = [float(found[group]) for group in (2, 3, 4, 5)]
    if found[1] == "percent":
        return Crop(left / 100, top / 100, width / 100, height / 100, is_share=True)
    return Crop(left, top, width, height)
