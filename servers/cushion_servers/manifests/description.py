"""What a manifest is written from: the tracks of a title and the figures both formats declare."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from cushion_servers.transcode.facts import SegmentRecord, TrackRecord

TO_ROOT: Final = "../../"
"""From a manifest in `titles/<title_id>/` to the root of the store, where `objects/` is."""

MPD_NAME: Final = "manifest.mpd"
MASTER_NAME: Final = "master.m3u8"


@dataclass(frozen=True, slots=True)
class VideoTrack:
    record: TrackRecord
    width_px: int
    height_px: int
    fps: Fraction


@dataclass(frozen=True, slots=True)
class AudioTrack:
    record: TrackRecord
    language: str
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True)
class TitleDescription:
    """A title to publish: video rungs ascending, at most one audio track, all over the same duration."""

    video: tuple[VideoTrack, ...]
    audio: AudioTrack | None
    duration: Fraction
    """Seconds."""
    segment_s: float

    def __post_init__(self) -> None:
        if not self.video:
            raise ValueError("a title needs at least one video rung")


def mean_bitrate_bps(track: TrackRecord) -> int:
    """Bits of all segments over the track's duration."""
    ticks = sum(segment.duration for segment in track.segments)
    size = sum(segment.media.size_bytes for segment in track.segments)
    return round(size * 8 * track.timescale / ticks)


def peak_bitrate_bps(track: TrackRecord, segment_s: float) -> int:
    """The largest segment's bitrate (RFC 8216, 4.3.4.2): measured, never less than the mean.

    Segments shorter than half of `segment_s` are left out, as there a key frame alone would set the figure.
    """
    full = [s for s in track.segments if s.duration >= track.timescale * segment_s / 2] or track.segments
    peak = max(segment.media.size_bytes * 8 * track.timescale / segment.duration for segment in full)
    return max(round(peak), mean_bitrate_bps(track))


def presented(track: TrackRecord) -> list[tuple[int, int, SegmentRecord]]:
    """(start, duration, segment) on the presentation timeline, in ticks, contiguous from 0.

    Decode times less the edit list: for AAC the first segment's priming is not presented. Video decode times already
    lie on the grid, since the edit list there undoes the B-frame delay of composition times.
    """
    priming = track.edit_start if track.codecs.startswith("mp4a") else 0
    spans = list[tuple[int, int, SegmentRecord]]()
    for segment in track.segments:
        start = max(0, segment.start - priming)
        spans.append((start, segment.start + segment.duration - priming - start, segment))
    return spans


def whole_range(size_bytes: int) -> str:
    """The byte range that is all of an object, as MPDs write it: it tells players the size beforehand."""
    return f"0-{size_bytes - 1}"
