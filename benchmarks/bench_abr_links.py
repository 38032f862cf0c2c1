"""How well does each player adapt over eight slow links, painted frames counted, against the offline bound?

All players see the same title behind the same shaper: one link for all connections of a player, a latency a request.
Start-up counts from when a loaded player is asked to play to its first painted frame. Links run in real time, a
minute or two each; --at-once says how many sessions share the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import mean

from benchmarks.abr_bound import best_session
from benchmarks.abr_links import NAMES, SIMPLE, link_named
from benchmarks.abr_mpv import watch_mpv
from benchmarks.abr_score import Score, score
from benchmarks.harness import BenchmarkError, machine
from benchmarks.title import THREE, busy_title
from cushion_player.testing.shaped_origin import ShapedOrigin

SECONDS = 60
TIME_LIMIT_S = 330
BROWSER = Path(__file__).with_name("browser")
MANIFESTS = {
    "cushion-dash": "/manifest.mpd",
    "cushion-hls": "/master.m3u8",
    "dash.js": "/manifest.mpd",
    "shaka": "/manifest.mpd",
    "hls.js": "/master.m3u8",
    "mpv": "/manifest.mpd",
}
GOAL_QOE, GOAL_SHARE, GOAL_STARTUP_S = 0.8, 0.5, 1.0
GOAL_TO_BEST = 1.5


def play(player: str, link: str, datasets: Path, rule: str) -> Score:
    """One session in processes of its own. Raises BenchmarkError."""
    if player == "mpv":
        return play_mpv(link, datasets)
    with ShapedOrigin(busy_title(SECONDS, THREE), link_named(link, datasets)).in_thread() as origin:
        url = origin.url(MANIFESTS[player])
        if player.startswith("cushion"):
            command = [sys.executable, "-m", "benchmarks.abr_session", url, rule]
        else:
            job = {"player": player, "url": url, "chromium": shutil.which("chromium")}
            command = ["node", str(BROWSER / "watch.mjs"), json.dumps(job)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
        if done.returncode:
            raise BenchmarkError(f"{player} over {link}: {done.stderr.strip()[-1500:]}")
        report = json.loads(done.stdout)
        if report["outcome"] != "PlaybackEnded":
            print(f"  {player} over {link} did not end well: {report}"[:300], file=sys.stderr)
        return score(player, link, report["frames"], report["stalled_s"], origin.log)


def play_mpv(link: str, datasets: Path) -> Score:
    """One session of mpv, from its first request on: it has no page and no program that could be loaded before."""
    with ShapedOrigin(busy_title(SECONDS, THREE), link_named(link, datasets)).in_thread() as origin:
        frames, began_us = watch_mpv(origin.url(MANIFESTS["mpv"]), SECONDS, TIME_LIMIT_S)
        asked_s = (origin.log[0].time_us - began_us) / 1e6
        asked = [(at_s - asked_s, media_s, height_px) for at_s, media_s, height_px in frames]
        return score("mpv", link, asked, 0.0, origin.log)


def bound_of(link: str, datasets: Path) -> float:
    """The offline bound, with the sizes of the title as they are."""
    folder = busy_title(SECONDS, THREE)
    sizes = [
        [(folder / f"chunk-stream{rung + 1}-{k:05d}.m4s").stat().st_size for rung in range(len(THREE))]
        for k in range(1, SECONDS // 2 + 1)
    ]
    sound = [path.stat().st_size for path in folder.glob("chunk-stream0-*.m4s")]
    manifest = (folder / "manifest.mpd").stat().st_size
    rates = [float(rung.bitrate_bps) for rung in THREE]
    overhead = round(sum(sound) / len(sizes))
    return best_session(link_named(link, datasets), sizes, rates, overhead_bytes=overhead, before_bytes=manifest).qoe


def print_table(scores: Sequence[Score], bounds: dict[str, float]) -> None:
    print(
        f"{'link':18}{'player':14}{'Mb/s':>6}{'start':>7}{'stall':>7}{'frozen':>7}{'sw':>4}{'QoE':>8}{'frozen':>8}"
        f"{'bound':>8}  rungs"
    )
    for each in sorted(scores, key=lambda each: (NAMES.index(each.link), list(MANIFESTS).index(each.player))):
        print(
            f"{each.link:18}{each.player:14}{each.mbps:6.2f}{each.startup_s:7.2f}{each.stalled_s:7.2f}"
            f"{each.frozen_s:7.2f}{each.switches:4d}{each.qoe:8.3f}{each.qoe_frozen:8.3f}{bounds[each.link]:8.3f}"
            f"  {each.rungs} {each.twice_bytes / max(each.video_bytes, 1):.1%} twice"
        )


def print_means(scores: Sequence[Score], bounds: dict[str, float]) -> None:
    print(
        "\n| mean of the links | Mb/s | startup s | stalls s | frozen s | switches | QoE | frozen as stall "
        "| % of bound | bytes twice | whole twice |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for player in MANIFESTS:
        own = [each for each in scores if each.player == player]
        if not own:
            continue
        bound = mean(bounds[each.link] for each in own)
        print(
            f"| {player} ({len(own)} links) | {mean(e.mbps for e in own):.2f} | {mean(e.startup_s for e in own):.2f} "
            f"| {mean(e.stalled_s for e in own):.2f} | {mean(e.frozen_s for e in own):.2f} "
            f"| {mean(e.switches for e in own):.1f} | {mean(e.qoe for e in own):.3f} "
            f"| {mean(e.qoe_frozen for e in own):.3f} | {mean(e.qoe_frozen for e in own) / bound:.0%} "
            f"| {sum(e.twice_bytes for e in own) / sum(e.video_bytes for e in own):.1%} "
            f"| {sum(e.twice_whole for e in own)} |"
        )
    print(f"| bound ({len(bounds)} links) | | | | | | {mean(bounds.values()):.3f} | | 100% | | |")


def beside_the_best(qoe: float, own: Sequence[Score], scores: Sequence[Score]) -> list[tuple[str, bool]]:
    """Our mean against that of the best other player on all the same links, if there was one."""
    links = {each.link for each in own}
    means: dict[str, float] = {}
    for player in (name for name in MANIFESTS if not name.startswith("cushion")):
        theirs = [each for each in scores if each.player == player and each.link in links]
        if len(theirs) == len(own):
            means[player] = mean(each.qoe_frozen for each in theirs)
    if not means:
        return []
    best = max(means, key=means.__getitem__)
    seen = f"{qoe:.3f} to {means[best]:.3f}"
    claim = f"mean QoE at least {GOAL_TO_BEST} times {best}'s, the best of {len(means)} others (seen {seen})"
    return [(claim, qoe >= GOAL_TO_BEST * means[best])]


def print_verdicts(scores: Sequence[Score], bounds: dict[str, float]) -> None:
    for player in ("cushion-dash", "cushion-hls"):
        own = [each for each in scores if each.player == player]
        if not own:
            continue
        qoe, bound = mean(e.qoe_frozen for e in own), mean(bounds[e.link] for e in own)
        startup = mean(e.startup_s for e in own)
        if len(own) == len(NAMES):
            goals = [
                (f"mean QoE at least {GOAL_QOE} (seen {qoe:.3f})", qoe >= GOAL_QOE),
                (f"at least {GOAL_SHARE:.0%} of the bound (seen {qoe / bound:.0%})", qoe >= GOAL_SHARE * bound),
                (f"start-up at most {GOAL_STARTUP_S} s (seen {startup:.2f})", startup <= GOAL_STARTUP_S),
                (f"no frozen picture (seen {sum(e.frozen_s for e in own):.2f} s)", not any(e.frozen_s for e in own)),
                ("no segment fetched whole twice", not any(e.twice_whole for e in own)),
            ]
        else:
            goals = []
        goals += beside_the_best(qoe, own, scores)
        for link, least in (("constant", 0.75), ("step", 1.8)):
            for each in (each for each in own if each.link == link):
                over = each.startup_s + each.stalled_s + each.frozen_s
                goals.append(
                    (f"{link}: at least {least} Mb/s, at most 2 s over (seen {each.mbps:.2f}, {over:.2f})",
                     each.mbps >= least and over <= 2)
                )  # fmt: skip
        for claim, holds in goals:
            print(f"  {'met' if holds else 'NOT MET'}: {player}: {claim}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1, help="not used: one run a cell")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every session there")
    parser.add_argument("--links", nargs="+", choices=NAMES, help="all by default; the simple ones without recordings")
    parser.add_argument("--players", nargs="+", choices=MANIFESTS, help="all that are there by default")
    parser.add_argument("--datasets", type=Path, metavar="DIR", help="where the recordings are (sabre_hsdpa3g, …)")
    parser.add_argument("--rule", default="bola_guarded", help="of our player (default %(default)s)")
    parser.add_argument("--at-once", type=int, default=1, metavar="N")
    options = parser.parse_args()
    has_browser = shutil.which("chromium") and shutil.which("node")
    players = options.players or [
        name
        for name in MANIFESTS
        if name.startswith("cushion") or (shutil.which("mpv") if name == "mpv" else has_browser)
    ]
    links = options.links or (NAMES if options.datasets else tuple(SIMPLE))
    datasets = options.datasets or Path()
    busy_title(SECONDS, THREE)
    bounds = {link: bound_of(link, datasets) for link in links}
    scores: list[Score] = []
    loads = [os.getloadavg()[0]]

    def one(pair: tuple[str, str]) -> None:
        link, player = pair
        try:
            got = play(player, link, datasets, options.rule)
        except (BenchmarkError, ValueError, subprocess.TimeoutExpired) as error:
            print(f"  {error}", file=sys.stderr, flush=True)
            return
        scores.append(got)
        loads.append(os.getloadavg()[0])
        print(f"  {player} over {link}: QoE {got.qoe_frozen:.3f}, load {loads[-1]:.1f}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(options.at_once) as pool:
        list(pool.map(one, [(link, player) for link in links for player in players]))
    print_table(scores, bounds)
    print_means(scores, bounds)
    print_verdicts(scores, bounds)
    print(f"  machine: {machine()}, load over the run {min(loads):.1f} to {max(loads):.1f}, {options.at_once} at once")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(each) for each in scores], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
