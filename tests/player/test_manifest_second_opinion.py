"""mpegdash and m3u8 read the same manifests: where they can say it, they must say what we say."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin

import m3u8
from hypothesis import given, settings
from mpegdash.parser import MPEGDASHParser

from cushion_player.manifest import read
from cushion_player.model import AdaptationSet, Representation, Segment
from tests.player.manifest_files import FOLDER
from tests.player.manifest_strategies import plain_mpds, plain_playlists

URL = "https://example.com/a/manifest"
MPDS = ("title.mpd", "templates.mpd", "two_periods.mpd")
PLAYLISTS = ("360p.m3u8", "audio.m3u8", "one_file.m3u8", "transport_stream.m3u8", "hls_keys.m3u8", "hls_dates.m3u8")

Node = Any
"""Neither library has types."""


# --------------------------------------------------------------------------- playlists


def check_playlist(text: str) -> None:
    theirs: Node = m3u8.loads(text, uri=URL)
    presentation = read(text, URL).presentation
    ours = presentation.periods[0].adaptation_sets[0].representations[0]

    assert [segment.address.url for segment in ours.segments] == [urljoin(URL, item.uri) for item in theirs.segments]
    assert [float(Fraction(segment.duration, ours.timescale)) for segment in ours.segments] == [
        item.duration for item in theirs.segments
    ]
    assert [segment.number for segment in ours.segments] == [
        (theirs.media_sequence or 0) + index for index in range(len(theirs.segments))
    ]
    assert [segment.is_gap for segment in ours.segments] == [bool(item.gap_tag) for item in theirs.segments]
    assert [key_of(segment) for segment in ours.segments] == [their_key(item) for item in theirs.segments]
    assert [map_of(segment, ours) for segment in ours.segments] == [their_map(item) for item in theirs.segments]
    assert [length_of(segment) for segment in ours.segments] == [
        int(item.byterange.split("@")[0]) if item.byterange else None for item in theirs.segments
    ]
    steps = [later.discontinuity - earlier.discontinuity for earlier, later in pairwise(ours.segments)]
    assert steps == [int(item.discontinuity) for item in theirs.segments[1:]]
    assert presentation.is_live != (theirs.is_endlist or theirs.playlist_type == "vod")


def key_of(segment: Segment) -> tuple[str, str, str | None] | None:
    """The last of the keys: the library keeps no other."""
    if not segment.keys:
        return None
    key = segment.keys[-1]
    return key.method, key.uri, key.iv.hex() if key.iv is not None else None


def their_key(item: Node) -> tuple[str, str, str | None] | None:
    key = item.key
    if key is None or key.method == "NONE":
        return None
    return key.method, urljoin(URL, key.uri), key.iv[2:].lower().rjust(32, "0") if key.iv else None


def map_of(segment: Segment, representation: Representation) -> str | None:
    init = segment.init or representation.init
    return init.address.url if init is not None else None


def their_map(item: Node) -> str | None:
    return urljoin(URL, item.init_section.uri) if item.init_section is not None else None


def length_of(segment: Segment) -> int | None:
    return segment.address.size_bytes


def test_m3u8_agrees_on_our_own_playlists() -> None:
    for name in PLAYLISTS:
        check_playlist((FOLDER / name).read_text(encoding="utf-8"))


@settings(max_examples=100, deadline=None)
@given(plain_playlists())
def test_m3u8_agrees_on_playlists_made_by_chance(text: str) -> None:
    check_playlist(text)


def test_m3u8_agrees_on_variants() -> None:
    text = (FOLDER / "title.m3u8").read_text(encoding="utf-8")

    theirs: Node = m3u8.loads(text, uri=URL)
    ours = read(text, URL).presentation.periods[0].adaptation_sets[0].representations

    assert {(item.source, item.peak_bitrate_bps, item.width_px, item.height_px) for item in ours} == {
        (urljoin(URL, item.uri), item.stream_info.bandwidth, *item.stream_info.resolution) for item in theirs.playlists
    }


# --------------------------------------------------------------------------- MPDs


def check_mpd(text: str) -> None:
    theirs: Node = MPEGDASHParser.parse(text)
    presentation = read(text, URL).presentation

    assert [period.id for period in presentation.periods] == [
        item.id if item.id is not None else str(index) for index, item in enumerate(theirs.periods)
    ]
    for period, their_period in zip(presentation.periods, theirs.periods, strict=True):
        for ours, their_set in zip(period.adaptation_sets, their_period.adaptation_sets, strict=True):
            check_set(ours, their_set)


def check_set(ours: AdaptationSet, theirs: Node) -> None:
    assert ours.language == (theirs.lang or "")
    assert list(ours.roles) == [role.value for role in theirs.roles or ()]
    assert [
        (item.id, item.declared_bitrate_bps, item.width_px, item.height_px, item.codecs)
        for item in ours.representations
    ] == [
        (
            item.id,
            item.bandwidth,
            item.width or theirs.width or 0,
            item.height or theirs.height or 0,
            codecs_of(item, theirs),
        )
        for item in theirs.representations
    ]
    for item, their_item in zip(ours.representations, theirs.representations, strict=True):
        level = their_item if their_item.segment_templates or their_item.segment_lists else theirs
        for kind in (level.segment_templates or []) + (level.segment_lists or []):
            is_closed = all((row.r or 0) >= 0 for rows in kind.segment_timelines or () for row in rows.Ss)
            if kind.segment_timelines and is_closed:  # it leaves open repetitions open
                spans = their_spans(kind)
                assert item.timescale == (kind.timescale or 1)
                offset = kind.presentation_time_offset or 0
                assert [(segment.start + offset, segment.duration) for segment in item.segments] == spans
            if getattr(kind, "segment_urls", None):
                urls = [urljoin(URL, url.media) for url in kind.segment_urls]
                assert [segment.address.url for segment in item.segments] == urls


def codecs_of(item: Node, parent: Node) -> str:
    found: str = item.codecs or parent.codecs or ""
    return found


def their_spans(kind: Node) -> list[tuple[int, int]]:
    """(time, duration) of what a SegmentTimeline lists."""
    spans: list[tuple[int, int]] = []
    time = 0
    for row in kind.segment_timelines[0].Ss:
        time = row.t if row.t is not None else time
        for _ in range((row.r or 0) + 1):
            spans.append((time, row.d))
            time += row.d
    return spans


def test_mpegdash_agrees_on_our_own_mpds() -> None:
    for name in MPDS:
        check_mpd((FOLDER / name).read_text(encoding="utf-8"))


@settings(max_examples=60, deadline=None)
@given(plain_mpds())
def test_mpegdash_agrees_on_mpds_made_by_chance(text: str) -> None:
    check_mpd(text)
