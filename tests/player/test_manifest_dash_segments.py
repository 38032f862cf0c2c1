from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest import read
from cushion_player.manifest.dash_timeline import Columns, lay_out, read_columns
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import LazySegments, segment_index_at
from tests.player.manifest_files import load, open_manifest, representation

Row = tuple[int | None, int, int]
rows = st.lists(st.tuples(st.none() | st.integers(0, 10**6), st.integers(1, 100), st.integers(0, 3)), min_size=1)


def spelled(found: list[Row]) -> list[list[str]]:
    """Rows as a manifest writes them; a repetition of 0 is left out."""
    return [
        [*(("t", str(time)) if time is not None else ()), "d", str(duration), *(("r", str(repeat)) if repeat else ())]
        for time, duration, repeat in found
    ]


def expected(found: list[Row]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = 0
    for time, duration, repeat in found:
        at = at if time is None else time
        for _ in range(repeat + 1):
            spans.append((at, duration))
            at += duration
    return spans


def line_of(columns: Columns) -> list[tuple[int, int]]:
    node = Node("SegmentTimeline", {})
    node.columns = columns
    line, _ = lay_out(node, 1, None, None, Notes(), "")
    assert [line.start_at(index) for index in range(len(line))] == [line.at(index).time for index in range(len(line))]
    return [(line.at(index).time, line.at(index).duration) for index in range(len(line))]


@given(found=rows)
def test_a_timeline_is_what_its_rows_say_one_after_the_other(found: list[Row]) -> None:
    assert line_of(read_columns(spelled(found), "")) == expected(found)


@given(found=rows, data=st.data())
def test_a_changed_timeline_is_the_same_as_one_read_anew(found: list[Row], data: st.DataObject) -> None:
    columns = read_columns(spelled(found), "")
    line_of(columns)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(found)))
        removed = data.draw(st.integers(0, len(found) - at))
        new = data.draw(rows) if removed == len(found) else data.draw(rows | st.just(list[Row]()))
        found = [*found[:at], *new, *found[at + removed :]]

        spliced = columns.spliced(at, removed, spelled(new))

        assert spliced is not None
        columns = spliced
        assert line_of(columns) == expected(found)


@pytest.mark.parametrize(
    "text",
    [
        '<S t="4611686018427387903" d="4611686018427387903"/><S d="4611686018427387903"/><S d="1"/>',
        '<S d="4611686018427387900" r="100"/><S d="1"/>',
        '<S d="1" n="5" r="1"/><S t="-5" d="4611686018427387900" k="2"/><S d="99"/><S d="1"/>',
    ],
)
def test_a_timeline_past_what_can_be_counted_is_refused_with_its_place(text: str) -> None:
    rows = f'<SegmentTemplate media="$Time$"><SegmentTimeline>{text}</SegmentTimeline></SegmentTemplate>'
    with pytest.raises(ManifestSyntaxError, match=r"SegmentTimeline"):
        read(
            f'<MPD><Period><AdaptationSet>{rows}<Representation id="r"/></AdaptationSet></Period></MPD>', "https://h/a"
        )


def test_columns_are_as_long_as_the_rows_whatever_their_order() -> None:
    mixed = read_columns([["d", "2", "t", "5"], ["r", "1", "d", "3"], ["d", "4", "x", "?"]], "")

    assert (mixed.times, mixed.durations) == (array("q", [5, -1, -1]), array("q", [2, 3, 4]))
    assert mixed.repeats == array("q", [0, 1, 0])


@pytest.mark.parametrize(
    ("name", "identity"), [("title.mpd", "720p"), ("templates.mpd", "v1"), ("templates.mpd", "a1")]
)
def test_lazy_segments_are_a_sequence(name: str, identity: str) -> None:
    lazy = representation(load(name), identity).segments
    assert isinstance(lazy, LazySegments)
    listed = list(lazy)

    assert lazy == listed
    assert tuple(lazy[1:]) == tuple(listed[1:])
    assert (lazy[-1], lazy[0]) == (listed[-1], listed[0])
    assert [lazy.start_at(index) for index in range(len(lazy))] == [segment.start for segment in listed]
    assert lazy != listed[1:]
    with pytest.raises(IndexError):
        lazy[len(listed)]


def test_a_segment_is_found_by_its_time() -> None:
    lazy = representation(load("templates.mpd"), "v1").segments

    assert [segment_index_at(lazy, ticks) for ticks in (-1, 0, 1999, 2000, 99_999)] == [-1, 0, 0, 1, 4]


@pytest.mark.parametrize("name", ["title.mpd", "templates.mpd", "live.mpd", "described.mpd", "patched.mpd"])
def test_reading_the_same_manifest_twice_gives_equal_presentations(name: str) -> None:
    assert open_manifest(name).presentation == open_manifest(name).presentation


def test_a_set_of_very_many_representations_is_refused_before_they_are_read() -> None:
    inner = "".join(f"<Representation id='{index}'/>" for index in range(257))
    text = f"<MPD><Period duration='PT4S'><AdaptationSet mimeType='video/mp4'>{inner}</AdaptationSet></Period></MPD>"

    with pytest.raises(UnsupportedManifestFeature, match="more than 256 representations in a set") as refused:
        read(text, "https://example.com/a.mpd")

    assert refused.value.location == "MPD/Period[0]/AdaptationSet[0]"


def test_representations_of_one_list_share_what_is_known_of_it() -> None:
    rows = "".join(f"<SegmentURL media='{i}.m4s' mediaRange='0-{99 + i}'/>" for i in range(3))
    representations = "<Representation id='a'/><Representation id='b'><BaseURL>b/</BaseURL></Representation>"
    text = (
        "<MPD><Period duration='PT6S'><AdaptationSet mimeType='video/mp4'>"
        f"<SegmentList duration='2'>{rows}</SegmentList>{representations}</AdaptationSet></Period></MPD>"
    )

    first, second = read(text, "https://example.com/x/a.mpd").presentation.periods[0].adaptation_sets[0].representations

    assert [segment.address.url for segment in second.segments] == [
        f"https://example.com/x/b/{i}.m4s" for i in range(3)
    ]
    assert [segment.address.byte_range for segment in first.segments] == [(0, 99), (0, 100), (0, 101)]
    assert first.bitrate_bps == second.bitrate_bps == round(303 * 8 / 6)


def test_a_template_in_a_period_of_unknown_length_goes_on_as_a_pattern() -> None:
    text = (
        "<MPD><Period><AdaptationSet mimeType='video/mp4'><SegmentTemplate media='$Number$.m4s' duration='2'/>"
        "<Representation id='v'/></AdaptationSet></Period></MPD>"
    )

    presentation = read(text, "https://example.com/a.mpd").presentation

    found = presentation.periods[0].adaptation_sets[0].representations[0]
    assert found.pattern is not None
    assert found.pattern.limit is None
    assert found.pattern.segment(2).address.url == "https://example.com/3.m4s"
    assert presentation.duration is None
    assert len(presentation.repairs) == 1


def test_a_protection_that_refers_to_another_kind_of_element_is_noted() -> None:
    text = (
        "<MPD><Period duration='PT4S'><Label refId='k'/><AdaptationSet mimeType='video/mp4'>"
        "<ContentProtection schemeIdUri='urn:a' ref='k'/><SegmentTemplate media='$Number$' duration='2'/>"
        "<Representation id='v'/></AdaptationSet></Period></MPD>"
    )

    presentation = read(text, "https://example.com/a.mpd").presentation

    assert presentation.periods[0].adaptation_sets[0].representations[0].protection == ("urn:a",)
    assert [repair.why for repair in presentation.repairs] == ["no element has this @refId"]
