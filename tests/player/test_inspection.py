from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from cushion_player.inspection import MAX_PATTERN_SEGMENTS, inspect
from cushion_player.model import (
    AdaptationSet,
    Address,
    Chunk,
    ContentKind,
    ContentSteering,
    DateRange,
    Event,
    EventStream,
    Extra,
    Interstitial,
    Key,
    LiveWindow,
    Period,
    Presentation,
    Protection,
    Representation,
    Segment,
    SegmentPattern,
)
from tests.player.manifest_files import FOLDER, URL, load


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_every_description_is_json(name: str) -> None:
    described = inspect(load(name), segments=True)

    assert json.loads(json.dumps(described)) == described


def test_a_title_is_described() -> None:
    described = inspect(load("title.mpd"))

    assert {key: described[key] for key in ("kind", "url", "is_live", "duration_s", "repairs")} == {
        "kind": "dash",
        "url": URL + "title.mpd",
        "is_live": False,
        "duration_s": 5.504,
        "repairs": [],
    }
    periods = described["periods"]
    audio = periods[0]["adaptation_sets"][1]
    assert audio == {
        "id": "1",
        "kind": "audio",
        "language": "en",
        "roles": ["main"],
        "label": "",
        "accessibility": [],
        "is_muxed": False,
        "excluded": "",
        "protection": [],
        "protections": [],
        "representations": [
            {
                "id": "audio",
                "bitrate_bps": 127_762,
                "declared_bitrate_bps": 128_000,
                "peak_bitrate_bps": 0,
                "width": 0,
                "height": 0,
                "frame_rate": None,
                "codecs": "mp4a.40.2",
                "container": "mp4",
                "excluded": "",
                "segment_count": 3,
                "sizes_known": True,
                "init": {"url": URL + "audio/init-cc.mp4", "byte_range": [0, 699]},
            }
        ],
    }


def test_segments_are_listed_on_request() -> None:
    periods = inspect(load("title.mpd"), segments=True)["periods"]

    segments = periods[0]["adaptation_sets"][1]["representations"][0]["segments"]

    assert segments[1] == {
        "number": 2,
        "start_s": 2.005333,
        "duration_s": 1.984,
        "discontinuity": 0,
        "is_gap": False,
        "url": URL + "audio/h8.m4s",
        "byte_range": [0, 31_899],
    }


class Regular(SegmentPattern):
    def segment(self, index: int) -> Segment:
        return Segment(Address(f"https://example.com/{index}.m4s"), index * self.duration, self.duration, index + 1)


def one_set(representation: Representation, *streams: EventStream) -> Presentation:
    only = AdaptationSet("0", ContentKind.VIDEO, (representation,))
    return Presentation("dash", URL, False, None, (Period("p", Fraction(0), None, (only,), event_streams=streams),))


def only_representation(described: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = described["periods"][0]["adaptation_sets"][0]["representations"][0]
    return found


def test_what_a_live_presentation_says_of_time_is_told_as_of_now() -> None:
    live = LiveWindow(Fraction(1_700_000_000), minimum_update_period=Fraction(2), time_shift_buffer_depth=Fraction(30))
    presentation = replace(one_set(Representation("v", pattern=Regular(2, None))), is_live=True, live=live)

    described = inspect(presentation, segments=True, now=Fraction(1_700_000_101))

    assert described["live"] == {
        "availability_start": "2023-11-14T22:13:20Z",
        "availability_end": None,
        "publish_time": None,
        "minimum_update_period_s": 2.0,
        "time_shift_buffer_depth_s": 30.0,
        "suggested_presentation_delay_s": None,
        "target_duration_s": None,
        "playlist_type": "",
        "window": {"start_s": 71.0, "end_s": 100.0},
    }
    assert described["latency_target_s"] == 6.0
    found = only_representation(described)
    assert [segment["number"] for segment in found["segments"]] == list(range(35, 51))
    assert found["segment_count"] == 16


def test_a_pattern_that_began_long_ago_is_listed_up_to_a_bound() -> None:
    presentation = replace(
        one_set(Representation("v", pattern=Regular(2, None))), is_live=True, live=LiveWindow(Fraction(0))
    )

    found = only_representation(inspect(presentation, segments=True, now=Fraction(1_700_000_000)))

    assert found["segment_count"] == 850_000_000
    assert len(found["segments"]) == MAX_PATTERN_SEGMENTS
    assert found["segments"][-1]["number"] == 850_000_000


def test_events_date_ranges_and_interstitials_are_listed_together() -> None:
    stream = EventStream("urn:scte:scte35:2014:xml+bin", "1", (Event(Fraction(5), None, 7, "<x/>", b"\xfc"),))
    extra = (Extra("X-AD", "1"),)
    presentation = replace(
        one_set(Representation("v"), stream),
        date_ranges=(DateRange("d", start=Fraction(1_700_000_000), duration=Fraction(3, 2), extra=extra),),
        interstitials=(Interstitial("i", Fraction(4), is_absolute=False, asset_url=URL + "ad.m3u8"),),
    )

    event, date_range, interstitial = inspect(presentation)["events"]

    assert event == {
        "kind": "event",
        "scheme": "urn:scte:scte35:2014:xml+bin",
        "value": "1",
        "period": "p",
        "id": 7,
        "start_s": 5.0,
        "duration_s": None,
        "body": "<x/>",
        "data": "/A==",
    }
    assert (date_range["kind"], date_range["start"], date_range["duration_s"], date_range["attributes"]) == (
        "date-range",
        "2023-11-14T22:13:20Z",
        1.5,
        {"X-AD": "1"},
    )
    assert (interstitial["kind"], interstitial["start_s"], interstitial["asset_url"]) == (
        "interstitial",
        4.0,
        URL + "ad.m3u8",
    )


def test_keys_chunks_and_dates_of_segments_are_told_where_there_are_any() -> None:
    plain = Segment(Address("a"), 0, 4)
    rich = Segment(
        Address("b"),
        4,
        4,
        program_time_us=1_700_000_000_500_000,
        keys=(Key("AES-128", "k", bytes(16)),),
        chunks=(Chunk(Address("b0"), 4, 1, True),),
    )

    first, second = only_representation(inspect(one_set(Representation("v", segments=(plain, rich))), segments=True))[
        "segments"
    ]

    assert not {"keys", "chunks", "program_time", "init"} & set(first)
    assert second["program_time"] == "2023-11-14T22:13:20.500000Z"
    assert second["keys"] == [{"method": "AES-128", "uri": "k", "iv": "00" * 16, "key_format": "identity"}]
    assert second["chunks"] == [
        {"start_s": 4.0, "duration_s": 1.0, "is_independent": True, "is_gap": False, "url": "b0", "byte_range": None}
    ]


def test_protection_and_steering_are_told() -> None:
    protection = Protection("urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", key_ids=("ab",), pssh=(b"\0",))
    representation = Representation("v", protection=(protection.scheme,), protections=(protection,))
    steering = ContentSteering("https://example.com/steer", ("alpha",))

    described = inspect(replace(one_set(representation), steering=steering))

    assert described["steering"] == {
        "server_url": "https://example.com/steer",
        "default": ["alpha"],
        "query_before_start": False,
    }
    found = described["periods"]
    assert found[0]["adaptation_sets"][0]["protection"] == [protection.scheme]
    assert found[0]["adaptation_sets"][0]["protections"][0]["pssh"] == ["AA=="]


def test_numbers_beyond_floats_and_dates_beyond_calendars_are_json_all_the_same() -> None:
    huge = Segment(Address("a"), 10**400, 1)
    live = LiveWindow(Fraction(10**400))

    described = inspect(replace(one_set(Representation("v", segments=(huge,))), is_live=True, live=live), segments=True)

    assert json.loads(json.dumps(described, allow_nan=False))
