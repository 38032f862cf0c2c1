"""A few seconds of media that a live site repeats for ever: tracks with aligned segments, cut into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cushion_player.testing.live.boxes import decode_time, make_chunk, make_init, split_chunks
from cushion_player.testing.timelines import FILM_LADDER_BPS, HEIGHTS_PX


@dataclass(frozen=True, slots=True)
class LiveRung:
    """One quality: `segments[k]` is a segment's chunks, each a movie fragment with its media data."""

    init: bytes
    segments: tuple[tuple[bytes, ...], ...]
    bitrate_bps: int
    codecs: str
    width_px: int = 0
    height_px: int = 0

    @classmethod
    def packaged(
        cls,
        init: bytes,
        segments: Sequence[bytes],
        bitrate_bps: int,
        codecs: str,
        width_px: int = 0,
        height_px: int = 0,
    ) -> LiveRung:
        """From segments as a packager writes them; those of several fragments are cut into chunks."""
        return cls(init, tuple(map(split_chunks, segments)), bitrate_bps, codecs, width_px, height_px)


@dataclass(frozen=True, slots=True)
class LiveTrack:
    """Rungs of one kind with the same segment boundaries.

    kind: `video` or `audio`. durations: of each segment, ticks. chunk_ticks: how long each chunk but a segment's last
    is; 0: segments are not cut.
    """

    kind: str
    timescale: int
    durations: tuple[int, ...]
    rungs: tuple[LiveRung, ...]
    language: str = ""
    chunk_ticks: int = 0

    def __post_init__(self) -> None:
        for rung in self.rungs:
            if len(rung.segments) != len(self.durations):
                raise ValueError(f"{len(rung.segments)} segments, but {len(self.durations)} durations")

    @property
    def total(self) -> int:
        """Ticks until it begins again."""
        return sum(self.durations)

    def start(self, index: int) -> int:
        """Ticks from the beginning to segment `index`, counted on through the repetitions."""
        loop, within = divmod(index, len(self.durations))
        return loop * self.total + sum(self.durations[:within])

    def duration(self, index: int) -> int:
        return self.durations[index % len(self.durations)]

    def n_chunks(self, index: int) -> int:
        return -(-self.duration(index) // self.chunk_ticks) if self.chunk_ticks else 1

    def chunk_span(self, index: int, chunk: int) -> tuple[int, int]:
        """Ticks from the segment's start to a chunk's start and end."""
        if not self.chunk_ticks:
            return 0, self.duration(index)
        start = chunk * self.chunk_ticks
        return start, min(start + self.chunk_ticks, self.duration(index))

    def chunk_times(self, rung: int, index: int) -> tuple[tuple[bytes, int], ...]:
        """A segment's chunks, each with its decode time less the segment's own (real encoders begin off the grid)."""
        chunks = self.rungs[rung].segments[index % len(self.durations)]
        first = decode_time(chunks[0])
        return tuple((chunk, decode_time(chunk) - first) for chunk in chunks)


@dataclass(frozen=True, slots=True)
class LiveAsset:
    """Tracks that repeat together; the first one is what the site's clock goes by."""

    tracks: tuple[LiveTrack, ...]

    def __post_init__(self) -> None:
        first = self.tracks[0]
        for track in self.tracks:
            if len(track.durations) != len(first.durations):
                raise ValueError("all tracks must have as many segments")
            if Fraction(track.total, track.timescale) != Fraction(first.total, first.timescale):
                raise ValueError("all tracks must be of one length, to the tick")

    def end_s(self, index: int) -> Fraction:
        """Seconds from the beginning to the end of segment `index` in every track."""
        return max(Fraction(track.start(index + 1), track.timescale) for track in self.tracks)

    def track(self, kind: str) -> LiveTrack | None:
        return next((track for track in self.tracks if track.kind == kind), None)


def made_up_asset(
    *,
    segment_ms: int = 2000,
    n_segments: int = 4,
    bitrates_bps: Sequence[int] = FILM_LADDER_BPS,
    audio_bps: int | None = 128_000,
    n_chunks: int = 1,
    timescale: int = 90_000,
    language: str = "en",
    scale: float = 1.0,
) -> LiveAsset:
    """Boxes around zeros: what everything but a decoder takes for video and audio.

    n_chunks: chunks a segment. scale: bytes sent per byte declared (0.01 for sessions of hours).
    """
    ticks = segment_ms * timescale // 1000

    def track(kind: str, rates: Sequence[int]) -> LiveTrack:
        chunk_ticks = -(-ticks // n_chunks)
        spans = [(at, min(chunk_ticks, ticks - at)) for at in range(0, ticks, chunk_ticks)]

        def segment(bps: int) -> tuple[bytes, ...]:
            size = max(len(spans), round(bps * segment_ms / 8000 * scale))
            share = max(2, size // len(spans))
            return tuple(make_chunk(at, (span - span // 2, span // 2), share) for at, span in spans)

        rungs = tuple(
            LiveRung(
                make_init(kind, timescale, width_px=height * 16 // 9, height_px=height),
                (segment(bps),) * n_segments,
                bps,
                "avc1.64001f" if kind == "video" else "mp4a.40.2",
                height * 16 // 9,
                height,
            )
            for height, bps in zip(HEIGHTS_PX if kind == "video" else (0,) * len(rates), rates, strict=False)
        )
        said = language if kind == "audio" else ""
        return LiveTrack(kind, timescale, (ticks,) * n_segments, rungs, said, chunk_ticks if n_chunks > 1 else 0)

    tracks = [track("video", bitrates_bps)]
    if audio_bps is not None:
        tracks.append(track("audio", (audio_bps,)))
    return LiveAsset(tuple(tracks))
