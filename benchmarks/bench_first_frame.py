"""How soon after the manifest request is the first frame on the screen, against mpv, VLC and GStreamer's player?

Every player shows its picture in a window on one Xvfb, painted by the processor, and the same watcher looks at the
screen every millisecond (see `screen`): no player's own word counts. The time begins with the manifest request in the
origin's log, as the first one of each player is heard there, by the same clock. What a player does before it, loading
itself above all, is shown in a row of its own. A frame counts when the whole of its bar code is right.

On one rung all do the same work; on a ladder each does what it does: we begin low, FFmpeg's players open every rung.
All paint 1280 × 720, but for VLC, whose window is as large as the rung it begins with.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile

from benchmarks.harness import BenchmarkError, Report, arguments, environment, finish, ratio, take_turns
from benchmarks.players import cushion_window, gst_window, mpv_window, unprivileged, vlc_window
from benchmarks.screen import HEIGHT_PX, Screen, Watcher
from benchmarks.title import FRAME_RATE, LADDER, TOP, Rung, title
from cushion_player.testing.origin import Origin

TITLE_S = 20
PLAYED_S = 10.0
PATIENCE_S = 15.0
MANIFESTS = {"DASH": "/manifest.mpd", "HLS": "/master.m3u8"}
PEERS = {"mpv": "mpv", "VLC": "cvlc", "GStreamer": "gst-play-1.0"}


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """One start, in ms."""

    before_ms: float
    """From the command to the manifest request."""
    shown_ms: float
    """From there to the first frame on the screen."""
    frame: int
    """Its number: 0 unless the player left out the beginning."""


def start(screen: Screen, origin: Origin, path: str, player: str) -> FirstFrame:
    """Start a player, wait for its first frame, and end it. Raises BenchmarkError when none comes."""
    screen.wait_clear()
    origin.log.clear()
    url = origin.url(path)
    user = unprivileged() if player == "VLC" else None
    began_us = time.monotonic_ns() // 1000
    with (
        TemporaryFile() as said,
        Watcher(screen) as watcher,
        subprocess.Popen(
            command_of(player, url),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            user=user,
            group=user,
            env=environment(user, screen.environment),
        ) as process,
    ):
        end_s = time.monotonic() + PATIENCE_S
        while not watcher.seen and process.poll() is None and time.monotonic() < end_s:
            time.sleep(0.01)
        status = process.poll()
        if status is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace")[-500:]
    if not watcher.seen or not origin.log:
        needs = "VLC needs vlc-plugin-video-output, GStreamer gstreamer1.0-x"
        raise BenchmarkError(f"{player} showed no frame (exit status {status}; {needs}): {words}")
    asked_us = next(entry.time_us for entry in origin.log if entry.path == path)
    shown_us, frame = watcher.seen[0]
    return FirstFrame((asked_us - began_us) / 1000, (shown_us - asked_us) / 1000, frame)


def command_of(player: str, url: str) -> list[str]:
    match player:
        case "mpv":
            return mpv_window(url, PLAYED_S)
        case "VLC":
            return vlc_window(url, PLAYED_S)
        case "GStreamer":
            return gst_window(url)
        case _:
            return cushion_window(url, PLAYED_S)


def compare(rungs: tuple[Rung, ...], notation: str, rounds: int) -> Report:
    """All players that are here, in turn."""
    players = ["cushion", *(name for name, command in PEERS.items() if shutil.which(command))]
    with ExitStack() as stack:
        origin = stack.enter_context(Origin(title(TITLE_S, rungs)).in_thread())
        heights_px = sorted({HEIGHT_PX, *(rung.height_px for rung in rungs)}, reverse=True)
        screen = stack.enter_context(Screen(TITLE_S * FRAME_RATE, heights_px))

        def turn(player: str) -> Callable[[], FirstFrame]:
            return lambda: start(screen, origin, MANIFESTS[notation], player)

        turn("cushion")()  # brings our bytecode, and everybody's files, into memory
        runs = take_turns(
            {player: turn(player) for player in players},
            rounds,
            on_round=lambda latest: ", ".join(f"{name} {each.shown_ms:.0f}" for name, each in latest.items()),
        )
    what = "one rung of 720p" if len(rungs) == 1 else f"{len(rungs)} rungs"
    report = Report(f"from the manifest request to the first frame on the screen, {notation}, {what}")
    medians = {}
    for player, starts in runs.items():
        medians[player] = report.add(player, [each.shown_ms for each in starts], "ms").median
    for player, starts in runs.items():
        report.add(f"before it, {player}: from the command", [each.before_ms for each in starts], "ms")
    best = min((name for name in medians if name != "cushion"), key=medians.__getitem__, default="")
    for player, starts in runs.items():
        if player != "cushion":
            shares = ratio([each.shown_ms for each in runs["cushion"]], [each.shown_ms for each in starts])
            report.rows.append((f"ratio to {player}", shares, ""))
    late = {name: sorted({each.frame for each in starts} - {0}) for name, starts in runs.items()}
    report.notes += [f"{name} began with frames {frames} in some runs" for name, frames in late.items() if frames]
    if best:
        claim = f"not later than the best of the others, {best} ({medians['cushion']:.0f} to {medians[best]:.0f} ms)"
        report.judge(claim, medians["cushion"] <= medians[best])
    report.judge("our first frame is the title's first", not late["cushion"])
    return report


def main() -> int:
    parser = arguments("How soon after the manifest request is the first frame on the screen?", pairs=9)
    parser.add_argument("--only", choices=list(MANIFESTS), help="one kind of manifest instead of both")
    options = parser.parse_args()
    notations = [options.only] if options.only else list(MANIFESTS)
    try:
        reports = [compare(rungs, notation, options.pairs) for rungs in (TOP, LADDER) for notation in notations]
    except BenchmarkError as error:
        print(f"bench first_frame: {error}", file=sys.stderr)
        return 1
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
