from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.errors import ManifestError, ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest import ReadResult, drop, read, resolve
from cushion_player.model import Address, ContentKind, InitSegment
from tests.player.manifest_files import FOLDER, URL, body_of, load, names, open_manifest, representation, sets, sidx


def mpd(body: str, attributes: str = 'type="static" mediaPresentationDuration="PT10S"') -> ReadResult:
    return read(f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}><Period>{body}</Period></MPD>', URL + "a.mpd")


def times(text: str, template: str = "") -> list[tuple[int, int]]:
    """(start, duration) of the segments of a timeline of 10 s in ticks of a second."""
    body = f'<SegmentTemplate media="$Number$" {template}><SegmentTimeline>{text}</SegmentTimeline></SegmentTemplate>'
    result = mpd(f'<AdaptationSet contentType="video"><Representation id="r">{body}</Representation></AdaptationSet>')
    return [(segment.start, segment.duration) for segment in representation(result.presentation, "r").segments]


def test_segment_list_carries_exact_sizes_and_times() -> None:
    presentation = load("title.mpd")
    video, audio = sets(presentation)

    assert (presentation.kind, presentation.is_live, presentation.duration) == ("dash", False, Fraction("5.504"))
    assert (video.kind, video.roles, audio.kind, audio.language) == (
        ContentKind.VIDEO,
        ("main",),
        ContentKind.AUDIO,
        "en",
    )
    high = representation(presentation, "720p")
    assert (high.width_px, high.height_px, high.frame_rate, high.codecs) == (1280, 720, Fraction(24), "avc1.64001f")
    assert high.init == InitSegment(Address(URL + "720p/init-aa.mp4", (0, 799)))
    assert names(high) == ["720p/a1.m4s", "720p/b2.m4s", "720p/c3.m4s"]
    assert [segment.start for segment in high.segments] == [0, 24576, 49152]
    assert [segment.address.size_bytes for segment in high.segments] == [400000, 450000, 300000]


def test_bitrate_is_measured_where_sizes_are_known_and_the_declared_one_kept() -> None:
    high = representation(load("title.mpd"), "720p")

    assert high.bitrate_bps == round(1_150_000 * 8 / 5.5)
    assert high.declared_bitrate_bps == 1_900_000


def test_templates_inherit_and_fill_in() -> None:
    presentation = load("templates.mpd")
    low, high = representation(presentation, "v1"), representation(presentation, "v2")

    assert names(low) == [f"media/v1/500000-{n:05d}.m4s" for n in range(5)]
    assert names(high)[0] == "media/v2/900000-00007.m4s"
    assert (low.width_px, high.width_px) == (640, 1280)
    assert low.frame_rate == high.frame_rate == Fraction(30000, 1001)
    assert [segment.duration for segment in low.segments] == [2000, 2000, 2000, 2000, 1000]
    assert low.bitrate_bps == 500_000


def test_time_template_takes_off_the_presentation_time_offset() -> None:
    sound = representation(load("templates.mpd"), "a1")

    assert names(sound) == [f"media/quiet/${time}.m4s" for time in (480000, 576000, 672000, 768000)]
    assert [segment.start for segment in sound.segments] == [0, 96000, 192000, 288000]
    assert sound.time_offset == 480000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<S t="0" d="2" r="2"/>', [(0, 2), (2, 2), (4, 2)]),
        ('<S d="3" r="-1"/>', [(0, 3), (3, 3), (6, 3), (9, 3)]),
        ('<S d="2" r="-1"/><S t="4" d="5"/>', [(0, 2), (2, 2), (4, 5)]),
        ('<S t="1" d="2"/><S t="5" d="2"/>', [(1, 2), (5, 2)]),
        ('<S d="2"/><S d="0"/><S d="1"/>', [(0, 2), (2, 1)]),
    ],
)
def test_segment_timelines(text: str, expected: list[tuple[int, int]]) -> None:
    assert times(text) == expected


@pytest.mark.parametrize("text", ['<S t="0"/>', '<S d="x"/>', '<S d="1" r="a"/>'])
def test_a_broken_timeline_names_its_entry(text: str) -> None:
    with pytest.raises(ManifestSyntaxError, match=r"SegmentTemplate/SegmentTimeline/S\[1\]"):
        times('<S d="1"/>' + text)


def test_a_timeline_of_billions_is_refused() -> None:
    with pytest.raises(UnsupportedManifestFeature, match="more than 500000 segments"):
        times('<S d="1" r="4000000000"/>')


def test_a_remainder_from_rounding_holds_no_segment() -> None:
    body = '<SegmentTemplate media="$Number$" duration="2"/><Representation id="r"/>'
    result = mpd(f"<AdaptationSet>{body}</AdaptationSet>", 'mediaPresentationDuration="PT10.0005S"')

    assert len(representation(result.presentation, "r").segments) == 5


def test_a_single_file_needs_its_index() -> None:
    result = open_manifest("single_file.mpd")

    assert [(need.kind, need.url, need.byte_range) for need in result.needs] == [
        ("sidx", URL + "v1.mp4", (700, 767)),
        ("sidx", URL + "v2.mp4", (700, 767)),
    ]
    assert result.needs[0].label == "the segment index of v1"


def test_an_index_becomes_byte_ranges() -> None:
    presentation = load("single_file.mpd")
    first = representation(presentation, "v1")
    anchor = 700 + len(sidx(1000, 0, (1, 1), (1, 1)))

    assert [segment.address for segment in first.segments] == [
        Address(URL + "v1.mp4", (anchor, anchor + 4999)),
        Address(URL + "v1.mp4", (anchor + 5000, anchor + 10999)),
    ]
    assert first.bitrate_bps == 22_000
    assert representation(presentation, "v2").init == InitSegment(Address(URL + "v2.mp4", (0, 699)))


@pytest.mark.parametrize("order", [0, -1])
def test_an_index_of_indexes_is_followed_in_any_order(order: int) -> None:
    result = open_manifest("single_file.mpd")
    result = drop(result, result.needs[1], "not wanted")
    leaf = sidx(1000, 0, (5000, 2000))
    top = sidx(1000, 0, (len(leaf) + 5000, 2000), (len(leaf) + 5000, 2000), of_indexes=True)

    result = resolve(result, result.needs[0], top, URL)
    while result.needs:
        need = result.needs[order]
        assert need.byte_range is not None
        earliest = 0 if need.byte_range[0] == 700 + len(top) else 2000
        result = resolve(result, need, sidx(1000, earliest, (5000, 2000)) + bytes(5000), URL)

    single = representation(result.presentation, "v1")
    first = 700 + len(top) + len(leaf)
    assert [(segment.number, segment.start, segment.address.byte_range) for segment in single.segments] == [
        (1, 0, (first, first + 4999)),
        (2, 2000, (first + 5000 + len(leaf), first + 9999 + len(leaf))),
    ]


def test_an_index_that_is_none_is_a_located_manifest_error() -> None:
    result = open_manifest("single_file.mpd")

    with pytest.raises(ManifestSyntaxError, match="segment index of v1: no segment index") as caught:
        resolve(result, result.needs[0], b"\0\0\0\x08free", URL)
    assert caught.value.location == URL + "v1.mp4"


def test_dropping_a_need_keeps_the_rest_and_says_so() -> None:
    result = open_manifest("single_file.mpd")

    smaller = drop(result, result.needs[0], "HTTP 404")

    assert [item.id for item in sets(smaller.presentation)[0].representations] == ["v2"]
    assert smaller.presentation.repairs[0].what == "the segment index of v1 was left out: HTTP 404"
    with pytest.raises(ManifestError, match="the segment index of v2: HTTP 404"):
        drop(smaller, smaller.needs[0], "HTTP 404")


def test_a_need_is_resolved_once() -> None:
    result = open_manifest("single_file.mpd")
    after = resolve(result, result.needs[0], body_of(result.needs[0]), URL)

    with pytest.raises(ManifestError, match="is not needed"):
        resolve(after, result.needs[0], body_of(result.needs[0]), URL)


def test_period_starts_follow_from_durations() -> None:
    presentation = load("two_periods.mpd")

    assert [(period.id, period.start, period.duration) for period in presentation.periods] == [
        ("one", Fraction(0), Fraction(4)),
        ("two", Fraction(4), Fraction(3)),
    ]
    assert names(presentation.periods[1].adaptation_sets[0].representations[0]) == ["3.m4s", "4.m4s"]


def test_a_dynamic_mpd_is_live() -> None:
    template = '<SegmentTemplate media="$Number$" duration="2"/>'
    body = f'<AdaptationSet mimeType="video/mp4">{template}<Representation id="r"/></AdaptationSet>'

    presentation = mpd(body, 'type="dynamic" availabilityStartTime="2024-01-01T00:00:00Z"').presentation

    assert (presentation.is_live, presentation.duration) == (True, None)


def test_protection_and_essential_properties_are_kept() -> None:
    body = (
        '<AdaptationSet mimeType="video/mp4"><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>'
        '<EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode" value="1"/>'
        '<EssentialProperty schemeIdUri="urn:mpeg:mpegB:cicp:TransferCharacteristics" value="1"/>'
        '<Representation id="r"><BaseURL>r.mp4</BaseURL></Representation></AdaptationSet>'
    )

    only = sets(mpd(body).presentation)[0]

    assert only.representations[0].protection == ("urn:mpeg:dash:mp4protection:2011",)
    assert only.essential == ("http://dashif.org/guidelines/trickmode",)


def test_wrong_numbers_are_repaired_with_their_place() -> None:
    single = '<Representation id="r" bandwidth="fast"><BaseURL>r.mp4</BaseURL></Representation>'
    body = f'<AdaptationSet mimeType="video/mp4">{single}</AdaptationSet>'

    presentation = mpd(body, 'mediaPresentationDuration="ten"').presentation

    assert [(repair.what, repair.where) for repair in presentation.repairs] == [
        ("'ten' was ignored", "MPD@mediaPresentationDuration"),
        ("'fast' was read as 0", "MPD/Period[0]/AdaptationSet[0]/Representation[0]@bandwidth"),
    ]


def test_repeated_ids_are_made_unique() -> None:
    template = '<SegmentTemplate media="$RepresentationID$" duration="10"/>'
    twice = '<Representation id="r"/><Representation id="r"/>'
    body = f'<AdaptationSet mimeType="video/mp4">{template}{twice}</AdaptationSet>'

    presentation = mpd(body).presentation

    assert [item.id for item in sets(presentation)[0].representations] == ["r", "r#2"]
    assert names(representation(presentation, "r#2")) == ["r"]


@pytest.mark.parametrize("prefix", ["", "m:"])
def test_the_namespace_prefix_does_not_matter(prefix: str) -> None:
    text = (FOLDER / "templates.mpd").read_text()
    if prefix:
        text = text.replace("</", "</m:").replace("<", "<m:").replace("<m:/m:", "</m:").replace("xmlns=", "xmlns:m=")

    assert read(text, URL + "templates.mpd").presentation == load("templates.mpd")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<MPD>\n  <Period>\n</MPD>", "not well-formed XML: mismatched tag .at line 3, column 3"),
        ("<SmoothStreamingMedia/>", "the root element is 'SmoothStreamingMedia', not MPD"),
        ("<MPD/>", "no period"),
    ],
)
def test_broken_documents_name_the_place(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(text, URL + "a.mpd")


def test_a_remote_manifest_that_points_at_a_local_file_is_refused() -> None:
    with pytest.raises(UnsupportedManifestFeature, match=r"local files \(at MPD/Period\[0\]/BaseURL"):
        mpd("<BaseURL>file:///etc/</BaseURL><AdaptationSet/>")


_TEXTS = [(FOLDER / name).read_text() for name in ("title.mpd", "templates.mpd", "single_file.mpd", "two_periods.mpd")]
_VALUES = (
    "",
    "0",
    "-1",
    "1",
    "x",
    "99999999999999999999999999",
    "1e9",
    "PT",
    "P1Y",
    "$Number%0999d$",
    "$",
    "{",
    "http://[",
    "0-",
    "9-1",
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_mpds_give_a_model_or_a_manifest_error(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(_TEXTS))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        if data.draw(st.booleans()):
            start, end = text.find('="', at) + 2, text.find('"', text.find('="', at) + 2)
            text = text[:start] + data.draw(st.sampled_from(_VALUES) | st.text(max_size=8)) + text[end:]
        else:
            text = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 12)) :]
    try:
        result = read(text, URL + "a.mpd")
        for need in result.needs:
            result = resolve(result, need, data.draw(st.binary(max_size=60)), URL)
    except ManifestError:
        return
    assert result.presentation.periods
