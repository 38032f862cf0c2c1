"""A title to measure with: the reference film as CMAF segments of 2 s with an MPD and an HLS master, made by ffmpeg.

Foreign hands package it on purpose: what we measure is the player, on media that is not of our own making.
Kept under out/ between runs.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.harness import BenchmarkError
from cushion_player.media.film import FilmSpec, write_film

FOLDER = Path(__file__).resolve().parents[1] / "out" / "benchmarks"
SEGMENT_S = 2
FRAME_RATE = 30


@dataclass(frozen=True, slots=True)
class Rung:
    """One quality of the title."""

    height_px: int
    bitrate_bps: int


LADDER = (Rung(270, 400_000), Rung(360, 800_000), Rung(540, 1_400_000), Rung(720, 2_500_000))
TOP = LADDER[-1:]
THREE = (Rung(240, 300_000), Rung(360, 800_000), Rung(720, 2_500_000))
"""The ladder over which players are compared on slow links."""


def require(*commands: str) -> None:
    """Raises BenchmarkError when a command is not on this machine."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        raise BenchmarkError(f"needs {' and '.join(missing)}, not on this machine (scripts/install --dev brings them)")


def title(seconds: int, rungs: tuple[Rung, ...]) -> Path:
    """The folder with `manifest.mpd` and `master.m3u8` of a film of that length; made on first use."""
    return _title("film", ["-i", str(_film(seconds)), "-map", "0:a", "-c:a", "copy"], seconds, rungs)


def busy_title(seconds: int, rungs: tuple[Rung, ...]) -> Path:
    """As `title`, of ffmpeg's test pattern and a tone at 128 kb/s: pictures that fill the bitrate they are given."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate={FRAME_RATE}:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]
    coding = ["-map", "1:a", "-c:a", "aac", "-b:a", "128k", "-ac", "2"]
    return _title("busy", [*picture, *sound, *coding], seconds, rungs)


def _title(name: str, inputs: list[str], seconds: int, rungs: tuple[Rung, ...]) -> Path:
    require("ffmpeg")
    folder = FOLDER / f"{name}-{seconds}s-{'-'.join(str(rung.height_px) for rung in rungs)}"
    if not (folder / "master.m3u8").is_file():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _package(inputs, part, rungs)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    return folder


def _film(seconds: int) -> Path:
    path = FOLDER / f"film-{seconds}s.mp4"
    if not path.is_file():
        write_film(path, FilmSpec(frame_rate=Fraction(FRAME_RATE), seconds=seconds))
    return path


def _package(inputs: list[str], folder: Path, rungs: tuple[Rung, ...]) -> None:
    command = ["ffmpeg", "-v", "error", "-y", *inputs]
    for number, rung in enumerate(rungs):
        rate = str(rung.bitrate_bps)
        command += [
            "-map",
            "0:v",
            f"-filter:v:{number}",
            f"scale=-2:{rung.height_px},setdar=16/9",
            f"-b:v:{number}",
            rate,
        ]
        command += [f"-maxrate:v:{number}", rate, f"-bufsize:v:{number}", str(2 * rung.bitrate_bps)]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-g", str(SEGMENT_S * FRAME_RATE), "-sc_threshold", "0"]
    command += ["-f", "dash", "-seg_duration", str(SEGMENT_S), "-hls_playlist", "1", "-hls_master_name", "master.m3u8"]
    command += ["-adaptation_sets", "id=0,streams=v id=1,streams=a", str(folder / "manifest.mpd")]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise BenchmarkError(f"ffmpeg could not package the film: {outcome.stderr.strip()[-500:]}")
