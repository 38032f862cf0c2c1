from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player.manifest import read
from cushion_player.model import (
    AdaptationSet,
    Container,
    ContentKind,
    Descriptor,
    Extra,
    Label,
    Preselection,
    Presentation,
    Tiles,
)
from tests.player.manifest_files import URL, open_manifest, representation, sets


@pytest.fixture(scope="module")
def described() -> Presentation:
    return open_manifest("described.mpd").presentation


def set_of(presentation: Presentation, identity: str) -> AdaptationSet:
    return next(item for item in sets(presentation) if item.id == identity)


def test_default_keys_pssh_boxes_and_clear_key_urls_are_kept(described: Presentation) -> None:
    common, widevine, clear_key = representation(described, "v").protections

    assert (common.value, common.key_ids) == ("cbcs", ("34e5db32862547cdba0668fca0655a72",))
    assert widevine.scheme == "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
    assert (widevine.pssh[0][4:8], len(widevine.pssh[0]), widevine.robustness) == (b"pssh", 32, "SW_SECURE_DECODE")
    assert clear_key.licence_urls == ("https://keys.example.com/",)


def test_a_content_protection_may_refer_to_another(described: Presentation) -> None:
    (referred,) = representation(described, "a").protections

    assert (referred.scheme, referred.value) == ("urn:mpeg:dash:mp4protection:2011", "cbcs")
    assert referred.key_ids == ("34e5db32862547cdba0668fca0655a72",)


def test_events_are_ordered_and_relative_to_their_period(described: Presentation) -> None:
    splice, replace, insert = described.periods[0].event_streams

    assert [(event.id, event.start, event.duration) for event in splice.events] == [
        (1, Fraction(1), None),
        (None, Fraction(2), None),
        (2, Fraction(4), Fraction(2)),
    ]
    assert (replace.timescale, insert.scheme) == (1000, "urn:mpeg:dash:event:alternativeMPD:insert:2025")


def test_bodies_of_events_are_kept_as_text_xml_and_bytes(described: Presentation) -> None:
    encoded, plain, splice = described.periods[0].event_streams[0].events

    assert (encoded.data, plain.body) == (b"hello", "plain")
    assert splice.body.startswith('<Signal xmlns="http://www.scte.org/schemas/35/2016"><Binary>/DAh')
    assert splice.data is not None
    assert splice.data[:2] == b"\xfc\x30"


def test_alternative_mpd_events_are_interstitials(described: Presentation) -> None:
    replaced, inserted = described.periods[0].interstitials

    assert (replaced.asset_url, replaced.start, replaced.duration) == (URL + "ad.mpd", Fraction(2), Fraction(4))
    assert (replaced.replaces, replaced.plays_once, replaced.restrict) == (True, True, ("JUMP", "SKIP"))
    assert (replaced.resume_offset, replaced.playout_limit) == (Fraction("4.5"), Fraction(5))
    assert replaced.earliest_resolution == 30
    assert (inserted.asset_url, inserted.replaces, inserted.resume_offset) == (URL + "preroll.mpd", False, Fraction(0))


def test_chained_and_fallback_mpds_are_resolved(described: Presentation) -> None:
    assert described.next_url == URL + "next.mpd"
    assert described.fallback_urls == ("https://other.example.com/fallback.mpd",)


def test_labels_roles_and_accessibility_are_kept(described: Presentation) -> None:
    video, audio = set_of(described, "1"), set_of(described, "2")

    assert video.labels == (Label("Main view", "en", "1"), Label("Hauptansicht", "de"))
    assert (video.label, video.roles, video.selection_priority, video.group) == ("Main view", ("main",), 3, "1")
    assert video.captions_in_video == (Descriptor("urn:scte:dash:cc:cea-608:2015", "CC1=eng;CC3=spa"),)
    assert audio.accessibility == (Descriptor("urn:tva:metadata:cs:AudioPurposeCS:2007", "1"),)


def test_switching_sets_and_continued_periods_are_known(described: Presentation) -> None:
    video = set_of(described, "1")

    assert (video.switchable_with, video.continues) == (("1", "9"), ("earlier",))
    assert described.periods[0].asset == Descriptor("urn:org:dashif:asset-id:2013", "md:cid:1")


def test_what_a_representation_says_of_its_coding_is_kept(described: Presentation) -> None:
    video = representation(described, "v")
    audio, dependent = set_of(described, "2").representations

    assert (video.supplemental_codecs, video.quality_ranking, video.scan_type) == ("dvh1.08.01", 2, "progressive")
    assert (audio.channels, audio.sample_rate_hz, dependent.channels) == ("6", 48000, "2")
    assert dependent.dependency_ids == ("a",)


def test_a_trick_mode_set_names_the_set_it_shows(described: Presentation) -> None:
    trick = set_of(described, "3")

    assert (trick.trick_of, trick.representations[0].max_playout_rate) == (("1",), Fraction(16))
    assert trick.excluded == ""


def test_thumbnails_are_images_in_tiles(described: Presentation) -> None:
    thumbnails = set_of(described, "4")

    assert (thumbnails.kind, thumbnails.representations[0].tiles) == (ContentKind.IMAGE, Tiles(10, 1))
    assert thumbnails.representations[0].container is Container.IMAGE
    assert thumbnails.representations[0].segments[0].address.url == URL + "tiles/1.jpg"


def test_text_comes_as_sidecars_and_in_mp4(described: Presentation) -> None:
    sidecar, ttml, wrapped = (set_of(described, identity) for identity in "567")

    assert [item.kind for item in (sidecar, ttml, wrapped)] == [ContentKind.TEXT] * 3
    assert (sidecar.is_forced, ttml.is_forced) == (True, False)
    assert sidecar.representations[0].segments[0].address.url == URL + "subtitles.vtt"
    assert [item.representations[0].container for item in (ttml, wrapped)] == [Container.TEXT, Container.MP4]


def test_an_unknown_essential_property_excludes_the_set_and_is_repaired(described: Presentation) -> None:
    assert set_of(described, "8").excluded == "essential property urn:example:nobody-knows"
    assert [repair.where for repair in described.repairs] == ["MPD/Period[0]/AdaptationSet[7]"]


def test_preselections_are_kept(described: Presentation) -> None:
    assert described.periods[0].preselections == (
        Preselection(
            "10", ("1", "2"), "1", "ac-4.02.01.00", "en", ("dub",), (Label("Stereo"),), "time-ordered"
        ),
    )  # fmt: skip


def test_unknown_elements_and_attributes_stay_reachable(described: Presentation) -> None:
    assert described.extra == (Extra("@x:build", "7"), Extra("Note", '<x:Note level="2">kept <x:b/></x:Note>'))
    assert representation(described, "v").extra == (
        Extra("FramePacking", '<FramePacking schemeIdUri="urn:x" value="0"/>'),
    )


def test_segment_sequences_are_cut_into_their_segments() -> None:
    template = '<SegmentTemplate timescale="10" startNumber="5" media="$Number$-$Time$-$SubNumber$">'
    rows = '<SegmentTimeline><S t="100" d="30" k="3" r="1"/><S d="20" n="9"/></SegmentTimeline></SegmentTemplate>'
    body = f'<Period><AdaptationSet>{template}{rows}<Representation id="r"/></AdaptationSet></Period>'

    found = representation(read(f"<MPD>{body}</MPD>", URL).presentation, "r").segments

    assert [(item.address.url.removeprefix(URL), item.start, item.duration, item.number) for item in found] == [
        ("5-100-1", 100, 10, 5),
        ("5-100-2", 110, 10, 5),
        ("5-100-3", 120, 10, 5),
        ("6-130-1", 130, 10, 6),
        ("6-130-2", 140, 10, 6),
        ("6-130-3", 150, 10, 6),
        ("9-160-1", 160, 20, 9),
    ]


def test_row_numbers_set_the_number_from_there() -> None:
    rows = '<SegmentTimeline><S t="0" d="2" r="1"/><S d="2" n="40" r="1"/></SegmentTimeline>'
    template = f'<SegmentTemplate media="$Number$">{rows}</SegmentTemplate>'

    presentation = read(
        f'<MPD><Period><AdaptationSet>{template}<Representation id="r"/></AdaptationSet></Period></MPD>', URL
    )

    assert [item.number for item in representation(presentation.presentation, "r").segments] == [1, 2, 40, 41]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$Number%05d$", "00007"),
        ("$Time%04x$", "000e"),
        ("$Number%03X$", "007"),
        ("$RepresentationID$_$Bandwidth%08d$_$$", "r_00000900_$"),
        ("{$Number$}", "{7}"),
    ],
)
def test_template_formats(template: str, expected: str) -> None:
    inner = f'<SegmentTemplate media="{template}" startNumber="7"><SegmentTimeline><S t="14" d="2"/></SegmentTimeline>'
    text = f'<AdaptationSet>{inner}</SegmentTemplate><Representation id="r" bandwidth="900"/></AdaptationSet>'

    found = representation(read(f"<MPD><Period>{text}</Period></MPD>", URL).presentation, "r")

    assert found.segments[0].address.url.removeprefix(URL) == expected


def test_an_open_index_range_and_a_separate_index_are_needs() -> None:
    body = (
        '<AdaptationSet mimeType="video/mp4"><Representation id="a"><BaseURL>a.mp4</BaseURL>'
        '<SegmentBase indexRange="700-"/></Representation><Representation id="b"><BaseURL>b.mp4</BaseURL>'
        '<SegmentBase><RepresentationIndex sourceURL="b.sidx"/></SegmentBase></Representation></AdaptationSet>'
    )

    result = read(f'<MPD mediaPresentationDuration="PT4S"><Period>{body}</Period></MPD>', URL)

    assert [(need.url, need.byte_range) for need in result.needs] == [
        (URL + "a.mp4", (700, None)),
        (URL + "b.sidx", None),
    ]
