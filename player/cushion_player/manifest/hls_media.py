"""HLS media playlists: one rendition's segments, from the start or on from an earlier version (RFC 8216bis 4, 6.3.4).

A reload is mostly text that was read before. The reader remembers where in the text whole segments ended; when the
new text goes on, after its first segments, exactly as the old one did, it takes the old columns over and reads on
where the two part. Times go on from the earlier playlist's: a segment keeps its place on the timeline.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from fractions import Fraction

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.guard import MAX_SEGMENTS, MAX_URL_CHARACTERS
from cushion_player.manifest.hls_lines import NS_PER_S, date_of_us, parse_integer
from cushion_player.manifest.hls_media_tags import TAGS, TagReader
from cushion_player.manifest.hls_playlist import MediaPlaylist, MissingSegments, is_tag_or_blank, position_of
from cushion_player.manifest.hls_segments import HlsSegments
from cushion_player.manifest.hls_tags import merged
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import container_of_url
from cushion_player.model import Container, PlaylistInfo

TIMESCALE = NS_PER_S
"""Ticks a second of every playlist: nine decimals of EXTINF are kept, so sums are exact."""
CHUNK_CHARACTERS = 8192
"""Text between two marks: what a reload reads again at most, and what is split into lines at once."""
FIRST_CHUNK_CHARACTERS = 1024
"""Of the first: as little as shows a reload where it goes on from."""

_URI_LINE = re.compile(r"^[^#\s]", re.MULTILINE)
_SEQUENCES = re.compile(r"^[ \t]*#EXT-X-(MEDIA|DISCONTINUITY)-SEQUENCE:(.*)$", re.MULTILINE)


def read_media_playlist(
    text: str,
    url: str,
    notes: Notes,
    imports: Mapping[str, str] | None = None,
    previous: MediaPlaylist | None = None,
) -> MediaPlaylist:
    """Read a media playlist with LF line ends.

    imports: what EXT-X-DEFINE may import. previous: the last version of the same playlist, when there is one.
    Raises ManifestSyntaxError with the line; MissingSegments for a delta update that does not go on from `previous`.
    """
    try:
        return _Reader(text, url, notes, imports or {}, previous).read()
    except OverflowError as exc:
        raise ManifestSyntaxError("the segments last longer than 292 years", location=url) from exc


class _Reader(TagReader):
    def __init__(
        self, text: str, url: str, notes: Notes, imports: Mapping[str, str], previous: MediaPlaylist | None
    ) -> None:
        super().__init__(text, url, notes, imports)
        self.previous = previous
        self.removed_ranges: set[str] | None = None
        self.unknown_skipped = 0
        self.listed_from: int | None = None
        self.positions, self.numbers = array("q"), array("q")
        self._open()

    def _open(self) -> None:
        """Begin where the header says, and on the timeline where the earlier version had that segment."""
        first = self.text.find("#EXTINF")
        found = {"MEDIA": 0, "DISCONTINUITY": 0}
        for match in _SEQUENCES.finditer(self.text, 0, first if first >= 0 else len(self.text)):
            at = self.text.count("\n", 0, match.start()) + 1
            found[match.group(1)] = self.integer(match.group(2), at)
        segments = self.segments
        segments.number, segments.discontinuity = found["MEDIA"], found["DISCONTINUITY"]
        old = self.previous.segments if self.previous is not None else None
        if old is None or not old.uris or segments.number < old.number:
            return
        segments.starts[0] = old.starts[min(segments.number, old.end) - old.number]
        missing = segments.number - old.end
        if missing > 0:
            segments.starts[0] += missing * ((old.starts[-1] - old.starts[0]) // len(old))
            what = f"{missing} segments were missed between two reloads"
            self.notes.repair(what, f"segment {old.end}", "their time was counted on with the mean duration")

    def read(self) -> MediaPlaylist:
        position = at = 0
        text = self.text
        going_on = self.previous
        while position < len(text):
            stop = self._chunk_end(position, CHUNK_CHARACTERS if position else FIRST_CHUNK_CHARACTERS)
            chunk = text[position:stop]
            if len(chunk) > MAX_URL_CHARACTERS:
                _check_lengths(chunk, at)
            at = self._read_lines(chunk, at)
            self._mark(position, stop)
            position = stop
            if going_on is not None and self.segments.uris:
                self._keep_discontinuity(going_on.segments)
                position = self._go_on(going_on, position)
                at += text.count("\n", stop, position)
                going_on = None
        self._finish()
        return self._playlist()

    def _chunk_end(self, position: int, size: int) -> int:
        """A place after a line with a URI, or the end of the text."""
        found = _URI_LINE.search(self.text, position + size)
        stop = self.text.find("\n", found.start()) if found is not None else -1
        return stop + 1 if stop >= 0 else len(self.text)

    def _mark(self, start: int, stop: int) -> None:
        """Remember where in text[start:stop] the last line with a URI ended, if it did."""
        text = self.text
        if text[stop - 1] != "\n":
            whole = max(text.rfind("\n", start, stop) + 1, start)
            if not is_tag_or_blank(text[whole:stop]):
                return
            stop = whole
        while stop > start:
            line = max(text.rfind("\n", start, stop - 1) + 1, start)
            if not is_tag_or_blank(text[line:stop]):
                self.positions.append(stop)
                self.numbers.append(self.segments.end)
                return
            stop = line

    def _read_lines(self, chunk: str, before: int) -> int:
        """Read lines, `before` of the playlist's having been read; returns how many whole ones are now."""
        segments = self.segments
        uris, starts = segments.uris, segments.starts
        durations: dict[str, int] = {}
        has_variables = "{$" in chunk
        check_all = "[" in chunk or not chunk.isascii()
        for at, raw in enumerate(chunk.split("\n"), before + 1):
            line = raw.strip()
            if not line:
                continue
            if line[0] != "#":
                duration = self.duration
                if duration is None:
                    duration = self.missing_duration(at)
                if has_variables:
                    line = self.variables.substitute(line, at)
                if check_all or has_variables or ":" in line:
                    self.check_uri(line, at)
                if self.byte_range is not None:
                    self.set_range(line, self.byte_range, at)
                if self.parts:
                    segments.chunks[segments.end] = tuple(self.parts)
                    self.parts = []
                uris.append(line)
                starts.append(starts[-1] + duration)
                self.duration = None
                continue
            known = durations.get(line)
            if known is not None:
                self.duration = known
                continue
            name, _, value = line.partition(":")
            if name == "#EXTINF":
                known = self.read_extinf(value, at)
                if line[-1] == "," or "," not in line:
                    durations[line] = known
                continue
            read = TAGS.get(name)
            if read is not None:
                read(self, value, at)
            elif name == "#EXT-X-SKIP":
                self._skip(value, at)
            elif name.startswith("#EXT"):
                self.note_extra(name[1:], value)
        if len(uris) > MAX_SEGMENTS:
            raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=f"line {before + 1}")
        return before + chunk.count("\n")

    # ----------------------------------------------------------------------- going on from an earlier version

    def _keep_discontinuity(self, old: HlsSegments) -> None:
        """Servers that do not count the discontinuities that left the window are corrected (4.4.3.3)."""
        first = self.segments.number
        if not old.number <= first < old.end:
            return
        off = old.discontinuity_at(first) - self.segments.discontinuity_at(first)
        if off:
            what = f"the discontinuity sequence was read as {self.segments.discontinuity + off}"
            self.segments.discontinuity += off
            self.notes.repair(what, "EXT-X-DISCONTINUITY-SEQUENCE", "the playlist before counted so (6.2.2)")

    def _go_on(self, before: MediaPlaylist, position: int) -> int:
        """Take over what the earlier text and this one have in common from here on; returns where they part."""
        number = self.segments.end
        if not (before.is_plain and before.numbers and before.first_number < number <= before.numbers[-1]):
            return position
        if position != (self.positions[-1] if self.positions else -1) or not self._is_at(before, number):
            return position
        then = position_of(before, number)
        first = bisect_right(before.positions, then)
        stop = self._parting(before, then, position, first)
        if stop == first:
            return position
        last_number, shift = before.numbers[stop - 1], position - then
        self.segments.take(before.segments, number, last_number)
        self.positions.extend([mark + shift for mark in before.positions[first:stop]])
        self.numbers.extend(before.numbers[first:stop])
        self.dated += [item for item in before.dated if number <= item[0] < last_number]
        self._keep_keys(before)
        return before.positions[stop - 1] + shift

    def _parting(self, before: MediaPlaylist, then: int, now: int, first: int) -> int:
        """How many of the earlier marks lie in the text that both have from here on."""

        def is_common(mark: int) -> bool:
            return self.text.startswith(before.text[then : before.positions[mark]], now)

        low, high = first, len(before.positions)
        if low < high and is_common(high - 1):
            return high
        while low < high:
            middle = (low + high) // 2
            if is_common(middle):
                low = middle + 1
            else:
                high = middle
        return low

    def _is_at(self, before: MediaPlaylist, number: int) -> bool:
        """Whether everything in force after segment number - 1 is what it was in the earlier version."""
        new, old = self.segments, before.segments
        ours, theirs = number - 1 - new.number, number - 1 - old.number
        return (
            before.url == self.url
            and before.variables == self.variables.values
            and before.info.target_duration == Fraction(self.target_ns, NS_PER_S)
            and new.uris[ours] == old.uris[theirs]
            and new.starts[ours + 1] == old.starts[theirs + 1]
            and new.range_at(ours) == old.range_at(theirs)
            and new.keys.at(number - 1) == old.keys.at(number - 1)
            and new.inits.at(number - 1) == old.inits.at(number - 1)
            and new.bitrates.at(number - 1) == old.bitrates.at(number - 1)
            and new.discontinuity_at(number - 1) == old.discontinuity_at(number - 1)
        )

    def _skip(self, value: str, at: int) -> None:
        """EXT-X-SKIP: segments that the version before this one told of (4.4.5.2, 6.2.5.1)."""
        found = self.variables.attributes(value, at)
        count = parse_integer(found.get("SKIPPED-SEGMENTS")) or 0
        segments = self.segments
        if segments.uris or not count:
            self.notes.repair("an EXT-X-SKIP was left out", f"line {at}", "4.4.5.2: it stands before every segment")
            return
        stop = self.listed_from = segments.number + count
        if self.previous is None:
            what = f"a delta update was read without the {count} segments it skips"
            self.notes.repair(what, f"line {at}", "no playlist before it tells of them")
            self.unknown_skipped = count
            segments.skip_to(stop)
            return
        old = self.previous.segments
        if not old.number <= segments.number < stop <= old.end:
            raise MissingSegments(f"the playlist before has no segments up to {stop - 1}", location=f"line {at}")
        segments.take(old, segments.number, stop)
        removed = found.get("RECENTLY-REMOVED-DATERANGES")
        if removed is not None:
            gone = set(removed.split("\t"))
            self.dated = [(segments.number, item) for _, item in self.previous.dated if item.id not in gone]
        self._keep_keys(self.previous)

    def _keep_keys(self, before: MediaPlaylist) -> None:
        self.keys_in_force = self.segments.keys.at(self.segments.end - 1)
        self.protections.update(dict.fromkeys(before.protections))

    # ----------------------------------------------------------------------- the end

    def _finish(self) -> None:
        segments = self.segments
        old = self.previous.segments if self.previous is not None else None
        if old is not None and old.uris and segments.uris:
            if segments.number < old.number:
                self._set_back(old)
            known_us = old.date_us(segments.number) if old.number <= segments.number < old.end else None
            date = date_of_us(known_us) if known_us is not None else None
            if date is not None and not segments.dates:
                segments.date_numbers.append(segments.number)
                segments.dates.append(date)
        segments.finish()

    def _set_back(self, old: HlsSegments) -> None:
        """An older version than the last one, or a server that began to count anew."""
        segments = self.segments
        where = "EXT-X-MEDIA-SEQUENCE"
        if segments.end > old.number:
            segments.shift(old.starts[0] - segments.starts[old.number - segments.number])
            self.notes.repair("a playlist older than the last one was read", where, "6.2.2: the number never decreases")
            return
        segments.shift(old.starts[-1] - segments.starts[0])
        segments.discontinuity = old.discontinuity_at(old.end - 1) + 1
        what = f"the numbers began again with {segments.number}; the timeline goes on"
        self.notes.repair(what, where, "6.2.2: the number never decreases; the server was restarted")

    def _playlist(self) -> MediaPlaylist:
        segments = self.segments
        used = {(key.method, key.uri, key.key_format) for keys in segments.keys.values() for key in keys}
        protections = [item for item in self.protections if (item.scheme, item.uri, item.key_format) in used]
        info = PlaylistInfo(
            target_duration=Fraction(self.target_ns, NS_PER_S),
            version=self.version,
            media_sequence=segments.number - self.unknown_skipped,
            discontinuity_sequence=segments.discontinuity,
            playlist_type=self.playlist_type,
            has_ended=self.has_ended or self.playlist_type == "VOD",
            is_iframes_only=self.is_iframes_only,
            part_target=self.part_target,
            server_control=self.server_control,
            partial=tuple(self.parts),
            preload_hints=tuple(self.hints),
            rendition_reports=tuple(self.reports),
            start=self.start,
            date_ranges=merged(item for _, item in self.dated),
            unknown_skipped=self.unknown_skipped,
        )
        return MediaPlaylist(
            url=self.url,
            text=self.text,
            segments=segments,
            info=info,
            protection=tuple(dict.fromkeys(item.scheme for item in protections)),
            protections=tuple(protections),
            container=self._container(),
            tiles=self.tiles,
            has_independent_segments=self.has_independent_segments,
            variables=self.variables.values,
            extra=tuple(self.extra),
            positions=self.positions,
            numbers=self.numbers,
            first_number=segments.number if self.listed_from is None else self.listed_from,
            dated=tuple(self.dated),
            is_plain=self.is_plain and self.tail_from in (None, segments.end),
        )

    def _container(self) -> Container:
        segments = self.segments
        if segments.init is not None:
            return Container.MP4
        if not segments.uris:
            return Container.UNKNOWN
        if self.tiles is not None or any(item.name == "EXT-X-IMAGES-ONLY" for item in self.extra):
            return Container.IMAGE
        container = container_of_url(segments.uris[0])
        return Container.MPEG_TS if container is Container.UNKNOWN else container


def _check_lengths(chunk: str, at: int) -> None:
    for number, line in enumerate(chunk.split("\n"), at + 1):
        if len(line) > MAX_URL_CHARACTERS and line.lstrip()[:1] != "#" and not line.startswith("data:"):
            raise ManifestSyntaxError(f"a URL of {len(line)} characters", location=f"line {number}")
