"""The players that are compared, as commands: ours, mpv, VLC and GStreamer's, with outputs switched off or a window."""

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


def cushion_window(url: str, seconds: float) -> list[str]:
    """Our player in its window, of the screen's size."""
    own_data = ["--data", str(FOLDER / "device"), "--start", "0", "--json", os.devnull]
    return [str(CUSHION), "play", url, "--seconds", f"{seconds:g}", *own_data]


def mpv_window(url: str, seconds: float, *options: str) -> list[str]:
    """mpv that paints with the processor, as our raster does, onto all of a screen of 1280 × 720."""
    require("mpv")
    window = ["--vo=x11", "--ao=null", "--no-border", "--geometry=1280x720+0+0", "--osc=no", "--osd-level=0"]
    quiet = ["--no-config", "--really-quiet", "--hls-bitrate=max"]
    return ["mpv", *quiet, *window, f"--length={seconds:g}", *options, url]


def vlc_window(url: str, seconds: float) -> list[str]:
    """VLC that paints with the processor into a window of its own; see `unprivileged`. In vlc-plugin-video-output."""
    require("cvlc")
    quiet = ["-q", "--no-media-library", "--no-video-title-show", "--aout", "adummy", "--avcodec-hw", "none"]
    window = ["--no-embedded-video", "--vout", "xcb_x11", "--video-x", "0", "--video-y", "0"]
    return ["cvlc", *quiet, *window, "--run-time", f"{seconds:g}", "--play-and-exit", url]


def gst_window(url: str) -> list[str]:
    """GStreamer's player that paints with the processor, any rung as large; plays to the end. Needs gstreamer1.0-x."""
    require("gst-play-1.0")
    size = "video/x-raw,width=1280,height=720"
    sinks = [f"--videosink=videoscale ! {size} ! ximagesink", "--audiosink=fakeaudiosink sync=true"]
    return ["gst-play-1.0", "--use-playbin3", "--no-interactive", "--quiet", *sinks, url]


def unprivileged() -> int | None:
    """Whom to run a player as that refuses to be root; None where nothing is to be done."""
    return NOBODY if os.getuid() == 0 else None
