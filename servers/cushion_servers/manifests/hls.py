"""The HLS playlists, written through m3u8: a master and one media playlist a track, exact sizes as byte ranges."""

from __future__ import annotations

import math
from typing import Any, Final

import m3u8
from m3u8.model import InitializationSection, Media, MediaList, Playlist, Segment

from cushion_servers.manifests.description import (
    TO_ROOT,
    TitleDescription,
    VideoTrack,
    mean_bitrate_bps,
    peak_bitrate_bps,
    presented,
)
from cushion_servers.transcode.facts import StoredObject, TrackRecord

_VERSION: Final[Any] = 7  # RFC 8216: EXT-X-MAP outside I-frame playlists needs 6, fMP4 as written by packagers 7
_AUDIO_GROUP: Final = "audio"


def write_playlists(title: TitleDescription) -> dict[str, str]:
    """Playlists by file name, the media playlists first and `master.m3u8` last."""
    tracks = [track.record for track in title.video] + ([title.audio.record] if title.audio else [])
    playlists = {playlist_name(track): write_media(track) for track in tracks}
    return playlists | {"master.m3u8": write_master(title)}


def playlist_name(track: TrackRecord) -> str:
    return f"{track.track}.m3u8"


def write_media(track: TrackRecord) -> str:
    """The media playlist of a track: every segment a whole object, its size given as a byte range from 0."""
    spans = presented(track)
    playlist = m3u8.M3U8()
    playlist.version, playlist.playlist_type, playlist.is_endlist = _VERSION, "vod", True
    playlist.is_independent_segments = True
    playlist.target_duration = max(1, *(_rounded(duration / track.timescale) for _, duration, _ in spans))
    init = {"uri": TO_ROOT + track.init.name, "byterange": _range(track.init)}
    for start, duration, segment in spans:
        # Differences of rounded boundaries: durations rounded one by one would drift from the MPD's timeline.
        duration_us = _microseconds(start + duration, track.timescale) - _microseconds(start, track.timescale)
        entry = Segment(
            uri=TO_ROOT + segment.media.name, duration=duration_us / 1_000_000, byterange=_range(segment.media)
        )
        entry.init_section = InitializationSection("", **init)
        playlist.segments.append(entry)
    return str(playlist.dumps(infspec="microseconds"))


def write_master(title: TitleDescription) -> str:
    """The master playlist: one variant a rung, one audio group. BANDWIDTH is measured, audio included (RFC 8216)."""
    playlist = m3u8.M3U8()
    playlist.version, playlist.is_variant, playlist.is_independent_segments = _VERSION, True, True
    group = MediaList()
    if title.audio is not None:
        group.append(
            Media(
                uri=playlist_name(title.audio.record),
                type="AUDIO",
                group_id=_AUDIO_GROUP,
                language=title.audio.language,
                name="Sound" if title.audio.language == "und" else title.audio.language,
                default="YES",
                autoselect="YES",
                channels=str(title.audio.channels),
            )
        )
    for media in group:
        playlist.add_media(media)
    for track in title.video:
        playlist.add_playlist(_variant(title, track, group))
    return str(playlist.dumps())


def _variant(title: TitleDescription, track: VideoTrack, group: MediaList) -> Any:
    records = [track.record] + ([title.audio.record] if title.audio is not None else [])
    info = {
        "bandwidth": sum(peak_bitrate_bps(record, title.segment_s) for record in records),
        "average_bandwidth": sum(mean_bitrate_bps(record) for record in records),
        "codecs": ",".join(record.codecs for record in records),
        "resolution": f"{track.width_px}x{track.height_px}",
        "frame_rate": float(track.fps),
    }
    if group:
        info["audio"] = _AUDIO_GROUP
    return Playlist(uri=playlist_name(track.record), stream_info=info, media=group, base_uri="")


def _range(media: StoredObject) -> str:
    return f"{media.size_bytes}@0"


def _microseconds(ticks: int, timescale: int) -> int:
    """Nearest µs, halves up."""
    return (2 * ticks * 1_000_000 + timescale) // (2 * timescale)


def _rounded(duration_s: float) -> int:
    return math.floor(duration_s + 0.5)
