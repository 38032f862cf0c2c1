from __future__ import annotations

import time

import pytest

from cushion_player.errors import ManifestError, ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest import read
from cushion_player.manifest.xml_tree import parse_xml
from tests.player.manifest_files import URL

ENTITIES = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(20))
HOSTILE = {
    "a document type": '<!DOCTYPE MPD SYSTEM "https://evil.example.com/x.dtd"><MPD/>',
    "an external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><MPD>&e;</MPD>',
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY a0 "lol">{ENTITIES}]><MPD>&a20;</MPD>',
    "half a million entities": "<!DOCTYPE x [" + '<!ENTITY a "b">' * 500_000 + "]><MPD/>",
    "a parameter entity": "<!DOCTYPE x [<!ENTITY % p \"<!ENTITY q SYSTEM 'http://x/'>\">%p;]><MPD/>",
    "depth": "<MPD>" + "<a>" * 1_000_000,
    "three million elements": "<MPD>" + "<a/>" * 3_000_000 + "</MPD>",
    "a million attributes": "<MPD " + " ".join(f'a{n}="1"' for n in range(1_000_000)) + "/>",
    "ten thousand attributes": "<MPD " + " ".join(f'a{n}="1"' for n in range(10_000)) + "/>",
    "one long attribute": '<MPD a="' + "x" * 20_000_000 + '"/>',
    "an unknown entity": "<MPD>&nbsp;</MPD>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_within_ten_milliseconds_with_its_place(name: str) -> None:
    took: list[float] = []
    for _ in range(3):
        started = time.process_time()
        with pytest.raises(ManifestError) as refused:
            read(HOSTILE[name], URL + "a.mpd")
        took.append(time.process_time() - started)
        assert refused.value.location

    assert min(took) < 0.01


def test_text_between_many_elements_costs_no_more_than_its_length() -> None:
    text = "<MPD>" + "some words<a/>" * 20_000 + "</MPD>"
    started = time.process_time()

    root = parse_xml(text)

    assert len(root.text) == 200_000
    assert time.process_time() - started < 1


def test_a_long_comment_is_read_over() -> None:
    root = parse_xml(f"<MPD><!-- {'x' * 3_000_000} --><Period/></MPD>")

    assert [node.tag for node in root.children] == ["Period"]


def test_elements_keep_the_xml_they_came_from() -> None:
    root = parse_xml(
        '<MPD>\n <x:a k="1>2"> t<b/> </x:a><c/><d></d><SegmentTimeline><S t="0" d="1"/>\n</SegmentTimeline></MPD>'
    )
    first, empty, closed, timeline = root.children

    assert (first.xml(), first.inner_xml()) == ('<x:a k="1>2"> t<b/> </x:a>', "t<b/>")
    assert (empty.xml(), closed.xml(), closed.inner_xml()) == ("<c/>", "<d></d>", "")
    assert timeline.xml() == '<SegmentTimeline><S t="0" d="1"/>\n</SegmentTimeline>'
    assert root.xml().endswith("</SegmentTimeline></MPD>")


def test_rows_are_kept_apart_between_other_elements() -> None:
    text = (
        '<SegmentList><SegmentURL media="a"/><Initialization/><SegmentURL media="b"/>'
        "<SegmentTimeline><S/><x/><S/></SegmentTimeline></SegmentList>"
    )

    root = parse_xml(text)

    assert root.rows == [["media", "a"], ["media", "b"]]
    assert [node.tag for node in root.children] == ["Initialization", "SegmentTimeline"]
    assert root.children[1].rows == [[], []]


def test_rows_with_children_and_rows_out_of_place_do_not_confuse_the_tree() -> None:
    inside = parse_xml('<a><SegmentTimeline><S t="0"><x><S/></x></S><S t="1"/></SegmentTimeline><b/></a>')
    after = parse_xml('<a><SegmentTimeline><S t="0"/></SegmentTimeline><S t="9"/><b/></a>')

    assert [node.tag for node in inside.children] == ["SegmentTimeline", "b"]
    assert inside.children[0].rows == [["t", "0"], ["t", "1"]]
    assert [node.tag for node in after.children] == ["SegmentTimeline", "b"]


def test_rows_with_a_prefix_are_rows_too() -> None:
    root = parse_xml('<m:SegmentTimeline><m:S t="1"/><m:S d="2"/></m:SegmentTimeline>')

    assert (root.rows, root.children) == ([["t", "1"], ["d", "2"]], [])


def test_fragments_are_gathered_under_one_node() -> None:
    root = parse_xml('<?xml version="1.0"?><Period id="1"/><Period id="2"/>', fragments=True)

    assert [node.get("id") for node in root.children] == ["1", "2"]


@pytest.mark.parametrize(
    "text", ["<MPD", "<MPD></Other>", "<MPD/>tail", "<MPD>\x00</MPD>", "<MPD a='1' a='2'/>", "<MPD>\ud800"]
)
def test_broken_xml_names_its_line(text: str) -> None:
    with pytest.raises(ManifestSyntaxError, match=r"not well-formed XML.*at line 1"):
        parse_xml(text)


def test_blank_lines_before_the_document_count() -> None:
    with pytest.raises(ManifestSyntaxError, match="at line 4"):
        parse_xml("\n\n<MPD>\n</Other>")


def test_the_depth_limit_lets_real_manifests_through() -> None:
    deep = "<a>" * 63 + "</a>" * 63

    assert parse_xml(deep).tag == "a"
    with pytest.raises(UnsupportedManifestFeature, match="nested more than 64 deep"):
        parse_xml(f"<a><a>{deep}</a></a>")
