"""What does a second of 720p cost in CPU with its picture on a screen, against mpv --vo=x11 and VLC?

All paint 1280 × 720 with the processor onto one Xvfb, the sound goes nowhere, and whoever watches the screen counts the
film's frames on it: a run that left out many did not play. Counted are user and system time of the whole process
tree, from start to end; the same from the first picture on; and the X server's own time, which a player causes, too.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from threading import Thread

from benchmarks.harness import BenchmarkError, Cost, Report, arguments, cpu_s, finish, ratio, run, take_turns
from benchmarks.players import cushion_window, mpv_window, unprivileged, vlc_window
from benchmarks.screen import Screen, Watcher
from benchmarks.title import FRAME_RATE, TOP, title
from cushion_player.testing.origin import Origin

GOAL_RATIO = 1.1
TITLE_S = 60
PATIENCE_S = 30
SHOWN_SHARE = 0.95
MANIFESTS = {"DASH": "/manifest.mpd", "HLS": "/master.m3u8"}


@dataclass(frozen=True, slots=True)
class Showing:
    """One run."""

    cost: Cost
    before_s: float
    """CPU up to the first picture."""
    server_s: float
    """CPU of the X server."""
    frames: int
    """Different ones that were on the screen."""
    backwards: int
    """How often an earlier frame followed a later one."""


class _FirstPicture(Thread):
    """Waits for the first picture and notes what the process has cost by then, to 10 ms."""

    def __init__(self, watcher: Watcher, pid: int) -> None:
        super().__init__(name="first-picture", daemon=True)
        self._watcher = watcher
        self._pid = pid
        self.cost_s = 0.0
        self.start()

    def run(self) -> None:
        try:
            while not self._watcher.seen:
                self.cost_s = cpu_s(self._pid)
                time.sleep(0.005)
        except OSError:
            pass  # it has ended


def show(screen: Screen, command: list[str], seconds: int, user: int | None) -> Showing:
    """One player from start to end. Raises BenchmarkError unless it really showed the title."""
    screen.wait_clear()
    server_s = screen.server_cpu_s()
    first: list[_FirstPicture] = []
    with Watcher(screen) as watcher:
        cost = run(
            command,
            timeout_s=seconds + PATIENCE_S,
            user=user,
            extra=screen.environment,
            on_start=lambda pid: first.append(_FirstPicture(watcher, pid)),
        )
    frames = [frame for _, frame in watcher.seen]
    if len(set(frames)) < SHOWN_SHARE * seconds * FRAME_RATE:
        raise BenchmarkError(f"{command[0]} showed {len(set(frames))} of {seconds * FRAME_RATE} frames")
    backwards = sum(later < earlier for earlier, later in pairwise(frames))
    return Showing(cost, first[0].cost_s, screen.server_cpu_s() - server_s, len(set(frames)), backwards)


def compare(notation: str, seconds: int, rounds: int, everybody: bool) -> Report:
    """The players that are here, in turn."""
    with ExitStack() as stack:
        url = stack.enter_context(Origin(title(TITLE_S, TOP)).in_thread()).url(MANIFESTS[notation])
        screen = stack.enter_context(Screen(TITLE_S * FRAME_RATE))
        players: dict[str, Callable[[], Showing]] = {
            "cushion": lambda: show(screen, cushion_window(url, seconds), seconds, None),
            "mpv": lambda: show(screen, mpv_window(url, seconds), seconds, None),
        }
        if everybody and shutil.which("cvlc"):
            players["VLC"] = lambda: show(screen, vlc_window(url, seconds), seconds, unprivileged())
        runs = take_turns(
            players,
            rounds,
            on_round=lambda latest: ", ".join(
                f"{name} {each.cost.cpu_s / seconds * 1000:.0f}" for name, each in latest.items()
            ),
        )
    report = Report(f"CPU per played second with the picture on a screen, {notation}: {seconds} s of 720p")
    all_ms = {name: [each.cost.cpu_s / seconds * 1000 for each in shown] for name, shown in runs.items()}
    later_ms = {
        name: [(each.cost.cpu_s - each.before_s) / seconds * 1000 for each in shown] for name, shown in runs.items()
    }
    server_ms = {name: [each.server_s / seconds * 1000 for each in shown] for name, shown in runs.items()}
    both_ms = {name: [sum(pair) for pair in zip(all_ms[name], server_ms[name], strict=True)] for name in runs}
    for what, figures in (
        ("start included", all_ms), ("from the first picture", later_ms), ("the X server's", server_ms),
        ("start and X server included", both_ms),
    ):  # fmt: skip
        for name in runs:
            report.add(f"{name}, {what}", figures[name], "ms/s")
        for name in list(runs)[1:]:
            report.rows.append((f"  ratio to {name}", ratio(figures["cushion"], figures[name]), ""))
    for name, shown in runs.items():
        report.add(f"{name}: different frames seen of {seconds * FRAME_RATE}", [each.frames for each in shown], "")
        report.add(f"{name}: peak memory", [each.cost.peak_rss_bytes / 1e6 for each in shown], "MB")
    backwards = {name: sum(each.backwards for each in shown) for name, shown in runs.items()}
    shares = ratio(all_ms["cushion"], all_ms["mpv"])
    spread = f"median {shares.median:.2f}, {shares.low:.2f} to {shares.high:.2f}"
    report.judge(f"at most {GOAL_RATIO} times mpv, start included ({spread})", shares.median <= GOAL_RATIO)
    report.judge(f"no frame of ours after a later one ({backwards['cushion']})", not backwards["cushion"])
    return report


def main() -> int:
    parser = arguments("What does a second of 720p cost in CPU with its picture on a screen?", pairs=7)
    parser.add_argument("--seconds", type=int, default=30, metavar="S", help="how much to play (default %(default)s)")
    parser.add_argument(
        "--only", choices=list(MANIFESTS), default="DASH", help="kind of manifest (default %(default)s)"
    )
    parser.add_argument("--everybody", action="store_true", help="VLC, too")
    options = parser.parse_args()
    try:
        reports = [compare(options.only, options.seconds, options.pairs, options.everybody)]
    except BenchmarkError as error:
        print(f"bench picture_cpu: {error}", file=sys.stderr)
        return 1
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
