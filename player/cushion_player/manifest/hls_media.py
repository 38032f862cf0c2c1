"""HLS media playlists: one rendition's segments (RFC 8216bis 4.4.2 to 4.4.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.guard import MAX_SEGMENTS, Base
from cushion_player.manifest.hls_lines import attributes, lines
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import container_of_url
from cushion_player.model import Address, ByteRange, Container, InitSegment, Segment

TIMESCALE = 1_000_000_000
"""Ticks a second of every playlist: nine decimals of EXTINF are kept, so sums are exact."""

_EXTINF = re.compile(r"\s*(\d{1,12})(?:\.(\d*))?")
_BYTE_RANGE = re.compile(r"\s*(\d{1,18})\s*(?:@\s*(\d{1,18})?)?\s*")
_INTEGER = re.compile(r"\s*(\d{1,18})\s*")


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """What a media playlist says. Ticks of TIMESCALE from its first segment."""

    segments: tuple[Segment, ...]
    init: InitSegment | None
    is_live: bool
    protection: tuple[str, ...]
    container: Container


def read_media_playlist(text: str, url: str, notes: Notes) -> MediaPlaylist:
    """Read a media playlist. Raises ManifestSyntaxError with the line."""
    return _Reader(url, notes).read(text)


@dataclass(slots=True)
class _Reader:
    url: str
    notes: Notes
    segments: list[Segment] = field(default_factory=list[Segment])
    init: InitSegment | None = None
    """The map in force."""
    protection: dict[str, None] = field(default_factory=dict[str, None])
    target_duration: int = 0

    def read(self, text: str) -> MediaPlaylist:
        base = Base(self.url)
        time = number = discontinuity = 0
        duration: int | None = None
        byte_range: str | None = None
        is_gap = ended = False
        first_init: InitSegment | None = None
        previous = Address("")
        append = self.segments.append
        for at, name, value in lines(text):
            if name == "EXTINF":
                duration = self._duration(value, at)
            elif not name:
                if duration is None:
                    duration = self._duration("", at)
                address = Address(base.resolve(value, f"line {at}"))
                if byte_range is not None:
                    address = Address(address.url, self._byte_range(byte_range, address.url, previous, at))
                    byte_range = None
                init = self.init if self.init is not first_init else None
                append(Segment(address, time, duration, number, discontinuity, init, is_gap))
                previous = address
                time += duration
                number += 1
                duration = None
                is_gap = False
                if number > MAX_SEGMENTS and len(self.segments) > MAX_SEGMENTS:
                    raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=f"line {at}")
            elif name == "EXT-X-BYTERANGE":
                byte_range = value
            elif name == "EXT-X-MAP":
                self.init = self._map(value, base, at)
                first_init = first_init or self.init
            elif name == "EXT-X-KEY":
                self._key(value)
            elif name == "EXT-X-DISCONTINUITY":
                discontinuity += 1
            elif name == "EXT-X-GAP":
                is_gap = True
            elif name == "EXT-X-TARGETDURATION":
                self.target_duration = self._integer(value.split(".")[0], at)
            elif name == "EXT-X-MEDIA-SEQUENCE" and not self.segments:
                number = self._integer(value, at)
            elif name == "EXT-X-DISCONTINUITY-SEQUENCE" and not self.segments:
                discontinuity = self._integer(value, at)
            elif name == "EXT-X-ENDLIST" or (name == "EXT-X-PLAYLIST-TYPE" and value.strip().upper() == "VOD"):
                ended = True
        return MediaPlaylist(
            tuple(self.segments), first_init, not ended, tuple(self.protection), self._container(first_init)
        )

    def _duration(self, value: str, at: int) -> int:
        """EXTINF in ticks; what comes after the ninth decimal, and after the number, is cut off."""
        found = _EXTINF.match(value)
        if found is None:
            if not self.target_duration:
                raise ManifestSyntaxError(f"a segment without duration (EXTINF {value[:40]!r})", location=f"line {at}")
            what = f"a segment without duration (EXTINF {value[:40]!r}) was taken to last {self.target_duration} s"
            self.notes.repair(what, f"line {at}", "players of the web take the target duration")
            return self.target_duration * TIMESCALE
        whole, decimals = found.groups()
        return int(whole) * TIMESCALE + (int(decimals[:9].ljust(9, "0")) if decimals else 0)

    def _byte_range(self, value: str, url: str, previous: Address, at: int) -> ByteRange | None:
        """`length[@offset]`; without the offset it follows the previous range of the same resource (4.4.4.2)."""
        found = _BYTE_RANGE.fullmatch(value)
        length = int(found.group(1)) if found else 0
        if found is None or not length:
            raise ManifestSyntaxError(f"EXT-X-BYTERANGE {value[:40]!r} is no range", location=f"line {at}")
        if found.group(2) is not None:
            first = int(found.group(2))
        elif previous.byte_range is not None and previous.byte_range[1] is not None:
            first = previous.byte_range[1] + 1
            if previous.url != url:
                what = f"a byte range without offset was read from byte {first}"
                self.notes.repair(what, f"line {at}", "another resource precedes it; players of the web count on")
        else:
            first = 0
            self.notes.repair("a byte range without offset was read from byte 0", f"line {at}", "no range precedes it")
        return first, first + length - 1

    def _map(self, value: str, base: Base, at: int) -> InitSegment:
        found = attributes(value)
        uri = found.get("URI")
        if not uri:
            raise ManifestSyntaxError("EXT-X-MAP without URI", location=f"line {at}")
        url = base.resolve(uri, f"line {at}")
        text = found.get("BYTERANGE")
        init = InitSegment(Address(url, self._byte_range(text, url, Address(""), at) if text else None))
        return self.init if self.init is not None and self.init == init else init

    def _key(self, value: str) -> None:
        method = attributes(value).get("METHOD", "").upper()
        if method != "NONE":
            self.protection.setdefault(method or "unknown")

    def _integer(self, value: str, at: int) -> int:
        found = _INTEGER.fullmatch(value)
        if found is None:
            self.notes.repair(f"{value[:40]!r} was read as 0", f"line {at}", "it is no whole number")
            return 0
        return int(found.group(1))

    def _container(self, init: InitSegment | None) -> Container:
        if init is not None:
            return Container.MP4
        if not self.segments:
            return Container.UNKNOWN
        container = container_of_url(self.segments[0].address.url)
        return Container.MPEG_TS if container is Container.UNKNOWN else container
