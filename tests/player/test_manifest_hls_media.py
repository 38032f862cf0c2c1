"""HLS media playlists, tag by tag."""

from __future__ import annotations

from base64 import b64decode
from fractions import Fraction

import pytest

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest import ReadResult, read
from cushion_player.model import (
    Address,
    Container,
    ContentKind,
    DateRange,
    Extra,
    HintKind,
    InitSegment,
    Key,
    LazySegments,
    PreloadHint,
    Presentation,
    RenditionReport,
    Representation,
    ServerControl,
    Start,
    Tiles,
)
from tests.player.manifest_files import URL, load, sets

NS = 1_000_000_000
NOON_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z"""
NOON = Fraction(NOON_US, 10**6)


def playlist(*lines: str) -> ReadResult:
    return read("\n".join(("#EXTM3U", "#EXT-X-TARGETDURATION:6", *lines)), URL + "a.m3u8")


def single(presentation: Presentation) -> Representation:
    return sets(presentation)[0].representations[0]


def date_range(presentation: Presentation, identity: str) -> DateRange:
    return next(item for item in presentation.date_ranges if item.id == identity)


# --------------------------------------------------------------------------- keys and maps


def test_keys_of_several_systems_are_in_force_at_once() -> None:
    segments = single(load("hls_keys.m3u8")).segments

    assert [[key.method for key in segment.keys] for segment in segments] == [
        ["AES-128"],
        ["AES-128", "SAMPLE-AES-CTR", "SAMPLE-AES"],
        ["SAMPLE-AES-CTR", "SAMPLE-AES", "AES-128"],
        [],
    ]


def test_a_key_rotates_within_its_own_key_format() -> None:
    segments = single(load("hls_keys.m3u8")).segments

    assert [key.uri for key in segments[2].keys if key.key_format == "identity"] == ["https://keys.example.com/2"]
    assert segments[0].keys == (Key("AES-128", "https://keys.example.com/1", bytes.fromhex("0" * 29 + "abc")),)
    assert segments[2].keys[-1].iv is None


def test_a_map_is_encrypted_with_the_keys_before_it() -> None:
    single_ = single(load("hls_keys.m3u8"))

    assert single_.init is not None
    assert [key.uri for key in single_.init.keys] == ["https://keys.example.com/1"]
    assert [segment.init for segment in single_.segments] == [None] * 4


def test_protections_name_systems_key_ids_and_boxes() -> None:
    found = single(load("hls_keys.m3u8"))
    widevine = next(item for item in found.protections if item.key_format.startswith("urn:uuid:edef"))

    assert found.protection == ("AES-128", "SAMPLE-AES-CTR", "SAMPLE-AES")
    assert widevine.key_ids == ("00112233445566778899aabbccddeeff",)
    assert widevine.pssh == (b64decode("AAAAHHBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7Q=="),)
    assert [item.uri for item in found.protections if item.scheme == "SAMPLE-AES"] == ["skd://asset-1"]


def test_a_key_without_method_does_not_pass_as_clear() -> None:
    result = playlist('#EXT-X-KEY:URI="k"', "#EXTINF:6,", "a.ts")

    assert single(result.presentation).protection == ("unknown",)
    assert result.presentation.repairs[0].where == "line 3"


def test_map_ranges_and_iframes_are_read() -> None:
    presentation = load("hls_iframes.m3u8")
    found = single(presentation)

    assert found.playlist is not None
    assert found.playlist.is_iframes_only
    assert found.init == InitSegment(Address(URL + "all.mp4", (0, 699)))
    assert [segment.address.byte_range for segment in found.segments] == [(700, 1699), (9000, 10099)]
    assert found.sizes_known


# --------------------------------------------------------------------------- time


def test_program_dates_are_counted_on_and_back() -> None:
    segments = single(load("hls_dates.m3u8")).segments

    assert [segment.program_time_us for segment in segments] == [
        NOON_US,
        NOON_US + 6_006_000,
        NOON_US + 12_012_000,
        NOON_US + 18_018_000,
    ]


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00.000+0000", "2026-03-01 07:00:00 -05:00"],
)
def test_program_dates_are_read_as_servers_write_them(text: str) -> None:
    found = single(playlist(f"#EXT-X-PROGRAM-DATE-TIME:{text}", "#EXTINF:6,", "a.ts").presentation)

    assert found.segments[0].program_time_us == NOON_US


def test_a_leap_second_is_the_end_of_its_minute() -> None:
    found = single(playlist("#EXT-X-PROGRAM-DATE-TIME:2016-12-31T23:59:60Z", "#EXTINF:6,", "a.ts").presentation)

    assert found.segments[0].program_time_us == 1_483_228_799_999_000


def test_what_is_no_date_is_left_out_and_said() -> None:
    presentation = playlist("#EXT-X-PROGRAM-DATE-TIME:yesterday", "#EXTINF:6,", "a.ts").presentation

    assert single(presentation).segments[0].program_time_us is None
    assert presentation.repairs[0].what == "the date 'yesterday' was left out"


def test_discontinuities_count_on_from_their_sequence_number() -> None:
    found = single(load("hls_dates.m3u8"))

    assert [segment.discontinuity for segment in found.segments] == [3, 3, 3, 4]
    assert [segment.number for segment in found.segments] == [20, 21, 22, 23]


def test_the_start_tag_says_where_to_begin() -> None:
    assert load("hls_dates.m3u8").start == Start(Fraction("-12.5"), is_precise=True)


def test_durations_that_sum_beyond_reason_are_refused() -> None:
    lines = ["#EXTINF:999999999999,", "a.ts"] * 20

    with pytest.raises(ManifestSyntaxError, match="292 years"):
        playlist(*lines)


# --------------------------------------------------------------------------- what is said of segments


def test_gaps_bitrates_titles_and_unknown_tags_belong_to_their_segments() -> None:
    segments = single(load("hls_dates.m3u8")).segments

    assert [segment.is_gap for segment in segments] == [False, False, False, True]
    assert [segment.bitrate_bps for segment in segments] == [1_500_000] * 3 + [900_000]
    assert segments[0].extra == (Extra("title", "The first"),)
    assert segments[3].extra == (Extra("EXT-X-CUE-OUT", "30"),)


def test_a_playlist_with_segment_bitrates_measures_its_own() -> None:
    presentation = playlist("#EXT-X-BITRATE:1000", "#EXTINF:6,", "a.ts", "#EXT-X-BITRATE:4000", "#EXTINF:3,", "b.ts")

    assert single(presentation.presentation).bitrate_bps == 2_000_000


def test_unknown_tags_of_the_header_stay_with_the_playlist() -> None:
    found = single(playlist("#EXT-X-EXAMPLE:1", "#EXTINF:6,", "a.ts").presentation)

    assert found.extra == (Extra("EXT-X-EXAMPLE", "1"),)


def test_parts_lie_within_their_segments() -> None:
    segment = single(load("hls_low_latency.m3u8")).segments[2]

    assert [chunk.start - segment.start for chunk in segment.chunks] == [0, NS, 2 * NS, 3 * NS]
    assert [chunk.is_independent for chunk in segment.chunks] == [True, False, False, False]
    assert [chunk.is_gap for chunk in segment.chunks] == [False, False, True, False]


def test_parts_of_the_segment_to_come_follow_one_another_in_its_file() -> None:
    info = single(load("hls_low_latency.m3u8")).playlist

    assert info is not None
    assert [chunk.address for chunk in info.partial] == [
        Address(URL + "103.mp4", (0, 4999)),
        Address(URL + "103.mp4", (5000, 8999)),
    ]
    assert [chunk.start for chunk in info.partial] == [12 * NS, 13 * NS]


def test_hints_reports_and_server_control_are_read() -> None:
    presentation = load("hls_low_latency.m3u8")
    info = single(presentation).playlist

    assert info is not None
    assert info.preload_hints == (
        PreloadHint(HintKind.PART, URL + "103.mp4", 9000, None),
        PreloadHint(HintKind.MAP, URL + "next-init.mp4", 0, 699),
    )
    assert info.rendition_reports == (
        RenditionReport("https://example.com/low/live.m3u8", 103, 1),
        RenditionReport("https://example.com/high/live.m3u8", None, None),
    )
    assert info.server_control == ServerControl(True, Fraction(24), True, None, Fraction(3))
    assert info.part_target == 1
    assert presentation.service_descriptions[0].latency.target_ms == 3000


def test_image_playlists_have_tiles() -> None:
    presentation = load("hls_images.m3u8")

    assert sets(presentation)[0].kind is ContentKind.IMAGE
    assert single(presentation).tiles == Tiles(5, 4, Fraction(3))
    assert single(presentation).container is Container.IMAGE


# --------------------------------------------------------------------------- date ranges


def test_a_date_range_ends_with_the_next_of_its_class() -> None:
    shows = date_range(load("hls_dates.m3u8"), "a")

    assert shows.end == NOON + 10
    assert shows.extra == (Extra("X-TITLE", "One"),)


def test_a_duration_tells_the_end_of_a_date_range() -> None:
    show = date_range(load("hls_dates.m3u8"), "b")

    assert (show.duration, show.end) == (Fraction("5.5"), NOON + Fraction("15.5"))


def test_two_tags_of_one_id_are_one_date_range() -> None:
    cue = date_range(load("hls_dates.m3u8"), "cue-1")

    assert (cue.scte35_out, cue.scte35_in) == (b"\xfc\x00\x2f", b"\xfc\x00\x30")
    assert (cue.planned_duration, cue.end) == (Fraction(30), NOON + 35)


# --------------------------------------------------------------------------- windows


def test_an_event_playlist_without_end_is_live_and_says_so() -> None:
    presentation = load("hls_dates.m3u8")

    assert presentation.is_live
    assert presentation.duration is None
    assert (presentation.live.playlist_type, presentation.live.target_duration) == ("EVENT", Fraction(6))
    assert presentation.live.suggested_presentation_delay == 18


def test_a_playlist_of_type_vod_has_ended_without_end_tag() -> None:
    assert not playlist("#EXT-X-PLAYLIST-TYPE:VOD", "#EXTINF:6,", "a.ts").presentation.is_live


def test_a_delta_update_alone_keeps_its_numbers() -> None:
    presentation = load("hls_delta.m3u8")

    assert [segment.number for segment in single(presentation).segments] == [103]
    assert presentation.repairs[0].what == "a delta update was read without the 2 segments it skips"


# --------------------------------------------------------------------------- tolerance and speed


def test_the_last_sequence_number_of_a_header_counts() -> None:
    result = playlist("#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-MEDIA-SEQUENCE:11", "#EXTINF:6,", "a.ts")

    assert single(result.presentation).segments[0].number == 11


def test_a_sequence_number_may_stand_after_keys_and_dates() -> None:
    lines = ['#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z"]

    segment = single(playlist(*lines, "#EXT-X-MEDIA-SEQUENCE:70", "#EXTINF:6,", "a.ts").presentation).segments[0]

    assert (segment.number, segment.program_time_us, len(segment.keys)) == (70, NOON_US, 1)


@pytest.mark.parametrize("text", ["-1", '-1 tvg-id="x"', "oops"])
def test_a_negative_or_missing_duration_is_the_target_duration(text: str) -> None:
    result = playlist(f"#EXTINF:{text},Channel", "a.ts")

    assert single(result.presentation).segments[0].duration == 6 * NS
    assert result.presentation.repairs[0].where == "line 3"


@pytest.mark.parametrize("line", ["//[::1/a.ts", "https://[::1/a.ts", "ftp://host/a.ts", "javascript:alert(1)"])
def test_urls_that_cannot_be_followed_name_their_line(line: str) -> None:
    with pytest.raises(ManifestError, match="at line 4"):
        playlist("#EXTINF:6,", line)


def test_segments_are_made_when_looked_at() -> None:
    segments = single(
        playlist("#EXTINF:6,", "a.ts", "#EXTINF:6,", "https://cdn.example.com/b.ts").presentation
    ).segments

    assert isinstance(segments, LazySegments)
    assert [segment.address.url for segment in segments] == [URL + "a.ts", "https://cdn.example.com/b.ts"]
    assert segments == tuple(segments)
    assert segments.start_at(1) == 6 * NS
