from __future__ import annotations

import msgspec

from cushion_servers.ingest.plan import plan_ingest
from cushion_servers.transcode.facts import Source
from cushion_servers.transcode.steps import ChunkStep, step_key


def moved(source: Source) -> Source:
    return msgspec.structs.replace(source, path="/elsewhere.mp4", mtime_ns=1)


def test_key_does_not_depend_on_where_or_when_the_file_is(clip_source: Source) -> None:
    here, there = plan_ingest(clip_source, 0.0), plan_ingest(moved(clip_source), 0.0)

    assert [step_key(step) for step in here.chunks] == [step_key(step) for step in there.chunks]
    assert step_key(here.poster) == step_key(there.poster)
    assert here.title_id == there.title_id


def test_key_depends_on_content_place_and_parameters(clip_source: Source) -> None:
    (chunk,) = plan_ingest(clip_source, 0.0).chunks
    other = msgspec.structs.replace(clip_source, info=msgspec.structs.replace(clip_source.info, sha256="0"))
    variants: list[ChunkStep] = [
        msgspec.structs.replace(chunk, source=other),
        msgspec.structs.replace(chunk, first_frame=50),
        msgspec.structs.replace(chunk, rungs=chunk.rungs[:1]),
        msgspec.structs.replace(chunk, rungs=[msgspec.structs.replace(chunk.rungs[0], crf=30), *chunk.rungs[1:]]),
    ]

    keys = {step_key(chunk)} | {step_key(variant) for variant in variants}

    assert len(keys) == 1 + len(variants)


def test_plan_repeats_until_it_is_long_enough(clip_source: Source) -> None:
    assert [plan_ingest(clip_source, seconds).repeats for seconds in (0.0, 4.8, 4.81, 9.6, 60.0)] == [1, 1, 2, 2, 13]


def test_audio_borders_are_where_video_segments_start(clip_source: Source) -> None:
    audio = plan_ingest(clip_source, 9.0).audio

    assert audio is not None
    assert audio.borders == [0, 96_000, 192_000, 230_400, 326_400, 422_400, 460_800]
