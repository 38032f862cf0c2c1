"""Content steering and interstitials of HLS: what other JSON documents say."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest import ReadResult, later_needs, read, resolve
from cushion_player.manifest.hls_interstitials import asset_list_need
from cushion_player.manifest.steering import SourceUse, asking_url, read_steering
from cushion_player.model import (
    Address,
    BaseUrl,
    ContentSteering,
    Cue,
    Extra,
    Interstitial,
    InterstitialAsset,
    PathwayClone,
    Presentation,
    Representation,
    SteeringManifest,
)
from cushion_player.planning.places import address_at, sources_of
from tests.player.manifest_files import PLAYLISTS, URL, load, sets

STEER = "https://steer.example.com/s"
NOON = Fraction(1_772_366_400)


def steering(**fields: object) -> SteeringManifest:
    return read_steering(json.dumps({"VERSION": 1, "PATHWAY-PRIORITY": ["c", "a"], **fields}).encode(), STEER)


def opened() -> ReadResult:
    return read((PLAYLISTS / "everything.m3u8").read_bytes(), URL + "everything.m3u8")


def interstitial(identity: str) -> Interstitial:
    return next(item for item in load("hls_interstitials.m3u8").interstitials if item.id == identity)


def test_a_steering_manifest_says_order_time_and_place() -> None:
    found = steering(TTL=60, **{"RELOAD-URI": "next?y=2"})

    assert found == SteeringManifest(60, "https://steer.example.com/next?y=2", ("c", "a"))


def test_without_ttl_and_place_it_is_asked_again_in_five_minutes() -> None:
    assert (steering().ttl_s, steering().reload_url) == (300, STEER)


def test_the_words_of_dash_are_read_too() -> None:
    body = b'{"VERSION": 1, "TTL": 10, "SERVICE-LOCATION-PRIORITY": ["x", "y"]}'

    assert read_steering(body, STEER).priority == ("x", "y")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"VERSION": 2, "PATHWAY-PRIORITY": ["a"]}', b'{"VERSION": 1}', b"[" * 9999]
)
def test_what_is_no_steering_manifest_is_an_error(body: bytes) -> None:
    with pytest.raises(ManifestSyntaxError):
        read_steering(body, STEER)


@pytest.mark.parametrize(
    ("kind", "uses", "query"),
    [
        ("hls", [("b", 5_000_000)], "x=1&_HLS_pathway=%22b%22&_HLS_throughput=5000000"),
        ("hls", [("a", 1_000), ("b", 0)], "x=1&_HLS_pathway=%22b%22"),
        ("dash", [("a", 1_000), ("b", 2_000)], "x=1&_DASH_pathway=%22a%2Cb%22&_DASH_throughput=1000%2C2000"),
        ("dash", [], "x=1"),
    ],
)
def test_the_server_is_told_what_was_used_and_what_it_brought(
    kind: str, uses: list[tuple[str, int]], query: str
) -> None:
    told = tuple(SourceUse(*use) for use in uses)

    assert asking_url(ContentSteering(f"{STEER}?x=1"), kind, told) == f"{STEER}?{query}"


def test_what_was_told_before_is_not_told_again_by_an_address_that_repeats_it() -> None:
    found = asking_url(ContentSteering(STEER), "hls", (SourceUse("b"),), f"{STEER}?_HLS_pathway=%22a%22&y=2")

    assert found == f"{STEER}?y=2&_HLS_pathway=%22b%22"


def test_a_proxy_is_told_the_servers_address() -> None:
    found = asking_url(ContentSteering(STEER, proxy_url="https://proxy/p"), "dash", (SourceUse("a", 7),))

    assert found == ("https://proxy/p?url=https%3A%2F%2Fsteer.example.com%2Fs&_DASH_pathway=%22a%22&_DASH_throughput=7")


def test_a_manifest_that_carries_its_answer_is_told_nothing() -> None:
    assert asking_url(ContentSteering("data:,x"), "hls", (SourceUse("b", 1),)) == "data:,x"


def test_the_playlist_says_who_steers_and_where_to_begin() -> None:
    assert opened().presentation.steering == ContentSteering("https://steer.example.com/s?x=1", ("b",))


def test_clones_that_say_too_little_are_left_out() -> None:
    clone = {"BASE-ID": "a", "ID": "c", "URI-REPLACEMENT": {"HOST": "c.example.net", "PARAMS": {"t": "1"}}}

    found = steering(**{"PATHWAY-CLONES": [clone, {"ID": "broken"}, 7]})

    assert found.clones == (PathwayClone("a", "c", "c.example.net", (("t", "1"),)),)


NAMES = st.one_of(st.text(max_size=5), st.sampled_from(["a", "b", "\ud800", "//x", "[", "a b", "%zz", "\n"]))
CLONES = st.fixed_dictionaries(
    {
        "BASE-ID": NAMES,
        "ID": NAMES,
        "URI-REPLACEMENT": st.dictionaries(
            st.sampled_from(["HOST", "PARAMS", "PER-VARIANT-URIS", "PER-RENDITION-URIS"]),
            st.one_of(NAMES, st.integers(), st.dictionaries(st.one_of(NAMES, st.just("v720")), NAMES, max_size=2)),
        ),
    }
)
ANSWERS = st.fixed_dictionaries(
    {"VERSION": st.just(1), "PATHWAY-PRIORITY": st.lists(NAMES, min_size=1, max_size=3)},
    optional={
        "TTL": st.one_of(st.integers(), st.floats(), st.text(max_size=2)),
        "RELOAD-URI": NAMES,
        "PATHWAY-CLONES": st.lists(st.one_of(CLONES, st.integers()), max_size=3),
    },
)
BASES = (BaseUrl("http://a/x/", "a"), BaseUrl("http://b/x/", "b"))


@settings(max_examples=200, deadline=None)
@given(ANSWERS)
def test_whatever_a_server_says_gives_sources_with_addresses_or_a_manifest_error(answer: dict[str, object]) -> None:
    try:
        found = read_steering(json.dumps(answer).encode(), STEER)
    except ManifestError:
        return

    assert found.ttl_s > 0
    for item in (
        Representation("v", bases=BASES),
        Representation("variant-0", source="http://a/v", bases=BASES, stable_id="v720", pathway="a"),
    ):
        for name in sources_of(item, found.clones):
            assert address_at(Address("http://a/x/1"), item, name, found.clones).url.startswith("http")
            assert "_HLS_pathway" in asking_url(ContentSteering(STEER), "hls", (SourceUse(name),), found.reload_url)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_a_manifest_error(body: bytes) -> None:
    with pytest.raises(ManifestError):
        read_steering(b'{"VERSION":1,' + body, STEER)


# --------------------------------------------------------------------------- pathways

MEDIA = '#EXT-X-MEDIA:TYPE={},GROUP-ID="{}",NAME="{}",LANGUAGE="en",STABLE-RENDITION-ID="{}",URI="{}"'


def pathways(*lines: str) -> Presentation:
    """Variants on the pathways a and b; `lines` are renditions and variants by (pathway, groups)."""
    return read("\n".join(["#EXTM3U", *lines, ""]), URL + "m.m3u8").presentation


def variant(pathway: str, audio: str, text: str = "", *, bandwidth: int = 1_000_000) -> str:
    said = f',SUBTITLES="{text}"' if text else ""
    place = f',PATHWAY-ID="{pathway}"' if pathway else ""
    return f"""#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},CODECS="avc1.64001f,mp4a.40.2",AUDIO="{audio}"{said}{place}
http://{pathway or audio}/{bandwidth}.m3u8"""


def places(presentation: Presentation, kind: str) -> dict[str, list[tuple[str, str]]]:
    """By rung of that kind, its places: (pathway, URL)."""
    return {
        rung.id: [(base.service_location, base.url) for base in rung.bases]
        for found in sets(presentation)
        if found.kind == kind
        for rung in found.representations
    }


def test_renditions_of_a_pathways_groups_are_places_of_one_rendition() -> None:
    presentation = pathways(
        MEDIA.format("AUDIO", "aud-b", "English", "r1", "http://b/en.m3u8"),
        MEDIA.format("AUDIO", "aud-a", "English", "r1", "http://a/en.m3u8"),
        MEDIA.format("SUBTITLES", "sub-a", "English", "t1", "http://a/text.m3u8"),
        MEDIA.format("SUBTITLES", "sub-b", "English", "t2", "http://b/text.m3u8"),
        variant("a", "aud-a", "sub-a"),
        variant("b", "aud-b", "sub-b"),
    )

    assert places(presentation, "video") == {
        "variant-0": [("a", "http://a/1000000.m3u8"), ("b", "http://b/1000000.m3u8")]
    }
    assert list(places(presentation, "audio").values()) == [[("a", "http://a/en.m3u8"), ("b", "http://b/en.m3u8")]]
    assert list(places(presentation, "text").values()) == [[("a", "http://a/text.m3u8"), ("b", "http://b/text.m3u8")]]


def test_a_group_of_each_quality_is_paired_with_that_quality_of_the_other_pathway() -> None:
    presentation = pathways(
        *(
            MEDIA.format("AUDIO", f"{quality}-{pathway}", "English", quality, f"http://{pathway}/{quality}.m3u8")
            for pathway in "ab"
            for quality in ("low", "high")
        ),
        *(variant(pathway, f"low-{pathway}") for pathway in "ab"),
        *(variant(pathway, f"high-{pathway}", bandwidth=2_000_000) for pathway in "ab"),
    )

    assert list(places(presentation, "audio").values()) == [
        [("a", f"http://a/{quality}.m3u8"), ("b", f"http://b/{quality}.m3u8")] for quality in ("low", "high")
    ]


def test_a_group_that_pathways_share_is_one_place() -> None:
    presentation = pathways(
        MEDIA.format("AUDIO", "aud", "English", "r1", "http://c/en.m3u8"), variant("a", "aud"), variant("b", "aud")
    )

    assert list(places(presentation, "audio").values()) == [[]]


def test_the_pathway_to_begin_with_is_first_for_renditions_too() -> None:
    presentation = pathways(
        '#EXT-X-CONTENT-STEERING:SERVER-URI="s",PATHWAY-ID="b"',
        MEDIA.format("AUDIO", "aud-a", "English", "r1", "http://a/en.m3u8"),
        MEDIA.format("AUDIO", "aud-b", "English", "r1", "http://b/en.m3u8"),
        variant("a", "aud-a"),
        variant("b", "aud-b"),
    )

    assert [place for place, _ in places(presentation, "audio")["audio-0-0"]] == ["b", "a"]
    assert [place for place, _ in places(presentation, "video")["variant-0"]] == ["b", "a"]


def test_redundant_variants_without_pathways_bring_their_groups_too() -> None:
    presentation = pathways(
        MEDIA.format("AUDIO", "one", "English", "r1", "http://one/en.m3u8"),
        MEDIA.format("AUDIO", "two", "English", "r1", "http://two/en.m3u8"),
        variant("", "one"),
        variant("", "two"),
    )

    assert [url for _, url in places(presentation, "audio")["audio-0-0"]] == [
        "http://one/en.m3u8",
        "http://two/en.m3u8",
    ]


def test_renditions_of_one_group_are_never_copies_of_each_other() -> None:
    presentation = pathways(
        MEDIA.format("AUDIO", "aud-a", "English", "r1", "http://a/1.m3u8"),
        MEDIA.format("AUDIO", "aud-a", "English", "r2", "http://a/2.m3u8"),
        MEDIA.format("AUDIO", "aud-b", "English", "r1", "http://b/1.m3u8"),
        variant("a", "aud-a"),
        variant("b", "aud-b"),
    )

    assert sorted(map(len, places(presentation, "audio").values())) == [1, 2]


# --------------------------------------------------------------------------- interstitials


def test_an_interstitial_says_how_it_is_played() -> None:
    assert interstitial("ad-1") == Interstitial(
        id="ad-1",
        start=NOON + 6,
        is_absolute=True,
        duration=Fraction(15),
        asset_url=URL + "ads/one.m3u8",
        resume_offset=Fraction(0),
        playout_limit=Fraction("14.5"),
        snap=("OUT", "IN"),
        restrict=("SKIP", "JUMP"),
        replaces=False,
        extra=(Extra("X-BEACON", "b1"),),
    )


def test_an_interstitial_may_be_played_once_before_everything() -> None:
    found = interstitial("ad-2")

    assert found.cues == (Cue.ONCE, Cue.PRE)
    assert found.plays_once
    assert found.resume_offset is None
    assert (found.timeline_occupies, found.content_may_vary) == ("RANGE", False)


def test_a_date_range_of_the_class_without_assets_is_no_interstitial() -> None:
    presentation = load("hls_interstitials.m3u8")

    assert [item.id for item in presentation.interstitials] == ["ad-1", "ad-2"]
    assert [item.id for item in presentation.date_ranges] == ["ad-1", "ad-2", "ad-3"]


def test_an_asset_list_is_a_need_that_can_be_resolved() -> None:
    presentation = load("hls_interstitials.m3u8")
    need = asset_list_need(presentation.interstitials[1], Fraction("4.5"))
    body = json.dumps({"ASSETS": [{"URI": "x.m3u8", "DURATION": 10.5}, {"URI": "https://e.com/y.m3u8"}]}).encode()

    resolved = resolve(ReadResult(presentation, (need,)), need, body, need.url)

    assert need.url == "https://ads.example.com/list?slot=2&_HLS_start_offset=4.500"
    assert resolved.needs == ()
    assert resolved.presentation.interstitials[1].assets == (
        InterstitialAsset("https://ads.example.com/x.m3u8", Fraction("10.5")),
        InterstitialAsset("https://e.com/y.m3u8"),
    )


def test_asset_lists_are_needed_only_when_they_are_to_be_played() -> None:
    presentation = load("hls_interstitials.m3u8")

    assert [need.url for need in later_needs(presentation)] == ["https://ads.example.com/list?slot=2"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"ASSETS": [{}]}', b'{"ASSETS": [{"URI": "file:///x"}]}'])
def test_what_is_no_asset_list_is_an_error(body: bytes) -> None:
    presentation = load("hls_interstitials.m3u8")
    need = asset_list_need(presentation.interstitials[1])

    with pytest.raises(ManifestError):
        resolve(ReadResult(presentation, (need,)), need, body, need.url)
