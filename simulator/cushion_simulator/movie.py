"""What is played in a simulation: segment sizes and a ladder, from a Sabre movie file or made of nominal sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cushion_player.timeline import Timeline, Track, TrackKind, TrackRung

LIMIT_BYTES = 256 * 1024 * 1024
DEFAULT_LADDER_BPS = (300_000, 600_000, 1_200_000, 2_000_000, 3_000_000)


class MovieError(ValueError):
    """A movie that cannot be read or played. `location` says where (`segment 3`, `line 7`), or is empty."""

    def __init__(self, message: str, *, location: str = "") -> None:
        super().__init__(f"{message} (at {location})" if location else message)
        self.location = location


@dataclass(frozen=True, slots=True)
class Movie:
    """Segments of one duration at several rungs. Raises MovieError when it cannot be one.

    bitrates_bps: ascending, positive. sizes_bytes: per segment one size >= 1 a rung.
    """

    segment_us: int
    bitrates_bps: tuple[int, ...]
    sizes_bytes: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if self.segment_us <= 0:
            raise MovieError(f"a segment must last at least 1 µs, got {self.segment_us}")
        if not self.bitrates_bps or self.bitrates_bps[0] <= 0 or list(self.bitrates_bps) != sorted(self.bitrates_bps):
            raise MovieError(f"bitrates must be positive and ascend, got {list(self.bitrates_bps)}")
        if not self.sizes_bytes:
            raise MovieError("a movie needs at least one segment")
        for index, sizes in enumerate(self.sizes_bytes):
            if len(sizes) != len(self.bitrates_bps) or min(sizes) < 1:
                raise MovieError(
                    f"expected {len(self.bitrates_bps)} sizes of at least 1 byte, got {list(sizes)}",
                    location=f"segment {index}",
                )

    def timeline(self, audio_bps: int | None = None) -> Timeline:
        """The timeline an engine plays: the video, and an audio track of constant bitrate if wanted."""
        start_us = tuple(index * self.segment_us for index in range(len(self.sizes_bytes) + 1))
        rungs = tuple(TrackRung(f"video/{index}", bps) for index, bps in enumerate(self.bitrates_bps))
        tracks = [Track(TrackKind.VIDEO, "video", "", rungs, start_us, self.sizes_bytes)]
        if audio_bps is not None:
            tracks.append(Track(TrackKind.AUDIO, "audio", "", (TrackRung("audio", audio_bps),), start_us))
        return Timeline(tuple(tracks), start_us[-1])


def nominal_movie(
    seconds: float, bitrates_bps: Sequence[int] = DEFAULT_LADDER_BPS, segment_us: int = 2_000_000
) -> Movie:
    """A movie whose every segment has bitrate x duration; whole segments, at least `seconds` long.

    Raises MovieError.
    """
    if not 0 < seconds <= 86_400:
        raise MovieError(f"a movie lasts more than 0 s and at most a day, got {seconds:g} s")
    n_segments = -(-round(seconds * 1_000_000) // segment_us)
    sizes = tuple(max(1, bps * segment_us // 8_000_000) for bps in bitrates_bps)
    return Movie(segment_us, tuple(bitrates_bps), (sizes,) * max(n_segments, 1))


def parse_movie(text: str) -> Movie:
    """Read a Sabre movie: {"segment_duration_ms", "bitrates_kbps", "segment_sizes_bits": [segment][rung]}.

    Sizes are rounded up to bytes. Raises MovieError with the place. Source: UMass-LIDS/sabre, example/movie.json.
    """
    try:
        movie: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MovieError(f"not a Sabre movie: {error}") from error
    if not isinstance(movie, dict):
        raise MovieError("not a Sabre movie: the JSON is not an object")
    segment_ms = _number(movie.get("segment_duration_ms"), "segment_duration_ms")
    bitrates = [_number(value, "a bitrate") for value in _list(movie, "bitrates_kbps")]
    sizes: list[tuple[int, ...]] = []
    for index, row in enumerate(_list(movie, "segment_sizes_bits")):
        location = f"segment {index}"
        if not isinstance(row, list):
            raise MovieError("its sizes are not a list", location=location)
        sizes.append(tuple(-(-round(_number(value, "a size", location)) // 8) for value in row))
    return Movie(round(segment_ms * 1000), tuple(round(kbps * 1000) for kbps in bitrates), tuple(sizes))


def read_movie(path: Path) -> Movie:
    """Read a Sabre movie file. Raises MovieError, which names the file."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise MovieError(f"{path}: larger than {LIMIT_BYTES} bytes, so hardly a movie description")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MovieError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise MovieError(f"{path}: not text", location=f"byte {error.start}") from error
    try:
        return parse_movie(text)
    except MovieError as error:
        raise MovieError(f"{path}: {error}") from error


def _list(movie: Mapping[str, Any], name: str) -> list[Any]:
    value: object = movie.get(name)
    if not isinstance(value, list):
        raise MovieError(f"not a Sabre movie: {name} is missing or not a list")
    return value


def _number(value: object, what: str, location: str = "") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**53:
        raise MovieError(f"{what} is missing or not a positive number: {value!r}", location=location)
    return float(value)
