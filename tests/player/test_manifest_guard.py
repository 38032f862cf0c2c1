from __future__ import annotations

import time

import pytest

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest import read
from cushion_player.manifest.guard import Base, Notation, check_text

MPD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>'


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><html></html>",
        "<html><body>Not found</body></html>",
        '\n<!-- proxy -->\n<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">',
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
    ],
)
def test_an_html_page_is_called_one(page: str) -> None:
    with pytest.raises(ManifestSyntaxError, match="this is an HTML page, not a manifest"):
        read(page, "https://example.com/a.mpd")


@pytest.mark.parametrize("text", ["", "  \n\n", "\ufeff", b"", b"\xef\xbb\xbf\n"])
def test_empty_text_is_called_empty(text: str | bytes) -> None:
    with pytest.raises(ManifestSyntaxError, match="the manifest is empty"):
        read(text, "https://example.com/a.mpd")


def test_other_text_is_called_neither() -> None:
    with pytest.raises(ManifestSyntaxError, match="neither an MPD nor an HLS playlist: it begins with"):
        read('{"error"\n: 1}', "https://example.com/a.mpd")


@pytest.mark.parametrize("text", [b"\x00\x01\x02\xff\xfe", b"\x89PNG\r\n\x1a\n", b"\xff\xfe\x00"])
def test_binary_data_is_refused(text: bytes) -> None:
    with pytest.raises(ManifestSyntaxError):
        read(text, "https://example.com/a.mpd")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read(encoding: str) -> None:
    assert check_text(MPD.encode(encoding), "") == (Notation.DASH, MPD)


def test_a_declared_encoding_is_read() -> None:
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?><!-- é -->{MPD}'

    assert check_text(text.encode("latin-1"), "") == (Notation.DASH, text)


def test_entity_expansion_is_refused_unexpanded_with_its_line() -> None:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(20))  # 10**21 characters
    bomb = f'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{entities}'

    with pytest.raises(ManifestSyntaxError, match=r"DOCTYPE declarations are refused in a manifest \(at line 2\)"):
        read(bomb + f"]>{MPD}", "https://example.com/a.mpd")


def test_text_past_the_limit_is_refused() -> None:
    with pytest.raises(ManifestSyntaxError, match="longer than 32 MiB"):
        read("#EXTM3U\n" + " " * (32 << 20), "https://example.com/a.m3u8")


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("https://h/a/b.mpd?token=1", "c.m4s", "https://h/a/c.m4s"),
        ("https://h/a/b.mpd", "../c.m4s", "https://h/c.m4s"),
        ("https://h/a/b.mpd", "x/./c.m4s", "https://h/a/x/c.m4s"),
        ("https://h/a/b.mpd", "/c.m4s", "https://h/c.m4s"),
        ("https://h/a/b.mpd", "//cdn/c.m4s", "https://cdn/c.m4s"),
        ("https://h/a/b.mpd", "http://cdn/c.m4s", "http://cdn/c.m4s"),
        ("https://h/a/b.mpd", "?x=1", "https://h/a/b.mpd?x=1"),
        ("https://h/a/", "s:eg/c.m4s?x=/../y", None),
        ("https://h/a/b/", "c.m4s?x=1#t", "https://h/a/b/c.m4s?x=1#t"),
        ("https://h", "c.m4s", "https://h/c.m4s"),
        ("file:///srv/a.mpd", "c.m4s", "file:///srv/c.m4s"),
        ("https://h/a.mpd", "data:video/mp4;base64,AAAA", "data:video/mp4;base64,AAAA"),
        ("data:application/dash+xml;base64,AA/AA/AA", "https://h/c.m4s", "https://h/c.m4s"),
    ],
)
def test_references_resolve_as_in_rfc_3986(base: str, reference: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(UnsupportedManifestFeature, match="scheme 's'"):
            Base(base).resolve(reference, "here")
    else:
        assert Base(base).resolve(reference, "here") == expected


@pytest.mark.parametrize("url", ["https://h/a.mpd", "http://h/a.mpd", "data:,x"])
def test_a_remote_manifest_may_not_point_at_local_files(url: str) -> None:
    with pytest.raises(UnsupportedManifestFeature, match="may not point at local files"):
        Base(url).resolve("file:///etc/passwd", "here")


def test_a_base_url_does_not_widen_what_a_remote_manifest_may_reach() -> None:
    remote = Base("https://h/a.mpd").child("https://other/", "here")

    with pytest.raises(UnsupportedManifestFeature):
        remote.resolve("file:///etc/passwd", "here")


@pytest.mark.parametrize("reference", ["ftp://h/x", "javascript:1", "http://[::1"])
def test_other_schemes_and_broken_urls_are_refused(reference: str) -> None:
    with pytest.raises((UnsupportedManifestFeature, ManifestSyntaxError), match="here"):
        Base("https://h/a.mpd").resolve(reference, "here")


def test_thousands_of_comments_before_the_root_cost_no_more_than_their_length() -> None:
    started_s = time.process_time()

    with pytest.raises(UnsupportedManifestFeature):
        read("<!-- -->" * 10_000 + "<MPD/>", "https://example.com/a.mpd")

    assert time.process_time() - started_s < 2  # it once took time that doubled with every comment


def test_a_long_line_below_a_long_base_is_read_or_refused_with_its_place() -> None:
    base = f"https://example.com/{'a' * 60_000}/x.m3u8"
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{'b' * 10_000}.ts\n"

    (segment,) = read(text, base).presentation.periods[0].adaptation_sets[0].representations[0].segments

    assert segment.address.url.endswith("b.ts")


def test_digits_and_spaces_that_only_unicode_knows_are_no_crash() -> None:
    lines = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\x1d\n#EXTINF:2,\na.ts\n"
    tiles = "<EssentialProperty schemeIdUri='http://dashif.org/guidelines/thumbnail_tile' value='²x²'/>"
    thumbnails = (
        "<MPD><Period duration='PT4S'><AdaptationSet mimeType='image/jpeg'>"
        "<SegmentTemplate media='$Number$' duration='2'/>"
        f"<Representation id='t'>{tiles}</Representation></AdaptationSet></Period></MPD>"
    )

    playlist = read(lines, "https://e.com/a.m3u8").presentation

    assert playlist.periods[0].adaptation_sets[0].representations[0].segments[0].number == 100
    assert read(thumbnails, "https://e.com/a.mpd").presentation.repairs
