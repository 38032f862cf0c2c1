from __future__ import annotations

import io
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from cushion_servers.errors import IngestError, PackagingError, StepCancelled
from cushion_servers.testing import MemoryStore
from cushion_servers.transcode.encode import encode_chunk
from cushion_servers.transcode.facts import Source, TrackRecord
from cushion_servers.transcode.fragments import read_segment
from cushion_servers.transcode.ladder import plan_ladder
from cushion_servers.transcode.loop import repeated
from cushion_servers.transcode.package import joined
from cushion_servers.transcode.probe import probe
from cushion_servers.transcode.testing import index_of, write_clip


def encode_whole(source: Source, store: MemoryStore, chunk_segments: int = 1) -> list[TrackRecord]:
    """Every rung of a source, encoded in chunks of that many 2 s segments."""
    info = source.info
    rungs = plan_ladder(info.width_px, info.height_px, float(info.fps))
    segment = round(2 * info.fps)
    chunks = [
        encode_chunk(
            source,
            rungs,
            first_frame=first,
            frame_count=min(segment * chunk_segments, info.frame_count - first),
            segment_frames=segment,
            store=store,
            should_stop=lambda: False,
        )
        for first in range(0, info.frame_count, segment * chunk_segments)
    ]
    return [joined(list(parts)) for parts in zip(*chunks, strict=True)]


def shown(track: TrackRecord, store: MemoryStore) -> list[tuple[Fraction, int]]:
    """(presentation time in seconds, frame number told by the picture) of every decoded frame."""
    data = store.get(track.init.name) + b"".join(store.get(segment.media.name) for segment in track.segments)
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        return [((frame.pts or 0) * stream.time_base, index_of(frame)) for frame in container.decode(stream)]


def test_a_transport_stream_that_seeks_past_its_key_frames_is_read_from_the_start(
    tmp_path: Path, store: MemoryStore
) -> None:
    clip = write_clip(tmp_path / "clip.ts", fps=25, frames=120, sound=False)

    for track in encode_whole(probe(str(clip)), store):
        assert [frame for _, frame in shown(track, store)] == list(range(120))


def test_every_rung_shows_every_frame_at_its_time(clip_source: Source, store: MemoryStore) -> None:
    tracks = encode_whole(clip_source, store)

    assert [track.track for track in tracks] == ["video-144p", "video-180p"]
    for track in tracks:
        assert shown(track, store) == [(Fraction(k, 25), k) for k in range(120)]
        assert track.codecs.startswith("avc1.64")
        assert [segment.duration for segment in track.segments] == [25_600, 25_600, 10_240]


def test_frame_grid_of_a_fractional_rate_has_no_rounding(ntsc_clip: Path, store: MemoryStore) -> None:
    (track,) = encode_whole(probe(str(ntsc_clip)), store)

    assert shown(track, store) == [(Fraction(k * 1001, 30_000), k) for k in range(90)]
    assert [segment.start for segment in track.segments] == [0, 60 * 1001]


def test_variable_frame_rate_is_put_on_the_grid(tmp_path: Path, store: MemoryStore) -> None:
    times = [2 * k for k in range(40) if k not in (10, 11, 12)]
    source = probe(str(write_clip(tmp_path / "vfr.mkv", fps=50, pts=times, sound=False)))

    (track,) = encode_whole(source, store)

    frames = shown(track, store)
    slots = [round(when * source.info.fps) for when, _ in frames]
    assert slots == list(range(source.info.frame_count))
    assert all(later >= earlier for (_, earlier), (_, later) in pairwise(frames))
    assert {index for _, index in frames} == set(range(37))


def test_source_that_starts_late_is_shown_from_zero(tmp_path: Path, store: MemoryStore) -> None:
    source = probe(str(write_clip(tmp_path / "late.mkv", pts=list(range(30, 90)), sound=False)))

    (track,) = encode_whole(source, store)

    assert shown(track, store) == [(Fraction(k, 25), k) for k in range(60)]


def test_full_range_and_other_chroma_become_ordinary_yuv420p(tmp_path: Path, store: MemoryStore) -> None:
    source = probe(str(write_clip(tmp_path / "full.mkv", frames=20, pix_fmt="yuvj444p", sound=False)))

    (track,) = encode_whole(source, store)

    data = store.get(track.init.name) + store.get(track.segments[0].media.name)
    with av.open(io.BytesIO(data), "r") as container:
        frame = next(container.decode(video=0))
        assert (frame.format.name, int(frame.color_range)) == ("yuv420p", 1)
    assert [index for _, index in shown(track, store)] == list(range(20))


def test_segments_start_with_an_idr_picture_and_know_their_place(clip_source: Source, store: MemoryStore) -> None:
    track = encode_whole(clip_source, store)[0]

    facts = [read_segment(store.get(segment.media.name), video=True) for segment in track.segments]

    assert [each.sequence for each in facts] == [1, 2, 3]
    assert [each.decode_time for each in facts] == [0, 25_600, 51_200]
    assert [each.sample_count for each in facts] == [50, 50, 20]
    assert all(each.starts_with_idr for each in facts)


def test_repeated_clip_goes_on_without_a_seam(clip_source: Source, store: MemoryStore) -> None:
    track = encode_whole(clip_source, store)[0]

    twice = repeated(track, 3, store)

    assert shown(twice, store) == [(Fraction(k, 25), k % 120) for k in range(360)]
    facts = [read_segment(store.get(segment.media.name), video=True) for segment in twice.segments]
    assert [each.sequence for each in facts] == list(range(1, 10))


def test_chunks_with_a_gap_are_not_joined(clip_source: Source, store: MemoryStore) -> None:
    track = encode_whole(clip_source, store)[0]
    first = TrackRecord(
        **{name: getattr(track, name) for name in track.__struct_fields__[:-1]}, segments=track.segments[:1]
    )
    last = TrackRecord(
        **{name: getattr(track, name) for name in track.__struct_fields__[:-1]}, segments=track.segments[2:]
    )

    with pytest.raises(PackagingError, match="a gap before tick 51200"):
        joined([first, last])


def test_damage_inside_the_source_is_an_ingest_error(damaged_clip: Path, store: MemoryStore) -> None:
    with pytest.raises(IngestError, match="damaged"):
        encode_whole(probe(str(damaged_clip)), store)


def test_chunk_is_dropped_between_frames_when_asked(clip_source: Source, store: MemoryStore) -> None:
    asked = iter([False] * 5 + [True])

    with pytest.raises(StepCancelled):
        encode_chunk(
            clip_source,
            plan_ladder(320, 180, 25.0),
            first_frame=0,
            frame_count=50,
            segment_frames=50,
            store=store,
            should_stop=lambda: next(asked),
        )
    assert not store.objects
