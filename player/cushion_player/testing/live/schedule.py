"""When each segment of a live site begins and ends, and which of them are there. Integers and fractions, no state."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from cushion_player.testing.live.asset import LiveAsset, LiveTrack
from cushion_player.testing.live.config import LiveConfig

_HORIZON = 1 << 40


class Span(NamedTuple):
    """One period: its number, what it shows, its start in seconds, and its segments among all (stop None: endless)."""

    number: int
    asset: LiveAsset
    start_s: Fraction
    first: int
    stop: int | None


class Schedule:
    """The arithmetic of one configuration. Sequence numbers count the segments of all periods from 0."""

    def __init__(self, config: LiveConfig) -> None:
        self.config = config
        self._begins: list[tuple[int, Fraction]] = []
        """First segment and start of each programme in the first round."""
        first, start_s = 0, Fraction(0)
        for programme in config.programmes:
            self._begins.append((first, start_s))
            if programme.n_segments is not None:
                first += programme.n_segments
                start_s += _length_s(programme.asset, programme.n_segments)
        self._n_round, self._round_s = first, start_s
        self._is_finite = not config.repeats and config.programmes[-1].n_segments is not None
        self.end_us = lru_cache(512)(self._end_us)
        """Presentation time from which all tracks have the whole segment of a sequence number."""
        self.stop = self._stop()
        """How many segments there will ever be; None when it goes on for ever."""

    # ------------------------------------------------------------------ periods

    def span(self, number: int) -> Span | None:
        """Period `number`; None after the last."""
        programmes = self.config.programmes
        cycle, within = divmod(number, len(programmes))
        if cycle and not self.config.repeats:
            return None
        first, start_s = self._begins[within]
        first, start_s = first + cycle * self._n_round, start_s + cycle * self._round_s
        n_segments = programmes[within].n_segments
        return Span(
            number, programmes[within].asset, start_s, first, None if n_segments is None else first + n_segments
        )

    def span_of(self, sequence: int) -> Span:
        """The period that segment `sequence` belongs to."""
        cycle, within = divmod(sequence, self._n_round) if self.config.repeats else (0, sequence)
        index = bisect_right(self._begins, within, key=lambda item: item[0]) - 1
        found = self.span(cycle * len(self._begins) + index)
        assert found is not None
        return found

    # ------------------------------------------------------------------ segments

    def _stop(self) -> int | None:
        listed = self._n_round if self._is_finite else None
        end_us = self.config.end_us
        if end_us is None:
            return listed
        by_time = self._first_where(lambda sequence: self.end_us(sequence) >= end_us) + 1
        return by_time if listed is None else min(listed, by_time)

    def start_us(self, sequence: int) -> int:
        """Presentation time at which a segment begins in the first track."""
        span = self.span_of(sequence)
        track = span.asset.tracks[0]
        return round((span.start_s + Fraction(track.start(sequence - span.first), track.timescale)) * 1_000_000)

    def _end_us(self, sequence: int) -> int:
        span = self.span_of(sequence)
        return ceil((span.start_s + span.asset.end_s(sequence - span.first)) * 1_000_000)

    def chunk_ready_us(self, sequence: int, track: LiveTrack, chunk: int) -> int:
        """Presentation time from which a chunk is there; the last one with the whole segment."""
        span = self.span_of(sequence)
        index = sequence - span.first
        if chunk >= track.n_chunks(index) - 1:
            return self.end_us(sequence)
        ticks = track.start(index) + track.chunk_span(index, chunk)[1]
        return ceil((span.start_s + Fraction(ticks, track.timescale)) * 1_000_000)

    def available(self, elapsed_us: int) -> range:
        """The segments that are listed once so much time has passed: whole, and not older than the window."""
        limit = self.stop
        if self.config.is_vod:
            assert limit is not None
            return range(limit)
        stop = self._first_where(lambda sequence: self.end_us(sequence) > elapsed_us)
        if limit is not None:
            stop = min(stop, limit)
        window_us = self.config.window_us
        if window_us is None:
            return range(stop)
        newest_us = min(elapsed_us, self.end_us(limit - 1)) if limit is not None else elapsed_us
        return range(min(stop, self._first_where(lambda at: self.end_us(at) > newest_us - window_us)), stop)

    def chunks_available(self, elapsed_us: int, sequence: int, track: LiveTrack) -> int:
        """How many chunks of a segment are there."""
        span = self.span_of(sequence)
        total = track.n_chunks(sequence - span.first)
        return next(
            (chunk for chunk in range(total) if self.chunk_ready_us(sequence, track, chunk) > elapsed_us), total
        )

    def has_ended(self, elapsed_us: int) -> bool:
        """Whether the last segment is there."""
        limit = self.stop
        return limit is not None and (self.config.is_vod or self.end_us(limit - 1) <= elapsed_us)

    def length_us(self) -> int | None:
        """Of the whole event; None when it goes on for ever."""
        limit = self.stop
        return None if limit is None else self.end_us(limit - 1)

    def _first_where(self, holds: Callable[[int], bool]) -> int:
        """The first sequence number for which `holds`, which is false up to there and then true."""
        high, last = 1, self._n_round if self._is_finite else _HORIZON
        while high < last and not holds(high - 1):
            high *= 2
        low, high = 0, min(high, last)
        while low < high:
            middle = (low + high) // 2
            if holds(middle):
                high = middle
            else:
                low = middle + 1
        return low


def _length_s(asset: LiveAsset, n_segments: int) -> Fraction:
    return Fraction(asset.tracks[0].start(n_segments), asset.tracks[0].timescale)
