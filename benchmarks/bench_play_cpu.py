"""What does a played second cost in CPU, against mpv and VLC on the same 720p segments, all in real time?

DASH and HLS, null outputs, the start included; and what playing alone costs, once it has played for three seconds. What
is decoded is the same; the rest is the player.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import BenchmarkError, Cost, Report, Settled, arguments, finish, ratio, run, take_turns
from benchmarks.players import cushion_command, mpv_command, unprivileged, vlc_command
from benchmarks.title import FRAME_RATE, TOP, title
from cushion_player.testing.origin import Origin

GOAL_RATIO = 1.0
MANIFESTS = {"DASH": "/manifest.mpd", "HLS": "/master.m3u8"}
PATIENCE_S = 60
SETTLED_S = 3.0
SHOWN_SHARE = 0.98
"""Of the frames: a run that shows fewer did not play in real time."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run, and the CPU milliseconds of each second after the first three."""

    cost: Cost
    settled_ms: float


def play(command: list[str], seconds: int, user: int | None = None) -> Played:
    """One run in real time; raises BenchmarkError when it ended too soon."""
    settled = Settled(SETTLED_S)
    cost = run(command, timeout_s=seconds + PATIENCE_S, user=user, on_start=settled.follow)
    if cost.wall_s < seconds - 0.5:
        raise BenchmarkError(f"ended after {cost.wall_s:.1f} s instead of {seconds} s")
    return Played(cost, (cost.cpu_s - settled.cost_s) / (cost.wall_s - SETTLED_S) * 1000)


def play_ours(url: str, seconds: int) -> Played:
    """One run of `cushion play`; raises BenchmarkError unless it really showed the frames."""
    with TemporaryDirectory() as folder:
        summary_path = Path(folder) / "summary.json"
        played = play(cushion_command(url, seconds, "--json", str(summary_path)), seconds)
        summary = json.loads(summary_path.read_text())
    expected = seconds * FRAME_RATE
    if summary["frames_shown"] < SHOWN_SHARE * expected:
        raise BenchmarkError(f"only {summary['frames_shown']} of {expected} frames were shown")
    return played


def compare(notation: str, seconds: int, rounds: int) -> Report:
    """All players that are here, in turn."""
    with Origin(title(seconds, TOP)).in_thread() as origin:
        url = origin.url(MANIFESTS[notation])
        players = {
            "cushion": lambda: play_ours(url, seconds),
            "mpv": lambda: play(mpv_command(url, seconds, "--really-quiet"), seconds),
        }
        if shutil.which("cvlc"):
            players["VLC"] = lambda: play(vlc_command(url, seconds), seconds, unprivileged())
        runs = take_turns(
            players,
            rounds,
            on_round=lambda latest: ", ".join(
                f"{name} {per_second(played.cost, seconds):.0f}" for name, played in latest.items()
            ),
        )
    report = Report(
        f"CPU per played second, {notation}: {seconds} s of 720p at {TOP[0].bitrate_bps / 1e6:g} Mb/s, start included"
    )
    costs_of = {name: [played.cost for played in all_played] for name, all_played in runs.items()}
    each_ms = {name: [per_second(cost, seconds) for cost in costs] for name, costs in costs_of.items()}
    settled_ms = {name: [played.settled_ms for played in all_played] for name, all_played in runs.items()}
    for name, figures in each_ms.items():
        report.add(name, figures, "ms/s")
    for name, figures in settled_ms.items():
        report.add(f"playing alone, {name}", figures, "ms/s")
    for name, costs in costs_of.items():
        report.add(f"peak memory, {name}", [cost.peak_rss_bytes / 1e6 for cost in costs], "MB")
    for name in list(players)[1:]:
        compared = ratio(each_ms["cushion"], each_ms[name])
        report.rows.append((f"ratio to {name}", compared, ""))
        alone = ratio(settled_ms["cushion"], settled_ms[name])
        report.rows.append((f"ratio to {name}, playing alone", alone, ""))
        spread = f"median {compared.median:.2f}, {compared.low:.2f} to {compared.high:.2f}"
        claim = f"at most {GOAL_RATIO} times {name} ({spread})"
        report.judge(claim, compared.median <= GOAL_RATIO)
    peaks = {name: [cost.peak_rss_bytes for cost in costs] for name, costs in costs_of.items()}
    held = ratio(peaks["cushion"], peaks["mpv"])
    report.judge(f"peak memory at most {GOAL_RATIO} times mpv's (median {held.median:.2f})", held.median <= GOAL_RATIO)
    return report


def per_second(cost: Cost, seconds: int) -> float:
    """CPU milliseconds a played second."""
    return cost.cpu_s / seconds * 1000


def main() -> int:
    parser = arguments(__doc__ or "", pairs=7)
    parser.add_argument("--seconds", type=int, default=60, metavar="S", help="how much to play (default %(default)s)")
    parser.add_argument("--only", choices=list(MANIFESTS), help="one kind of manifest instead of both")
    options = parser.parse_args()
    notations = [options.only] if options.only else list(MANIFESTS)
    return finish([compare(notation, options.seconds, options.pairs) for notation in notations], options.json)


if __name__ == "__main__":
    sys.exit(main())
