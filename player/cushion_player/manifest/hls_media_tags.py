"""What each tag of a media playlist does to the playlist being read (RFC 8216bis 4.4.2 to 4.4.5).

The line loop and reloads are in `hls_media`; values of single tags in `hls_tags`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls_lines import (
    NS_PER_S,
    Variables,
    attributes,
    parse_date,
    parse_integer,
    parse_ns,
    parse_yes,
)
from cushion_player.manifest.hls_segments import HlsSegments
from cushion_player.manifest.hls_tags import (
    read_date_range,
    read_hint,
    read_key,
    read_protection,
    read_report,
    read_server_control,
    read_start,
    with_key,
)
from cushion_player.manifest.reading import Notes
from cushion_player.model import (
    Address,
    Chunk,
    DateRange,
    Extra,
    InitSegment,
    Key,
    PreloadHint,
    Protection,
    RenditionReport,
    ServerControl,
    Start,
    Tiles,
)

_NO_SCHEME = re.compile(r"[^:/?#]*+(?:[/?#]|$)")
_BYTE_RANGE = re.compile(r"\s*(\d{1,18})\s*(?:@\s*(\d{1,18})?)?\s*")
_TARGET = re.compile(r"^[ \t]*#EXT-X-TARGETDURATION:[ \t]*(\d{1,9})", re.MULTILINE)
_LAYOUT = re.compile(r"(\d{1,4})x(\d{1,4})")


class TagReader:
    """A media playlist as far as it has been read."""

    def __init__(self, text: str, url: str, notes: Notes, imports: Mapping[str, str]) -> None:
        self.text = text
        self.url = url
        self.notes = notes
        self.base = Base(url)
        self.variables = Variables(url, imports)
        self.segments = HlsSegments(self.base)
        self.protections: dict[Protection, None] = {}
        self.dated: list[tuple[int, DateRange]] = []
        self.extra: list[Extra] = []
        self.is_plain = True
        self.tail_from: int | None = None
        """The number that comes next where the first tag stands that belongs after every segment."""
        self._checked: set[str] = set()
        self._inits: dict[InitSegment, InitSegment] = {}
        # what the playlist says as a whole
        self.target_ns = 0
        self.version = 1
        self.playlist_type = ""
        self.has_ended = self.is_iframes_only = self.has_independent_segments = False
        self.part_target: Fraction | None = None
        self.server_control = ServerControl()
        self.hints: list[PreloadHint] = []
        self.reports: list[RenditionReport] = []
        self.start: Start | None = None
        self.tiles: Tiles | None = None
        # of the segment that comes next
        self.duration: int | None = None
        self.byte_range: str | None = None
        self.parts: list[Chunk] = []
        self.keys_in_force: tuple[Key, ...] = ()

    # ----------------------------------------------------------------------- tags of segments

    def read_extinf(self, value: str, at: int) -> int:
        """A segment's duration in ns; its title is kept."""
        text, _, title = value.partition(",")
        duration = parse_ns(text)
        if duration is None and text.strip():
            duration = parse_ns(text.split()[0])  # attributes follow the duration in channel lists
        if duration is None or duration < 0:
            duration = self.missing_duration(at, value)
        self.duration = duration
        if title.strip():
            self.note_extra("title", title.strip())
        return duration

    def missing_duration(self, at: int, value: str = "") -> int:
        if not self.target_ns:
            found = _TARGET.search(self.text)
            self.target_ns = int(found.group(1)) * NS_PER_S if found else 0
        if not self.target_ns:
            raise ManifestSyntaxError(f"a segment without duration (EXTINF {value[:40]!r})", location=f"line {at}")
        seconds = self.target_ns // NS_PER_S
        what = f"a segment without duration (EXTINF {value[:40]!r}) was taken to last {seconds} s"
        self.notes.repair(what, f"line {at}", "players of the web take the target duration")
        return self.target_ns

    def check_uri(self, uri: str, at: int) -> None:
        """Make sure that a URI with a colon or a bracket may be followed; one check a host is enough."""
        head = ""
        if uri.startswith(("https://", "http://")):
            head = uri[: uri.find("/", 8)]
        elif not uri.startswith("//") and uri.isprintable() and _NO_SCHEME.match(uri):
            return
        if not head or head not in self._checked:
            self.base.resolve(uri, f"line {at}")
            self._checked.add(head)

    def set_range(self, uri: str, value: str, at: int) -> None:
        """`length[@offset]`; without the offset it follows the previous range of the same resource (4.4.4.2)."""
        segments = self.segments
        index = len(segments.uris)
        length, first = self._byte_range(value, at)
        if first is None:
            before = segments.range_at(index - 1) if 0 < index <= len(segments.sizes) else None
            first = before[1] + 1 if before is not None else 0
            if before is None:
                what, why = "a byte range without offset was read from byte 0", "no range precedes it"
                self.notes.repair(what, f"line {at}", why)
            elif segments.uris[index - 1] != uri:
                what = f"a byte range without offset was read from byte {first}"
                self.notes.repair(what, f"line {at}", "another resource precedes it; players of the web count on")
        segments.set_range(index, first, length)
        self.byte_range = None

    def _byte_range(self, value: str, at: int) -> tuple[int, int | None]:
        found = _BYTE_RANGE.fullmatch(value)
        length = int(found.group(1)) if found else 0
        if found is None or not length:
            raise ManifestSyntaxError(f"EXT-X-BYTERANGE {value[:40]!r} is no range", location=f"line {at}")
        return length, int(found.group(2)) if found.group(2) is not None else None

    def note_extra(self, name: str, value: str) -> None:
        """Keep what is not known: with the segment that comes next, or before the first one with the playlist."""
        number = self.segments.end
        if self.segments.uris or self.duration is not None:
            self.segments.extras.setdefault(number, []).append(Extra(name, value))
        else:
            self.extra.append(Extra(name, value))

    def read_map(self, value: str, at: int) -> None:
        found = self.variables.attributes(value, at)
        uri = found.get("URI")
        if not uri:
            raise ManifestSyntaxError("EXT-X-MAP without URI", location=f"line {at}")
        url = self.base.resolve(uri, f"line {at}")
        byte_range = None
        if found.get("BYTERANGE"):
            length, first = self._byte_range(found["BYTERANGE"], at)
            byte_range = (first or 0, (first or 0) + length - 1)
        init = InitSegment(Address(url, byte_range), self.keys_in_force)
        self.segments.inits.put(self.segments.end, self._inits.setdefault(init, init))

    def read_key(self, value: str, at: int) -> None:
        found = self.variables.attributes(value, at)
        key = read_key(found, self.base, at, self.notes)
        self.keys_in_force = with_key(self.keys_in_force, key, at, self.notes)
        if key.method != "NONE":
            self.protections.setdefault(read_protection(found, key))
        self.segments.keys.put(self.segments.end, self.keys_in_force)

    def read_date(self, value: str, at: int) -> None:
        date = parse_date(value)
        if date is None:
            self.notes.repair(f"the date {value[:40]!r} was left out", f"line {at}", "4.4.4.6: it is no ISO 8601 date")
            return
        segments = self.segments
        segments.date_numbers.append(segments.number + len(segments.uris))
        segments.dates.append(date)

    def read_bitrate(self, value: str, at: int) -> None:
        self.segments.bitrates.put(self.segments.end, self.integer(value, at) * 1000)

    def read_part(self, value: str, at: int) -> None:
        found = self.variables.attributes(value, at)
        uri, duration = found.get("URI", ""), parse_ns(found.get("DURATION", ""))
        if not uri or duration is None or duration < 0:
            self.notes.repair("a part without URI or duration was left out", f"line {at}", "4.4.4.9: both are required")
            return
        url = self.base.resolve(uri, f"line {at}")
        byte_range = None
        if found.get("BYTERANGE"):
            length, first = self._byte_range(found["BYTERANGE"], at)
            if first is None:
                first = self._after_last_part(url)
            byte_range = (first, first + length - 1)
        start = self.parts[-1].start + self.parts[-1].duration if self.parts else self.segments.starts[-1]
        independent, gap = parse_yes(found.get("INDEPENDENT")), parse_yes(found.get("GAP"))
        self.parts.append(Chunk(Address(url, byte_range), start, duration, independent, gap))

    def _after_last_part(self, url: str) -> int:
        chunks = self.parts or self.segments.chunks.get(self.segments.end - 1, ())
        last = chunks[-1].address if chunks else None
        if last is None or last.url != url or last.byte_range is None or last.byte_range[1] is None:
            return 0
        return last.byte_range[1] + 1

    def read_date_range(self, value: str, at: int) -> None:
        found = read_date_range(self.variables.attributes(value, at), at, self.notes)
        if found is not None:
            self.dated.append((self.segments.end, found))

    def read_discontinuity(self, value: str, at: int) -> None:
        self.segments.breaks.append(self.segments.end)

    def read_gap(self, value: str, at: int) -> None:
        self.segments.gaps.add(self.segments.end)

    def read_byte_range(self, value: str, at: int) -> None:
        self.byte_range = value

    # ----------------------------------------------------------------------- tags of the playlist

    def _header(self, value: str, at: int) -> None:
        """Read with the header; among segments it would not be read again by a reload."""
        self.is_plain = self.is_plain and not self.segments.uris

    def read_target_duration(self, value: str, at: int) -> None:
        self._header(value, at)
        self.target_ns = self.integer(value.split(".")[0], at) * NS_PER_S

    def read_version(self, value: str, at: int) -> None:
        self._header(value, at)
        self.version = self.integer(value, at)

    def read_type(self, value: str, at: int) -> None:
        self._header(value, at)
        self.playlist_type = value.strip().upper()
        if self.playlist_type not in ("EVENT", "VOD"):
            self.notes.repair(f"the playlist type {value[:40]!r} was left out", f"line {at}", "4.4.3.5: EVENT or VOD")
            self.playlist_type = ""

    def read_define(self, value: str, at: int) -> None:
        self._header(value, at)
        self.variables.define(value, at, self.notes)

    def _tail(self) -> None:
        """Like a tag of the header, one that belongs at the end would not be read again among segments."""
        if self.tail_from is None:
            self.tail_from = self.segments.end

    def read_end(self, value: str, at: int) -> None:
        self._tail()
        self.has_ended = True

    def read_iframes_only(self, value: str, at: int) -> None:
        self._header(value, at)
        self.is_iframes_only = True

    def read_independent(self, value: str, at: int) -> None:
        self._header(value, at)
        self.has_independent_segments = True

    def read_start(self, value: str, at: int) -> None:
        self._header(value, at)
        self.start = read_start(attributes(value), at, self.notes)

    def read_server_control(self, value: str, at: int) -> None:
        self._header(value, at)
        self.server_control = read_server_control(attributes(value), at, self.notes)

    def read_part_info(self, value: str, at: int) -> None:
        self._header(value, at)
        target = parse_ns(attributes(value).get("PART-TARGET", ""))
        self.part_target = Fraction(target, NS_PER_S) if target is not None and target > 0 else None

    def read_tiles(self, value: str, at: int) -> None:
        self._header(value, at)
        said = attributes(value)
        layout = _LAYOUT.fullmatch(said.get("LAYOUT", ""))
        if layout is not None and self.tiles is None:
            each = parse_ns(said.get("DURATION", ""))
            shown = Fraction(each, NS_PER_S) if each is not None and each > 0 else None
            self.tiles = Tiles(int(layout.group(1)), int(layout.group(2)), shown)

    def read_hint(self, value: str, at: int) -> None:
        self._tail()
        hint = read_hint(self.variables.attributes(value, at), self.base, at, self.notes)
        if hint is not None:
            self.hints.append(hint)

    def read_report(self, value: str, at: int) -> None:
        self._tail()
        report = read_report(self.variables.attributes(value, at), self.base, at, self.notes)
        if report is not None:
            self.reports.append(report)

    def integer(self, value: str, at: int) -> int:
        number = parse_integer(value)
        if number is None:
            self.notes.repair(f"{value[:40]!r} was read as 0", f"line {at}", "it is no whole number")
        return number or 0

    def read_sequence(self, value: str, at: int) -> None:
        """The header's was read before everything else."""
        if self.segments.uris:
            self.notes.repair("a sequence number after the first segment was left out", f"line {at}", "4.4.3.2")

    def read_first_line(self, value: str, at: int) -> None:
        if at > 1 and self.segments.uris:
            self.notes.repair("a second #EXTM3U was passed over", f"line {at}", "4.4.1.1: it is the first line only")


Handler = Callable[[TagReader, str, int], None]

TAGS: dict[str, Handler] = {
    "#EXT-X-BYTERANGE": TagReader.read_byte_range,
    "#EXT-X-DISCONTINUITY": TagReader.read_discontinuity,
    "#EXT-X-KEY": TagReader.read_key,
    "#EXT-X-MAP": TagReader.read_map,
    "#EXT-X-PROGRAM-DATE-TIME": TagReader.read_date,
    "#EXT-X-GAP": TagReader.read_gap,
    "#EXT-X-BITRATE": TagReader.read_bitrate,
    "#EXT-X-PART": TagReader.read_part,
    "#EXT-X-DATERANGE": TagReader.read_date_range,
    "#EXT-X-PRELOAD-HINT": TagReader.read_hint,
    "#EXT-X-RENDITION-REPORT": TagReader.read_report,
    "#EXT-X-TARGETDURATION": TagReader.read_target_duration,
    "#EXT-X-VERSION": TagReader.read_version,
    "#EXT-X-PLAYLIST-TYPE": TagReader.read_type,
    "#EXT-X-DEFINE": TagReader.read_define,
    "#EXT-X-ENDLIST": TagReader.read_end,
    "#EXT-X-I-FRAMES-ONLY": TagReader.read_iframes_only,
    "#EXT-X-INDEPENDENT-SEGMENTS": TagReader.read_independent,
    "#EXT-X-START": TagReader.read_start,
    "#EXT-X-SERVER-CONTROL": TagReader.read_server_control,
    "#EXT-X-PART-INF": TagReader.read_part_info,
    "#EXT-X-TILES": TagReader.read_tiles,
    "#EXT-X-MEDIA-SEQUENCE": TagReader.read_sequence,
    "#EXT-X-DISCONTINUITY-SEQUENCE": TagReader.read_sequence,
    "#EXTM3U": TagReader.read_first_line,
}
