"""Where the same media is at another source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cushion_player.model import Address, BaseUrl, PathwayClone, Representation
from cushion_player.planning.places import address_at, common_sources, other_urls, rebased, sources_of, with_home

BASES = (BaseUrl("http://a/x/", "cdn-a"), BaseUrl("http://b/y/z/", "cdn-b"))


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [
        ("http://a/x/1.m4s", "http://b/y/z/1.m4s"),
        ("http://a/x/v/1.m4s?t=2#f", "http://b/y/z/v/1.m4s?t=2#f"),
        ("http://a/w/1.m4s", "http://b/y/w/1.m4s"),
        ("http://a/1.m4s", "http://b/y/1.m4s"),
        ("http://a/x/", "http://b/y/z/"),
        ("http://elsewhere/x/1.m4s", "http://elsewhere/x/1.m4s"),
    ],
)
def test_a_reference_leads_to_the_same_place_below_another_base(url: str, elsewhere: str) -> None:
    assert rebased(url, BASES[0].url, BASES[1].url) == elsewhere


def test_a_file_that_is_its_own_base_is_the_other_file() -> None:
    assert rebased("http://a/v.mp4", "http://a/v.mp4", "http://b/w.mp4") == "http://b/w.mp4"


def test_an_address_keeps_its_range_at_another_source() -> None:
    item = Representation("v", bases=BASES)

    assert address_at(Address("http://a/x/v.mp4", (10, 20)), item, "cdn-b") == Address("http://b/y/z/v.mp4", (10, 20))


def test_an_unknown_source_makes_no_difference() -> None:
    assert address_at(Address("http://a/x/1"), Representation("v", bases=BASES), "cdn-z") == Address("http://a/x/1")


def test_places_of_one_service_location_are_one_source() -> None:
    item = Representation("v", bases=(*BASES, BaseUrl("http://a2/", "cdn-a")))

    assert list(sources_of(item)) == ["cdn-a", "cdn-b"]


def test_no_source_is_called_by_its_address() -> None:
    item = Representation("v", bases=(BaseUrl("http://a/", "http://a/"), BaseUrl("http://b/", "http://b/")))

    assert list(sources_of(item)) == ["place 1", "place 2"]


def test_only_what_all_rungs_have_is_a_choice() -> None:
    whole, half = Representation("1", bases=BASES), Representation("0", bases=BASES[:1])

    assert common_sources((whole, whole)) == ("cdn-a", "cdn-b")
    assert common_sources((whole, half)) == ("cdn-a",)


def test_one_place_without_a_name_is_no_source() -> None:
    unnamed = Representation("1", bases=(BaseUrl("http://a/", "http://a/"),))
    pathless = Representation("variant-0", source="http://a/v.m3u8", bases=(BaseUrl("http://a/v.m3u8"),))

    assert common_sources((unnamed,)) == common_sources((pathless,)) == common_sources((Representation("0"),)) == ()


CLONE = PathwayClone("cdn-a", "c", "c.example.net", (("t", "1"), ("b", "2")))


def test_a_clone_has_the_paths_of_its_base_on_another_host_and_adds_to_every_query() -> None:
    item = Representation("v", bases=BASES)

    assert address_at(Address("http://a/x/v/1.m4s?k=0&t=9"), item, "c", (CLONE,)).url == (
        "http://c.example.net/x/v/1.m4s?k=0&b=2&t=1"
    )


def test_a_file_with_an_index_is_cloned_as_what_lies_below_a_base_url() -> None:
    base = BaseUrl("http://a/v.mp4", "cdn-a")
    item = Representation("v", source=base.url, bases=(base,))

    assert address_at(Address(base.url, (0, 9)), item, "c", (CLONE,)) == Address(
        "http://c.example.net/v.mp4?b=2&t=1", (0, 9)
    )


def test_a_clone_of_a_playlist_has_its_parameters_and_may_name_its_own_address() -> None:
    variant = Representation(
        "variant-0",
        source="http://a/v.m3u8?k=0",
        bases=(BaseUrl("http://a/v.m3u8?k=0", "cdn-a"),),
        stable_id="v0",
        pathway="cdn-a",
    )
    named = CLONE._replace(per_variant_uris=(("v0", "http://d/own.m3u8"),))
    rendition = replace(variant, id="audio-0-0")

    assert sources_of(variant, (CLONE,))["c"].url == "http://c.example.net/v.m3u8?k=0&b=2&t=1"
    assert sources_of(variant, (named,))["c"].url == "http://d/own.m3u8?b=2&t=1"
    assert sources_of(rendition, (named,))["c"].url == "http://c.example.net/v.m3u8?k=0&b=2&t=1"


def test_a_clone_of_a_clone_is_made_when_its_base_comes_first() -> None:
    item = Representation("v", bases=BASES)
    second = PathwayClone("c", "d", "d.example.net")

    assert sources_of(item, (CLONE, second))["d"].url == "http://d.example.net/x/"
    assert "d" not in sources_of(item, (second, CLONE))


@pytest.mark.parametrize(
    "clone",
    [
        PathwayClone("nobody", "c", "host"),
        PathwayClone("cdn-a", "c", per_variant_uris=(("v0", "file:///etc/passwd"),)),
        PathwayClone("cdn-a", "c", "[::1"),
    ],
)
def test_a_clone_that_leads_nowhere_or_where_it_must_not_is_no_source(clone: PathwayClone) -> None:
    item = Representation(
        "variant-0", source="http://a/v.m3u8", bases=(BaseUrl("http://a/v.m3u8", "cdn-a"),), stable_id="v0"
    )

    assert list(sources_of(item, (clone,))) == ["cdn-a"]


def test_a_clone_does_not_take_the_name_of_a_source_there_is() -> None:
    item = Representation("v", bases=BASES)

    assert sources_of(item, (PathwayClone("cdn-a", "cdn-b", "evil"),))["cdn-b"] is BASES[1]


def test_the_home_comes_first_and_changes_nothing_about_what_is_preferred() -> None:
    item = Representation("v", bases=(BaseUrl("http://a/", "a", 1), BaseUrl("http://b/", "b", 2)))

    moved = with_home(item, item.bases[1])

    assert moved.bases[0].url == "http://b/"
    assert list(sources_of(moved)) == ["a", "b"]
    assert with_home(moved, moved.bases[0]) is moved
    assert address_at(Address("http://b/1"), moved, "b").url == "http://b/1"
    assert address_at(Address("http://b/1"), moved, "a").url == "http://a/1"


def test_what_lies_below_one_base_lies_below_the_others_too() -> None:
    item = Representation("v", bases=(*BASES, BaseUrl("http://a/x/", "again")))

    assert other_urls(item, "http://a/x/v.mp4") == ("http://b/y/z/v.mp4",)
    assert other_urls(Representation("v"), "http://a/v.mp4") == ()


def test_a_playlist_is_elsewhere_where_its_copies_are() -> None:
    item = Representation("variant-0", source="http://a/v.m3u8", alternatives=("http://b/v.m3u8",))

    assert other_urls(item, "http://a/v.m3u8") == ("http://b/v.m3u8",)
