"""The MPDs of the live site say what its segments are, at every moment, by our reader and by another."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from urllib.parse import urlsplit

import pytest
from mpegdash.parser import MPEGDASHParser

from cushion_player import manifest
from cushion_player.manifest.dash_clock import server_time
from cushion_player.planning.availability import window_at
from cushion_player.testing.live import (
    Breaks,
    DashOptions,
    LiveConfig,
    LiveSite,
    Pathway,
    Steering,
)
from cushion_player.testing.live.boxes import boxes_of
from tests.player.testing.live_reading import (
    ADDRESSINGS,
    BASE,
    BEGAN,
    CHANGING,
    PLAIN,
    SECOND,
    Node,
    check_segment,
    get,
    listed,
    representations,
    status,
    whole,
)


@pytest.mark.parametrize("addressing", ADDRESSINGS)
@pytest.mark.parametrize("elapsed_s", [2.0, 9.5, 61.0, 100_003.0])
@pytest.mark.parametrize("config", [PLAIN, CHANGING], ids=["one period", "periods"])
def test_dash_segments_are_where_and_when_the_mpd_says(config: LiveConfig, elapsed_s: float, addressing: str) -> None:
    site = LiveSite(replace(config, dash=DashOptions(addressing=addressing)))

    presentation = whole(site, "/live.mpd", elapsed_s)

    assert presentation.is_live
    seen = 0
    for period, item in representations(presentation):
        segments = listed(presentation, period, item, elapsed_s)
        for segment in (*segments[:1], *segments[-1:]):
            check_segment(site, item, segment, elapsed_s, item.time_offset)
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize("addressing", ADDRESSINGS)
def test_dash_window_follows_the_clock(addressing: str) -> None:
    site = LiveSite(replace(PLAIN, dash=DashOptions(addressing=addressing)))

    for elapsed_s in (7, 33, 34, 35, 120):
        now = Fraction(BEGAN, SECOND) + elapsed_s
        window = window_at(whole(site, "/live.mpd", elapsed_s), now)
        assert window is not None
        assert window.end == elapsed_s // 2 * 2
        assert window.start >= elapsed_s - 30 or window.start == 0


@pytest.mark.parametrize("addressing", ADDRESSINGS)
@pytest.mark.parametrize("config", [PLAIN, CHANGING], ids=["one period", "periods"])
def test_a_patch_gives_the_same_presentation_as_the_whole_mpd(config: LiveConfig, addressing: str) -> None:
    breaks = Breaks(5 * SECOND, 20 * SECOND, 4 * SECOND)
    dash = DashOptions(addressing=addressing, has_patch=True)
    site = LiveSite(replace(config, dash=dash, breaks=breaks, end_us=70 * SECOND))
    followed = whole(site, "/live.mpd", 3)
    patched = 0

    for elapsed_s in range(4, 80, 3):
        url = urlsplit(manifest.reload_url(followed, now=Fraction(BEGAN, SECOND) + elapsed_s))
        refreshed = manifest.refresh(followed, get(site, url.path, elapsed_s, url.query), BASE + url.path)
        assert refreshed.needs == ()
        patched += "patch" in url.path
        followed = refreshed.presentation
        fresh = whole(site, "/live.mpd", elapsed_s)
        assert followed.periods == fresh.periods
        assert (followed.is_live, followed.duration, followed.live) == (fresh.is_live, fresh.duration, fresh.live)
        if not followed.is_live:
            break

    assert patched > 10
    assert not followed.is_live


def test_a_patch_from_nowhere_or_too_long_ago_is_refused() -> None:
    site = LiveSite(replace(PLAIN, dash=DashOptions(addressing="timeline-time", has_patch=True, patch_ttl_s=10)))

    assert status(site, "/patch.mpp", 30, f"from={BEGAN + 4 * SECOND}") == 410
    assert status(site, "/patch.mpp", 30, f"from={BEGAN + 24 * SECOND}") == 200
    assert [status(site, "/patch.mpp", 30, query) for query in ("", "from=x", f"from={BEGAN + 5}")] == [404] * 3


@pytest.mark.parametrize("addressing", ADDRESSINGS)
def test_the_mpd_does_not_change_between_its_editions(addressing: str) -> None:
    site = LiveSite(replace(CHANGING, dash=DashOptions(addressing=addressing), breaks=Breaks(SECOND, 7 * SECOND, 1)))

    seen = {get(site, "/live.mpd", tick / 10) for tick in range(500)}
    by_publish_time = {whole_text.split(b"publishTime=")[1][:26] for whole_text in seen}

    assert len(seen) == len(by_publish_time) > 3


def test_the_end_of_a_live_mpd_is_static_or_has_a_duration() -> None:
    for ends_as, is_live in (("static", False), ("duration", True)):
        site = LiveSite(replace(PLAIN, end_us=31 * SECOND, window_us=10 * SECOND, dash=DashOptions(ends_as=ends_as)))
        presentation = whole(site, "/live.mpd", 33)
        assert presentation.is_live == is_live
        assert presentation.duration == 32
        assert presentation.live.minimum_update_period is None
        assert status(site, "/p0/v0/16.m4s", 33) == 200
        assert status(site, "/p0/v0/1.m4s", 500) == (404 if is_live else 200)
        assert status(site, "/p0/v0/17.m4s", 99) == 404
    assert whole(site, "/live.mpd", 31).live.minimum_update_period == 2


def test_mpd_says_what_it_was_told_to() -> None:
    dash = DashOptions(
        utc_timing=("direct", "http-head", "http-xsdate", "http-iso"),
        suggested_delay_s=6,
        latency_ms=(3000, 2000, 6000),
        rates=(0.96, 1.04),
        has_reference_time=True,
        has_inband_events=True,
        lead_s=3,
    )
    pathways = (Pathway("a", "http://one/x/"), Pathway("b", "http://two/x/"))
    steering = Steering(((0, ("a", "b")),), query_before_start=True)
    config = replace(CHANGING, is_low_latency=True, dash=dash, pathways=pathways, steering=steering)
    presentation = whole(LiveSite(config), "/live.mpd", 9.5)

    assert [period.id for period in presentation.periods] == ["p0", "p1"]  # the second begins in 2.5 s
    assert [timing.method for timing in presentation.utc_timings] == ["direct", "head", "xsdate", "iso"]
    assert server_time(presentation.utc_timings[0]) == Fraction(BEGAN, SECOND) + Fraction(19, 2)
    assert presentation.live.suggested_presentation_delay == 6
    (service,) = presentation.service_descriptions
    assert service.latency[:3] == (3000, 2000, 6000)
    assert service.playback_rate == (Fraction("0.96"), Fraction("1.04"))
    assert presentation.steering is not None
    assert presentation.steering.server_url == "http://live/steering.json"
    assert presentation.steering.query_before_start
    video = presentation.periods[0].adaptation_sets[0].representations[0]
    assert [(base.service_location, base.url) for base in video.bases] == [
        ("a", "http://one/x/"),
        ("b", "http://two/x/"),
    ]
    assert (video.availability_time_offset, video.availability_time_complete) == (Fraction(3, 2), False)
    assert video.reference_times[0].wall_clock == Fraction(BEGAN, SECOND)
    assert video.inband_events[0].scheme == "urn:scte:scte35:2013:bin"


@pytest.mark.parametrize("name", ["iso", "xsdate"])
def test_time_servers_say_the_time(name: str) -> None:
    presentation = whole(LiveSite(replace(PLAIN, dash=DashOptions(utc_timing=(f"http-{name}",)))), "/live.mpd", 5)
    (timing,) = presentation.utc_timings

    said = server_time(timing, get(LiveSite(PLAIN), urlsplit(timing.value).path, 12.25))

    assert said == Fraction(BEGAN, SECOND) + Fraction(49, 4)


def test_events_are_in_the_mpd_or_in_the_segments() -> None:
    breaks = Breaks(5 * SECOND, 20 * SECOND, 4 * SECOND, dash_asset_url="http://ads/ad.mpd", playout_limit_s=3)
    site = LiveSite(replace(PLAIN, breaks=breaks))
    (period,) = whole(site, "/live.mpd", 10).periods
    events = period.event_streams[0].events
    assert [(event.start, event.duration) for event in events] == [
        (Fraction(at), Fraction(4)) for at in (5, 25, 45, 65)
    ]
    assert period.event_streams[0].events[0].data == breaks.scte35
    assert [(item.start, item.asset_url, item.playout_limit) for item in period.interstitials[:1]] == [
        (Fraction(5), "http://ads/ad.mpd", Fraction(3))
    ]

    site = LiveSite(replace(PLAIN, breaks=breaks, dash=DashOptions(has_inband_events=True, has_reference_time=True)))
    kinds = [[kind for kind, _, _ in boxes_of(get(site, f"/p0/v0/{number}.m4s", 20))] for number in (2, 3)]
    assert kinds == [[b"prft", *[b"moof", b"mdat"] * 4], [b"emsg", b"prft", *[b"moof", b"mdat"] * 4]]


def test_mpegdash_reads_the_same() -> None:
    site = LiveSite(replace(CHANGING, dash=DashOptions(addressing="timeline-time", suggested_delay_s=6)))
    theirs: Node = MPEGDASHParser.parse(get(site, "/live.mpd", 30).decode())
    ours = whole(site, "/live.mpd", 30)

    assert theirs.type == "dynamic"
    assert [period.id for period in theirs.periods] == [period.id for period in ours.periods]
    for period, mine in zip(theirs.periods, ours.periods, strict=True):
        for sets, my_set in zip(period.adaptation_sets, mine.adaptation_sets, strict=True):
            (template,) = sets.segment_templates
            rows = [(row.t, row.d) for row in template.segment_timelines[0].Ss]
            offset = template.presentation_time_offset
            item = my_set.representations[0]
            assert [(t - offset, d) for t, d in rows] == [(part.start, part.duration) for part in item.segments]
            assert [other.id for other in sets.representations] == [other.id for other in my_set.representations]
