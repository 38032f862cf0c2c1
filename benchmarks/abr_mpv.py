"""One session of mpv, which does not adapt: what it shows and when, by the place it tells at every frame."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import Final

from benchmarks.abr_score import Frame
from benchmarks.harness import BenchmarkError
from benchmarks.players import mpv_command

STATUS: Final = re.compile(rb"F ([\d.]+) (\d+)\n")
OPTIONS: Final = ("--term-status-msg=F ${=time-pos} ${=video-params/h}\n", "--msg-level=all=no,statusline=status")


def watch_mpv(url: str, seconds: float, limit_s: float) -> tuple[list[Frame], int]:
    """(frames in seconds since the start of the process, that start in monotonic µs). Raises BenchmarkError."""
    began_us = time.monotonic_ns() // 1000
    frames: list[Frame] = []
    kept = b""
    with subprocess.Popen(
        mpv_command(url, seconds, *OPTIONS), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        while text := os.read(process.stdout.fileno(), 1 << 16):
            at_s = (time.monotonic_ns() // 1000 - began_us) / 1e6
            if at_s > limit_s:
                process.kill()
                break
            kept += text
            for match in STATUS.finditer(kept):
                frame = (at_s, float(match[1]), int(match[2]))
                if not frames or frame[1] != frames[-1][1]:
                    frames.append(frame)
            kept = kept[kept.rfind(b"\n") + 1 :]
    if not frames:
        raise BenchmarkError(f"mpv showed nothing (exit status {process.returncode})")
    return frames, began_us
