"""A browser as a judge: run tests/e2e/browser/judge.mjs on a manifest, and say what is wrong with what it saw.

The verdict lies here, in one list of rules, so that the negative controls prove the same rules that praise us.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import msgspec

BROWSER = Path(__file__).with_name("browser")
TIME_LIMIT_S = 90.0

Player = Literal["dash", "hls"]
Spoil = Literal["manifest-404", "audio-noise"]


class LadderLevel(msgspec.Struct, frozen=True):
    """One quality as the player lists it."""

    height: int
    bitrate: int


class Report(msgspec.Struct, frozen=True):
    """What the page saw. Times are media seconds but `first_frame_ms`, which is since the player was asked."""

    player: str
    first_frame_ms: float | None
    first_frame_s: float | None
    frame_after_seek_to_0_s: float | None
    started_s: float
    played_s: float
    frames_seen: int
    dropped_frames: int
    decoded_video_bytes: int
    decoded_audio_bytes: int
    width_px: int
    height_px: int
    duration_s: float | None
    waiting: list[float]
    buffered: list[tuple[float, float]]
    ladder: list[LadderLevel]
    errors: list[str]
    version: str | None = None


def watch(player: Player, url: str, *, seconds: float, spoil: Spoil | None = None, audio_pattern: str = "") -> Report:
    """Play `url` for some seconds of media in dash.js or hls.js. Fails only when the judge itself breaks."""
    job = {
        "player": player,
        "url": url,
        "seconds": seconds,
        "spoil": spoil,
        "audioPattern": audio_pattern,
        "chromium": shutil.which("chromium"),
    }
    done = subprocess.run(
        ["node", "judge.mjs", json.dumps(job)],
        cwd=BROWSER,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"the judge itself failed:\n{done.stderr[-2000:]}"
    return msgspec.json.decode(done.stdout, type=Report)


def faults(report: Report, *, seconds: float, heights_px: list[int], has_audio: bool = True) -> list[str]:
    """Everything the judge holds against what it saw; empty when it is content."""
    found = [f"error: {error}" for error in report.errors]
    if report.played_s < seconds:
        found.append(f"played {report.played_s:.3f} s of {seconds} s")
    if report.decoded_video_bytes <= 0:
        found.append("no video byte was decoded")
    if has_audio and report.decoded_audio_bytes <= 0:
        found.append("no audio byte was decoded")
    if report.first_frame_s is None or abs(report.first_frame_s) > 0.0005:
        found.append(f"the first frame is at {report.first_frame_s} s, not at 0.000")
    if report.frame_after_seek_to_0_s is None or abs(report.frame_after_seek_to_0_s) > 0.0005:
        found.append(f"after a seek to 0 the frame at {report.frame_after_seek_to_0_s} s is shown")
    listed = sorted(level.height for level in report.ladder)
    if listed != sorted(heights_px):
        found.append(f"lists the heights {listed}, not {sorted(heights_px)}")
    if len(report.buffered) > 1:
        found.append(f"the buffer has gaps: {report.buffered}")
    return found
