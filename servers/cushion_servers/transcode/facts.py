"""What steps tell each other: plain values that pickle, go through JSON and enter the ledger. No av here."""

from __future__ import annotations

from fractions import Fraction

import msgspec

AUDIO_RATE_HZ = 48_000
AUDIO_BITRATE_BPS = 128_000
AAC_FRAME_SAMPLES = 1024


class SourceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A source on its normalised frame grid: frame i is shown at i / fps; sizes are in square pixels."""

    sha256: str
    fps_num: int
    fps_den: int
    frame_count: int
    width_px: int
    height_px: int
    first_pts: int = 0
    """Presentation time of the first frame, in the time base of the picture stream."""
    has_audio: bool
    audio_language: str = "und"

    @property
    def fps(self) -> Fraction:
        return Fraction(self.fps_num, self.fps_den)

    @property
    def duration_s(self) -> float:
        return float(self.frame_count / self.fps)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A probed file and how it looked then; `size_bytes` and `mtime_ns` tell when it was changed under us."""

    path: str
    size_bytes: int
    mtime_ns: int
    info: SourceInfo


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One video quality to encode: capped CRF. `name` is `720p`, by the shorter side."""

    name: str
    width_px: int
    height_px: int
    crf: int
    maxrate_bps: int
    bufsize_bits: int


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable object in the store."""

    name: str
    size_bytes: int


class SegmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A stored segment. `start` is its base media decode time; both in ticks of its track's timescale."""

    media: StoredObject
    start: int
    duration: int


class TrackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Segments of one track, or of one chunk of it, with the init segment they share.

    `edit_start` is what the init's edit list takes off media times: B-frame delay or AAC priming, in ticks.
    """

    track: str
    init: StoredObject
    timescale: int
    edit_start: int
    codecs: str
    segments: list[SegmentRecord]
