from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest import Change, NeedKind, Refresh, read, refresh
from cushion_player.manifest.xml_patch import apply_patch
from cushion_player.manifest.xml_tree import Node, parse_xml
from cushion_player.model import Presentation
from tests.player.manifest_files import FOLDER, URL, open_manifest, representation

TEXT = (FOLDER / "patched.mpd").read_text()
TIMES = "/MPD/Period[@id='p0']/AdaptationSet[@id='1']/SegmentTemplate/SegmentTimeline"
NEXT = '<replace sel="/MPD/@publishTime">2024-05-01T10:01:02Z</replace>'


@pytest.fixture
def before() -> Presentation:
    return open_manifest("patched.mpd").presentation


def patch(operations: str, original: str = "2024-05-01T10:01:00Z", mpd: str = "channel") -> str:
    head = f'mpdId="{mpd}" originalPublishTime="{original}" publishTime="2024-05-01T10:01:02Z"'
    return f'<Patch xmlns="urn:mpeg:dash:schema:mpd-patch:2020" {head}>{operations}</Patch>'


def patched(before: Presentation, operations: str) -> Refresh:
    return refresh(before, patch(operations), URL + "patch.mpp")


def starts(presentation: Presentation) -> list[int]:
    return [segment.start for segment in representation(presentation, "v").segments]


def edit(text: str, operations: str) -> Node:
    return apply_patch(parse_xml(text), parse_xml(f"<Patch>{operations}</Patch>"))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (f'<add sel="{TIMES}"><S d="30"/></add>', [100, 120, 140, 160, 175]),
        (f'<add sel="{TIMES}" pos="append"><S d="30" r="1"/><S d="5"/></add>', [100, 120, 140, 160, 175, 205, 235]),
        (f'<add sel="{TIMES}" pos="prepend"><S t="80" d="20"/></add>', [80, 100, 120, 140, 160]),
        (f'<add sel="{TIMES}/S[1]" pos="after"><S d="1"/></add>', [100, 120, 140, 160, 161]),
        (f'<add sel="{TIMES}/S[2]" pos="before"><S d="1"/></add>', [100, 120, 140, 160, 161]),
        (f'<replace sel="{TIMES}/S[1]/@r">3</replace>', [100, 120, 140, 160, 180]),
        (f'<add sel="{TIMES}/S[2]" type="@r">1</add>', [100, 120, 140, 160, 175]),
        (f'<remove sel="{TIMES}/S[1]/@r"/>', [100, 120]),
        (f'<remove sel="{TIMES}/S[2]"/>', [100, 120, 140]),
        (f'<remove sel="{TIMES}/S[last()]"/>', [100, 120, 140]),
        (f'<replace sel="{TIMES}/S[@t=\'100\']"><S t="120" d="20" r="1"/></replace>', [120, 140, 160]),
        (f'<replace sel="{TIMES}"><SegmentTimeline><S t="7" d="2"/></SegmentTimeline></replace>', [7]),
    ],
)
def test_rows_of_a_timeline_are_patched(before: Presentation, operation: str, expected: list[int]) -> None:
    assert starts(patched(before, NEXT + operation).presentation) == expected


def test_a_patch_says_what_it_added_and_leaves_the_old_presentation_alone(before: Presentation) -> None:
    after = patched(before, f'{NEXT}<add sel="{TIMES}"><S d="30"/></add>')

    assert after.changes == (Change("p0", "v", 1, 0), Change("p0", "w", 1, 0))
    assert starts(before) == [100, 120, 140, 160]
    assert after.presentation.live.publish_time == Fraction(1714557662)


def test_patches_follow_one_another(before: Presentation) -> None:
    first = patched(before, f'{NEXT}<add sel="{TIMES}"><S d="30"/></add>').presentation
    second = patch(f'<add sel="{TIMES}"><S d="1" r="1"/></add>', original="2024-05-01T10:01:02Z")

    assert starts(refresh(first, second, URL).presentation) == [100, 120, 140, 160, 175, 205, 206]


def test_a_patch_gives_what_the_whole_new_mpd_gives(before: Presentation) -> None:
    whole = TEXT.replace('<S d="15"/>', '<S d="15"/><S d="30"/>').replace("10:01:00Z", "10:01:02Z")

    after = patched(before, f'{NEXT}<add sel="{TIMES}"><S d="30"/></add>').presentation

    assert after == read(whole, URL + "patched.mpd").presentation


def test_a_patch_adds_periods_and_sets(before: Presentation) -> None:
    more = '<Period id="p1" start="PT20S"><AdaptationSet><Representation id="z"/></AdaptationSet></Period>'
    sets = '<AdaptationSet id="2" mimeType="audio/mp4"><Representation id="a"/></AdaptationSet>'

    after = patched(
        before, f"<add sel=\"/MPD/Period[@id='p0']\">{sets}</add><add sel=\"/MPD\" pos='append'>{more}</add>"
    ).presentation

    assert [(period.id, len(period.adaptation_sets)) for period in after.periods] == [("p0", 2), ("p1", 1)]


def test_a_patch_that_ends_the_broadcast_makes_it_static(before: Presentation) -> None:
    operations = (
        '<replace sel="/MPD/@type">static</replace><remove sel="/MPD/@minimumUpdatePeriod"/>'
        '<add sel="/MPD" type="@mediaPresentationDuration">PT17.5S</add><remove sel="/MPD/PatchLocation[1]"/>'
    )

    after = patched(before, operations).presentation

    assert (after.is_live, after.duration, after.patch_locations) == (False, Fraction("17.5"), ())


def test_text_is_replaced(before: Presentation) -> None:
    after = patched(before, '<replace sel="/MPD/PatchLocation/text()">new.mpp</replace>').presentation

    assert after.patch_locations[0].url == URL + "new.mpp"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (patch(NEXT, original="2024-05-01T10:00:58Z"), "another version"),
        (patch(NEXT, mpd="another"), "it is for the MPD 'another'"),
        (patch('<remove sel="/MPD/Period[2]"/>'), "selects 1 elements|'Period' selects"),
        (patch('<remove sel="/MPD/Nothing"/>'), "selects no elements"),
        (patch('<remove sel="/MPD/Period[position() > 1]"/>'), "the selector"),
        (patch('<replace sel="/MPD/@nothing">1</replace>'), "no attribute"),
        (patch('<remove sel="/MPD"/>'), "root element"),
    ],
)
def test_a_patch_that_does_not_fit_asks_for_the_whole_mpd(before: Presentation, text: str, reason: str) -> None:
    after = refresh(before, text, URL + "patch.mpp")

    (need,) = after.needs
    assert after.presentation is before
    assert (need.kind, need.url) == (NeedKind.MANIFEST, URL + "patched.mpd")
    assert any(part in need.label for part in reason.split("|"))


def test_the_same_bytes_give_the_same_presentation(before: Presentation) -> None:
    again = refresh(before, (FOLDER / "patched.mpd").read_bytes(), URL + "patched.mpd")

    assert again == Refresh(before)
    assert again.presentation is before


def test_a_newer_mpd_is_read_and_says_what_changed(before: Presentation) -> None:
    newer = TEXT.replace('<S t="100" d="20" r="2"/>', '<S t="140" d="20"/>').replace('d="15"/>', 'd="15" r="2"/>')

    after = refresh(before, newer, URL + "patched.mpd")

    assert starts(after.presentation) == [140, 160, 175, 190]
    assert after.changes == (Change("p0", "v", 2, 2), Change("p0", "w", 2, 2))


def test_an_older_mpd_is_left_alone(before: Presentation) -> None:
    older = TEXT.replace("10:01:00Z", "10:00:58Z").replace('<S d="15"/>', "")

    assert refresh(before, older, URL + "patched.mpd").presentation is before


def test_indexes_that_were_read_are_not_asked_for_again() -> None:
    text = (FOLDER / "single_file.mpd").read_text().replace('type="static"', 'type="dynamic"')
    from cushion_player.manifest import resolve
    from tests.player.manifest_files import body_of

    result = read(text, URL + "single_file.mpd")
    while result.needs:
        result = resolve(result, result.needs[0], body_of(result.needs[0]), URL)

    after = refresh(result.presentation, text + "<!-- newer -->", URL + "single_file.mpd")

    assert after.needs == ()
    assert after.changes == ()
    assert len(representation(after.presentation, "v1").segments) == 2


def test_a_refresh_with_something_else_is_refused(before: Presentation) -> None:
    with pytest.raises(ManifestSyntaxError, match="neither MPD nor Patch"):
        refresh(before, "<Other/>", URL)
    with pytest.raises(ManifestSyntaxError, match="a playlist, not an MPD"):
        refresh(before, "#EXTM3U\n", URL)


def test_elements_are_selected_by_place_attribute_and_any_name() -> None:
    text = '<a><b id="1"/><b id="2" x="y"/><c/></a>'

    changed = edit(
        text, '<replace sel="/a/b[2]/@id">9</replace><remove sel="/a/b[@id=\'9\'][@x=\'y\']"/><remove sel="*/c"/>'
    )

    assert [(node.tag, node.attrib) for node in changed.children] == [("b", {"id": "1"})]


def test_namespace_prefixes_in_selectors_do_not_matter() -> None:
    changed = edit('<a x:k="1"><x:b/></a>', '<replace sel="/m:a/@p:k">2</replace><remove sel="/m:a/m:b"/>')

    assert (changed.attrib, changed.children) == ({"x:k": "2"}, [])


def test_an_ambiguous_selector_is_refused_with_its_operation() -> None:
    with pytest.raises(ManifestError, match=r"'b' selects 2 elements, not one \(at Patch/remove\[0\]\)"):
        edit("<a><b/><b/></a>", '<remove sel="/a/b"/>')
