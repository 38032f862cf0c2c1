"""What a source becomes: its ladder, its chunks on the frame grid, how often it repeats, and the title's id."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import msgspec

from cushion_servers.transcode.facts import AUDIO_BITRATE_BPS, AUDIO_RATE_HZ, Rung, Source
from cushion_servers.transcode.ladder import plan_ladder
from cushion_servers.transcode.steps import AudioStep, ChunkStep, PosterStep

SEGMENT_S: Final = 2
SEGMENTS_PER_CHUNK: Final = 3
"""6 s a chunk: long enough that entering the source at a key frame before it costs little, short enough to share."""


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """All of a title but its bytes."""

    source: Source
    rungs: list[Rung]
    repeats: int
    segment_frames: int
    chunks: list[ChunkStep]
    audio: AudioStep | None
    poster: PosterStep

    @property
    def title_id(self) -> str:
        """The same source repeated as often is the same title, whatever its file was called."""
        content = msgspec.json.encode([self.source.info.sha256, self.repeats])
        return hashlib.sha256(content).hexdigest()[:16]

    @property
    def duration(self) -> Fraction:
        """Seconds, repetitions included."""
        return self.repeats * self.source.info.frame_count / self.source.info.fps

    @property
    def segment_s(self) -> float:
        return float(self.segment_frames / self.source.info.fps)

    @property
    def note(self) -> str:
        """What a viewer should know of it."""
        if self.repeats == 1:
            return ""
        return f"{round(self.source.info.duration_s, 1):g} s clip, repeated {self.repeats} times"


def plan_ingest(source: Source, min_duration_s: float) -> IngestPlan:
    """Plan a title of at least `min_duration_s` from a probed source."""
    info = source.info
    segment_frames = max(1, round(SEGMENT_S * info.fps))
    rungs = plan_ladder(info.width_px, info.height_px, float(info.fps))
    repeats = max(1, math.ceil(min_duration_s / info.duration_s - 1e-6))
    chunk_frames = segment_frames * SEGMENTS_PER_CHUNK
    chunks = [
        ChunkStep(
            source=source,
            rungs=rungs,
            index=index,
            first_frame=first,
            frame_count=min(chunk_frames, info.frame_count - first),
            segment_frames=segment_frames,
        )
        for index, first in enumerate(range(0, info.frame_count, chunk_frames))
    ]
    audio = None
    if info.has_audio:
        track = f"audio-{info.audio_language}-{AUDIO_BITRATE_BPS // 1000}k"
        borders = _borders(info.frame_count, segment_frames, repeats, info.fps)
        audio = AudioStep(source=source, track=track, borders=borders, repeats=repeats)
    return IngestPlan(source, rungs, repeats, segment_frames, chunks, audio, PosterStep(source=source))


def _borders(frame_count: int, segment_frames: int, repeats: int, fps: Fraction) -> list[int]:
    """Where video segments start, over all repetitions, and where the title ends; in audio samples."""
    frames = [run * frame_count + at for run in range(repeats) for at in range(0, frame_count, segment_frames)]
    return [round(frame / fps * AUDIO_RATE_HZ) for frame in [*frames, repeats * frame_count]]
