"""The segments of a media playlist as columns: a string and a start each, and what is rare by the number it is at.

Everything is kept by media sequence number, never by index, so that a window that slides on drops and adds but
moves nothing. A reader fills the columns and then leaves them alone; the model sees lazy segments.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import Generic, TypeVar

from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls_lines import date_us
from cushion_player.model import Address, Chunk, Extra, InitSegment, Key, LazySegments, Segment

T = TypeVar("T")


class Runs(Generic[T]):
    """A value that holds from one number on until the next."""

    __slots__ = ("_default", "_numbers", "_values")

    def __init__(self, default: T) -> None:
        self._default = default
        self._numbers = array("q")
        self._values: list[T] = []

    def put(self, number: int, value: T) -> None:
        """From `number` on (not less than any put before) it is `value`."""
        if self._numbers and self._numbers[-1] == number:
            self._values[-1] = value
        elif value != self.at(number):
            self._numbers.append(number)
            self._values.append(value)

    def at(self, number: int) -> T:
        if not self._numbers:
            return self._default
        index = bisect_right(self._numbers, number) - 1
        return self._values[index] if index >= 0 else self._default

    def first(self) -> T | None:
        """The first value that was put."""
        return self._values[0] if self._values else None

    def values(self) -> list[T]:
        """Every value that was put, in order."""
        return self._values

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int, T]]:
        """First number, number after the last one, and value, over numbers start … stop - 1."""
        while start < stop:
            index = bisect_right(self._numbers, start)
            until = min(self._numbers[index], stop) if index < len(self._numbers) else stop
            yield start, until, self.at(start)
            start = until

    def take(self, other: Runs[T], start: int, stop: int) -> None:
        """Go on as `other` does over numbers start … stop - 1."""
        self.put(start, other.at(start))
        low, high = bisect_right(other._numbers, start), bisect_left(other._numbers, stop)
        self._numbers.extend(other._numbers[low:high])
        self._values.extend(other._values[low:high])


class HlsSegments(LazySegments):
    """Lazy segments over columns. Ticks are ns.

    number, discontinuity: of the first segment (the latter before the breaks at or after it).
    starts: n + 1 ticks. breaks: numbers before which a discontinuity stands.
    sizes: bytes of each, -1 where the whole resource is meant; with firsts both empty when every one is whole.
    """

    __slots__ = (
        "base",
        "bitrates",
        "breaks",
        "chunks",
        "date_numbers",
        "dates",
        "discontinuity",
        "extras",
        "firsts",
        "gaps",
        "init",
        "inits",
        "keys",
        "number",
        "sizes",
        "starts",
        "uris",
    )

    def __init__(self, base: Base, number: int = 0, start: int = 0, discontinuity: int = 0) -> None:
        self.base = base
        self.number = number
        self.discontinuity = discontinuity
        self.uris: list[str] = []
        self.starts = array("q", [start])
        self.firsts = array("q")
        self.sizes = array("q")
        self.breaks = array("q")
        self.date_numbers: list[int] = []
        self.dates: list[datetime] = []
        self.inits: Runs[InitSegment | None] = Runs(None)
        self.keys: Runs[tuple[Key, ...]] = Runs(())
        self.bitrates: Runs[int] = Runs(0)
        self.gaps: set[int] = set()
        self.chunks: dict[int, tuple[Chunk, ...]] = {}
        self.extras: dict[int, list[Extra]] = {}
        self.init: InitSegment | None = None
        """The representation's own."""

    def __len__(self) -> int:
        return len(self.uris)

    @property
    def end(self) -> int:
        """One more than the last number."""
        return self.number + len(self.uris)

    def at(self, index: int) -> Segment:
        number = self.number + index
        start = self.starts[index]
        init = self.inits.at(number)
        return Segment(
            Address(self.url_at(index), self.range_at(index)),
            start,
            self.starts[index + 1] - start,
            number,
            self.discontinuity_at(number),
            None if init is self.init or init == self.init else init,
            number in self.gaps,
            0,
            self.date_us(number),
            self.keys.at(number),
            self.chunks.get(number, ()),
            self.bitrates.at(number),
            tuple(self.extras.get(number, ())),
        )

    def following(self, duration: int) -> Segment:
        """The segment after the last one, which has no address yet, as far as tags before it tell of it."""
        number = self.end
        init = self.inits.at(number)
        return Segment(
            Address(""),
            self.starts[-1],
            duration,
            number,
            self.discontinuity_at(number),
            None if init is self.init or init == self.init else init,
            keys=self.keys.at(number),
        )

    def start_at(self, index: int) -> int:
        return self.starts[index]

    def url_at(self, index: int) -> str:
        """Its absolute URL; the reader has made sure that it can be resolved."""
        uri = self.uris[index]
        return uri if uri.startswith(("https://", "http://")) else self.base.join(uri)

    def range_at(self, index: int) -> tuple[int, int] | None:
        """First and last byte; None when the whole resource is meant."""
        if index >= len(self.sizes) or self.sizes[index] < 0:
            return None
        return self.firsts[index], self.firsts[index] + self.sizes[index] - 1

    def discontinuity_at(self, number: int) -> int:
        return self.discontinuity + bisect_right(self.breaks, number)

    def date_us(self, number: int) -> int | None:
        """Program date time: written, counted on from the last one before, or back from the first (6.3.3)."""
        if not self.dates:
            return None
        index = max(bisect_right(self.date_numbers, number) - 1, 0)
        since = self.starts[number - self.number] - self.starts[self.date_numbers[index] - self.number]
        return date_us(self.dates[index]) + (since + 500) // 1000

    def total_bytes(self) -> int | None:
        if not self.sizes or min(self.sizes) < 0:
            return None
        return sum(self.sizes)

    def mean_bitrate_bps(self) -> int | None:
        """From the real sizes, or from what EXT-X-BITRATE says of every segment; None when neither is known."""
        duration = self.starts[-1] - self.starts[0]
        if duration <= 0:
            return None
        total = self.total_bytes()
        if total is not None:
            return (total * 8 * 1_000_000_000 + duration // 2) // duration
        weighted = 0
        for first, stop, rate in self.bitrates.spans(self.number, self.end):
            if not rate:
                return None
            weighted += rate * (self.starts[stop - self.number] - self.starts[first - self.number])
        return (weighted + duration // 2) // duration

    # ----------------------------------------------------------------------- filling

    def skip_to(self, number: int) -> None:
        """Begin with a later number, before any segment; dates of those before cannot be placed."""
        self.number = number
        del self.date_numbers[:], self.dates[:]

    def shift(self, ticks: int) -> None:
        """Move everything on the timeline."""
        self.starts = array("q", [start + ticks for start in self.starts])
        for number, chunks in self.chunks.items():
            self.chunks[number] = _moved(chunks, ticks)

    def set_range(self, index: int, first: int, size: int) -> None:
        """The bytes of the segment that is being added at `index`."""
        missing = index - len(self.sizes)
        self.firsts.extend([0] * missing)
        self.sizes.extend([-1] * missing)
        self.firsts.append(first)
        self.sizes.append(size)

    def finish(self) -> None:
        """Settle what is known only at the end."""
        if self.sizes:
            missing = len(self.uris) - len(self.sizes)
            self.firsts.extend([0] * missing)
            self.sizes.extend([-1] * missing)
        self.init = self.inits.at(self.number) or self.inits.first()

    def take(self, other: HlsSegments, start: int, stop: int) -> None:
        """Go on with segments number start … stop - 1 of another playlist's; `start` is this one's `end`.

        Times go on from here; the other's are kept when they begin at the same tick.
        """
        low, high = start - other.number, stop - other.number
        index = len(self.uris)
        self.uris.extend(other.uris[low:high])
        shift = self.starts[-1] - other.starts[low]
        ticks = other.starts[low + 1 : high + 1]
        self.starts.extend([tick + shift for tick in ticks] if shift else ticks)
        if other.sizes:
            missing = index - len(self.sizes)
            self.firsts.extend([0] * missing)
            self.sizes.extend([-1] * missing)
            self.firsts.extend(other.firsts[low:high])
            self.sizes.extend(other.sizes[low:high])
        self.inits.take(other.inits, start, stop)
        self.keys.take(other.keys, start, stop)
        self.bitrates.take(other.bitrates, start, stop)
        self.breaks.extend(other.breaks[bisect_left(other.breaks, start) : bisect_left(other.breaks, stop)])
        low, high = bisect_left(other.date_numbers, start), bisect_left(other.date_numbers, stop)
        self.date_numbers.extend(other.date_numbers[low:high])
        self.dates.extend(other.dates[low:high])
        if other.gaps:
            self.gaps.update(number for number in other.gaps if start <= number < stop)
        self.extras.update(_between(other.extras, start, stop))
        for number, chunks in _between(other.chunks, start, stop).items():
            self.chunks[number] = _moved(chunks, shift) if shift else chunks

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HlsSegments) and self.uris != other.uris:
            return self.base.url != other.base.url and super().__eq__(other)
        return super().__eq__(other)

    __hash__ = LazySegments.__hash__


def _between(rare: dict[int, T], start: int, stop: int) -> dict[int, T]:
    return {number: value for number, value in rare.items() if start <= number < stop} if rare else rare


def _moved(chunks: tuple[Chunk, ...], ticks: int) -> tuple[Chunk, ...]:
    return tuple([item._replace(start=item.start + ticks) for item in chunks])
