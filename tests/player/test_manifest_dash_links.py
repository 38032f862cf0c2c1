from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest import NeedKind, ReadResult, drop, later_needs, read, resolve
from cushion_player.model import Presentation
from tests.player.manifest_files import URL, open_manifest

LINK = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{}" xlink:actuate="onLoad"'
AD = (
    '<Period id="{0}" duration="PT2S"><AdaptationSet id="1" mimeType="video/mp4">'
    '<SegmentTemplate duration="2" media="{0}/$Number$"/><Representation id="r" bandwidth="1"/>'
    "</AdaptationSet></Period>"
)


def spans(presentation: Presentation) -> list[tuple[str, Fraction, Fraction | None]]:
    return [(period.id, period.start, period.duration) for period in presentation.periods]


def linked(*urls: str) -> ReadResult:
    body = "".join(f"<Period {LINK.format(url)}/>" for url in urls)
    return read(f"<MPD>{AD.format('main')}{body}</MPD>", URL + "a.mpd")


def test_only_remote_elements_on_load_are_needed() -> None:
    result = open_manifest("links.mpd")

    assert [(need.kind, need.url) for need in result.needs] == [(NeedKind.XLINK, URL + "ads.xml")]
    assert [need.url for need in later_needs(result.presentation)] == [URL + "extra.xml"]


def test_a_remote_period_may_become_several() -> None:
    result = open_manifest("links.mpd")

    result = resolve(result, result.needs[0], (AD.format("one") + AD.format("two")).encode(), URL + "ads.xml")

    assert result.needs == ()
    assert spans(result.presentation) == [
        ("main", Fraction(0), Fraction(4)),
        ("one", Fraction(4), Fraction(2)),
        ("two", Fraction(6), Fraction(2)),
        ("end", Fraction(8), Fraction(2)),
    ]
    assert result.presentation.duration == 10


def test_what_resolves_to_nothing_is_gone() -> None:
    result = open_manifest("links.mpd")

    assert [period.id for period in result.presentation.periods] == ["main", "end"]


def test_without_the_remote_element_what_stands_in_its_place_is_used() -> None:
    result = open_manifest("links.mpd")

    result = drop(result, result.needs[0], "HTTP 404")

    assert spans(result.presentation)[1:] == [("1", Fraction(4), Fraction(2)), ("end", Fraction(6), Fraction(2))]
    assert result.presentation.repairs[-1].what.endswith("was left out: HTTP 404")


def test_a_remote_set_on_request_joins_its_period() -> None:
    result = open_manifest("links.mpd")
    result = drop(result, result.needs[0], "not wanted")
    (need,) = later_needs(result.presentation)
    extra = '<AdaptationSet id="2" mimeType="audio/mp4"><Representation id="x"/></AdaptationSet>'

    result = resolve(result, need, extra.encode(), need.url)

    assert [item.id for item in result.presentation.periods[2].adaptation_sets] == ["1", "2"]
    assert later_needs(result.presentation) == ()


def test_needs_stay_the_same_while_others_are_resolved() -> None:
    result = linked("one.xml", "two.xml")
    first, second = result.needs

    result = resolve(result, second, AD.format("two").encode(), second.url)
    result = resolve(result, first, AD.format("one").encode(), first.url)

    assert [period.id for period in result.presentation.periods] == ["main", "one", "two"]


def test_a_cycle_is_broken() -> None:
    result = linked("one.xml")

    result = resolve(result, result.needs[0], f"<Period {LINK.format('one.xml')}/>".encode(), URL + "one.xml")

    assert result.needs == ()
    assert ("a remote element was left out", "it leads back to itself") in [
        (repair.what, repair.why) for repair in result.presentation.repairs
    ]


def test_remote_elements_lead_to_others_only_so_far() -> None:
    result, rounds = linked("0.xml"), 0
    while result.needs:
        rounds += 1
        body = f"<Period {LINK.format(f'{rounds}.xml')}/>".encode()
        result = resolve(result, result.needs[0], body, result.needs[0].url)

    assert rounds == 5


def test_another_element_than_the_linked_one_is_refused() -> None:
    result = linked("one.xml")

    with pytest.raises(ManifestSyntaxError, match="is AdaptationSet, not Period"):
        resolve(result, result.needs[0], b"<AdaptationSet/>", URL + "one.xml")
