"""The MPD, written through mpegdash: static, SegmentList with a SegmentTimeline, exact sizes as media ranges."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final
from xml.etree import ElementTree as ET

from mpegdash import nodes
from mpegdash.parser import MPEGDASHParser

from cushion_servers.manifests.description import (
    TO_ROOT,
    AudioTrack,
    TitleDescription,
    VideoTrack,
    peak_bitrate_bps,
    presented,
    whole_range,
)
from cushion_servers.transcode.facts import TrackRecord

_NAMESPACE: Final = "urn:mpeg:dash:schema:mpd:2011"
_PROFILE: Final = "urn:mpeg:dash:profile:isoff-main:2011"
_ROLE_SCHEME: Final = "urn:mpeg:dash:role:2011"
_CHANNELS_SCHEME: Final = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"

Node = Any
"""mpegdash has no types: its nodes are attribute bags."""


def write_mpd(title: TitleDescription) -> str:
    """The MPD of a title, to be served from `titles/<title_id>/`."""
    mpd: Node = nodes.MPEGDASH()
    mpd.xmlns, mpd.type, mpd.profiles = _NAMESPACE, "static", _PROFILE
    mpd.media_presentation_duration = _duration(title.duration)
    mpd.min_buffer_time = _duration(Fraction(title.segment_s).limit_denominator(1000))
    mpd.max_segment_duration = _duration(_longest(title))
    period: Node = nodes.Period()
    period.id, period.start = "0", "PT0S"
    period.duration = mpd.media_presentation_duration
    period.adaptation_sets = [_video_set(title)]
    if title.audio is not None:
        period.adaptation_sets.append(_audio_set(title.audio, title.segment_s))
    mpd.periods = [period]
    document = MPEGDASHParser.get_as_doc(mpd).toxml()
    return _completed(document)


def _video_set(title: TitleDescription) -> Node:
    largest = title.video[-1]
    video: Node = nodes.AdaptationSet()
    video.id, video.content_type, video.mime_type = "1", "video", "video/mp4"
    video.segment_alignment, video.start_with_sap = True, 1
    video.max_width, video.max_height = largest.width_px, largest.height_px
    video.max_frame_rate = _rate(largest.fps)
    video.roles = [_descriptor(_ROLE_SCHEME, "main")]
    video.representations = [_video_representation(track, title.segment_s) for track in title.video]
    return video


def _audio_set(track: AudioTrack, segment_s: float) -> Node:
    audio: Node = nodes.AdaptationSet()
    audio.id, audio.content_type, audio.mime_type, audio.lang = "2", "audio", "audio/mp4", track.language
    audio.segment_alignment, audio.start_with_sap = True, 1
    audio.roles = [_descriptor(_ROLE_SCHEME, "main")]
    representation = _representation(track.record, segment_s)
    representation.audio_sampling_rate = str(track.sample_rate_hz)
    representation.audio_channel_configurations = [_descriptor(_CHANNELS_SCHEME, str(track.channels))]
    audio.representations = [representation]
    return audio


def _video_representation(track: VideoTrack, segment_s: float) -> Node:
    representation = _representation(track.record, segment_s)
    representation.width, representation.height = track.width_px, track.height_px
    representation.frame_rate, representation.sar = _rate(track.fps), "1:1"
    return representation


def _representation(track: TrackRecord, segment_s: float) -> Node:
    representation: Node = nodes.Representation()
    representation.id, representation.codecs = track.track, track.codecs
    representation.bandwidth = peak_bitrate_bps(track, segment_s)
    segments: Node = nodes.SegmentList()
    segments.timescale = track.timescale
    init: Node = nodes.URL()
    init.source_url, init.range = TO_ROOT + track.init.name, whole_range(track.init.size_bytes)
    segments.initializations = [init]
    segments.segment_timelines = [_timeline(track)]
    segments.segment_urls = []
    for segment in track.segments:
        url: Node = nodes.SegmentURL()
        url.media, url.media_range = TO_ROOT + segment.media.name, whole_range(segment.media.size_bytes)
        segments.segment_urls.append(url)
    representation.segment_lists = [segments]
    return representation


def _timeline(track: TrackRecord) -> Node:
    """One S a segment, never @r: dash.js 5.2 looks SegmentURLs up by S element and would play the first for ever."""
    timeline: Node = nodes.SegmentTimeline()
    timeline.Ss = []
    for start, duration, _ in presented(track):
        entry: Node = nodes.S()
        entry.t, entry.d = (None if timeline.Ss else start), duration
        timeline.Ss.append(entry)
    return timeline


def _descriptor(scheme: str, value: str) -> Node:
    descriptor: Node = nodes.Descriptor()
    descriptor.scheme_id_uri, descriptor.value = scheme, value
    return descriptor


def _completed(document: str) -> str:
    """What mpegdash cannot write: attributes it does not know, and the order the schema wants inside SegmentList."""
    ET.register_namespace("", _NAMESPACE)
    root = ET.fromstring(document)
    for segment_list in root.iter(f"{{{_NAMESPACE}}}SegmentList"):
        segment_list[:] = sorted(segment_list, key=lambda child: child.tag.endswith("SegmentURL"))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _longest(title: TitleDescription) -> Fraction:
    records = [track.record for track in title.video] + ([title.audio.record] if title.audio else [])
    return max(Fraction(segment.duration, record.timescale) for record in records for segment in record.segments)


def _rate(fps: Fraction) -> str:
    return str(fps.numerator) if fps.denominator == 1 else f"{fps.numerator}/{fps.denominator}"


def _duration(seconds: Fraction) -> str:
    """ISO 8601, milliseconds at most; rounded up, so that no last frame is cut off."""
    milliseconds = -(-seconds.numerator * 1000 // seconds.denominator)
    return f"PT{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + "S"
