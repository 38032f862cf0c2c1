"""Repeat an encoded clip: the same segments again, at later decode times. Nothing is encoded twice."""

from __future__ import annotations

from cushion_servers.store import ObjectStore
from cushion_servers.transcode.facts import SegmentRecord, TrackRecord
from cushion_servers.transcode.fragments import with_times
from cushion_servers.transcode.package import store_segment


def repeated(track: TrackRecord, repeats: int, store: ObjectStore) -> TrackRecord:
    """The track played `repeats` times in a row. Each copy is an object of its own, because its times are inside."""
    run = sum(segment.duration for segment in track.segments)
    segments = list(track.segments)
    for k in range(1, repeats):
        for segment in track.segments:
            start = segment.start + k * run
            data = with_times(store.get(segment.media.name), decode_time=start, sequence=len(segments) + 1)
            segments.append(SegmentRecord(media=store_segment(store, data), start=start, duration=segment.duration))
    return TrackRecord(
        track=track.track,
        init=track.init,
        timescale=track.timescale,
        edit_start=track.edit_start,
        codecs=track.codecs,
        segments=segments,
    )
