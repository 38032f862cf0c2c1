"""The playlists of the live site say what its segments are, at every moment, by our reader and by another."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from urllib.parse import urlsplit

import m3u8
import pytest

from cushion_player import manifest
from cushion_player.manifest.hls_interstitials import asset_list_need, read_asset_list
from cushion_player.manifest.steering import read_steering
from cushion_player.testing.answers import Answer, NotYet
from cushion_player.testing.live import (
    Breaks,
    Clone,
    HlsOptions,
    LiveConfig,
    LiveSite,
    Pathway,
    Steering,
    key_bytes,
)
from tests.player.testing.live_reading import (
    BASE,
    BEGAN,
    CHANGING,
    PLAIN,
    SECOND,
    Node,
    check_segment,
    get,
    representations,
    status,
    whole,
    whole_playlist,
)


@pytest.mark.parametrize("elapsed_s", [2.0, 9.5, 61.0, 100_003.0])
@pytest.mark.parametrize("config", [PLAIN, CHANGING], ids=["one stretch", "discontinuities"])
def test_hls_segments_are_where_and_when_the_playlists_say(config: LiveConfig, elapsed_s: float) -> None:
    site = LiveSite(config)

    presentation = whole(site, "/live.m3u8", elapsed_s)

    assert presentation.is_live
    for _, item in representations(presentation):
        assert item.segments
        for segment in item.segments:
            start, _ = check_segment(site, item, segment, elapsed_s, None)
            period = int(segment.address.url.split("/p")[1].split("/")[0])
            timescale = config.programmes[period % len(config.programmes)].asset.tracks[0].timescale
            assert segment.program_time_us == BEGAN + start * SECOND // timescale


@pytest.mark.parametrize("config", [PLAIN, CHANGING], ids=["one stretch", "discontinuities"])
def test_m3u8_reads_the_same(config: LiveConfig) -> None:
    site = LiveSite(replace(config, is_low_latency=True))
    text = get(site, "/v1.m3u8", 33.3).decode()
    theirs: Node = m3u8.loads(text, uri=f"{BASE}/v1.m3u8")
    ours = manifest.read(text, f"{BASE}/v1.m3u8").presentation.periods[0].adaptation_sets[0].representations[0]

    assert ours.playlist is not None
    assert theirs.media_sequence == ours.segments[0].number
    assert (theirs.discontinuity_sequence or 0) == ours.segments[0].discontinuity
    assert theirs.server_control.can_block_reload == "YES"
    assert theirs.part_inf.part_target == float(ours.playlist.part_target or 0)
    full = [item for item in theirs.segments if item.uri]
    assert [item.absolute_uri for item in full] == [segment.address.url for segment in ours.segments]
    assert [item.duration for item in full] == [
        float(Fraction(part.duration, ours.timescale)) for part in ours.segments
    ]
    text = get(LiveSite(config), "/v1.m3u8", 33.3).decode()  # with parts the library adds their durations twice
    theirs = m3u8.loads(text, uri=f"{BASE}/v1.m3u8")
    full = list(theirs.segments)
    assert [item.current_program_date_time - full[0].current_program_date_time for item in full] == [
        timedelta(microseconds=(part.program_time_us or 0) - (ours.segments[0].program_time_us or 0))
        for part in ours.segments
    ]


def test_parts_make_up_their_segment_and_are_there_when_listed() -> None:
    site = LiveSite(replace(PLAIN, is_low_latency=True))
    item = whole_playlist(site, "/v1.m3u8", 33.3)
    assert item.playlist is not None

    segment = item.segments[-1]
    parts = b"".join(get(site, urlsplit(part.address.url).path, 33.3) for part in segment.chunks)
    hint = urlsplit(item.playlist.preload_hints[0].url).path
    held = site.response(hint, "", BEGAN + round(33.3e6))

    assert len(segment.chunks) == 4
    assert parts == get(site, urlsplit(segment.address.url).path, 33.3)
    assert len(item.playlist.partial) == 2  # 33.3 s: two halves of a second of the segment from 32 s
    assert held == NotYet(BEGAN + round(33.5e6))
    assert get(site, hint, 33.5)
    assert status(site, hint.replace(".2.", ".3."), 33.3) == 404  # too far ahead


@pytest.mark.parametrize(
    ("query", "ready_s"),
    [
        ("_HLS_msn=16&_HLS_part=2", 33.5),
        ("_HLS_msn=16", 34.0),
        ("_HLS_msn=16&_HLS_part=4", 34.5),
        ("_HLS_msn=17&_HLS_part=0", 34.5),
        ("_HLS_msn=16&_HLS_part=1", None),
        ("_HLS_msn=15", None),
    ],
)
def test_a_reload_waits_for_what_it_names(query: str, ready_s: float | None) -> None:
    site = LiveSite(replace(PLAIN, is_low_latency=True))

    answer = site.response("/v0.m3u8", query, BEGAN + round(33.3e6))

    if ready_s is None:
        assert isinstance(answer, Answer)
    else:
        assert answer == NotYet(BEGAN + round(ready_s * 1e6))
        assert isinstance(site.response("/v0.m3u8", query, BEGAN + round(ready_s * 1e6)), Answer)


@pytest.mark.parametrize("query", ["_HLS_msn=99", "_HLS_part=1", "_HLS_msn=x"])
def test_a_reload_that_makes_no_sense_is_refused(query: str) -> None:
    assert status(LiveSite(replace(PLAIN, is_low_latency=True)), "/v0.m3u8", 33.3, query) == 400


def test_a_playlist_before_the_first_segment_is_waited_for() -> None:
    assert LiveSite(PLAIN).response("/v0.m3u8", "", BEGAN) == NotYet(BEGAN + 2 * SECOND)


def test_a_delta_update_gives_the_same_as_the_whole_playlist() -> None:
    site = LiveSite(replace(PLAIN, window_us=60 * SECOND, hls=HlsOptions(skip_until_s=12)))
    followed = manifest.read(get(site, "/v0.m3u8", 80), f"{BASE}/v0.m3u8").presentation

    delta = get(site, "/v0.m3u8", 90, "_HLS_skip=YES")
    refreshed = manifest.refresh(followed, delta, f"{BASE}/v0.m3u8?_HLS_skip=YES")

    fresh = whole_playlist(site, "/v0.m3u8", 90)
    item = refreshed.presentation.periods[0].adaptation_sets[0].representations[0]
    assert b"#EXT-X-SKIP:SKIPPED-SEGMENTS=23" in delta
    assert refreshed.needs == ()
    assert [part.address for part in item.segments] == [part.address for part in fresh.segments]


def test_reports_and_the_end_are_listed() -> None:
    site = LiveSite(replace(PLAIN, is_low_latency=True, end_us=40 * SECOND))

    item = whole_playlist(site, "/v0.m3u8", 33.3)
    assert item.playlist is not None
    assert [
        (urlsplit(report.url).path, report.last_sequence, report.last_part)
        for report in item.playlist.rendition_reports
    ] == [
        ("/v1.m3u8", 16, 1),
        ("/a0.m3u8", 16, 1),
    ]
    ended = whole_playlist(site, "/v0.m3u8", 40)
    assert ended.playlist is not None
    assert ended.playlist.has_ended
    assert (ended.segments[-1].number, ended.playlist.partial) == (19, ())


def test_keys_rotate_and_the_segments_are_encrypted_with_them() -> None:
    def cipher(key: bytes, vector: bytes, clear: bytes) -> bytes:
        return key + vector + clear[:4]

    site = LiveSite(replace(CHANGING, hls=HlsOptions(segments_per_key=4, cipher=cipher)))
    item = whole_playlist(site, "/v0.m3u8", 21)

    for segment in item.segments:
        (key,) = segment.keys
        assert key.iv is not None
        served = get(site, urlsplit(key.uri).path, 21)
        assert served == key_bytes(segment.number // 4)
        assert get(site, urlsplit(segment.address.url).path, 21)[:32] == served + key.iv
        assert (segment.init or item.init).keys == ()  # type: ignore[union-attr] # one of them is there


def test_breaks_are_date_ranges_and_interstitials() -> None:
    urls = ("http://ads/one.m3u8", "http://ads/two.m3u8")
    breaks = Breaks(
        40 * SECOND, 60 * SECOND, 20 * SECOND, asset_urls=urls, is_list=True, resume_offset_s=12.5,
        playout_limit_s=19, restrict=("SKIP", "JUMP"), snap=("IN", "OUT"), cue=("ONCE",),
    )  # fmt: skip
    site = LiveSite(replace(PLAIN, breaks=breaks))
    presentation = whole(site, "/live.m3u8", 33)

    (item,) = presentation.interstitials
    assert item.start == Fraction(BEGAN, SECOND) + 40
    assert (item.duration, item.resume_offset, item.playout_limit) == (Fraction(20), Fraction(25, 2), Fraction(19))
    assert (item.restrict, item.snap, item.plays_once) == (("SKIP", "JUMP"), ("IN", "OUT"), True)
    assert presentation.date_ranges[0].scte35_out == breaks.scte35
    need = asset_list_need(item)
    read = read_asset_list(presentation, need, get(site, urlsplit(need.url).path, 33), need.url)
    assert [asset.url for asset in read.interstitials[0].assets] == list(urls)


def test_pathways_are_in_the_variants_and_the_steering_server_orders_them() -> None:
    pathways = (Pathway("a", "http://one/"), Pathway("b", "http://two/"))
    steering = Steering(((0, ("a", "b")), (20 * SECOND, ("b", "a"))), ttl_s=10, clones=(Clone("a", "c", "three"),))
    site = LiveSite(replace(PLAIN, pathways=pathways, steering=steering))
    result = manifest.read(get(site, "/live.m3u8", 5), f"{BASE}/live.m3u8")

    assert result.presentation.steering is not None
    video = result.presentation.periods[0].adaptation_sets[0].representations
    assert {urlsplit(need.url).netloc for need in result.needs} == {"one"}
    assert [[(base.service_location, base.url) for base in item.bases] for item in video] == [
        [("a", f"http://one/v{rung}.m3u8"), ("b", f"http://two/v{rung}.m3u8")] for rung in range(2)
    ]
    for elapsed_s, priority in ((5, ("a", "b")), (25, ("b", "a"))):
        said = read_steering(get(site, "/steering.json", elapsed_s), f"{BASE}/steering.json")
        assert (said.priority, said.ttl_s) == (priority, 10)
        assert [(clone.base_id, clone.id, clone.host) for clone in said.clones] == [("a", "c", "three")]
    assert json.loads(get(site, "/steering.json", 5))["VERSION"] == 1
