from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cushion_servers.testing import MemoryStore
from cushion_servers.transcode.audio import encode_audio
from cushion_servers.transcode.facts import Source, TrackRecord
from cushion_servers.transcode.probe import probe
from cushion_servers.transcode.testing import write_clip

BORDERS = [0, 96_000, 192_000]


def heard(track: TrackRecord, store: MemoryStore) -> tuple[int, NDArray[np.float32]]:
    """(first sample's position, left channel) of a track as a decoder gives it."""
    data = store.get(track.init.name) + b"".join(store.get(segment.media.name) for segment in track.segments)
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(audio=0))
        assert frames[0].pts is not None
        return frames[0].pts, np.concatenate([np.asarray(frame.to_ndarray(), np.float32)[0] for frame in frames])


def clicks(samples: NDArray[np.float32]) -> list[int]:
    """Where clicks begin: the first loud sample after half a second without one."""
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    return [int(at) for k, at in enumerate(loud) if k == 0 or at - loud[k - 1] > 24_000]


def encode(source: Source, store: MemoryStore, repeats: int) -> TrackRecord:
    run = round(source.info.duration_s * 48_000)
    borders = [k * run + border for k in range(repeats) for border in BORDERS] + [repeats * run]
    return encode_audio(source, "audio-und-128k", borders, repeats, store, lambda: False)


def test_clicks_are_where_the_source_has_them(clip_source: Source, store: MemoryStore) -> None:
    track = encode(clip_source, store, 1)

    first, samples = heard(track, store)

    assert track.codecs == "mp4a.40.2"
    assert [first + at for at in clicks(samples)] == pytest.approx([0, 48_000, 96_000, 144_000, 192_000], abs=24)


def test_repeated_sound_stays_in_step_with_the_picture(clip_source: Source, store: MemoryStore) -> None:
    track = encode(clip_source, store, 3)

    first, samples = heard(track, store)

    expected = [round(run * 4.8 * 48_000) + second * 48_000 for run in range(3) for second in range(5)]
    # Between the fifth click of a run and the first of the next there are 0.8 s.
    assert [first + at for at in clicks(samples)] == pytest.approx(expected, abs=24)


def test_segments_are_contiguous_and_near_the_borders(clip_source: Source, store: MemoryStore) -> None:
    track = encode(clip_source, store, 2)

    ends = [segment.start + segment.duration for segment in track.segments]
    assert [segment.start for segment in track.segments[1:]] == ends[:-1]
    assert track.edit_start == 1024
    presented = [segment.start - 1024 for segment in track.segments[1:]]
    assert presented == pytest.approx([96_000, 192_000, 230_400, 326_400, 422_400], abs=512)


def test_sound_shorter_than_the_picture_is_followed_by_silence(tmp_path: Path, store: MemoryStore) -> None:
    short = write_clip(tmp_path / "short.mp4", frames=25)
    picture = write_clip(tmp_path / "picture.mp4", frames=75, sound=False)
    both = tmp_path / "both.mp4"
    with av.open(str(short)) as sound, av.open(str(picture)) as video, av.open(str(both), "w") as target:
        inputs = [(video, video.streams.video[0]), (sound, sound.streams.audio[0])]
        outputs = [target.add_stream_from_template(stream) for _, stream in inputs]
        for (container, stream), output in zip(inputs, outputs, strict=True):
            for packet in container.demux(stream):
                if packet.dts is not None:
                    packet.stream = output
                    target.mux(packet)
    source = probe(str(both))

    track = encode_audio(source, "audio-und-128k", [0, 96_000, 144_000], 1, store, lambda: False)

    _, samples = heard(track, store)
    assert len(samples) == pytest.approx(144_000, abs=1024)
    assert clicks(samples) == pytest.approx([0], abs=24)
