"""What does the way from segment bytes to frames cost: containers, decoding, a switch of rungs?"""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av

from benchmarks.harness import BenchmarkError, Report, alternate, arguments, finish, ratio, run
from benchmarks.title import FOLDER, FRAME_RATE, LADDER, SEGMENT_S, TOP, title
from cushion_player.boxes.ebml import elements
from cushion_player.errors import CushionError
from cushion_player.media.decode import TrackDecoder
from cushion_player.media.demux import make_demuxer
from cushion_player.media.demux.audio_frames import read_adts, split_frames
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind

SECONDS = 60
REPEATS = 20
SWITCHES = 28
V, A = TrackKind.VIDEO, TrackKind.AUDIO
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675


@dataclass(frozen=True, slots=True)
class Media:
    """Segments of one track, and libavformat's name of what they are."""

    kind: TrackKind
    format: MediaFormat
    segments: Sequence[bytes]
    av_format: str


def fragments(seconds: int, stream: int, kind: TrackKind, rung: int = 0, folder: Path | None = None) -> Media:
    folder = folder or title(seconds, TOP)
    init = (folder / f"init-stream{stream}.m4s").read_bytes()
    parts = [path.read_bytes() for path in sorted(folder.glob(f"chunk-stream{stream}-*.m4s"))]
    return Media(kind, MediaFormat(rung, Container.MP4, init), parts, "mov")


def repackaged() -> dict[str, Media]:
    """The same coded frames in every container, made by ffmpeg on first use."""
    video, audio = fragments(SECONDS, 1, V), fragments(SECONDS, 0, A)
    folder = FOLDER / f"decode-{SECONDS}s"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, media in (("video", video), ("audio", audio)):
            (part / f"{name}.mp4").write_bytes(media.format.init + b"".join(media.segments))
        inputs = ["-i", str(part / "video.mp4"), "-i", str(part / "audio.mp4")]
        hls = ["-f", "hls", "-hls_time", str(SEGMENT_S), "-hls_list_size", "0", "-hls_segment_filename"]
        ffmpeg = ["ffmpeg", "-v", "error", "-y", *inputs, "-c", "copy"]
        run([*ffmpeg, *hls, str(part / "s%03d.ts"), str(part / "ts.m3u8")], timeout_s=120)
        cluster = ["-cluster_time_limit", str(SEGMENT_S * 1000), "-cluster_size_limit", "1000000000"]
        run([*ffmpeg, "-map", "0:v", *cluster, str(part / "video.mkv")], timeout_s=120)
        run([*ffmpeg, "-map", "1:a", "-f", "adts", str(part / "audio.aac")], timeout_s=120)
        part.rename(folder)
    ts = [path.read_bytes() for path in sorted(folder.glob("s*.ts"))]
    sound = (folder / "audio.aac").read_bytes()
    frames, _, _ = split_frames(sound, read_adts)
    step = -(-len(frames) // len(audio.segments))
    cuts = [*(frame.start for frame in frames[::step]), len(sound)]
    packed = [sound[start:end] for start, end in pairwise(cuts)]
    head, clusters = _clusters((folder / "video.mkv").read_bytes())
    return {
        "fragmented MP4, video": video,
        "fragmented MP4, sound": audio,
        "MPEG-TS, video": Media(V, MediaFormat(0, Container.MPEG_TS, b""), ts, "mpegts"),
        "MPEG-TS, sound": Media(A, MediaFormat(0, Container.MPEG_TS, b""), ts, "mpegts"),
        "Matroska, video": Media(V, MediaFormat(0, Container.WEBM, head), clusters, "matroska"),
        "packed AAC": Media(A, MediaFormat(0, Container.PACKED_AUDIO, b""), packed, "aac"),
    }


def _clusters(data: bytes) -> tuple[bytes, list[bytes]]:
    found = list(elements(memoryview(data), 0, len(data), frozenset({_SEGMENT})))
    clusters = [element for element in found if element.id == _CLUSTER]
    return data[: clusters[0].start], [data[each.start : each.end] for each in clusters]


def demuxing(media: Media) -> Callable[[], float]:
    """CPU ms a segment, to coded frames."""

    def measure() -> float:
        started_s = time.process_time()
        for _ in range(REPEATS):
            demuxer = make_demuxer(media.kind, media.format)
            for index, data in enumerate(media.segments):
                demuxer.read(data, index * SEGMENT_S * 1_000_000)
        return (time.process_time() - started_s) / REPEATS / len(media.segments) * 1e3

    return measure


def demuxing_by_libavformat(media: Media) -> Callable[[], float]:
    """The same by opening every segment with its initialisation segment before it, probing as little as it can."""

    def measure() -> float:
        started_s = time.process_time()
        for data in media.segments:
            source = io.BytesIO(media.format.init + data)
            with av.open(source, "r", format=media.av_format, options={"skip_frame": "all"}) as container:
                streams = container.streams.video if media.kind is V else container.streams.audio
                for _ in container.demux(streams[0]):
                    pass
        return (time.process_time() - started_s) / len(media.segments) * 1e3

    return measure


def containers(pairs: int) -> Report:
    report = Report(f"CPU of finding the frames in a segment of {SEGMENT_S} s of 720p or of its sound")
    for name, media in repackaged().items():
        ours, theirs = alternate(demuxing(media), demuxing_by_libavformat(media), pairs)
        mine = report.add(f"{name}: ours", ours, "ms")
        report.add(f"{name}: libavformat, opened anew", theirs, "ms")
        if media.format.container is Container.MP4:
            report.judge(f"{name}: at most 0.5 ms a segment", mine.median <= 0.5)
        else:
            report.judge(f"{name}: no more than libavformat", mine.median <= report.rows[-1][1].median)
    return report


def decoding(media: Media) -> Callable[[], float]:
    """CPU ms a second of media."""

    def measure() -> float:
        started_s = time.process_time()
        decoder = TrackDecoder(media.kind)
        decoder.switch(media.format)
        for index, data in enumerate(media.segments):
            for _ in decoder.decode(data, index * SEGMENT_S * 1_000_000, 0):
                pass
        for _ in decoder.drain():
            pass
        return (time.process_time() - started_s) / SECONDS * 1e3

    return measure


def decoding_by_ffmpeg(path: Path) -> Callable[[], float]:
    def measure() -> float:
        command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), "-f", "null", "-"]
        return run(command, timeout_s=300).cpu_s / SECONDS * 1e3

    return measure


def decode(pairs: int) -> Report:
    report = Report(f"CPU of decoding a second of 720p and of its sound, one thread, {SECONDS} s")
    found = repackaged()
    for name, file in (("video", "video.mp4"), ("sound", "audio.mp4")):
        media = found[f"fragmented MP4, {name}"]
        path = FOLDER / f"decode-{SECONDS}s" / file
        ours, theirs = alternate(decoding(media), decoding_by_ffmpeg(path), pairs)
        report.add(f"{name}: ours", ours, "ms/s")
        report.add(f"{name}: ffmpeg -f null, start of the program and all", theirs, "ms/s")
        if name == "video":
            shares = ratio(ours, theirs)
            report.rows.append(("video: ours / ffmpeg", shares, ""))
            claim = f"decoding costs at most 1.05 times what ffmpeg takes (median {shares.median:.2f})"
            report.judge(claim, shares.median <= 1.05)
    return report


def switching(pairs: int) -> Report:
    """The old decoder is drained first: those frames would have been decoded anyway, so they do not count."""
    report = Report(f"What a switch of rungs costs, {SWITCHES} of them in H.264")
    folder = title(SECONDS, LADDER)
    low, high = (fragments(SECONDS, stream, V, rung, folder) for rung, stream in enumerate((1, 2)))
    counts: set[tuple[int, int]] = set()

    def measure() -> tuple[float, float]:
        """CPU ms of a switch, and of the segment after it."""
        decoder, frames, switch_s, decode_s = TrackDecoder(V), 0, 0.0, 0.0
        for index in range(SWITCHES):
            media = (low, high)[index % 2]
            frames += sum(1 for _ in decoder.drain())
            started_s = time.process_time()
            decoder.switch(media.format)
            switched_s = time.process_time()
            frames += sum(1 for _ in decoder.decode(media.segments[index], 0, 0))
            decode_s += time.process_time() - switched_s
            switch_s += switched_s - started_s
        frames += sum(1 for _ in decoder.drain())
        counts.add((frames, decoder.corrupt))
        return switch_s / SWITCHES * 1e3, decode_s / SWITCHES * 1e3

    runs = [measure() for _ in range(pairs)]
    cost = report.add("a switch: a new decoder", [run[0] for run in runs], "ms")
    report.add("the segment after it", [run[1] for run in runs], "ms")
    report.judge("a switch costs at most 1 ms", cost.median <= 1)
    expected = SWITCHES * SEGMENT_S * FRAME_RATE
    report.judge(f"all {expected} frames come, and none is damaged", counts == {(expected, 0)})
    return report


def main() -> int:
    options = arguments(__doc__ or "", pairs=5).parse_args()
    try:
        reports = [containers(options.pairs), decode(options.pairs), switching(options.pairs)]
        return finish(reports, options.json)
    except (BenchmarkError, CushionError) as error:
        print(f"bench decode: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
