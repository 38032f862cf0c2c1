"""What does a played second cost in CPU, against mpv on the same 720p segments, both in real time?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import BenchmarkError, Cost, Report, alternate, arguments, finish, ratio, run
from benchmarks.players import cushion_command, mpv_command
from benchmarks.title import FRAME_RATE, TOP, title
from cushion_player.testing.origin import Origin

GOAL_RATIO = 1.1


def play_ours(url: str, seconds: int) -> Cost:
    """One run of `cushion play`; raises BenchmarkError unless it really showed the frames."""
    with TemporaryDirectory() as folder:
        summary_path = Path(folder) / "summary.json"
        cost = run(cushion_command(url, seconds, "--json", str(summary_path)), timeout_s=seconds + 30)
        summary = json.loads(summary_path.read_text())
    expected = seconds * FRAME_RATE
    if summary["frames_shown"] < 0.98 * expected:
        raise BenchmarkError(f"only {summary['frames_shown']} of {expected} frames were shown")
    return cost


def play_mpv(url: str, seconds: int) -> Cost:
    """One run of mpv; raises BenchmarkError when it did not play in real time."""
    cost = run(mpv_command(url, seconds, "--really-quiet"), timeout_s=seconds + 30)
    if cost.wall_s < seconds - 0.5:
        raise BenchmarkError(f"mpv ended after {cost.wall_s:.1f} s instead of {seconds} s")
    return cost


def main() -> int:
    parser = arguments(__doc__ or "", pairs=7)
    parser.add_argument("--seconds", type=int, default=30, metavar="S", help="how much to play (default %(default)s)")
    options = parser.parse_args()
    seconds: int = options.seconds
    folder = title(seconds, TOP)
    with Origin(folder).in_thread() as origin:
        url = origin.url("/master.m3u8")
        ours, theirs = alternate(
            lambda: play_ours(url, seconds),
            lambda: play_mpv(url, seconds),
            options.pairs,
            on_pair=lambda mine, other: (
                f"{per_second(mine, seconds):.0f} against {per_second(other, seconds):.0f} ms/s"
            ),
        )
    report = Report(f"CPU per played second: {seconds} s of 720p at {TOP[0].bitrate_bps / 1e6:g} Mb/s, start included")
    ours_ms = [per_second(cost, seconds) for cost in ours]
    theirs_ms = [per_second(cost, seconds) for cost in theirs]
    report.add("cushion play --headless", ours_ms, "ms/s")
    report.add("mpv --vo=null --ao=null", theirs_ms, "ms/s")
    compared = ratio(ours_ms, theirs_ms)
    report.rows.append(("ratio", compared, ""))
    report.add("peak memory, cushion", [cost.peak_rss_bytes / 1e6 for cost in ours], "MB")
    report.add("peak memory, mpv", [cost.peak_rss_bytes / 1e6 for cost in theirs], "MB")
    claim = f"at most {GOAL_RATIO} times mpv (median {compared.median:.2f}, {compared.low:.2f} to {compared.high:.2f})"
    report.judge(claim, compared.median <= GOAL_RATIO)
    return finish([report], options.json)


def per_second(cost: Cost, seconds: int) -> float:
    """CPU milliseconds a played second."""
    return cost.cpu_s / seconds * 1000


if __name__ == "__main__":
    sys.exit(main())
