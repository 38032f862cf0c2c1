"""What does decryption cost a second of 720p, beside the same media in the clear and beside ffmpeg?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import encrypted
from benchmarks.encrypted import KEY, KEY_ID
from benchmarks.harness import BenchmarkError, Report, Spread, alternate, arguments, finish, run
from benchmarks.title import FOLDER, SEGMENT_S, TOP, title
from cushion_player.crypt import KeyRing, decrypt_segment
from cushion_player.errors import CushionError
from cushion_player.media.demux import make_demuxer
from cushion_player.model import Container, Key
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind

SECONDS = 60
KINDS = ((TrackKind.VIDEO, "video"), (TrackKind.AUDIO, "audio"))
REPEATS = 5
FULL = ("--fragment_duration", "1000")


def sources() -> dict[str, Path]:
    """The 720p rung and the sound of the title, a file each."""
    folder = title(SECONDS, TOP)
    found: dict[str, Path] = {}
    for name, stream in (("audio", 0), ("video", 1)):
        path = FOLDER / f"crypt-{SECONDS}s-{name}.mp4"
        if not path.is_file():
            parts = sorted(folder.glob(f"chunk-stream{stream}-*.m4s"))
            path.write_bytes((folder / f"init-stream{stream}.m4s").read_bytes() + b"".join(map(Path.read_bytes, parts)))
        found[name] = path
    return found


def packaged(name: str, scheme: str, container: str = "mp4") -> Path:
    """Both streams under out/, made on first use."""
    folder = FOLDER / f"crypt-{SECONDS}s-{name}"
    if not folder.is_dir():
        for kind, path in sources().items():
            encrypted.package(path, folder, scheme=scheme, container=container, segment_s=SEGMENT_S, streams=(kind,))
    return folder


def demuxing(folder: Path) -> Callable[[], float]:
    """CPU ms a second of media, from segments to coded frames, deciphered where they are encrypted."""
    work = [
        (kind, MediaFormat(0, Container.MP4, encrypted.init(folder, name), keys=KeyRing({KEY_ID: KEY})), pieces)
        for kind, name in KINDS
        if (pieces := encrypted.segments(folder, name))
    ]

    def measure() -> float:
        started_s = time.process_time()
        for _ in range(REPEATS):
            for kind, media_format, pieces in work:
                demuxer = make_demuxer(kind, media_format)
                for piece in pieces:
                    demuxer.read(piece, 0)
        return (time.process_time() - started_s) / REPEATS / SECONDS * 1e3

    return measure


def whole(method: str, pieces: dict[str, list[bytes]], vectors: dict[str, bytes]) -> Callable[[], float]:
    """CPU ms a second of media, for segments that are deciphered before anything looks into them."""

    def measure() -> float:
        started_s = time.process_time()
        for _ in range(REPEATS):
            for name, datas in pieces.items():
                key = Key(method, iv=vectors[name])
                for number, data in enumerate(datas):
                    decrypt_segment(key, KEY, data, number)
        return (time.process_time() - started_s) / REPEATS / SECONDS * 1e3

    return measure


def aes_128(pieces: list[bytes]) -> list[bytes]:
    """Segments encrypted as a whole by openssl, vectors zero."""
    made: list[bytes] = []
    path = FOLDER / "crypt-aes128.tmp"
    for data in pieces:
        path.write_bytes(data)
        target = path.with_suffix(".out")
        command = ["openssl", "enc", "-aes-128-cbc", "-K", KEY.hex(), "-iv", bytes(16).hex(), "-in", str(path)]
        run([*command, "-out", str(target)], timeout_s=60)
        made.append(target.read_bytes())
    return made


def ours(pairs: int) -> Report:
    report = Report(f"CPU of decryption, {SECONDS} s of 720p at {TOP[0].bitrate_bps / 1e6:g} Mbit/s with sound")
    clear = packaged("clear", "")
    baseline = demuxing(clear)
    for scheme in ("cenc", "cbcs", "cens", "cbc1"):
        theirs, mine = alternate(baseline, demuxing(packaged(scheme, scheme)), pairs)
        if scheme == "cenc":
            report.add("fragmented MP4 in the clear, to coded frames", theirs, "ms/s")
        extra = report.add(f"{scheme}: more than that", [b - a for a, b in zip(theirs, mine, strict=True)], "ms/s")
        if scheme in ("cenc", "cbcs"):
            report.judge(f"{scheme} costs at most 2 ms a second (2 % of decoding)", extra.median <= 2)
    pieces = {name: aes_128(encrypted.segments(clear, name)) for _, name in KINDS}
    report.add("AES-128", [whole("AES-128", pieces, dict.fromkeys(pieces, bytes(16)))() for _ in range(pairs)], "ms/s")
    folder = packaged("sample-aes", "cbcs", "ts")
    pieces = {name: encrypted.segments(folder, name) for _, name in KINDS}
    vectors = {name: encrypted.vector(folder, name) for name in pieces}
    report.add("SAMPLE-AES in MPEG-TS", [whole("SAMPLE-AES", pieces, vectors)() for _ in range(pairs)], "ms/s")
    return report


def beside_ffmpeg(pairs: int) -> Report:
    """ffmpeg as a program, picture only: what it takes more for the same packets when they are encrypted."""
    report = Report("The same by ffmpeg -c copy, picture only, cenc")
    files: dict[str, Path] = {}
    for scheme in ("", "cenc"):
        # One fragment: ffmpeg 5.1 loses its place in the encryption of those that follow.
        folder = FOLDER / f"crypt-{SECONDS}s-one-{scheme or 'clear'}"
        if not folder.is_dir():
            source = sources()["video"]
            encrypted.package(source, folder, scheme=scheme, segment_s=1000, streams=("video",), options=FULL)
        files[scheme] = folder / "video.mp4"
        files[scheme].write_bytes(encrypted.init(folder, "video") + b"".join(encrypted.segments(folder, "video")))

    def copying(scheme: str) -> float:
        key = ["-decryption_key", KEY.hex()] if scheme else []
        command = ["ffmpeg", "-v", "error", *key, "-i", str(files[scheme]), "-c", "copy", "-f", "null", "-"]
        return sum(run(command, timeout_s=60).cpu_s for _ in range(REPEATS)) / REPEATS / SECONDS * 1e3

    clear, hidden = alternate(lambda: copying(""), lambda: copying("cenc"), pairs)
    report.add("in the clear, start of the program and all", clear, "ms/s")
    theirs = report.add("cenc: more than that", [b - a for a, b in zip(clear, hidden, strict=True)], "ms/s")
    mine = _picture_alone(pairs)
    report.add("ours, cenc: more than in the clear", mine, "ms/s")
    report.judge("ours costs at most 1 ms a second more than ffmpeg's", Spread.of(mine).median <= theirs.median + 1)
    return report


def _picture_alone(pairs: int) -> list[float]:
    folders = {scheme: FOLDER / f"crypt-{SECONDS}s-one-{scheme or 'clear'}" for scheme in ("", "cenc")}

    def measure(scheme: str) -> float:
        folder = folders[scheme]
        media_format = MediaFormat(0, Container.MP4, encrypted.init(folder, "video"), keys=KeyRing({KEY_ID: KEY}))
        pieces = encrypted.segments(folder, "video")
        started_s = time.process_time()
        for _ in range(REPEATS):
            demuxer = make_demuxer(TrackKind.VIDEO, media_format)
            for piece in pieces:
                demuxer.read(piece, 0)
        return (time.process_time() - started_s) / REPEATS / SECONDS * 1e3

    clear, hidden = alternate(lambda: measure(""), lambda: measure("cenc"), pairs)
    return [b - a for a, b in zip(clear, hidden, strict=True)]


def main() -> int:
    options = arguments(__doc__ or "", pairs=5).parse_args()
    try:
        encrypted.packager()
        return finish([ours(options.pairs), beside_ffmpeg(options.pairs)], options.json)
    except (BenchmarkError, CushionError) as error:
        print(f"bench crypt: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
