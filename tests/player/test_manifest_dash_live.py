from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player.manifest import ReadResult, read, reload_url
from cushion_player.manifest.dash_values import instant
from cushion_player.model import (
    BaseUrl,
    ContentSteering,
    Latency,
    LiveWindow,
    Location,
    OperatingRange,
    PatchLocation,
    PlaybackRate,
    Presentation,
    Representation,
    UtcTiming,
)
from tests.player.manifest_files import URL, open_manifest, representation

START = Fraction(1714557600)
"""2024-05-01T10:00:00Z."""


@pytest.fixture(scope="module")
def live() -> Presentation:
    return open_manifest("live.mpd").presentation


def dynamic(body: str, attributes: str = "") -> ReadResult:
    head = f'<MPD type="dynamic" availabilityStartTime="2024-05-01T10:00:00Z" {attributes}>'
    return read(f"{head}{body}</MPD>", URL + "a.mpd")


def timeline(rows: str, template: str = "") -> Representation:
    inner = f'<SegmentTemplate media="$Number$-$Time$" {template}><SegmentTimeline>{rows}</SegmentTimeline>'
    body = f'<AdaptationSet mimeType="video/mp4">{inner}</SegmentTemplate><Representation id="r"/></AdaptationSet>'
    return representation(dynamic(f"<Period>{body}</Period>").presentation, "r")


def test_the_live_window_is_exact(live: Presentation) -> None:
    assert live.live == LiveWindow(
        availability_start=START,
        availability_end=START,
        publish_time=START + Fraction("60.5"),
        minimum_update_period=Fraction(0),
        time_shift_buffer_depth=Fraction(60),
        suggested_presentation_delay=Fraction(4),
        max_segment_duration=Fraction(2),
    )
    assert live.min_buffer_time == 2
    assert live.profiles == ("urn:mpeg:dash:profile:isoff-live:2011", "urn:dvb:dash:profile:dvb-dash:2014")


def test_an_absent_update_period_is_not_zero() -> None:
    period = '<Period><AdaptationSet><SegmentTemplate media="$Number$" duration="2"/></AdaptationSet></Period>'

    assert dynamic(period).presentation.live.minimum_update_period is None


def test_segments_of_one_duration_go_on_without_end(live: Presentation) -> None:
    pattern = representation(live, "v").pattern

    assert pattern is not None
    assert (pattern.duration, pattern.limit, pattern.start) == (2000, None, 0)
    far = pattern.segment(1_000_000)
    assert (far.number, far.start, far.address.url) == (
        1_000_010,
        2_000_000_000,
        "https://a.example.com/live/v/1000010",
    )
    assert [segment.number for segment in pattern.segments(-3, 1)] == [10, 11]


def test_a_last_row_without_end_goes_on_from_where_it_starts() -> None:
    pattern = timeline('<S t="90" d="30" n="7" r="-1"/>', 'presentationTimeOffset="60"').pattern

    assert pattern is not None
    assert (pattern.start, pattern.duration) == (30, 30)
    assert pattern.segment(2).address.url == URL + "9-150"


def test_a_row_without_end_after_others_is_carried_on_for_a_day() -> None:
    found = timeline('<S t="0" d="2"/><S d="4" r="-1"/>', 'timescale="1"')

    assert found.pattern is None
    assert [segment.start for segment in found.segments[:3]] == [0, 2, 6]
    assert found.segments[-1].end >= 86_400


def test_availability_time_offsets_of_base_url_and_template_add_up(live: Presentation) -> None:
    found = representation(live, "v")

    assert found.availability_time_offset == 2
    assert found.availability_time_complete is False


def test_an_infinite_availability_time_offset_is_none() -> None:
    template = '<SegmentTemplate media="$Number$" duration="2" availabilityTimeOffset="INF"/>'
    body = f'<Period><AdaptationSet>{template}<Representation id="r"/></AdaptationSet></Period>'

    assert representation(dynamic(body).presentation, "r").availability_time_offset is None


def test_base_urls_are_ordered_by_priority_and_known_by_service_location(live: Presentation) -> None:
    found = representation(live, "v")

    assert found.bases == (
        BaseUrl("https://a.example.com/live/", "a", 1, 9, Fraction("0.5")),
        BaseUrl("https://b.example.com/live/", "b", 2, 5),
    )
    assert found.init is not None
    assert found.init.address.url == "https://a.example.com/live/v/i"


def test_base_urls_of_every_level_multiply() -> None:
    body = (
        "<BaseURL>https://a/</BaseURL><BaseURL>https://b/</BaseURL><Period><BaseURL>p/</BaseURL><AdaptationSet>"
        '<BaseURL>1/</BaseURL><BaseURL>2/</BaseURL><Representation id="r"><BaseURL>f.mp4</BaseURL></Representation>'
        "</AdaptationSet></Period>"
    )

    found = representation(dynamic(body).presentation, "r")

    assert [base.url for base in found.bases] == [
        "https://a/p/1/f.mp4",
        "https://b/p/1/f.mp4",
        "https://a/p/2/f.mp4",
        "https://b/p/2/f.mp4",
    ]


def test_a_base_url_that_may_not_be_used_is_left_out_while_others_remain() -> None:
    body = '<BaseURL>file:///x/</BaseURL><BaseURL>https://b/</BaseURL><Period><AdaptationSet><Representation id="r"/>'

    presentation = dynamic(body + "</AdaptationSet></Period>").presentation

    assert [base.url for base in representation(presentation, "r").bases] == ["https://b/"]
    assert "a base URL was left out" in presentation.repairs[0].what


def test_locations_and_patch_locations_are_resolved(live: Presentation) -> None:
    assert live.locations == (
        Location("https://a.example.com/live.mpd?session=1", "a"),
        Location("https://b.example.com/live.mpd"),
    )
    assert live.patch_locations == (PatchLocation(URL + "patch.mpp?t=1", Fraction(60)),)


def test_a_reload_asks_for_a_patch_until_it_runs_out_then_at_the_location(live: Presentation) -> None:
    published = START + Fraction("60.5")

    assert reload_url(live, now=published + 60) == URL + "patch.mpp?t=1"
    assert reload_url(live, now=published + 61) == "https://a.example.com/live.mpd?session=1"


def test_every_utc_timing_scheme_is_known_and_ntp_is_marked_unsupported(live: Presentation) -> None:
    prefix = "urn:mpeg:dash:utc:"
    assert live.utc_timings == (
        UtcTiming(prefix + "http-head:2014", "https://time.example.com/ https://example.com/time", "head"),
        UtcTiming(prefix + "http-xsdate:2014", "https://time.example.com/xs", "xsdate"),
        UtcTiming(prefix + "http-iso:2014", "https://time.example.com/iso", "iso"),
        UtcTiming(prefix + "direct:2014", "2024-05-01T10:01:00Z", "direct"),
        UtcTiming(prefix + "ntp:2014", "ntp.example.com", ""),
    )
    assert [timing.is_supported for timing in live.utc_timings] == [True, True, True, True, False]


def test_a_service_description_says_how_to_play(live: Presentation) -> None:
    (found,) = live.service_descriptions

    assert found.scopes[0].scheme == "urn:dvb:dash:lowlatency:scope:2019"
    assert found.latency == Latency(3500, 2000, 10000, 7)
    assert found.playback_rate == PlaybackRate(Fraction("0.96"), Fraction("1.04"))
    assert found.operating_bandwidth == (OperatingRange("video", 100_000, 8_000_000, 3_000_000),)
    assert found.operating_quality == (OperatingRange("all", 1, 5, None),)
    assert found.cmcd is not None
    assert found.cmcd.keys == ("br", "d", "ot", "sid")
    assert (found.cmcd.include_in, found.cmcd.service_locations) == (("segment", "mpd"), ("a", "b"))


def test_content_steering_is_kept(live: Presentation) -> None:
    assert live.steering == ContentSteering(URL + "steer.json", ("a", "b"), True, False)


def test_early_available_periods_wait_for_their_start(live: Presentation) -> None:
    assert [(period.id, period.start) for period in live.periods] == [("p0", Fraction(0))]
    assert [(period.id, period.duration) for period in live.early_periods] == [("ad", Fraction(30)), ("later", None)]
    assert live.early_periods[0].adaptation_sets[0].representations[0].id == "ad"


def test_reference_times_resync_points_and_inband_events_are_kept(live: Presentation) -> None:
    found = representation(live, "v")

    (reference,) = found.reference_times
    assert (reference.id, reference.kind, reference.wall_clock, reference.is_inband) == (7, "encoder", START, True)
    (resync,) = found.resyncs
    assert (resync.kind, resync.max_interval, resync.max_bytes, resync.has_marker) == (1, 90000, Fraction("1.5"), True)
    assert [(events.scheme, events.value) for events in found.inband_events] == [("urn:mpeg:dash:event:2012", "1")]


def test_false_is_false(live: Presentation) -> None:
    assert live.periods[0].adaptation_sets[0].is_aligned is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", Fraction(0)),
        ("1970-01-01T01:00:00+01:00", Fraction(0)),
        ("1969-12-31T19:30:00-04:30", Fraction(0)),
        ("1970-01-01T00:00:00.123456789Z", Fraction(123456789, 10**9)),
        ("1970-01-01T00:00:10", Fraction(10)),
        ("1972-06-30T23:59:60Z", Fraction(78796800)),
        ("2024-13-01T00:00:00Z", None),
        ("yesterday", None),
    ],
)
def test_dates_are_exact_seconds(text: str, expected: Fraction | None) -> None:
    assert instant(text) == expected
