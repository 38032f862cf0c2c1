"""What the live site has at which moment, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cushion_player.testing.answers import Answer
from cushion_player.testing.live import (
    DashOptions,
    LiveConfig,
    LiveSite,
    Programme,
)
from tests.player.testing.live_reading import (
    ASSET,
    BEGAN,
    CHANGING,
    PLAIN,
    SECOND,
    check_segment,
    listed,
    representations,
    status,
    whole,
)


def test_a_segment_is_there_from_its_end_to_the_end_of_the_window() -> None:
    site = LiveSite(PLAIN)

    assert [status(site, "/p0/v0/3.m4s", elapsed_s) for elapsed_s in (5.9, 6.0, 38.0, 38.1)] == [404, 200, 200, 404]
    assert status(site, "/p0/v0/0.m4s", 10) == 404
    assert status(site, "/live.mpd", -1) == 404


def test_a_low_latency_segment_appears_chunk_by_chunk() -> None:
    site = LiveSite(replace(PLAIN, is_low_latency=True))

    answer = site.response("/p0/v0/3.m4s", "", BEGAN + round(4.6e6))

    assert status(site, "/p0/v0/3.m4s", 4.4) == 404
    assert isinstance(answer, Answer)
    assert [time_us - BEGAN for _, time_us in answer.arrivals] == [4_500_000, 5_000_000, 5_500_000, 6_000_000]
    assert answer.arrivals[-1][0] == len(answer.body)
    later = site.response("/p0/v0/3.m4s", "", BEGAN + 6 * SECOND)
    assert isinstance(later, Answer)
    assert (later.body, later.arrivals) == (answer.body, ())


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
def test_on_demand_is_all_there_at_any_time(path: str) -> None:
    site = LiveSite(replace(CHANGING, is_vod=True, end_us=30 * SECOND))

    presentation = whole(site, path, -1000)

    assert not presentation.is_live
    assert presentation.duration == 30
    for period, item in representations(presentation):
        for segment in listed(presentation, period, item, 0):
            check_segment(site, item, segment, -1000, item.time_offset if path.endswith("mpd") else None)


def test_paths_nobody_knows_are_404() -> None:
    paths = (
        "/",
        "/p9/v0/1.m4s",
        "/p0/v7/1.m4s",
        "/p0/v0/t5.m4s",
        "/v9.m3u8",
        "/steering.json",
        "/keys/0.key",
        "/p0/v9/init.mp4",
    )

    assert {status(LiveSite(PLAIN), path, 30) for path in paths} == {404}


@pytest.mark.parametrize(
    "make",
    [
        lambda: LiveConfig(()),
        lambda: LiveConfig((Programme(ASSET), Programme(ASSET))),
        lambda: LiveConfig((Programme(ASSET),), repeats=True),
        lambda: LiveConfig((Programme(ASSET),), is_vod=True),
        lambda: DashOptions(addressing="letters"),
        lambda: DashOptions(ends_as="never"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(ValueError):
        make()
