"""Segments, their chunks and keys, and sequences of segments that are made only when looked at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

from cushion_player.model.basics import Address, Extra
from cushion_player.public_url import public_url


@dataclass(frozen=True, slots=True)
class InitSegment:
    """What a decoder must be given before any segment."""

    address: Address
    keys: tuple[Key, ...] = ()
    """What it is encrypted with itself (HLS); () when in the clear."""


class Key(NamedTuple):
    """One encryption in force over a segment (HLS EXT-X-KEY)."""

    method: str
    uri: str = ""
    iv: bytes | None = None
    """None: the media sequence number is the vector (AES-128)."""
    key_format: str = "identity"
    key_format_versions: str = "1"

    def __repr__(self) -> str:
        """Without what the URI may carry: a token, or in a data: URL the key itself."""
        shown = public_url(self.uri)
        return f"Key({self.method!r}, {shown!r}, iv={self.iv!r}, key_format={self.key_format!r})"


class Chunk(NamedTuple):
    """A part of a segment that can be fetched before the segment is whole (HLS EXT-X-PART)."""

    address: Address
    start: int
    """Ticks, on the same line as Segment.start."""
    duration: int
    is_independent: bool = False
    is_gap: bool = False


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
    sub_number: int = 0
    """$SubNumber$, counted from 1, within a segment sequence (DASH S@k); 0 outside one."""
    program_time_us: int | None = None
    """Wall-clock time of its start, µs since 1970 UTC: written, or counted on from the nearest written one."""
    keys: tuple[Key, ...] = ()
    """Every encryption in force; () when in the clear."""
    chunks: tuple[Chunk, ...] = ()
    bitrate_bps: int = 0
    """Said of this segment (HLS EXT-X-BITRATE); 0 when nothing is."""
    extra: tuple[Extra, ...] = ()
    """Tags before it that this model does not know; EXTINF's title as `title`."""

    @property
    def end(self) -> int:
        return self.start + self.duration


class LazySegments(Sequence[Segment]):
    """Segments kept as a few numbers each, and made when looked at. Equal to any sequence of the same segments."""

    __slots__ = ()

    @abstractmethod
    def at(self, index: int) -> Segment:
        """The segment at 0 <= index < len."""

    @abstractmethod
    def start_at(self, index: int) -> int:
        """Its start in ticks, without making the segment."""

    @abstractmethod
    def __len__(self) -> int: ...

    def total_bytes(self) -> int | None:
        """The sum of the real sizes, None unless every one is known."""
        total = 0
        for segment in self:
            size = segment.address.size_bytes
            if size is None:
                return None
            total += size
        return total

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Segment, ...]: ...
    def __getitem__(self, index: int | slice) -> Segment | tuple[Segment, ...]:
        if isinstance(index, slice):
            return tuple([self.at(position) for position in range(*index.indices(len(self)))])
        length = len(self)
        if index < 0:
            index += length
        if not 0 <= index < length:
            raise IndexError(index)
        return self.at(index)

    def __iter__(self) -> Iterator[Segment]:
        return map(self.at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(ours == theirs for ours, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), self[0], self[-1])) if len(self) else hash(())

    def __repr__(self) -> str:
        return f"<{len(self)} segments>"


def segment_index_at(segments: Sequence[Segment], ticks: int) -> int:
    """Index of the last segment that starts at or before `ticks`, -1 when none does. O(log n)."""
    low, high = 0, len(segments)
    lazy = segments if isinstance(segments, LazySegments) else None
    while low < high:
        middle = (low + high) // 2
        if (lazy.start_at(middle) if lazy is not None else segments[middle].start) <= ticks:
            low = middle + 1
        else:
            high = middle
    return low - 1


class SegmentPattern:
    """Segments of one duration without an end in sight (DASH @duration, or a last S with r=-1, in a live period).

    Segment i (0 <= i < limit, for ever when limit is None) starts at start + i × duration ticks of the period. Which
    of them are there at a time of day is for availability to say; `segments(first, last)` makes them.
    """

    __slots__ = ("duration", "limit", "start")

    def __init__(self, duration: int, limit: int | None, start: int = 0) -> None:
        """duration: ticks of the representation, > 0. start: of segment 0, ticks from the start of the period."""
        self.duration = duration
        self.limit = limit
        self.start = start

    def __eq__(self, other: object) -> bool:
        """Whether both give the same segments."""
        if not isinstance(other, SegmentPattern):
            return NotImplemented
        ours, theirs = (self.duration, self.limit, self.start), (other.duration, other.limit, other.start)
        return ours == theirs and all(self.segment(index) == other.segment(index) for index in (0, 1))

    def __hash__(self) -> int:
        return hash((self.duration, self.limit, self.start))

    @abstractmethod
    def segment(self, index: int) -> Segment:
        """Segment `index`."""

    def segments(self, first: int, last: int) -> tuple[Segment, ...]:
        """Segments first … last, both included, as far as the pattern has them."""
        first = max(0, first)
        if self.limit is not None:
            last = min(last, self.limit - 1)
        return tuple([self.segment(index) for index in range(first, last + 1)])
