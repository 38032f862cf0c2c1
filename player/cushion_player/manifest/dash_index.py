"""Segment indexes of single files (box sidx; cues of WebM): their byte ranges become segments."""

from __future__ import annotations

from dataclasses import replace

from cushion_player.boxes import read_sidx
from cushion_player.boxes.cues import CUES_MARK, EBML_MARK, NS_PER_S, read_cues
from cushion_player.errors import DecodeError, ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.guard import MAX_SEGMENTS
from cushion_player.manifest.reading import (
    Need,
    NeedKind,
    ReadResult,
    edit_representation,
    with_real_bitrate,
    without_need,
)
from cushion_player.model import Address, Presentation, Representation, Segment

INDEX_HEAD_BYTES = 64 * 1024
"""What is asked for of a nested index, whose reference also covers its media: room for 5,000 segments."""
MAX_WEBM_HEAD_BYTES = 4 * 1024 * 1024


def resolve_index(result: ReadResult, need: Need, body: bytes) -> ReadResult:
    """Put in the segments that an index lists; indexes that it lists (6.3.3 lets them nest) become needs."""
    first = need.byte_range[0] if need.byte_range else 0
    if body[:4] == CUES_MARK and need.byte_range is not None and first:
        return _with_whole_head(result, need, need.byte_range[1])
    if body[:4] == EBML_MARK:
        return _resolve_cues(result, need, body)
    try:
        index = read_sidx(body, file_position=first)
    except DecodeError as exc:
        raise ManifestSyntaxError(f"{need.label}: {exc}", location=need.url) from exc
    segments: list[Segment] = []
    deeper: list[Need] = []
    position, time = index.anchor, index.earliest
    for reference in index.references:
        span = (position, position + reference.size - 1)
        if reference.is_index and reference.size:
            head = min(reference.size, INDEX_HEAD_BYTES)
            deeper.append(replace(need, byte_range=(position, position + head - 1)))
        elif reference.size and reference.duration:
            segments.append(Segment(Address(need.url, span), time, reference.duration))
        position += reference.size
        time += reference.duration
    _check_count(result, need, len(segments) + len(deeper))

    def edit(representation: Representation) -> Representation:
        return with_real_bitrate(_indexed(representation, index.timescale, segments))

    presentation = edit_representation(result.presentation, need, edit)
    return without_need(presentation, replace(result, needs=(*result.needs, *deeper)), need)


def _with_whole_head(result: ReadResult, need: Need, last: int | None) -> ReadResult:
    """Ask again: positions in WebM count from an element in the head of the file, which has the duration too."""
    if last is None or last >= MAX_WEBM_HEAD_BYTES:
        what = f"cues of a WebM file beyond its first {MAX_WEBM_HEAD_BYTES} bytes"
        raise UnsupportedManifestFeature(what, location=need.url)
    more = replace(result, needs=(*result.needs, replace(need, byte_range=(0, last))))
    return without_need(result.presentation, more, need)


def _resolve_cues(result: ReadResult, need: Need, body: bytes) -> ReadResult:
    try:
        clusters = read_cues(body)
    except DecodeError as exc:
        raise ManifestSyntaxError(f"{need.label}: {exc}", location=need.url) from exc
    _check_count(result, need, len(clusters))
    segments = [
        Segment(
            Address(need.url, (cluster.start, cluster.end - 1 if cluster.end is not None else None)),
            cluster.time_ns,
            cluster.duration_ns,
        )
        for cluster in clusters
    ]

    def edit(representation: Representation) -> Representation:
        return with_real_bitrate(_indexed(representation, NS_PER_S, segments))

    return without_need(edit_representation(result.presentation, need, edit), result, need)


def _check_count(result: ReadResult, need: Need, more: int) -> None:
    count = sum(
        len(item.segments)
        for period in result.presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
    )
    if count + more + len(result.needs) > MAX_SEGMENTS:
        raise UnsupportedManifestFeature(f"more than {MAX_SEGMENTS} segments", location=need.url)


def _indexed(representation: Representation, timescale: int, found: list[Segment]) -> Representation:
    """The representation with more segments (times on the media timeline, in ticks of an index), in file order."""
    offset = (representation.time_offset or 0) * timescale // representation.timescale
    if representation.segments and timescale != representation.timescale:
        raise UnsupportedManifestFeature(
            "segment indexes of one file with different timescales", location=representation.source
        )
    moved = [segment._replace(start=segment.start - offset) for segment in found]
    ordered = sorted((*representation.segments, *moved), key=lambda segment: segment.address.byte_range or (0, None))
    numbered = tuple(segment._replace(number=number) for number, segment in enumerate(ordered, 1))
    return replace(representation, timescale=timescale, time_offset=offset, segments=numbered)


def carry_over(result: ReadResult, previous: Presentation) -> ReadResult:
    """Take segments that an earlier reading found in the same index, in place of asking for it again."""
    known = {
        (period.id, item.id, item.source): item
        for period in previous.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
        if item.source and item.segments
    }
    for need in result.needs:
        if need.kind is not NeedKind.SIDX:
            continue
        key = (result.presentation.periods[need.period].id, need.representation, need.url)
        old = known.get(key)
        if old is None:
            continue
        new = next(
            item
            for adaptation_set in result.presentation.periods[need.period].adaptation_sets
            for item in adaptation_set.representations
            if item.id == need.representation
        )
        if new.init != old.init:
            continue
        filled = replace(
            new,
            timescale=old.timescale,
            time_offset=old.time_offset,
            segments=old.segments,
            bitrate_bps=old.bitrate_bps,
        )
        presentation = edit_representation(result.presentation, need, lambda _, item=filled: item)  # type: ignore[misc]
        result = without_need(presentation, result, need)
    return result
