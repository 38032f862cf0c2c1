"""How a session is told on a terminal: a line while it plays, a few lines or one JSON object afterwards."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from cushion_player.errors import UsageError
from cushion_sdk.session_types import SessionSnapshot, SessionSummary

if TYPE_CHECKING:
    from rich.live import Live


def summary_json(summary: SessionSummary) -> str:
    """The summary as one JSON object (docs/session-summary.md), without a line end."""
    return msgspec.json.encode(summary).decode()


def write_summary(summary: SessionSummary, target: str) -> None:
    """Write the JSON object to a file (whole or not at all), or to stdout for `-`. Raises UsageError."""
    text = summary_json(summary) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    path = Path(target)
    part = path.with_name(path.name + ".part")
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a pipe or a device: nothing to replace
            return
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            part.unlink()
        raise UsageError(f"the summary cannot be written to {path}: {exc.strerror or exc}") from exc


def check_target(target: str) -> None:
    """Raise UsageError when `write_summary` could not write there, before anything is played."""
    path = Path(target)
    if target == "-":
        return
    if path.exists() and not path.is_file():
        if path.is_dir() or not os.access(path, os.W_OK):
            raise UsageError(f"the summary cannot be written to {path}: {_why_not(path)}")
        return
    part = path.with_name(path.name + ".part")
    try:
        part.touch()
        part.unlink()
    except OSError as exc:
        raise UsageError(f"the summary cannot be written to {path}: {exc.strerror or exc}") from exc


def _why_not(path: Path) -> str:
    return "it is a directory" if path.is_dir() else "permission denied"


def tell_summary(summary: SessionSummary) -> None:
    """The summary for people, on stdout."""
    startup = "never started" if summary.startup_s is None else f"started after {summary.startup_s:.2f} s"
    expected = "" if summary.frames_expected is None else f" of {summary.frames_expected} due"
    lines = [
        f"played {summary.played_s:.1f} s, {startup}, {summary.rebuffer_count} stalls ({summary.rebuffer_s:.2f} s)",
        f"frames: {summary.frames_shown} shown{expected}, {summary.frames_dropped} dropped",
        f"quality: {summary.mean_bitrate_bps / 1e6:.2f} Mb/s on average, {summary.switches} switches "
        f"({', '.join(f'{span.height_px}p' for span in summary.rungs) or 'nothing shown'})",
    ]
    lines += [f"problem: {problem.message}" for problem in summary.errors]
    sys.stdout.write("\n".join(lines) + "\n")


def describe(now: SessionSnapshot) -> str:
    """A snapshot in one line."""
    return (
        f"{now.state.value:<11} {now.position_s:7.1f} / {now.duration_s:.1f} s   {now.height_px:4d}p   "
        f"buffer {now.buffer_s:4.1f} s   {now.throughput_bps / 1e6:6.2f} Mb/s   "
        f"shown {now.frames_shown}, dropped {now.frames_dropped}, stalls {now.rebuffer_count}"
    )


class LiveLine:
    """A line on stderr that follows a session, where stderr is a terminal."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def show(self, now: SessionSnapshot) -> None:
        if self._live is not None:
            self._live.update(describe(now))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
