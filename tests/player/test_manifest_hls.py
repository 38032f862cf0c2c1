from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.errors import ManifestError, ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest import ReadResult, drop, read, resolve
from cushion_player.model import Address, Container, ContentKind, InitSegment, Representation
from tests.player.manifest_files import FOLDER, URL, body_of, load, names, open_manifest, sets

NS = 1_000_000_000


def playlist(*lines: str) -> ReadResult:
    return read("\n".join(("#EXTM3U", *lines)), URL + "a.m3u8")


def only(result: ReadResult) -> Representation:
    return sets(result.presentation)[0].representations[0]


def test_every_playlist_of_a_title_is_a_need() -> None:
    result = open_manifest("title.m3u8")

    assert sorted(need.url.removeprefix(URL) for need in result.needs) == ["360p.m3u8", "720p.m3u8", "audio.m3u8"]


def test_a_title_becomes_a_video_and_an_audio_set() -> None:
    presentation = load("title.m3u8")
    video, audio = sets(presentation)
    high = video.representations[0]

    assert (presentation.kind, presentation.is_live) == ("hls", False)
    assert presentation.duration == Fraction("5.504")
    assert (video.kind, video.is_muxed, audio.kind, audio.language) == (
        ContentKind.VIDEO,
        False,
        ContentKind.AUDIO,
        "en",
    )
    assert (audio.label, audio.roles) == ("English", ("main",))
    assert (high.width_px, high.height_px, high.frame_rate, high.codecs) == (1280, 720, Fraction(24), "avc1.64001f")
    assert (high.declared_bitrate_bps, high.peak_bitrate_bps) == (1_800_000, 2_000_000)
    assert high.init == InitSegment(Address(URL + "720p/init-aa.mp4", (0, 799)))
    assert names(high) == ["720p/a1.m4s", "720p/b2.m4s", "720p/c3.m4s"]
    assert high.container is Container.MP4


def test_dash_and_hls_of_one_title_measure_the_same_bitrates() -> None:
    dash, hls = load("title.mpd"), load("title.m3u8")

    for one, other in zip(sets(dash), sets(hls), strict=True):
        assert [item.bitrate_bps for item in one.representations] == [
            item.bitrate_bps for item in other.representations
        ]


def test_byte_ranges_without_offset_follow_one_another() -> None:
    single = only(open_manifest("one_file.m3u8"))

    assert [segment.address.byte_range for segment in single.segments] == [(700, 1699), (1700, 3199), (3200, 3499)]
    assert [segment.start for segment in single.segments] == [0, 4 * NS, 8 * NS]
    assert single.init == InitSegment(Address(URL + "all.mp4", (0, 699)))


def test_a_transport_stream_playlist_is_one_muxed_rung() -> None:
    presentation = load("transport_stream.m3u8")
    single = sets(presentation)[0].representations[0]

    assert sets(presentation)[0].is_muxed
    assert (single.container, single.protection) == (Container.MPEG_TS, ("AES-128",))
    assert [(segment.number, segment.discontinuity, segment.is_gap) for segment in single.segments] == [
        (7, 0, False),
        (8, 1, False),
        (9, 1, True),
    ]
    assert presentation.duration == Fraction("21.021")


def test_a_playlist_without_end_is_live() -> None:
    assert playlist("#EXT-X-TARGETDURATION:4", "#EXTINF:4,", "a.ts").presentation.is_live


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("9", 9 * NS),
        ("9,", 9 * NS),
        ("9.009,t", 9_009_000_000),
        ("2.0021354166,", 2_002_135_416),
        (" 3.5 ,x", 3_500_000_000),
    ],
)
def test_durations_are_exact(text: str, ticks: int) -> None:
    assert only(playlist(f"#EXTINF:{text}", "a.m4s")).segments[0].duration == ticks


def test_a_segment_without_duration_takes_the_target_duration() -> None:
    result = playlist("#EXT-X-TARGETDURATION:8", "#EXTINF:oops,", "a.ts", "b.ts")

    assert [segment.duration for segment in only(result).segments] == [8 * NS, 8 * NS]
    assert [repair.where for repair in result.presentation.repairs] == ["line 3", "line 5"]


def test_a_changed_map_is_kept_with_its_segments() -> None:
    single = only(
        playlist(
            '#EXT-X-MAP:URI="i"', "#EXTINF:1,", "a", "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="j"', "#EXTINF:1,", "b"
        )
    )

    assert single.init == InitSegment(Address(URL + "i"))
    assert [segment.init for segment in single.segments] == [None, InitSegment(Address(URL + "j"))]


def test_variants_of_one_playlist_and_copies_are_one_rung() -> None:
    result = playlist(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="E",LANGUAGE="en",URI="lo.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="E",LANGUAGE="en",URI="hi.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="lo"',
        "v.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=600000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="hi"',
        "v.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="lo"',
        "https://backup.example.com/v.m3u8",
    )
    video, audio = sets(result.presentation)

    assert [item.source for item in video.representations] == [URL + "v.m3u8"]
    assert [item.source for item in audio.representations] == [URL + "lo.m3u8", URL + "hi.m3u8"]


def test_audio_alone_and_muxed_variants_are_told_apart() -> None:
    result = playlist(
        '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.5"',
        "a.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=640000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970',
        "v.m3u8",
    )

    assert [(item.kind, item.is_muxed) for item in sets(result.presentation)] == [
        (ContentKind.AUDIO, False),
        (ContentKind.VIDEO, True),
    ]
    assert sets(result.presentation)[1].representations[0].frame_rate == Fraction(30000, 1001)


@pytest.mark.parametrize("order", [0, -1])
def test_a_playlist_that_cannot_be_had_is_left_out(order: int) -> None:
    result = open_manifest("title.m3u8")

    while result.needs:
        need = result.needs[order]
        if need.url.endswith("720p.m3u8"):
            result = drop(result, need, "HTTP 404")
        else:
            result = resolve(result, need, body_of(need), need.url)

    assert [item.height_px for item in sets(result.presentation)[0].representations] == [360]
    assert result.presentation.duration == Fraction("5.504")
    assert [repair.what for repair in result.presentation.repairs] == [
        "the media playlist of variant-0 was left out: HTTP 404"
    ]


@pytest.mark.parametrize("body", [b"<html></html>", b"", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx", b"#EXTM3U\n"])
def test_a_need_answered_with_something_else_is_a_manifest_error(body: bytes) -> None:
    result = open_manifest("title.m3u8")

    with pytest.raises(ManifestSyntaxError):
        resolve(result, result.needs[0], body, URL)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["#EXTINF:,", "a.ts"], r"segment without duration .* \(at line 2\)"),
        (["#EXTINF:1,", "#EXT-X-BYTERANGE:many", "a.ts"], r"EXT-X-BYTERANGE 'many' is no range \(at line 4\)"),
        (["#EXT-X-MAP:BYTERANGE=1", "#EXTINF:1,", "a.ts"], r"EXT-X-MAP without URI \(at line 2\)"),
        (["#EXT-X-VERSION:3"], "neither variants nor segments"),
        (["#EXT-X-STREAM-INF:BANDWIDTH=1"], "lists no variant"),
    ],
)
def test_broken_playlists_name_the_line(lines: list[str], message: str) -> None:
    with pytest.raises(ManifestSyntaxError, match=message):
        playlist(*lines)


def test_a_remote_playlist_that_points_at_a_local_file_is_refused() -> None:
    with pytest.raises(UnsupportedManifestFeature, match=r"local files \(at line 3\)"):
        playlist("#EXTINF:1,", "file:///etc/passwd")


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    text = (FOLDER / "one_file.m3u8").read_text().replace("\n", "\r\n")

    result = read(text.encode("utf-8-sig"), URL + "one_file.m3u8")

    assert result == open_manifest("one_file.m3u8")


_TEXTS = [path.read_text() for path in sorted(FOLDER.glob("*.m3u8"))]
_VALUES = ("", "-1", "0", "1e9", "9" * 40, "nan", '"', ",", "=", "@", "5@", "https://[", "NONE", "\u0665")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_playlists_give_a_model_or_a_manifest_error(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(_TEXTS)).split("\n")
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        if data.draw(st.booleans()):
            cut = data.draw(st.sampled_from([index for index, mark in enumerate(line) if mark in ":=,@"] or [0])) + 1
            lines[at] = line[:cut] + data.draw(st.sampled_from(_VALUES) | st.text(max_size=6))
        else:
            lines[at : at + 1] = data.draw(st.lists(st.sampled_from(lines), max_size=2))
        lines = lines or [""]
    try:
        result = read("\n".join(lines), URL + "a.m3u8")
        for need in result.needs:
            body = data.draw(st.sampled_from(_TEXTS)).encode()
            result = resolve(result, need, body, need.url)
    except ManifestError:
        return
    assert result.presentation.periods
