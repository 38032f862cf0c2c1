"""HLS multivariant playlists: sets, groups, pathways, variables, bitrates."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest import ReadResult, read, resolve
from cushion_player.manifest.hls import later_needs
from cushion_player.model import (
    AdaptationSet,
    Container,
    ContentKind,
    ContentSteering,
    Descriptor,
    Extra,
    Presentation,
    SessionData,
    Start,
    Tiles,
)
from tests.player.manifest_files import FOLDER, PLAYLISTS, URL, sets

AUDIO = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-BITRATE:128\n#EXTINF:4,\na.mp4\n#EXT-X-ENDLIST\n"
VIDEO = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nv.mp4\n#EXT-X-ENDLIST\n"


def opened() -> ReadResult:
    """As if it lay beside the others: its base is theirs."""
    return read((PLAYLISTS / "everything.m3u8").read_bytes(), URL + "everything.m3u8")


def everything() -> Presentation:
    return opened().presentation


def kinds(presentation: Presentation, kind: ContentKind) -> list[AdaptationSet]:
    return [item for item in sets(presentation) if item.kind is kind]


def variants(*lines: str) -> ReadResult:
    return read("\n".join(("#EXTM3U", *lines)), URL + "main.m3u8?token=abc")


def with_playlists(result: ReadResult, order: int = 0) -> Presentation:
    while result.needs:
        need = result.needs[order]
        body = AUDIO if "audio" in need.label else VIDEO
        result = resolve(result, need, body.encode(), need.url)
    return result.presentation


def test_pathways_of_one_variant_are_places_of_one_rung() -> None:
    video = kinds(everything(), ContentKind.VIDEO)[0]

    assert len(video.representations) == 1
    rung = video.representations[0]
    assert (rung.source, rung.pathway, rung.alternatives) == (URL + "b/720.m3u8", "b", (URL + "a/720.m3u8",))
    assert [(base.url, base.service_location) for base in rung.bases] == [
        (URL + "b/720.m3u8", "b"),
        (URL + "a/720.m3u8", "a"),
    ]


def test_pathways_of_one_rendition_are_places_of_one_representation() -> None:
    audio = kinds(everything(), ContentKind.AUDIO)[0]

    assert [(item.source, item.alternatives) for item in audio.representations] == [
        (URL + "b/en.m3u8", (URL + "a/en.m3u8",))
    ]
    assert (audio.representations[0].channels, audio.representations[0].sample_rate_hz) == ("2", 48000)


def test_a_variant_says_what_it_needs_of_screen_and_decoder() -> None:
    rung = kinds(everything(), ContentKind.VIDEO)[0].representations[0]

    assert (rung.score, rung.supplemental_codecs, rung.video_range) == (Fraction("2.5"), "dvh1.08.07/db4h", "PQ")
    assert (rung.stable_id, rung.frame_rate, rung.height_px) == ("v720", Fraction(50), 720)
    assert rung.extra == (Extra("HDCP-LEVEL", "TYPE-0"),)


def test_captions_in_the_video_are_described_as_in_dash() -> None:
    assert kinds(everything(), ContentKind.VIDEO)[0].captions_in_video == (
        Descriptor("urn:scte:dash:cc:cea-608:2015", "CC1=en", "English CC"),
        Descriptor("urn:scte:dash:cc:cea-708:2015", "3=lang:es", "Español"),
    )


def test_described_audio_and_forced_subtitles_are_sets_of_their_own() -> None:
    presentation = everything()

    assert [(item.label, item.roles) for item in kinds(presentation, ContentKind.AUDIO)] == [
        ("English", ("main",)),
        ("Described", ("alternate", "description")),
    ]
    assert [(item.language, item.is_forced, item.roles) for item in kinds(presentation, ContentKind.TEXT)] == [
        ("de", False, ("alternate",)),
        ("de", True, ("alternate", "forced-subtitle")),
    ]
    assert kinds(presentation, ContentKind.AUDIO)[1].accessibility == (
        Descriptor("characteristics", "public.accessibility.describes-video"),
    )


def test_iframes_and_images_are_sets_that_are_not_played() -> None:
    presentation = everything()
    main, angle, iframes = kinds(presentation, ContentKind.VIDEO)
    images = kinds(presentation, ContentKind.IMAGE)[0]

    assert (angle.label, angle.roles) == ("Pitch", ("alternate",))
    assert iframes.trick_of == (main.id,)
    assert iframes.representations[0].source == URL + "iframes.m3u8"
    assert images.representations[0].container is Container.IMAGE


def test_only_what_is_played_is_fetched_at_once() -> None:
    result = opened()

    now = [need.url.removeprefix(URL) for need in result.needs]
    later = [need.url.removeprefix(URL) for need in later_needs(result.presentation)]
    assert now == ["b/720.m3u8", "b/en.m3u8", "b/ad.m3u8"]
    assert later == ["de.m3u8", "de-forced.m3u8", "pitch.m3u8", "iframes.m3u8", "images.m3u8"]


def test_playlists_wanted_later_are_read_when_they_are() -> None:
    result = opened()
    need = later_needs(result.presentation)[-1]

    whole = resolve(ReadResult(result.presentation, (need,)), need, (FOLDER / "hls_images.m3u8").read_bytes(), need.url)

    images = kinds(whole.presentation, ContentKind.IMAGE)[0].representations[0]
    assert (len(images.segments), images.tiles) == (2, Tiles(5, 4, Fraction(3)))


def test_session_facts_are_kept() -> None:
    presentation = everything()

    assert presentation.session_data == (
        SessionData("com.example.title", "A film", "", "en"),
        SessionData("com.example.lyrics", "", URL + "lyrics.json"),
    )
    assert [(item.scheme, item.uri) for item in presentation.session_keys] == [("SAMPLE-AES", "skd://asset-1")]
    assert presentation.start == Start(Fraction(30))
    assert presentation.has_independent_segments
    assert presentation.steering == ContentSteering("https://steer.example.com/s?x=1", ("b",))
    assert presentation.extra == (Extra("EXT-X-EXAMPLE-UNKNOWN", "1"),)


# --------------------------------------------------------------------------- variables


def test_variables_are_put_into_urls_and_imported_by_media_playlists() -> None:
    result = read((PLAYLISTS / "define.m3u8").read_bytes(), URL + "hls_define.m3u8?token=x%2F1")
    media = (PLAYLISTS / "define_media.m3u8").read_bytes()

    assert [need.url for need in result.needs] == [
        "https://cdn.example.com/v1/video.m3u8?t=x/1",
        "https://cdn.example.com/v1/audio.m3u8?t=x/1",
    ]
    assert result.presentation.variables == (("host", "https://cdn.example.com/v1"), ("token", "x/1"))
    result = resolve(result, result.needs[0], media, result.needs[0].url)
    video = sets(result.presentation)[0].representations[0]
    assert video.segments[0].address.url == "https://cdn.example.com/v1/seg-x/1/0.mp4"
    assert video.init is not None
    assert video.init.address.url == "https://cdn.example.com/v1/seg-x/1/init.mp4"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["#EXT-X-STREAM-INF:BANDWIDTH=1", "{$nothing}.m3u8"], r"'nothing' is not defined \(at line 3\)"),
        (['#EXT-X-DEFINE:QUERYPARAM="other"'], r"no query parameter 'other' \(at line 2\)"),
        (['#EXT-X-DEFINE:IMPORT="other"'], r"'other' to import is not defined \(at line 2\)"),
    ],
)
def test_a_variable_that_is_not_there_is_an_error(lines: list[str], message: str) -> None:
    with pytest.raises(ManifestSyntaxError, match=message):
        variants(*lines, "#EXT-X-STREAM-INF:BANDWIDTH=1", "v.m3u8")


def test_variables_cannot_blow_a_playlist_up() -> None:
    definitions = ['#EXT-X-DEFINE:NAME="a0",VALUE="' + "x" * 1000 + '"']
    definitions += [f'#EXT-X-DEFINE:NAME="a{n}",VALUE="{f"{{$a{n - 1}}}" * 10}"' for n in range(1, 9)]

    with pytest.raises(ManifestSyntaxError, match="too long"):
        variants(*definitions, "#EXT-X-STREAM-INF:BANDWIDTH=1", "v.m3u8")


# --------------------------------------------------------------------------- bitrates


@pytest.mark.parametrize("order", [0, -1])
def test_a_rung_has_the_bitrate_of_its_video_alone(order: int) -> None:
    result = variants(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="E",URI="audio.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1500000,AVERAGE-BANDWIDTH=1128000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"',
        "v.m3u8",
    )

    presentation = with_playlists(result, order)

    rung = kinds(presentation, ContentKind.VIDEO)[0].representations[0]
    assert (rung.bitrate_bps, rung.declared_bitrate_bps, rung.peak_bitrate_bps) == (1_000_000, 1_128_000, 1_500_000)
    assert kinds(presentation, ContentKind.AUDIO)[0].representations[0].bitrate_bps == 128_000


def test_an_audio_playlist_that_is_a_variant_too_declares_its_bitrate() -> None:
    result = variants(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="E",URI="sound.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1096000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"',
        "v.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="mp4a.40.2",AUDIO="a"',
        "sound.m3u8",
    )
    while result.needs:
        result = resolve(result, result.needs[0], VIDEO.encode(), result.needs[0].url)

    video, audio = sets(result.presentation)
    assert [item.bitrate_bps for item in video.representations] == [1_000_000]
    assert [item.bitrate_bps for item in audio.representations] == [96_000]


def test_without_a_word_on_the_audio_the_declared_bitrate_stays() -> None:
    result = variants(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="E",URI="sound.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1096000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"',
        "v.m3u8",
    )
    while result.needs:
        result = resolve(result, result.needs[0], VIDEO.encode(), result.needs[0].url)

    assert sets(result.presentation)[0].representations[0].bitrate_bps == 1_096_000


def test_audio_that_the_default_rendition_carries_inside_makes_the_video_muxed() -> None:
    result = variants(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1096000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"',
        "v.m3u8",
    )
    video, audio = sets(result.presentation)

    assert (video.is_muxed, video.language, audio.language) == (True, "en", "de")


def test_redundant_variants_are_alternatives() -> None:
    result = variants(
        "#EXT-X-STREAM-INF:BANDWIDTH=1000000",
        "v.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=1000000",
        "https://backup.example.com/v.m3u8",
    )

    rung = sets(result.presentation)[0].representations[0]
    assert (rung.source, rung.alternatives) == (URL + "v.m3u8", ("https://backup.example.com/v.m3u8",))
    assert [base.url for base in rung.bases] == [URL + "v.m3u8", "https://backup.example.com/v.m3u8"]
