from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from cushion_servers.errors import IngestError, StepCancelled
from cushion_servers.transcode.facts import Source
from cushion_servers.transcode.probe import check_unchanged, probe
from cushion_servers.transcode.testing import write_clip


def test_probe_reads_the_facts_of_a_clip(clip_source: Source) -> None:
    info = clip_source.info

    assert (info.fps, info.frame_count, info.width_px, info.height_px) == (Fraction(25), 120, 320, 180)
    assert info.has_audio
    assert info.duration_s == 4.8


def test_fractional_frame_rate_stays_a_fraction(ntsc_clip: Path) -> None:
    info = probe(str(ntsc_clip)).info

    assert (info.fps, info.frame_count, info.has_audio) == (Fraction(30_000, 1001), 90, False)


def test_variable_frame_rate_gets_a_standard_one(tmp_path: Path) -> None:
    times = [k * 2 for k in range(60) if k % 7]
    clip = write_clip(tmp_path / "vfr.mkv", fps=60, pts=times, sound=False)

    info = probe(str(clip)).info

    assert info.fps in (Fraction(25), Fraction(30), Fraction(60))
    assert info.duration_s == pytest.approx(119 / 60, abs=0.05)


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"nothing\.mp4 cannot be read \(No such file or directory\)\.$"):
        probe(str(tmp_path / "nothing.mp4"))


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="cannot be read"):
        probe(str(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this file system")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")

    with pytest.raises(IngestError, match=r"pipe\.mp4 is a pipe"):
        probe(str(tmp_path / "pipe.mp4"))


def test_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()

    with pytest.raises(IngestError, match="is empty"):
        probe(str(tmp_path / "empty.mp4"))


def test_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.mp4").write_text("<html>not here</html>" * 50)

    with pytest.raises(IngestError, match="is not a media file we can read"):
        probe(str(tmp_path / "page.mp4"))


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    write_clip(tmp_path / "both.mp4", frames=25)
    import av

    with av.open(str(tmp_path / "both.mp4")) as source, av.open(str(path), "w", format="mp4") as target:
        sound = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                target.mux(packet)

    with pytest.raises(IngestError, match="has no video"):
        probe(str(path))


def test_cut_off_file_is_refused(tmp_path: Path, clip: Path) -> None:
    whole = _fast_start(clip, tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(IngestError, match=r"is cut off: it declares 4\.8 s of video but holds"):
        probe(str(tmp_path / "cut.mp4"))


def test_changed_file_is_noticed(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=10, sound=False)
    source = probe(str(path))
    path.write_bytes(path.read_bytes() + b"more")

    with pytest.raises(IngestError, match="was changed while it was being ingested"):
        check_unchanged(source)


def _fast_start(source: Path, target: Path) -> Path:
    """The same file with its index first, so that a cut takes frames away and not the index."""
    import av

    with av.open(str(source)) as read, av.open(str(target), "w", options={"movflags": "faststart"}) as write:
        streams = {stream.index: write.add_stream_from_template(stream) for stream in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                write.mux(packet)
    return target


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(IngestError, match="/dev/zero is a device"):
        probe("/dev/zero")


def test_hashing_stops_when_asked(clip: Path) -> None:
    with pytest.raises(StepCancelled):
        probe(str(clip), lambda: True)
