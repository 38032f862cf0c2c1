"""Thumbnails are found by time in every source they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from cushion_player import manifest
from cushion_player.errors import DecodeError
from cushion_player.model import Address
from cushion_player.text import Crop, Thumbnail, ThumbnailIndex

GOLDEN = Path(__file__).parents[2] / "golden" / "manifests"
URL = "https://example.com/title/main.mpd"
S = 1_000_000


def of_text(text: str, url: str = URL, height_px: int = 180) -> ThumbnailIndex:
    return ThumbnailIndex.of_presentation(manifest.read(text, url).presentation, height_px)


def dash(*representations: str, kind: str = "static", timing: str = 'duration="20"') -> str:
    return f"""<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="{kind}" mediaPresentationDuration="PT60S"
        profiles="urn:mpeg:dash:profile:isoff-live:2011">
      <Period start="PT0S" duration="PT30S"/><Period duration="PT30S"><AdaptationSet mimeType="image/jpeg">
        <SegmentTemplate media="$RepresentationID$/$Number$.jpg" {timing} startNumber="1"/>
        {"".join(representations)}
      </AdaptationSet></Period></MPD>"""


def tiles(name: str, width: int, height: int, layout: str) -> str:
    return f"""<Representation id="{name}" bandwidth="10000" width="{width}" height="{height}">
        <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="{layout}"/>
        </Representation>"""


def test_dash_tiles_are_found_by_time_within_their_period() -> None:
    index = of_text(dash(tiles("t", 800, 360, "5x2")))

    found = index.at(30 * S + 15 * S)

    assert found is not None
    assert found == Thumbnail(
        Address("https://example.com/title/t/1.jpg"), 44 * S, 46 * S, Crop(0.4, 0.5, 0.2, 0.5, is_share=True)
    )
    assert found.crop is not None
    assert found.crop.in_pixels(800, 360) == (320, 180, 160, 180)
    assert index.at(10 * S) is None
    assert index.at(61 * S) is None


def test_smallest_that_is_large_enough_is_chosen_else_the_largest() -> None:
    page = dash(tiles("large", 3200, 3600, "10x10"), tiles("small", 1600, 900, "10x10"), tiles("one", 320, 180, "1x1"))

    chosen = {
        height_px: found.address.url.split("/")[-2]
        for height_px in (90, 180, 200, 999)
        if (found := of_text(page, height_px=height_px).at(31 * S))
    }

    assert chosen == {90: "small", 180: "one", 200: "large", 999: "large"}


def test_hls_image_playlist_gives_tiles() -> None:
    index = ThumbnailIndex.of_presentation(
        manifest.read((GOLDEN / "hls_images.m3u8").read_bytes(), "https://example.com/a/i.m3u8").presentation
    )

    found = index.at(60 * S + 31 * S)

    assert found is not None
    assert found.address.url == "https://example.com/a/tiles-1.jpg"
    assert (found.start_us, found.end_us) == (90 * S, 93 * S)
    assert found.crop == Crop(0.0, 0.5, 0.2, 0.25, is_share=True)
    assert index.at(120 * S) is None


def test_without_images_i_frames_serve() -> None:
    master = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.64001f"
v.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,URI="i.m3u8",CODECS="avc1.64001f"
"""
    result = manifest.read(master, "https://example.com/m.m3u8")
    assert not ThumbnailIndex.of_presentation(result.presentation), "its playlist is not read yet"
    playlist = (GOLDEN / "hls_iframes.m3u8").read_bytes()
    video = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nv.mp4\n#EXT-X-ENDLIST\n"
    for need in [*result.needs, *manifest.later_needs(result.presentation)]:
        result = manifest.resolve(result, need, playlist if need.url.endswith("i.m3u8") else video, need.url)

    found = ThumbnailIndex.of_presentation(result.presentation).at(3 * S)

    assert found is not None
    assert found.is_video
    assert found.address == Address("https://example.com/all.mp4", (9000, 10099))
    assert found.init == Address("https://example.com/all.mp4", (0, 699))


def test_sprites_listed_in_webvtt_are_found() -> None:
    page = """WEBVTT

00:00.000 --> 00:05.000
sprite.jpg#xywh=0,0,160,90

00:05.000 --> 00:10.000
../other/sprite.jpg#xywh=percent:50,0,50,100

00:20.000 --> 00:25.000
whole.png

00:25.000 --> 00:30.000
javascript:alert(1)
"""
    index = ThumbnailIndex.of_vtt(page, "https://example.com/t/thumbs.vtt")

    assert index.at(0) == Thumbnail(Address("https://example.com/t/sprite.jpg"), 0, 5 * S, Crop(0, 0, 160, 90))
    assert index.at(7 * S) == Thumbnail(
        Address("https://example.com/other/sprite.jpg"), 5 * S, 10 * S, Crop(0.5, 0, 0.5, 1, is_share=True)
    )
    assert index.at(15 * S) is None
    whole = index.at(20 * S)
    assert whole is not None
    assert whole.crop is None
    assert index.at(26 * S) is None


@pytest.mark.parametrize(
    ("url", "is_listed"), [("https://example.com/thumbs.vtt", False), ("file:///t/thumbs.vtt", True)]
)
def test_only_a_list_on_the_disk_may_point_at_files(url: str, is_listed: bool) -> None:
    index = ThumbnailIndex.of_vtt("WEBVTT\n\n00:00.000 --> 00:05.000\nfile:///dev/zero\n", url)

    assert (index.at(0) is not None) is is_listed


def test_crop_stays_inside_the_picture() -> None:
    assert Crop(150, 80, 100, 100).in_pixels(200, 100) == (150, 80, 50, 20)
    assert Crop(500, 500, 10, 10).in_pixels(200, 100) == (199, 99, 1, 1)


def test_presentation_without_any_has_none_and_no_webvtt_is_told() -> None:
    index = of_text(dash())

    assert not index
    assert index.at(0) is None
    with pytest.raises(DecodeError):
        ThumbnailIndex.of_vtt("<html>", "https://example.com/")
