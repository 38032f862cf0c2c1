"""The players that are compared, as commands: ours, and mpv with its outputs switched off."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.title import FOLDER, require

CUSHION = Path(sys.executable).with_name("cushion")


def cushion_command(url: str, seconds: float, *options: str) -> list[str]:
    """Our player without a window, otherwise as it comes."""
    own_data = ["--data", str(FOLDER / "device"), "--start", "0"]
    return [str(CUSHION), "play", url, "--headless", "--seconds", f"{seconds:g}", *own_data, *options]


def mpv_command(url: str, seconds: float, *options: str) -> list[str]:
    """mpv that decodes in real time and shows nothing; it does not adapt, so it is told to take the highest rung."""
    require("mpv")
    quiet = ["--no-config", "--no-input-terminal", "--vo=null", "--ao=null"]
    return ["mpv", *quiet, "--hls-bitrate=max", f"--length={seconds:g}", *options, url]
