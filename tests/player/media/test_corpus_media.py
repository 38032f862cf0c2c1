"""Media of other packagers decodes to as many frames as the ffmpeg command makes of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cushion_player.boxes.ebml import elements
from cushion_player.media.decode import TrackDecoder
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind

V, A = TrackKind.VIDEO, TrackKind.AUDIO
ROOT = "corpus/media/rx-player"
CASES = {
    "live video": (V, "DASH_dynamic_SegmentTimeline/media/V300/init.mp4", "t*.m4s"),
    "live sound": (A, "DASH_dynamic_SegmentTimeline/media/A48/init.mp4", "t7332038[45]??7*.m4s"),
    "periods, video": (
        V,
        "DASH_static_SegmentTemplate_Multi_Periods/media/mp4-live-periods-h264bl_low-.mp4",
        "mp4-live-periods-h264bl_low-[1-3].m4s",
    ),
    "periods, sound": (
        A,
        "DASH_static_SegmentTemplate_Multi_Periods/media/mp4-live-periods-aaclc-.mp4",
        "mp4-live-periods-aaclc-[1-3].m4s",
    ),
    "one file, H.264": (V, "DASH_static_SegmentBase/media/v-0144p-0100k-libx264.mp4", ""),
    "one file, AAC": (A, "DASH_static_SegmentBase/media/a-eng-0128k-aac.mp4", ""),
    "one file, VP9": (V, "DASH_static_SegmentBase/media/v-0144p-0100k-vp9.webm", ""),
    "one file, Opus": (A, "DASH_static_SegmentBase/media/a-eng-0128k-libopus.webm", ""),
}


def split(path: Path) -> tuple[Container, bytes, bytes]:
    """Initialisation segment and media of a file that is both."""
    data = path.read_bytes()
    if path.suffix == ".webm":
        found = elements(memoryview(data), 0, len(data), frozenset({0x18538067}))
        at = next(element.start for element in found if element.id == 0x1F43B675)
        return Container.WEBM, data[:at], data[at:]
    at = data.index(b"moof") - 4
    return Container.MP4, data[:at], data[at:]


def frames_by_ffprobe(kind: TrackKind, data: bytes) -> int:
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", f"{kind[0]}:0"]
    command += ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", "-"]
    return int(subprocess.run(command, input=data, capture_output=True, check=True).stdout.split()[0])


@pytest.mark.parametrize("name", sorted(CASES))
def test_as_many_frames_as_ffmpeg(shared_path: Callable[[str], Path], name: str) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("needs the command ffprobe")
    kind, init_name, pattern = CASES[name]
    path = shared_path(f"{ROOT}/{init_name}")
    if pattern:
        container, init = Container.MP4, path.read_bytes()
        segments = [each.read_bytes() for each in sorted(path.parent.glob(pattern))]
    else:
        container, init, media = split(path)
        segments = [media]
    decoder = TrackDecoder(kind)
    decoder.switch(MediaFormat(0, container, init))

    frames = 0
    for segment in segments:
        frames += sum(1 for _ in decoder.decode(segment, 0, 0))
        assert decoder.damage == ""
    frames += sum(1 for _ in decoder.drain())

    assert segments
    assert decoder.corrupt == 0
    assert frames == frames_by_ffprobe(kind, init + b"".join(segments))
