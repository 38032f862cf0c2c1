"""Manifests made by chance: well-formed ones both readers know, odd ones, and damage to any."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.player.manifest_files import FOLDER

GOLDEN = sorted(path.read_text(encoding="utf-8") for path in FOLDER.iterdir())

_words = st.text("abcdefgh-_0123456789", min_size=1, max_size=12)
_numbers = st.integers(0, 10**6)
_ODD = """
    0 -1 1e9 999999999999999999999999999999 NaN INF PT PT1S PT-5S P1Y 1/0 0/0 $ $$ $Number%999d$ ../.. // http://[ ? #
    true file:///etc/passwd urn:x \u00e9 2026-13-45T99:99:99Z 0x 0xZZ " , {$v} 1@ @1 5@9 0- -5 9-1
"""
_odd = st.sampled_from(["", "a b", *_ODD.split()])
_values = _odd | _words | _numbers.map(str)


# --------------------------------------------------------------------------- playlists


@st.composite
def plain_playlists(draw: st.DrawFn) -> str:
    """A correct media playlist of the tags every parser knows."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:20"]
    lines.append(f"#EXT-X-MEDIA-SEQUENCE:{draw(_numbers)}")
    with_map, with_keys, with_ranges = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    if with_map:
        lines.append('#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"')
    first_byte = 700
    for index in range(draw(st.integers(1, 12))):
        if index and draw(st.integers(0, 5)) == 0:
            lines.append("#EXT-X-DISCONTINUITY")
        if with_keys and draw(st.integers(0, 3)) == 0:
            iv = draw(st.integers(0, 2**128 - 1))
            lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="key{index}",IV=0x{iv:032x}')
        if draw(st.integers(0, 6)) == 0:
            lines.append("#EXT-X-GAP")
        if with_ranges:
            length = draw(st.integers(1, 10**6))
            lines.append(f"#EXT-X-BYTERANGE:{length}@{first_byte}")
            first_byte += length
        lines.append(f"#EXTINF:{draw(st.integers(1, 19_999)) / 1000:.3f},")
        lines.append(f"seg-{draw(_words)}.ts" if not with_ranges else "all.ts")
    if draw(st.booleans()):
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


_TAGS = """
    EXTINF EXT-X-BYTERANGE EXT-X-DISCONTINUITY EXT-X-KEY EXT-X-MAP EXT-X-PROGRAM-DATE-TIME EXT-X-GAP EXT-X-
    BITRATE EXT-X-PART EXT-X-DATERANGE EXT-X-SKIP EXT-X-PRELOAD-HINT EXT-X-RENDITION-REPORT EXT-X-MEDIA EXT-X-
    STREAM-INF EXT-X-I-FRAME-STREAM-INF EXT-X-SESSION-DATA EXT-X-SESSION-KEY EXT-X-CONTENT-STEERING EXT-X-DEFINE
    EXT-X-START EXT-X-TARGETDURATION EXT-X-PART-INF EXT-X-MEDIA-SEQUENCE EXT-X-DISCONTINUITY-SEQUENCE EXT-X-
    ENDLIST EXT-X-PLAYLIST-TYPE EXT-X-SERVER-CONTROL EXT-X-NEW
"""
_NAMES = """
    URI METHOD IV KEYFORMAT BYTERANGE DURATION INDEPENDENT GAP ID CLASS START-DATE END-DATE END-ON-NEXT X-ASSET-
    URI TYPE NAME VALUE GROUP-ID LANGUAGE BANDWIDTH AVERAGE-BANDWIDTH CODECS RESOLUTION FRAME-RATE AUDIO
    SUBTITLES SKIPPED-SEGMENTS PART-TARGET TIME-OFFSET CAN-BLOCK-RELOAD HOLD-BACK SERVER-URI PATHWAY-ID IMPORT
    QUERYPARAM LAST-MSN LAST-PART BYTERANGE-START DEFAULT
"""


@st.composite
def odd_playlists(draw: st.DrawFn) -> str:
    """Any tags in any order with any attributes."""
    lines = ["#EXTM3U"]
    for _ in range(draw(st.integers(0, 25))):
        if draw(st.booleans()):
            lines.append(f"#EXTINF:{draw(_values)},")
            lines.append(draw(_values))
            continue
        tag = draw(st.sampled_from(_TAGS.split()))
        named = draw(st.lists(st.tuples(st.sampled_from(_NAMES.split()), _values, st.booleans()), max_size=5))
        attributes = ",".join(
            f'{name}="{value}"' if is_quoted else f"{name}={value}" for name, value, is_quoted in named
        )
        lines.append(f"#{tag}:{attributes or draw(_values)}")
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


# --------------------------------------------------------------------------- MPDs


@st.composite
def plain_mpds(draw: st.DrawFn) -> str:
    """A correct static MPD of SegmentTemplates with SegmentTimelines."""
    sets: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        rows = draw(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 3)), min_size=1, max_size=8))
        timeline = "".join(f'<S d="{duration}" r="{repeat}"/>' for duration, repeat in rows)
        total = sum(duration * (repeat + 1) for duration, repeat in rows)
        kind, codecs = draw(st.sampled_from([("video", "avc1.64001f"), ("audio", "mp4a.40.2")]))
        representations = "".join(
            f'<Representation id="r{number}-{index}" bandwidth="{draw(st.integers(1, 10**7))}" codecs="{codecs}" '
            f'width="{draw(st.integers(1, 4000))}" height="{draw(st.integers(1, 4000))}"/>'
            for index in range(draw(st.integers(1, 3)))
        )
        sets.append(
            f'<AdaptationSet id="{number}" contentType="{kind}" mimeType="{kind}/mp4" lang="{draw(_words)}">'
            f'<SegmentTemplate timescale="{total}" startNumber="{draw(_numbers)}" '
            'initialization="$RepresentationID$.mp4" media="$RepresentationID$-$Number$.m4s">'
            f"<SegmentTimeline>{timeline}</SegmentTimeline></SegmentTemplate>{representations}</AdaptationSet>"
        )
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" minBufferTime="PT1S" '
        'profiles="urn:mpeg:dash:profile:isoff-live:2011" mediaPresentationDuration="PT1S">'
        f'<Period id="p">{"".join(sets)}</Period></MPD>'
    )


_ELEMENTS = """
    Period AdaptationSet Representation SegmentTemplate SegmentList SegmentBase SegmentTimeline S SegmentURL
    Initialization BaseURL Role Label EssentialProperty SupplementalProperty ContentProtection EventStream Event
    UTCTiming Location PatchLocation ServiceDescription Latency ContentSteering Preselection
    ProducerReferenceTime Resync InbandEventStream Accessibility x
"""
_ATTRIBUTES = """
    id start duration bandwidth width height frameRate mimeType codecs contentType lang media initialization
    timescale startNumber endNumber presentationTimeOffset t d r n k mediaRange indexRange range sourceURL
    schemeIdUri value availabilityTimeOffset availabilityTimeComplete presentationTime type
    availabilityStartTime minimumUpdatePeriod timeShiftBufferDepth ttl priority
"""


@st.composite
def _elements(draw: st.DrawFn, depth: int) -> str:
    name = draw(st.sampled_from(_ELEMENTS.split()))
    names = draw(st.lists(st.sampled_from(_ATTRIBUTES.split()), max_size=5, unique=True))
    attributes = "".join(f" {item}={_quoted(draw(_values))}" for item in names)
    inner = draw(_words) if draw(st.booleans()) else ""
    if depth:
        inner += "".join(draw(st.lists(_elements(depth - 1), max_size=4)))
    return f"<{name}{attributes}>{inner}</{name}>"


@st.composite
def odd_mpds(draw: st.DrawFn) -> str:
    """Any elements in any order with any attributes, within the usual frame or not."""
    inner = "".join(draw(st.lists(_elements(3), max_size=4)))
    if draw(st.booleans()):
        template = '<SegmentTemplate media="$Number$.m4s" duration="2"/>'
        inner = f"<Period duration='PT9S'><AdaptationSet mimeType='video/mp4'>{template}<Representation id='v'>{inner}"
        inner += "</Representation></AdaptationSet></Period>"
    kind = draw(st.sampled_from(["static", "dynamic", "odd"]))
    return f"<MPD type='{kind}' availabilityStartTime='2026-01-01T00:00:00Z'>{inner}</MPD>"


def _quoted(value: str) -> str:
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'"{escaped}"'


# --------------------------------------------------------------------------- damage


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """One of our own manifests with pieces removed, doubled, swapped for others or overwritten."""
    text = draw(st.sampled_from(GOLDEN))
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, max(0, len(text) - 1)))
        last = min(len(text), first + draw(st.integers(0, 200)))
        piece = draw(
            st.sampled_from(["", text[first:last] * 2, text[last : last + 50], "\0", "<", ">", "&", '"', "\n"])
            | _values
        )
        text = text[:first] + piece + text[last:]
    return text


anything = st.one_of(
    plain_playlists(),
    odd_playlists(),
    plain_mpds(),
    odd_mpds(),
    damaged(),
    st.binary(max_size=200),
    st.text(max_size=200),
)
"""A manifest, or what is sent in place of one."""
