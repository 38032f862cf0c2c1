"""Our rules in our engine beside the same rules in Sabre, on the same recordings and the same movie.

Not equality: Sabre starts differently, abandons differently, and caps BOLA's upward switches by throughput in some
settings. But an independent simulator must come to about the same means.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import fmean

import pytest

from cushion_player.engine import EngineConfig, RetryPolicy
from cushion_simulator.movie import read_movie
from cushion_simulator.session import simulate
from cushion_traces.named import link_for

DATASETS = Path(__file__).parents[3] / "shared" / "datasets"


@pytest.mark.parametrize(("rule", "settings"), [("throughput", "-a throughput"), ("bola", "-a bola")])
def test_means_over_recorded_3g_are_near_those_of_sabre(rule: str, settings: str) -> None:
    if not DATASETS.is_dir():
        pytest.skip(f"no recordings at {DATASETS}")
    with (DATASETS / "golden_sabre_3g.csv").open(encoding="utf-8", newline="") as file:
        theirs = [row for row in csv.DictReader(file) if row["args"] == settings][::8]
    movie = read_movie(DATASETS / "sabre_movies" / "bbb.json")
    config = EngineConfig(buffer_goal_us=25_000_000, retry=RetryPolicy(gives_up_slow=False))

    ours = [
        simulate(movie, link_for(str(DATASETS / "sabre_hsdpa3g" / row["trace"])), rule, config=config).figures()
        for row in theirs
    ]

    assert len(ours) == 11
    their_bitrate = fmean(float(row["total played bitrate"]) / 199 * 1000 for row in theirs)
    their_ratio = fmean(float(row["total rebuffer"]) / float(row["total play time"]) for row in theirs)
    assert fmean(float(str(each["mean_bitrate_bps"])) for each in ours) == pytest.approx(their_bitrate, rel=0.08)
    assert fmean(float(str(each["rebuffer_ratio"])) for each in ours) == pytest.approx(their_ratio, abs=0.01)
