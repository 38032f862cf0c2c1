"""Where the same media is at another source."""

from __future__ import annotations

import pytest

from cushion_player.model import Address, BaseUrl, Representation
from cushion_player.places import address_at, common_sources, rebased, sources_of

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
    assert common_sources((whole, half)) == ()
