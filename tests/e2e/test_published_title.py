"""One title over both manifests: the same ladder, the same pictures, sound and picture together."""

from __future__ import annotations

import pytest

from cushion_player.timeline import TrackKind
from cushion_sdk.contracts import Title
from tests.e2e.conftest import FILM
from tests.e2e.playing import Watched, read_plan, watch_url
from tests.e2e.stack import Stack

FRAME_US = round(1e6 / FILM.frame_rate)
OFFSET_LIMIT_US = 40_000


def wrong_codes(watched: Watched) -> list[tuple[int, int | None]]:
    """(timestamp, code) of every frame whose picture is not the one of its time."""
    pairs = [(frame.time_us, frame.code) for frame in watched.frames]
    return [(time_us, code) for time_us, code in pairs if code != round(time_us / 1e6 * FILM.frame_rate)]


async def test_both_manifests_give_the_same_ladder_and_the_same_segments(stack: Stack, film_title: Title) -> None:
    dash, hls = await read_plan(stack.dash_url(film_title)), await read_plan(stack.hls_url(film_title))

    for kind in (TrackKind.VIDEO, TrackKind.AUDIO):
        ours, theirs = dash.timeline.first(kind), hls.timeline.first(kind)
        assert ours is not None
        assert theirs is not None
        assert [(rung.height_px, rung.codecs) for rung in ours.rungs] == [
            (rung.height_px, rung.codecs) for rung in theirs.rungs
        ]
        assert ours.sizes_exact
        assert theirs.sizes_bytes == ours.sizes_bytes
        assert theirs.start_us == pytest.approx(ours.start_us, abs=1)
        for rung in range(len(ours.rungs)):
            assert dash.init_address(ours.key, 0, rung) == hls.init_address(theirs.key, 0, rung)
            assert [dash.segment_address(ours.key, i, rung) for i in range(ours.n_segments)] == [
                hls.segment_address(theirs.key, i, rung) for i in range(theirs.n_segments)
            ]


async def test_both_manifests_give_the_same_bitrates(stack: Stack, film_title: Title) -> None:
    dash, hls = await read_plan(stack.dash_url(film_title)), await read_plan(stack.hls_url(film_title))

    video = [plan.timeline.first(TrackKind.VIDEO) for plan in (dash, hls)]

    rates = [[rung.bitrate_bps for rung in track.rungs] for track in video if track is not None]
    assert rates[0] == pytest.approx(rates[1], rel=0.02)


@pytest.mark.parametrize("rung", [0, -1])
async def test_dash_and_hls_show_the_same_pictures(stack: Stack, film_title: Title, rung: int) -> None:
    pinned = rung % len(film_title.ladder.video)

    dash = await watch_url(stack.dash_url(film_title), seconds=2.5, rung=pinned)
    hls = await watch_url(stack.hls_url(film_title), seconds=2.5, rung=pinned)

    for watched in (dash, hls):
        assert wrong_codes(watched) == []
        assert watched.frames[0].time_us == 0
        assert set(watched.heights_px) == {film_title.ladder.video[pinned].height_px}
        assert watched.output is not None
        assert watched.output.frames_corrupt == 0


@pytest.mark.parametrize("manifest", ["dash", "hls"])
@pytest.mark.parametrize("start_s", [0.0, 5.2])
async def test_flash_and_beep_leave_the_outputs_together(
    stack: Stack, film_title: Title, manifest: str, start_s: float
) -> None:
    url = stack.dash_url(film_title) if manifest == "dash" else stack.hls_url(film_title)

    watched = await watch_url(url, seconds=3.3, start_s=start_s)

    flashes, beeps = watched.flash_times_us(), watched.beep_times_us()
    assert len(flashes) >= 3
    assert len(beeps) >= 3
    offsets = [flash - beep for flash, beep in zip(flashes, beeps, strict=False)]
    if start_s == 0.0:
        offsets = offsets[1:]  # the picture of the start is shown as soon as it is there, before the clock runs
    assert max(abs(offset) for offset in offsets) <= OFFSET_LIMIT_US, offsets
