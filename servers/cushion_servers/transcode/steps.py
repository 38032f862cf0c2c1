"""The steps of an ingest as values, and `run_step`, which does one. Importing this module does not import av.

A step's key names its outcome: a hash of the source's digest, the parameters and the versions that matter, never of
paths or times. Equal keys mean the work is done, even in another job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

import msgspec

from cushion_servers.store import ObjectStore
from cushion_servers.transcode.facts import Rung, Source, StoredObject, TrackRecord

PIPELINE_VERSION: Final = 1
"""Raise it when steps produce other bytes from the same inputs: finished steps are then done again."""


class ProbeStep(msgspec.Struct, frozen=True, kw_only=True, tag="probe"):
    """Look at a source. Cheap, and always run: only it can tell whether the file is still the same."""

    path: str

    @property
    def name(self) -> str:
        return "probe"


class ChunkStep(msgspec.Struct, frozen=True, kw_only=True, tag="chunk"):
    """Encode a run of segments at every rung."""

    source: Source
    rungs: list[Rung]
    index: int
    first_frame: int
    frame_count: int
    segment_frames: int

    @property
    def name(self) -> str:
        return f"video {self.index + 1}"


class AudioStep(msgspec.Struct, frozen=True, kw_only=True, tag="audio"):
    """Encode the sound of all repetitions; `borders` are sample positions of video segment starts and of the end."""

    source: Source
    track: str
    borders: list[int]
    repeats: int

    @property
    def name(self) -> str:
        return "audio"


class PosterStep(msgspec.Struct, frozen=True, kw_only=True, tag="poster"):
    source: Source

    @property
    def name(self) -> str:
        return "poster"


class RepeatStep(msgspec.Struct, frozen=True, kw_only=True, tag="repeat"):
    """Join the chunks of every rung and repeat them."""

    chunks: list[list[TrackRecord]]
    repeats: int

    @property
    def name(self) -> str:
        return "join"


Step = ProbeStep | ChunkStep | AudioStep | PosterStep | RepeatStep


class Probed(msgspec.Struct, frozen=True, tag="probed"):
    source: Source


class Encoded(msgspec.Struct, frozen=True, tag="encoded"):
    """Tracks a step made: one a rung, ascending, or the one audio track."""

    tracks: list[TrackRecord]


class Poster(msgspec.Struct, frozen=True, tag="poster"):
    image: StoredObject


StepResult = Probed | Encoded | Poster


def step_key(step: Step) -> str:
    """The deterministic key of a step: 64 hex digits."""
    described = msgspec.to_builtins(step)
    if "source" in described:
        described["source"] = described["source"]["info"]
    described["versions"] = {"pipeline": PIPELINE_VERSION, "av": version("av")}
    return hashlib.sha256(msgspec.json.encode(described, order="sorted")).hexdigest()


def objects_of(result: StepResult) -> list[str]:
    """Names of all objects a result speaks of; a finished step counts only while they exist."""
    match result:
        case Encoded(tracks):
            segments = [segment.media.name for track in tracks for segment in track.segments]
            return [track.init.name for track in tracks] + segments
        case Poster(image):
            return [image.name]
        case Probed():
            return []


def run_step(step: Step, store: ObjectStore, should_stop: Callable[[], bool]) -> StepResult:
    """Do a step here and now: seconds of CPU for a chunk.

    Raises IngestError (the source's fault), StoreError, PackagingError or StepCancelled.
    """
    match step:
        case ProbeStep(path=path):
            from cushion_servers.transcode.probe import probe

            return Probed(probe(path, should_stop))
        case ChunkStep():
            from cushion_servers.transcode.encode import encode_chunk

            tracks = encode_chunk(
                step.source,
                step.rungs,
                first_frame=step.first_frame,
                frame_count=step.frame_count,
                segment_frames=step.segment_frames,
                store=store,
                should_stop=should_stop,
            )
            return Encoded(tracks)
        case AudioStep():
            from cushion_servers.transcode.audio import encode_audio

            return Encoded([encode_audio(step.source, step.track, step.borders, step.repeats, store, should_stop)])
        case PosterStep():
            from cushion_servers.transcode.poster import make_poster

            return Poster(make_poster(step.source, store, should_stop))
        case RepeatStep():
            from cushion_servers.transcode.loop import repeated
            from cushion_servers.transcode.package import joined

            whole = [joined(list(chunks)) for chunks in zip(*step.chunks, strict=True)]
            return Encoded([repeated(track, step.repeats, store) for track in whole])
