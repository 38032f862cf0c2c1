"""One muxer run per chunk and rung: from encoder packets to a checked init segment and CMAF segments.

The movflags were found by trial against ffprobe, mpv, hls.js, dash.js and shaka: `dash+delay_moov` writes the edit list
that takes the B-frame delay off again (others show video two frames late in FFmpeg), `frag_discont` keeps decode times
absolute, `skip_trailer` leaves no random access index behind. The muxer's sidx is dropped.
"""

from __future__ import annotations

import io
from typing import Final

import av
from av.container import OutputContainer

from cushion_servers.errors import PackagingError
from cushion_servers.store import ObjectStore, content_name
from cushion_servers.transcode.facts import SegmentRecord, StoredObject, TrackRecord
from cushion_servers.transcode.fragments import MuxedParts, read_init, read_segment

_MOVFLAGS: Final = "+dash+delay_moov+frag_keyframe+default_base_moof+skip_trailer"


def open_muxer(buffer: io.BytesIO, first_index: int, *, absolute: bool = True) -> OutputContainer:
    """An mp4 muxer into `buffer` whose first fragment is number `first_index` (0-based) of its track.

    absolute: decode times are the packets' own. Off for the first audio segment alone: only then does the muxer write
    the edit list that takes the encoder's priming off.
    """
    flags = _MOVFLAGS + "+frag_discont" * absolute
    options = {"movflags": flags, "fragment_index": str(first_index + 1)}
    return av.open(buffer, "w", format="mp4", options=options)


def store_video(
    store: ObjectStore, track: str, parts: MuxedParts, *, first_frame: int, frames: list[int], ticks_per_frame: int
) -> TrackRecord:
    """Check a muxed video chunk against its frame grid and store it. `frames` are the frame counts of its segments.

    Raises PackagingError when a segment is missing, does not start with an IDR picture, or lies elsewhere on the grid.
    """
    if len(parts.segments) != len(frames):
        raise PackagingError(f"{track}: {len(parts.segments)} segments were muxed where {len(frames)} belong.")
    records = list[SegmentRecord]()
    at_frame = first_frame
    for data, count in zip(parts.segments, frames, strict=True):
        facts = read_segment(data, video=True)
        seen = (facts.decode_time, facts.duration, facts.sample_count, facts.starts_with_idr)
        if seen != (at_frame * ticks_per_frame, count * ticks_per_frame, count, True):
            raise PackagingError(f"{track}: the segment at frame {at_frame} is off its grid: {seen}.")
        records.append(
            SegmentRecord(media=store_segment(store, data), start=facts.decode_time, duration=facts.duration)
        )
        at_frame += count
    return store_track(store, track, parts.init, records)


def store_track(store: ObjectStore, track: str, init: bytes, segments: list[SegmentRecord]) -> TrackRecord:
    """Store an init segment and describe it together with its segments."""
    facts = read_init(init)
    return TrackRecord(
        track=track,
        init=_stored(store, init, ".mp4"),
        timescale=facts.timescale,
        edit_start=facts.edit_start,
        codecs=facts.codecs,
        segments=segments,
    )


def store_segment(store: ObjectStore, data: bytes) -> StoredObject:
    """Store a media segment under its content name; a second time is a no-op."""
    return _stored(store, data, ".m4s")


def _stored(store: ObjectStore, data: bytes, suffix: str) -> StoredObject:
    name = content_name(data, suffix)
    store.put_if_absent(name, data)
    return StoredObject(name=name, size_bytes=len(data))


def joined(chunks: list[TrackRecord]) -> TrackRecord:
    """The whole track from its chunks in order; raises PackagingError at a gap or where the init segment differs."""
    first = chunks[0]
    segments = [segment for chunk in chunks for segment in chunk.segments]
    for chunk in chunks:
        if chunk.init != first.init or chunk.track != first.track:
            raise PackagingError(f"{first.track}: a chunk was encoded with another init segment.")
    at = segments[0].start
    for segment in segments:
        if segment.start != at:
            raise PackagingError(f"{first.track}: a gap before tick {segment.start}.")
        at += segment.duration
    return TrackRecord(
        track=first.track,
        init=first.init,
        timescale=first.timescale,
        edit_start=first.edit_start,
        codecs=first.codecs,
        segments=segments,
    )
