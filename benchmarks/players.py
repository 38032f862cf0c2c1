"""The players that are compared, as commands: ours, and mpv, VLC and GStreamer's with their outputs switched off."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.title import FOLDER, require

NOBODY = 65534
"""The user for players that refuse to run as root."""
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


def vlc_command(url: str, seconds: float, *options: str) -> list[str]:
    """VLC that decodes in real time and shows nothing. It must not run as root: see `unprivileged`."""
    require("cvlc")
    quiet = ["-q", "--no-media-library", "--no-video-title-show", "--vout", "vdummy", "--aout", "adummy"]
    return ["cvlc", *quiet, "--run-time", f"{seconds:g}", "--play-and-exit", *options, url]


def gst_command(url: str, *options: str) -> list[str]:
    """GStreamer's player with sinks that keep time and show nothing; plays to the end."""
    require("gst-play-1.0")
    sinks = ["--videosink=fakevideosink sync=true", "--audiosink=fakeaudiosink sync=true"]
    return ["gst-play-1.0", "--use-playbin3", "--no-interactive", *sinks, *options, url]


def unprivileged() -> int | None:
    """Whom to run a player as that refuses to be root; None where nothing is to be done."""
    return NOBODY if os.getuid() == 0 else None
