"""Manifests of a given size for benchmarks and fuzzers: made by arithmetic, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

URL = "https://example.com/live/manifest"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def mpd(n_segments: int, *, is_live: bool = False, first: int = 0) -> str:
    """An MPD of one representation whose SegmentTimeline has an S for each segment, none like the one before."""
    entries = "".join(
        f'<S t="{90_000 * 2 * index}" d="{180_000 + (index % 2) * 3000}"/>'
        for index in range(first, first + n_segments)
    )
    live = (
        'type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT2S" '
        f'timeShiftBufferDepth="PT{2 * n_segments}S" publishTime="{stamp(first + n_segments)}"'
        if is_live
        else f'type="static" mediaPresentationDuration="PT{2 * n_segments}S"'
    )
    return (
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" id="m" minBufferTime="PT2S" '
        f'profiles="urn:mpeg:dash:profile:isoff-live:2011" {live}>'
        f'<PatchLocation ttl="60">patch.mpp</PatchLocation><Period id="0" start="PT0S">'
        '<AdaptationSet id="1" mimeType="video/mp4" contentType="video"><SegmentTemplate timescale="90000" '
        'startNumber="1" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s">'
        f"<SegmentTimeline>{entries}</SegmentTimeline></SegmentTemplate>"
        '<Representation id="v" bandwidth="3000000" codecs="avc1.64001f" width="1280" height="720" frameRate="30"/>'
        "</AdaptationSet></Period></MPD>\n"
    )


def mpd_patch(n_segments: int) -> str:
    """A patch that adds the segment after the first `n_segments` to the live MPD of that many."""
    timeline = "/MPD/Period[@id='0']/AdaptationSet[@id='1']/SegmentTemplate/SegmentTimeline"
    entry = f'<S t="{180_000 * n_segments}" d="{180_000 + (n_segments % 2) * 3000}"/>'
    return (
        f'<?xml version="1.0"?>\n<Patch xmlns="urn:mpeg:dash:schema:mpd-patch:2020" mpdId="m" '
        f'originalPublishTime="{stamp(n_segments)}" publishTime="{stamp(n_segments + 1)}">'
        f'<replace sel="/MPD/@publishTime">{stamp(n_segments + 1)}</replace>'
        f'<add sel="{timeline}">{entry}</add></Patch>\n'
    )


def stamp(n_segments: int) -> str:
    """When a live manifest with that many segments was published."""
    return (_BEGAN + timedelta(seconds=2 * n_segments)).strftime("%Y-%m-%dT%H:%M:%SZ")


def playlist(n_segments: int, *, is_live: bool = False, first: int = 0, with_dates: bool = False) -> str:
    """A media playlist."""
    tail = "" if is_live else "#EXT-X-ENDLIST\n"
    kind = "" if is_live else "#EXT-X-PLAYLIST-TYPE:VOD\n"
    return (
        f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:{first}\n{kind}"
        f'#EXT-X-MAP:URI="init.mp4"\n{"".join(_playlist_lines(first, n_segments, with_dates))}{tail}'
    )


def _playlist_lines(first: int, n_segments: int, with_dates: bool) -> Iterator[str]:
    for index in range(first, first + n_segments):
        if with_dates:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{(_BEGAN + timedelta(seconds=2 * index)).isoformat()}\n"
        yield f"#EXTINF:{2 + index % 3 / 1000:.3f},\nsegment-{index}.m4s\n"


def multivariant(n_variants: int, n_renditions: int) -> str:
    """A multivariant playlist."""
    renditions = "".join(
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="n{index}",LANGUAGE="l{index}",URI="a{index}.m3u8"\n'
        for index in range(n_renditions)
    )
    variants = "".join(
        f'#EXT-X-STREAM-INF:BANDWIDTH={100_000 + index},RESOLUTION=640x360,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"\n'
        f"v{index}.m3u8\n"
        for index in range(n_variants)
    )
    return f"#EXTM3U\n{renditions}{variants}"
