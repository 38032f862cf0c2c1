"""Reloads of HLS media playlists: a refresh gives what a first read gives, and segments keep their place in time."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cushion_player.manifest import NeedKind, ReadResult, read, resolve
from cushion_player.manifest.hls_refresh import joining_url, refresh, reload_delay, reload_url
from cushion_player.model import Presentation, Representation, Segment
from tests.player.manifest_files import FOLDER, URL, open_manifest, sets

LIVE = URL + "live.m3u8"
NS = 1_000_000_000


def window(first: int, count: int, *, header: str = "", end: str = "") -> str:
    """A window of segments of about 4 s, with discontinuities, dates and titles here and there."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    lines += [f"#EXT-X-DISCONTINUITY-SEQUENCE:{(first + 4) // 5}", *header.split("|")]
    for number in range(first, first + count):
        lines += ["#EXT-X-DISCONTINUITY"] * (number % 5 == 0)
        if number % 3 == 0:
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:{number // 15 % 60:02}:{number * 4 % 60:02}Z")
        lines.append(f"#EXTINF:{4 + number % 7 / 10:.1f},{'title' * (number % 4 == 1)}")
        lines.append(f"{number}.mp4")
    return "\n".join([*(line for line in lines if line), end])


def single(presentation: Presentation) -> Representation:
    return sets(presentation)[0].representations[0]


def opened(text: str) -> Presentation:
    return read(text, LIVE).presentation


def without_times(segments: list[Segment]) -> list[Segment]:
    return [item._replace(start=0, program_time_us=None) for item in segments]


# --------------------------------------------------------------------------- windows


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.integers(1, 300), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_a_refresh_gives_the_segments_of_a_first_read(first: int, count: int, drop: int, add: int, date: bool) -> None:
    header = '#EXT-X-DATERANGE:ID="x",START-DATE="2026-03-01T12:00:00Z"' if date else ""
    old, new = window(first, count), window(first + min(drop, count), count + add - min(drop, count) + 1, header=header)

    refreshed = refresh(opened(old), new, LIVE).presentation
    fresh = opened(new)

    assert without_times(list(single(refreshed).segments)) == without_times(list(single(fresh).segments))
    assert refreshed.date_ranges == fresh.date_ranges
    assert single(refreshed).playlist == single(fresh).playlist


_TAGS = (
    "#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "#EXT-X-BITRATE:{}", '#EXT-X-KEY:METHOD=AES-128,URI="k{}"',
    '#EXT-X-KEY:METHOD=SAMPLE-AES,KEYFORMAT="f{}",URI="z"', "#EXT-X-KEY:METHOD=NONE", '#EXT-X-MAP:URI="i{}"',
    "#EXT-X-UNKNOWN:{}", '#EXT-X-PART:DURATION=1,URI="p{}"', '#EXT-X-DATERANGE:ID="d{}"', "# a comment", "",
    "#EXT-X-BYTERANGE:{}@5", "#EXT-X-TARGETDURATION:{}", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{}"', "#EXT-X-ENDLIST",
)  # fmt: skip


@st.composite
def segment_lines(draw: st.DrawFn) -> list[str]:
    tags = draw(st.lists(st.tuples(st.sampled_from(_TAGS), st.integers(1, 9)), max_size=2))
    indent = draw(st.sampled_from(["", "", "", " "]))
    url = draw(st.sampled_from(["a.mp4", "b.mp4", f"{draw(st.integers(0, 999))}.mp4"]))
    return [*(tag.format(number) for tag, number in tags), "#EXTINF:4,", indent + url]


@settings(max_examples=150, deadline=None)
@example(
    pattern=[["#EXTINF:4,", "a.mp4"]] * 2 + [[f'#EXT-X-MAP:URI="i{n}"', "#EXTINF:4,", "a.mp4"] for n in (1, 2)],
    drop=0,
    add=1,
    cut=False,
)
@given(st.lists(segment_lines(), min_size=4, max_size=12), st.integers(0, 90), st.integers(0, 60), st.booleans())
def test_whatever_stands_between_segments_a_refresh_reads_it(
    pattern: list[list[str]], drop: int, add: int, cut: bool
) -> None:
    segments = (pattern * 40)[: 100 + add]
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{}\n"
    old = head.format(0) + "\n".join(line for item in segments[:100] for line in item) + "\n"
    new = head.format(drop) + "\n".join(line for item in segments[drop:] for line in item) + "\n"

    refreshed = refresh(opened(old[:-3] if cut else old), new, LIVE).presentation
    fresh = opened(new)

    def view(presentation: Presentation) -> list[object]:
        found = single(presentation)
        kept = [item._replace(start=0, discontinuity=0, chunks=()) for item in found.segments]
        parts = [[chunk.address for chunk in item.chunks] for item in found.segments]
        return [kept, parts, presentation.date_ranges, found.init, found.protections, presentation.is_live]

    assert view(refreshed) == view(fresh)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_segments_keep_their_place_over_many_refreshes(steps: list[tuple[int, int]]) -> None:
    first, stop = 30, 60
    presentation = opened(window(first, stop - first))
    places = {item.number: item.start for item in single(presentation).segments}

    for drop, add in steps:
        first, stop = first + drop, stop + add
        presentation = refresh(presentation, window(first, max(stop - first, 1)), LIVE).presentation
        for item in single(presentation).segments:
            assert places.setdefault(item.number, item.start) == item.start


def test_unchanged_bytes_give_the_same_presentation() -> None:
    body = window(0, 5).encode()
    presentation = read(body, LIVE).presentation

    found = refresh(presentation, bytes(body), LIVE)

    assert found.presentation is presentation
    assert found.changes == ()


def test_a_refresh_says_what_came_and_what_left() -> None:
    found = refresh(opened(window(10, 6)), window(12, 7), LIVE)

    assert [tuple(change) for change in found.changes] == [("0", "0", 3, 2)]


def test_a_playlist_that_ended_has_a_duration() -> None:
    found = refresh(opened(window(0, 2)), window(0, 3, end="#EXT-X-ENDLIST"), LIVE).presentation

    assert not found.is_live
    assert found.duration == Fraction("12.3")


def test_a_text_cut_off_within_a_url_is_read_again() -> None:
    old = window(0, 8).rstrip().removesuffix("mp4")

    found = refresh(opened(old), window(0, 9), LIVE).presentation

    assert [item.address.url.removeprefix(URL) for item in single(found).segments][-2:] == ["7.mp4", "8.mp4"]


def test_missed_segments_are_counted_on_and_said() -> None:
    found = refresh(opened(window(0, 5)), window(8, 5), LIVE).presentation

    assert [repair.what for repair in found.repairs] == ["3 segments were missed between two reloads"]
    assert single(found).segments[0].start > 20 * NS


def test_a_server_that_counts_anew_goes_on_in_time() -> None:
    before = opened(window(100, 5))

    found = refresh(before, window(0, 3), LIVE).presentation

    assert single(found).segments[0].start == single(before).segments[-1].end
    assert single(found).segments[0].discontinuity > single(before).segments[-1].discontinuity


def test_an_older_version_keeps_its_place_in_time() -> None:
    before = opened(window(10, 5))

    found = refresh(before, window(8, 5), LIVE).presentation

    assert single(found).segments[2].start == single(before).segments[0].start


def test_dates_are_remembered_when_the_window_leaves_them() -> None:
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{}\n{}"
    dated = "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z\n"
    rest = "#EXTINF:4,\n1.mp4\n#EXTINF:4,\n2.mp4\n"

    found = refresh(opened(text.format(0, f"{dated}#EXTINF:4,\n0.mp4\n{rest}")), text.format(1, rest), LIVE)

    assert single(found.presentation).segments[0].program_time_us == 1_772_366_404_000_000


def test_a_server_that_does_not_count_discontinuities_is_corrected() -> None:
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{}\n{}#EXTINF:4,\n1.mp4\n#EXTINF:4,\n2.mp4\n"
    old = head.format(0, "#EXTINF:4,\n0.mp4\n#EXT-X-DISCONTINUITY\n")

    found = refresh(opened(old), head.format(1, ""), LIVE).presentation

    assert [item.discontinuity for item in single(found).segments] == [1, 1]
    assert "discontinuity sequence" in found.repairs[0].what


# --------------------------------------------------------------------------- delta updates


def low_latency() -> Presentation:
    return read((FOLDER / "hls_low_latency.m3u8").read_bytes(), LIVE).presentation


def test_a_delta_update_is_merged_with_the_playlist_before() -> None:
    found = refresh(low_latency(), (FOLDER / "hls_delta.m3u8").read_bytes(), LIVE + "?_HLS_msn=103&_HLS_skip=v2")
    segments = single(found.presentation).segments

    assert [item.number for item in segments] == [101, 102, 103]
    assert [item.start for item in segments] == [4 * NS, 8 * NS, 12 * NS]
    assert [item.address.url.removeprefix(URL) for item in segments] == ["101.mp4", "102.mp4", "103.mp4"]
    assert len(segments[1].chunks) == 4
    assert segments[2].program_time_us == 1_772_366_412_000_000
    assert single(found.presentation).init == single(low_latency()).init


def test_a_delta_update_on_a_delta_update_is_merged_too() -> None:
    delta = (FOLDER / "hls_delta.m3u8").read_text()
    presentation = refresh(low_latency(), delta, LIVE).presentation
    later = delta.replace("MEDIA-SEQUENCE:101", "MEDIA-SEQUENCE:102").replace("103.mp4", "104.mp4")

    found = refresh(presentation, later, LIVE).presentation

    assert [item.address.url.removeprefix(URL) for item in single(found).segments] == ["102.mp4", "103.mp4", "104.mp4"]
    assert single(found).segments[0].start == 8 * NS


def test_a_delta_update_that_skips_the_unknown_asks_for_the_whole() -> None:
    presentation = low_latency()
    delta = (FOLDER / "hls_delta.m3u8").read_text().replace("SEQUENCE:101", "SEQUENCE:140")

    found = refresh(presentation, delta, LIVE)

    assert found.presentation is presentation
    assert [(need.kind, need.url) for need in found.needs] == [(NeedKind.PLAYLIST, LIVE)]
    whole = resolve(ReadResult(found.presentation, found.needs), found.needs[0], window(99, 9).encode(), LIVE)
    assert single(whole.presentation).segments[1].start == 0


def test_removed_date_ranges_are_gone_and_others_stay() -> None:
    dates = '#EXT-X-DATERANGE:ID="{}",START-DATE="2026-03-01T12:00:00Z"\n'
    full = (FOLDER / "hls_low_latency.m3u8").read_text() + dates.format("old") + dates.format("kept")
    delta = (FOLDER / "hls_delta.m3u8").read_text() + dates.format("new")
    delta = delta.replace("SEGMENTS=2", 'SEGMENTS=2,RECENTLY-REMOVED-DATERANGES="old"')

    found = refresh(opened(full), delta, LIVE).presentation

    assert [item.id for item in found.date_ranges] == ["kept", "new"]


# --------------------------------------------------------------------------- several playlists


def two_rungs(low: str, high: str) -> Presentation:
    lines = ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1", "low.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=2", "high.m3u8"]
    result = read("\n".join(lines), URL + "main.m3u8")
    for body in (low, high):
        result = resolve(result, result.needs[0], body.encode(), result.needs[0].url)
    return result.presentation


def plain(first: int, date: str = "") -> str:
    head = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n{date}"
    return head + "".join(f"#EXTINF:4,\n{number}.mp4\n" for number in range(first, first + 6))


def test_live_playlists_are_aligned_by_their_numbers() -> None:
    low, high = sets(two_rungs(plain(10), plain(12)))[0].representations

    assert low.segments[2].start == high.segments[0].start == 8 * NS


def test_live_playlists_are_aligned_by_their_dates_first() -> None:
    date = "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:{}Z\n"
    low, high = sets(two_rungs(plain(10, date.format("00")), plain(70, date.format("04"))))[0].representations

    assert high.segments[0].start == low.segments[1].start == 4 * NS


def test_a_reload_of_one_playlist_leaves_the_others_alone() -> None:
    presentation = two_rungs(plain(10), plain(10))

    found = refresh(presentation, plain(11), URL + "high.m3u8")

    low, high = sets(found.presentation)[0].representations
    assert (low.segments[0].number, high.segments[0].number) == (10, 11)
    assert high.segments[0].start == 4 * NS
    assert [change.representation for change in found.changes] == [high.id]


# --------------------------------------------------------------------------- where and when


def test_a_blocking_reload_names_the_next_part() -> None:
    representation = single(low_latency())

    assert reload_url(representation) == LIVE + "?_HLS_msn=103&_HLS_part=2&_HLS_skip=v2"


def test_an_old_playlist_is_not_reloaded_by_delta() -> None:
    representation = single(low_latency())

    assert reload_url(representation, age=Fraction(13)) == LIVE + "?_HLS_msn=103&_HLS_part=2"


def test_a_reload_url_keeps_what_its_query_has() -> None:
    text = (FOLDER / "hls_low_latency.m3u8").read_text()
    representation = single(read(text, LIVE + "?token=a%20b").presentation)

    assert reload_url(representation, may_skip=False) == LIVE + "?token=a%20b&_HLS_msn=103&_HLS_part=2"


def test_a_server_that_cannot_block_is_asked_plainly() -> None:
    assert reload_url(single(opened(window(0, 3)))) == LIVE


def test_a_playlist_that_ended_is_not_reloaded() -> None:
    representation = single(opened(window(0, 3, end="#EXT-X-ENDLIST")))

    assert reload_url(representation) == ""
    assert reload_delay(representation, has_changed=True) is None


def test_reloads_come_each_target_duration_or_half_of_it() -> None:
    representation = single(opened(window(0, 3)))

    assert reload_delay(representation, has_changed=True) == 4
    assert reload_delay(representation, has_changed=False) == 2


@pytest.mark.parametrize(
    ("source", "directives"), [("low", "?_HLS_msn=103&_HLS_part=1"), ("high", "?_HLS_msn=103"), ("other", "")]
)
def test_a_switch_joins_where_the_rendition_report_says(source: str, directives: str) -> None:
    url = f"https://example.com/{source}/live.m3u8"

    assert joining_url(Representation("x", source=url), single(low_latency())) == url + directives


def test_every_golden_playlist_refreshes_to_itself() -> None:
    for path in FOLDER.glob("*.m3u8"):
        result = open_manifest(path.name) if "define" not in path.name else None
        if result is None or result.needs:
            continue
        again = refresh(result.presentation, path.read_text(), URL + path.name).presentation
        assert single(again).segments == single(result.presentation).segments
