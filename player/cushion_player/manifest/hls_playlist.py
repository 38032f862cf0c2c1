"""What was read from a media playlist, and what is kept of it to read its next version."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.hls_segments import HlsSegments
from cushion_player.model import Container, DateRange, Extra, PlaylistInfo, Protection, Tiles


class MissingSegments(ManifestSyntaxError):
    """A delta update refers to segments that the playlist before it did not have: the whole one must be fetched."""


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """What a media playlist says, and what is kept to read its next version.

    positions, numbers: where in the text a segment's last line ended, and the number that comes next there; ascending.
    first_number: of the first segment that the text itself lists (a delta update skips those before).
    dated: date ranges, unmerged, by the number of the segment that comes next.
    is_plain: no tag of the whole playlist stands among its segments.
    """

    url: str
    text: str
    segments: HlsSegments
    info: PlaylistInfo
    protection: tuple[str, ...]
    protections: tuple[Protection, ...]
    container: Container
    tiles: Tiles | None
    has_independent_segments: bool
    variables: Mapping[str, str]
    extra: tuple[Extra, ...]
    positions: array[int]
    numbers: array[int]
    first_number: int
    dated: tuple[tuple[int, DateRange], ...]
    is_plain: bool

    @property
    def is_live(self) -> bool:
        return not self.info.has_ended


def position_of(playlist: MediaPlaylist, number: int) -> int:
    """Where in its text the last line of segment number - 1 ended; it lists that segment."""
    text, position, reached = playlist.text, 0, playlist.first_number
    mark = bisect_right(playlist.numbers, number) - 1
    if mark >= 0:
        position, reached = playlist.positions[mark], playlist.numbers[mark]
    while reached < number:
        stop = text.index("\n", position)
        reached += not is_tag_or_blank(text[position:stop])
        position = stop + 1
    return position


def is_tag_or_blank(line: str) -> bool:
    line = line.strip()
    return not line or line[0] == "#"
