"""How long from the command, and from the manifest request, to the first frame, against mpv, and where does it go?

Times are wall times on one monotonic clock: the command's by this process, requests by the origin, ours inside the
player by its journal (the clock's start, once the first frame is decoded), mpv's by its own log as it arrives.
On one rung both do the same work; on a ladder each does what it does: we begin low, mpv opens every rung.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import BenchmarkError, Report, alternate, arguments, finish, ratio, run
from benchmarks.players import cushion_command, mpv_command
from benchmarks.title import LADDER, TOP, Rung, title
from cushion_player.testing.connection import LoggedRequest
from cushion_player.testing.origin import Origin

TITLE_S = 20
PLAYED_S = 1
GOAL_MS = 500.0
MPV_FIRST_FRAME = "first video frame after restart shown"


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in ms from the command."""

    manifest_ms: float
    """The manifest is asked for."""
    first_frame_ms: float
    n_requests: int
    """Requests the origin had heard by then."""
    presentation_ms: float = 0.0
    """The manifest is read and the engine starts. Only known of ours."""
    segment_ms: float = 0.0
    """The first video segment is there. Only known of ours."""


def start_ours(origin: Origin, path: str) -> Start:
    origin.log.clear()
    with TemporaryDirectory() as folder:
        journal_path = Path(folder) / "journal.jsonl"
        began_us = time.monotonic_ns() // 1000
        run(cushion_command(origin.url(path), PLAYED_S, "--journal", str(journal_path)), timeout_s=30)
        calls = [json.loads(line) for line in journal_path.read_text().splitlines()[1:]]
    begun = next(call for call in calls if call["verb"] == "start")
    started = next(call for call in calls if any(event["$"] == "PlaybackStarted" for event in call["events"]))
    received = next(call for call in calls if any(is_video_feed(event) for event in call["events"]))
    return Start(
        manifest_ms=(origin.log[0].time_us - began_us) / 1000,
        first_frame_ms=(started["now"] - began_us) / 1000,
        n_requests=heard_by(origin.log, started["now"]),
        presentation_ms=(begun["now"] - began_us) / 1000,
        segment_ms=(received["now"] - began_us) / 1000,
    )


def is_video_feed(event: dict[str, object]) -> bool:
    return event["$"] == "FeedSegment" and event["track"] == {"$": "TrackKind", "is": "video"}


def start_mpv(origin: Origin, path: str) -> Start:
    origin.log.clear()
    command = mpv_command(origin.url(path), PLAYED_S, "--msg-level=all=no,cplayer=v")
    began_us = time.monotonic_ns() // 1000
    shown_us = 0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not shown_us and MPV_FIRST_FRAME in line:
                shown_us = time.monotonic_ns() // 1000
    if process.returncode or not shown_us:
        raise BenchmarkError(f"mpv showed no frame (exit status {process.returncode})")
    return Start(
        manifest_ms=(origin.log[0].time_us - began_us) / 1000,
        first_frame_ms=(shown_us - began_us) / 1000,
        n_requests=heard_by(origin.log, shown_us),
    )


def heard_by(log: list[LoggedRequest], time_us: int) -> int:
    return sum(entry.time_us <= time_us for entry in log)


def compare(rungs: tuple[Rung, ...], pairs: int) -> Report:
    """Both players, as they come, on a title with these rungs."""
    with Origin(title(TITLE_S, rungs)).in_thread() as origin:
        return report_on(origin, "/master.m3u8", "one rung" if len(rungs) == 1 else f"{len(rungs)} rungs", pairs)


def import_shares(url: str) -> str:
    """Which packages our imports spend their wall time in, each for its own modules: one run under -X importtime."""
    command = [sys.executable, "-X", "importtime", *cushion_command(url, PLAYED_S)]
    spent_ms: defaultdict[str, float] = defaultdict(float)
    for line in run(command, timeout_s=30).output.splitlines():
        match = re.match(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\w+)", line)
        if match:
            package = "the standard library" if match[2] in sys.stdlib_module_names else match[2]
            spent_ms[package] += int(match[1]) / 1000
    dearest = sorted(spent_ms.items(), key=itemgetter(1), reverse=True)[:8]
    shares = ", ".join(f"{package} {ms:.0f}" for package, ms in dearest)
    return f"ms in imports, {sum(spent_ms.values()):.0f} in all: {shares}"


def report_on(origin: Origin, path: str, what: str, pairs: int) -> Report:
    ours, theirs = alternate(
        lambda: start_ours(origin, path),
        lambda: start_mpv(origin, path),
        pairs,
        on_pair=lambda mine, other: f"{mine.first_frame_ms:.0f} against {other.first_frame_ms:.0f} ms",
    )
    bare = [run([sys.executable, "-c", "pass"], timeout_s=10).wall_s * 1000 for _ in range(pairs)]
    report = Report(f"start-up on loopback, a title of {what}")
    total = report.add("cushion: command to first frame", [start.first_frame_ms for start in ours], "ms")
    report.add("mpv: command to first frame", [start.first_frame_ms for start in theirs], "ms")
    from_manifest = [start.first_frame_ms - start.manifest_ms for start in ours]
    their_from_manifest = [start.first_frame_ms - start.manifest_ms for start in theirs]
    report.add("cushion: manifest request to first frame", from_manifest, "ms")
    report.add("mpv: manifest request to first frame", their_from_manifest, "ms")
    interpreter = report.add("  of ours: an interpreter that does nothing", bare, "ms")
    to_manifest = [start.manifest_ms - interpreter.median for start in ours]
    report.add("  of ours: imports and set-up", to_manifest, "ms")
    report.add("  of ours: manifest, fetched and read", [s.presentation_ms - s.manifest_ms for s in ours], "ms")
    report.add("  of ours: first video segment", [s.segment_ms - s.presentation_ms for s in ours], "ms")
    report.add("  of ours: decoding, to the first frame", [s.first_frame_ms - s.segment_ms for s in ours], "ms")
    report.add("cushion: requests by then", [start.n_requests for start in ours], "")
    report.add("mpv: requests by then", [start.n_requests for start in theirs], "")
    command_ratio = ratio([s.first_frame_ms for s in ours], [s.first_frame_ms for s in theirs])
    manifest_ratio = ratio(from_manifest, their_from_manifest)
    report.rows.append(("ratio from the command", command_ratio, ""))
    report.rows.append(("ratio from the manifest request", manifest_ratio, ""))
    report.notes.append(import_shares(origin.url(path)))
    report.judge(f"first frame within {GOAL_MS:g} ms (median {total.median:.0f})", total.median <= GOAL_MS)
    claim = f"not later than mpv from the manifest request (ratio {manifest_ratio.median:.2f})"
    report.judge(claim, manifest_ratio.median <= 1)
    return report


def main() -> int:
    options = arguments("How long from command and manifest request to the first frame?", pairs=9).parse_args()
    return finish([compare(rungs, options.pairs) for rungs in (TOP, LADDER)], options.json)


if __name__ == "__main__":
    sys.exit(main())
