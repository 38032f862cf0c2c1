"""Texts made to be refused, or to cost as much as a text of their size can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.manifests import mpd, multivariant, playlist

SIZE_BYTES = 100_000
"""What a cost is counted for; a cost that grows with the square of the size shows here already."""

_LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(10))
HOSTILE_XML: dict[str, bytes] = {
    "a billion laughs": f"<?xml version='1.0'?><!DOCTYPE MPD [{_LAUGHS}]><MPD>&l9;</MPD>".encode(),
    "an external entity": b"<!DOCTYPE MPD [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><MPD>&x;</MPD>",
    "a DOCTYPE behind 1 MB of comment": b"<?xml version='1.0'?><!--" + b" " * 1_000_000 + b"--><!DOCTYPE MPD []><MPD/>",
    "100,000 levels": b"<MPD>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</MPD>",
    "a UTF-16 DOCTYPE": "\ufeff<!DOCTYPE MPD [<!ENTITY x 'y'>]><MPD>&x;</MPD>".encode("utf-16"),
    "a page": b"<!DOCTYPE html><html><body>" + b"<p>sign in</p>" * 50_000 + b"</body></html>",
}


class Case(NamedTuple):
    """A text that repeats a piece; `{i}` in it counts from 0."""

    name: str
    before: str
    piece: str
    after: str

    def text(self, size_bytes: int = SIZE_BYTES) -> bytes:
        """About that many bytes of it."""
        parts: list[str] = []
        length = 0
        for index in range(size_bytes):
            if length >= size_bytes:
                break
            parts.append(self.piece.replace("{i}", str(index)))
            length += len(parts[-1])
        return f"{self.before}{''.join(parts)}{self.after}".encode()


_HEAD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT60S">'
_SET = '<AdaptationSet mimeType="video/mp4">'
_TEMPLATE = '<SegmentTemplate media="$RepresentationID$-$Number$.m4s" duration="2"/>'
_ONE = "<Representation id='v'/>"
_IN_SET = f"{_HEAD}<Period>{_SET}"
_OUT = "</AdaptationSet></Period></MPD>"
_REST = f"<Period>{_SET}{_TEMPLATE}{_ONE}{_OUT}"
_TIMELINE = f"{_IN_SET}<SegmentTemplate media='$Time$'><SegmentTimeline>"
_TIMELINE_END = f"</SegmentTimeline></SegmentTemplate>{_ONE}{_OUT}"
_TEMPLATED = f"{_IN_SET}<SegmentTemplate duration='2' media='"
_TEMPLATED_END = f"'/>{_ONE}{_OUT}"
_MANY_S = "<S d='1'/>" * 1000
_MANY_PROTECTIONS = "<ContentProtection schemeIdUri='u'/>" * 1000
_LINES = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
_LAST = "#EXTINF:2,\na.ts\n"
_VARIANT = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,"

CASES = (
    Case("S that repeat", _TIMELINE, '<S d="1" r="9"/>', _TIMELINE_END),
    Case("S that are wrong", _TIMELINE, '<S t="x" d="-1" r="y"/>', _TIMELINE_END),
    Case("S out of order", _TIMELINE, '<S t="5" d="9"/><S t="1" d="1"/>', _TIMELINE_END),
    Case("representations", _IN_SET + _TEMPLATE, '<Representation id="{i}" bandwidth="{i}"/>', _OUT),
    Case("representations of one id", _IN_SET + _TEMPLATE, _ONE, _OUT),
    Case("representations with templates", _IN_SET, f'<Representation id="{{i}}">{_TEMPLATE}</Representation>', _OUT),
    Case("sets", f"{_HEAD}<Period>", f"{_SET}{_TEMPLATE}<Representation/></AdaptationSet>", "</Period></MPD>"),
    Case(
        "periods",
        _HEAD,
        f'<Period id="{{i}}" duration="PT1S">{_SET}{_TEMPLATE}<Representation/></AdaptationSet></Period>',
        "</MPD>",
    ),
    Case(
        "periods of one id",
        _HEAD,
        f'<Period id="p" duration="PT1S">{_SET}{_TEMPLATE}<Representation/></AdaptationSet></Period>',
        "</MPD>",
    ),
    Case("empty periods", _HEAD, "<Period/>", "</MPD>"),
    Case("base URLs", _HEAD, "<BaseURL>{i}/</BaseURL>", _REST),
    Case(
        "base URLs below base URLs",
        f'{_HEAD}<BaseURL>a/</BaseURL><BaseURL>b/</BaseURL><Period><BaseURL>c/</BaseURL>{_SET}<Representation id="v">',
        "<BaseURL>{i}/</BaseURL>",
        f"</Representation>{_OUT}",
    ),
    Case(
        "representations below base URLs",
        f"{_HEAD}{'<BaseURL>a/</BaseURL>' * 30}<Period>{'<BaseURL>b/</BaseURL>' * 30}{_SET}",
        '<Representation id="{i}"><BaseURL>{i}/</BaseURL></Representation>',
        _OUT,
    ),
    Case(
        "segment URLs",
        f'{_IN_SET}<SegmentList duration="1">',
        '<SegmentURL media="{i}"/>',
        f"</SegmentList>{_ONE}{_OUT}",
    ),
    Case(
        "segment URLs that go up",
        f'{_IN_SET}<SegmentList duration="1">',
        '<SegmentURL media="../{i}"/>',
        f"</SegmentList>{_ONE}{_OUT}",
    ),
    Case(
        "representations of one list",
        f'{_IN_SET}<SegmentList duration="1">{"<SegmentURL/>" * 1000}</SegmentList>',
        '<Representation id="{i}"/>',
        _OUT,
    ),
    Case(
        "representations of one timeline",
        f"{_TIMELINE}{_MANY_S}</SegmentTimeline></SegmentTemplate>",
        '<Representation id="{i}"/>',
        _OUT,
    ),
    Case(
        "events",
        f'{_HEAD}<Period><EventStream schemeIdUri="u">',
        '<Event presentationTime="{i}">x</Event>',
        f"</EventStream>{_SET}{_TEMPLATE}{_ONE}{_OUT}",
    ),
    Case("content protections", _IN_SET, '<ContentProtection schemeIdUri="urn:uuid:{i}"/>', f"{_TEMPLATE}{_ONE}{_OUT}"),
    Case(
        "references to protections",
        f"{_HEAD}<ContentProtection schemeIdUri='u' refId='k'/><Period>",
        f"{_SET}<ContentProtection ref='k'/>{_TEMPLATE}{_ONE}</AdaptationSet>",
        "</Period></MPD>",
    ),
    Case(
        "representations below protections",
        f"{_IN_SET}{_MANY_PROTECTIONS}{_TEMPLATE}",
        '<Representation id="{i}"/>',
        _OUT,
    ),
    Case(
        "essential properties",
        _IN_SET,
        '<EssentialProperty schemeIdUri="urn:{i}" value="1"/>',
        f"{_TEMPLATE}{_ONE}{_OUT}",
    ),
    Case("labels", _IN_SET, '<Label lang="en">{i}</Label>', f"{_TEMPLATE}{_ONE}{_OUT}"),
    Case("unknown elements", _HEAD, '<x y="z"/>', _REST),
    Case("unknown elements in a segment timeline", _TIMELINE, "<x/>", _TIMELINE_END),
    Case("unknown attributes", "<MPD", ' a{i}="b"', f">{_REST}"),
    Case("namespaces", "<MPD", ' xmlns:n{i}="urn:{i}"', f">{_REST}"),
    Case("character references", f"{_HEAD}<BaseURL>", "&#65;", f"</BaseURL>{_REST}"),
    Case(
        "remote elements",
        _HEAD,
        '<Period xmlns:l="http://www.w3.org/1999/xlink" l:href="{i}" l:actuate="onLoad"/>',
        "</MPD>",
    ),
    Case("a duration of digits", f'{_HEAD}<Period duration="PT', "9", f'S">{_SET}{_TEMPLATE}{_ONE}{_OUT}'),
    Case("a template of numbers", _TEMPLATED, "$Number$", _TEMPLATED_END),
    Case("a template of dollars", _TEMPLATED, "$", _TEMPLATED_END),
    Case("a template of braces", _TEMPLATED, "{", _TEMPLATED_END),
    Case("a comment of dashes", "<MPD><!--", "- ", "--></MPD>"),
    Case("unclosed elements", "<MPD>", "<a>", ""),
    Case("angle brackets", "<MPD>", "<", ""),
    Case("comments", "<MPD>", "<!---->", "</MPD>"),
    Case("comments before the root", "", "<!-- -->", "<MPD/>"),
    Case("spaces before the root", "", " \n", "<MPD/>"),
    Case("processing instructions", "", "<?a b?>", "<MPD/>"),
    Case("variants that are copies", "#EXTM3U\n", "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n", ""),
    Case(
        "variants of many groups",
        "#EXTM3U\n",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{i}",NAME="n",URI="{i}"\n#EXT-X-STREAM-INF:BANDWIDTH={i},AUDIO="{i}"\nv.m3u8\n',
        "",
    ),
    Case(
        "renditions of one name",
        "#EXTM3U\n",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="n",URI="{i}.m3u8"\n',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv\n',
    ),
    Case("keys", _LINES, '#EXT-X-KEY:METHOD=AES-128,URI="{i}",KEYFORMAT="f{i}"\n', _LAST),
    Case("keys and segments", _LINES, '#EXT-X-KEY:METHOD=AES-128,URI="{i}",KEYFORMAT="f{i}"\n#EXTINF:2,\na\n', ""),
    Case(
        "segments under a thousand keys",
        _LINES + "".join(f'#EXT-X-KEY:METHOD=AES-128,URI="{i}",KEYFORMAT="f{i}"\n' for i in range(1000)),
        _LAST,
        "",
    ),
    Case("maps", _LINES, '#EXT-X-MAP:URI="{i}"\n#EXTINF:2,\na\n', ""),
    Case("byte ranges", _LINES, "#EXT-X-BYTERANGE:1\n#EXTINF:2,\na\n", ""),
    Case("discontinuities", _LINES, "#EXT-X-DISCONTINUITY\n", _LAST),
    Case("discontinuities and segments", _LINES, "#EXT-X-DISCONTINUITY\n#EXTINF:2,\na\n", ""),
    Case(
        "dates far apart", _LINES, "#EXTINF:2,\na\n", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXTINF:2,\na\n"
    ),
    Case("parts", _LINES, '#EXT-X-PART:DURATION=1,URI="{i}"\n', ""),
    Case("preload hints", _LINES, '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{i}"\n', _LAST),
    Case("date ranges", _LINES, '#EXT-X-DATERANGE:ID="{i}",START-DATE="2026-01-01T00:00:00Z",X-A="b"\n', _LAST),
    Case("date ranges of one id", _LINES, '#EXT-X-DATERANGE:ID="x",START-DATE="2026-01-01T00:00:00Z"\n', _LAST),
    Case(
        "date ranges of one class",
        _LINES,
        '#EXT-X-DATERANGE:ID="{i}",CLASS="c",START-DATE="2026-01-01T00:00:00Z",END-ON-NEXT=YES\n',
        _LAST,
    ),
    Case(
        "interstitials",
        _LINES,
        '#EXT-X-DATERANGE:ID="{i}",CLASS="com.apple.hls.interstitial",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="{i}"\n',
        _LAST,
    ),
    Case("definitions", "#EXTM3U\n", '#EXT-X-DEFINE:NAME="v{i}",VALUE="x"\n', "#EXTINF:2,\n{$v1}.ts\n"),
    Case(
        "definitions that grow",
        '#EXTM3U\n#EXT-X-DEFINE:NAME="v",VALUE="ha"\n',
        '#EXT-X-DEFINE:NAME="v",VALUE="{$v}{$v}"\n',
        "#EXTINF:2,\n{$v}.ts\n",
    ),
    Case(
        "variables in use", '#EXTM3U\n#EXT-X-DEFINE:NAME="v",VALUE="' + "x" * 1000 + '"\n#EXTINF:2,\n', "{$v}", ".ts\n"
    ),
    Case(
        "variables in many URIs",
        '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-DEFINE:NAME="v",VALUE="' + "x" * 10_000 + '"\n',
        "#EXTINF:2,\n{$v}\n",
        "",
    ),
    Case("unknown tags", _LINES, "#EXT-X-UNKNOWN:A=B\n", _LAST),
    Case("unknown tags and segments", _LINES, "#EXT-X-UNKNOWN:A=B\n#EXTINF:2,t\na\n", ""),
    Case("comments of a playlist", "#EXTM3U\n", "# x\n", _LAST),
    Case("attributes", _VARIANT, "A{i}=B,", "\nv.m3u8\n"),
    Case("quotes without an end", _VARIANT, 'A="', "\nv.m3u8\n"),
    Case("names without values", _VARIANT, "A-", "\nv.m3u8\n"),
    Case("spaces in an attribute list", _VARIANT, " ", "\nv.m3u8\n"),
    Case("codecs", '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="', "avc1.{i},", '"\nv.m3u8\n'),
    Case("a duration of many digits", "#EXTM3U\n#EXTINF:", "9", ",\na\n"),
    Case("a duration of many decimals", _LINES + "#EXTINF:1.", "9", ",\na\n"),
    Case("a date of many digits", _LINES + "#EXT-X-PROGRAM-DATE-TIME:", "9", "\n" + _LAST),
    Case("empty lines", "#EXTM3U\n", "\n", _LAST),
    Case("carriage returns", "#EXTM3U\n", "\r", _LAST),
    Case("URIs that go up", _LINES, "#EXTINF:2,\n../../a\n", ""),
    Case("a URI of dots", "#EXTM3U\n#EXTINF:2,\n", "../", "a\n"),
)


def worst_cases() -> Iterator[tuple[str, bytes]]:
    """Named texts of about SIZE_BYTES each."""
    yield "S without repetition", mpd(3_000).encode()
    yield "a playlist", playlist(3_000).encode()
    yield "a playlist with dates", playlist(1_300, with_dates=True).encode()
    yield "variants", multivariant(1_000, 10).encode()
    yield "renditions", multivariant(10, 1_000).encode()
    for case in CASES:
        yield case.name, case.text()
