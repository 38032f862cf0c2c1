"""How well does a rule adapt over many recordings, in virtual time, and is one rule or setting better than another?

The title is that of `abr_links`, by DASH and by HLS; the links are its eight and, in two halves, what the recordings'
folder holds beside them. Differences are taken link by link; their interval is a bootstrap's, 95 %.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.abr_links import NAMES, SIMPLE, link_named, recordings
from benchmarks.abr_virtual import VirtualScore, VirtualTitle, declaring, read_title, watch
from benchmarks.bench_abr_links import SECONDS
from benchmarks.title import THREE, busy_title
from cushion_abr import DEFAULT_RULE
from cushion_abr.registry import rule_names
from cushion_player.engine import EngineConfig
from cushion_traces.link import Link

DRAWS = 2000


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the mean lies in 95 of 100 draws of as many links."""
    draw = random.Random(1)
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(DRAWS))
    return means[DRAWS // 40], means[-DRAWS // 40 - 1]


def row(name: str, scores: Sequence[VirtualScore], beside: Sequence[VirtualScore] | None) -> str:
    stalled_s = sum(each.stalled_s for each in scores)
    low, high = interval([each.qoe for each in scores])
    text = (
        f"{name:34}{mean(each.qoe for each in scores):7.3f} ({low:6.3f} to {high:6.3f})"
        f"{mean(each.mbps for each in scores):6.2f}{mean(each.startup_s for each in scores):7.2f}"
        f"{stalled_s / len(scores):7.2f}{stalled_s / (stalled_s + SECONDS * len(scores)):8.2%}"
        f"{mean(each.switches for each in scores):5.1f}"
    )
    if beside is None:
        return text
    steps = [ours.qoe - theirs.qoe for ours, theirs in zip(scores, beside, strict=True)]
    low, high = interval(steps)
    return f"{text}  {mean(steps):+.3f} ({low:+.3f} to {high:+.3f})"


def compare(
    name: str, title: VirtualTitle, links: dict[str, Link], rules: Sequence[str], changed: Setting | None
) -> Iterator[dict[str, VirtualScore]]:
    """Each rule over all links, the first once more as it was changed; prints a row for each."""
    settings: list[tuple[str, str, Setting]] = [(rule, rule, Setting()) for rule in rules]
    if changed is not None:
        settings.append((f"{rules[0]} changed", rules[0], changed))
    first: list[VirtualScore] | None = None
    for label, rule, setting in settings:
        scores = [watch(title, link, rule, setting.params, setting.config) for link in links.values()]
        print(row(f"{name} {label}", scores, first), flush=True)
        first = first or scores
        yield dict(zip(links, scores, strict=True))


@dataclass(frozen=True, slots=True)
class Setting:
    """How a rule is played."""

    params: Mapping[str, float] = field(default_factory=dict[str, float])
    config: EngineConfig | None = None


def setting_of(params: Sequence[str], config: Sequence[str]) -> Setting | None:
    """From NAME=NUMBER each; None when nothing is changed."""
    if not params and not config:
        return None
    times: dict[str, Any] = {f"{name}_us": round(number * 1e6) for name, number in _pairs(config).items()}
    return Setting(_pairs(params), replace(EngineConfig(), **times))


def _pairs(texts: Sequence[str]) -> dict[str, float]:
    return {name: float(number) for name, _, number in (text.partition("=") for text in texts)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1, help="not used: virtual time has no spread")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every session there")
    parser.add_argument("--datasets", type=Path, metavar="DIR", help="where the recordings are (sabre_hsdpa3g, …)")
    parser.add_argument("--sets", nargs="+", choices=("eight", "even", "odd"), default=["eight", "even", "odd"])
    parser.add_argument("--rules", nargs="+", choices=rule_names(), default=[DEFAULT_RULE])
    parser.add_argument("--param", action="append", default=[], metavar="NAME=NUMBER", help="of the first rule")
    parser.add_argument("--config", action="append", default=[], metavar="NAME=SECONDS", help="start_threshold, …")
    parser.add_argument("--declared", nargs="+", type=float, default=[1.0], metavar="X", help="times the real bitrate")
    parser.add_argument("--manifests", nargs="+", choices=("dash", "hls"), default=["dash", "hls"])
    options = parser.parse_args()
    changed = setting_of(options.param, options.config)
    links: dict[str, dict[str, Link]] = {"simple": {name: link_named(name, Path()) for name in SIMPLE}}
    if options.datasets is not None:
        even, odd = recordings(options.datasets)
        every = {"eight": {name: link_named(name, options.datasets) for name in NAMES}, "even": even, "odd": odd}
        links = {name: every[name] for name in options.sets}
    folder = busy_title(SECONDS, THREE)
    told: list[dict[str, object]] = []
    print(
        f"{'set, manifest, rule':34}{'QoE':>7}{'95 % of the mean':>19}{'Mb/s':>6}{'start':>7}{'stall':>7}"
        f"{'ratio':>8}{'sw':>5}  QoE beside the first"
    )
    for set_name, members in links.items():
        for manifest in options.manifests:
            plain = read_title(folder, tuple(each.bitrate_bps for each in THREE), is_hls=manifest == "hls")
            for factor in options.declared:
                name = f"{set_name} ({len(members)}) {manifest}" + (f" x{factor:g}" if factor != 1 else "")
                for scores in compare(name, declaring(plain, factor), members, options.rules, changed):
                    for link, score in scores.items():
                        told.append({"of": name, "link": link, **asdict(score)})
    if options.json is not None:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
