from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_servers.manifests.dash import write_mpd
from cushion_servers.manifests.description import (
    AudioTrack,
    TitleDescription,
    VideoTrack,
    mean_bitrate_bps,
    peak_bitrate_bps,
    presented,
)
from cushion_servers.manifests.hls import write_master, write_media, write_playlists
from cushion_servers.store import content_name
from cushion_servers.transcode.facts import SegmentRecord, StoredObject, TrackRecord

NS = {"d": "urn:mpeg:dash:schema:mpd:2011"}


def stored(seed: str, size: int, suffix: str = ".m4s") -> StoredObject:
    return StoredObject(name=content_name(seed.encode(), suffix), size_bytes=size)


def track(name: str, timescale: int, durations: list[int], sizes: list[int], codecs: str, edit: int) -> TrackRecord:
    segments, at = list[SegmentRecord](), 0
    for k, (duration, size) in enumerate(zip(durations, sizes, strict=True)):
        segments.append(SegmentRecord(media=stored(f"{name}{k}", size), start=at, duration=duration))
        at += duration
    return TrackRecord(
        track=name,
        init=stored(name, 700, ".mp4"),
        timescale=timescale,
        edit_start=edit,
        codecs=codecs,
        segments=segments,
    )


LOW = track("video-360p", 12_800, [25_600, 25_600, 5_120], [100_000, 150_000, 60_000], "avc1.64001e", 1024)
HIGH = track("video-720p", 12_800, [25_600, 25_600, 5_120], [400_000, 300_000, 90_000], "avc1.64001f", 1024)
SOUND = track("audio-de-128k", 48_000, [97_280, 96_256, 19_456], [33_000, 32_000, 7_000], "mp4a.40.2", 1024)
TITLE = TitleDescription(
    video=(VideoTrack(LOW, 640, 360, Fraction(25)), VideoTrack(HIGH, 1280, 720, Fraction(25))),
    audio=AudioTrack(SOUND, "de", 48_000, 2),
    duration=Fraction(44, 10),
    segment_s=2.0,
)


def representations(mpd: str) -> dict[str, ET.Element]:
    return {each.attrib["id"]: each for each in ET.fromstring(mpd).iterfind(".//d:Representation", NS)}


def test_mpd_says_what_players_need() -> None:
    root = ET.fromstring(write_mpd(TITLE))

    assert {key: root.get(key) for key in ("type", "mediaPresentationDuration", "minBufferTime")} == {
        "type": "static",
        "mediaPresentationDuration": "PT4.4S",
        "minBufferTime": "PT2S",
    }
    video, audio = root.findall(".//d:AdaptationSet", NS)
    assert (video.get("contentType"), video.get("segmentAlignment"), video.get("startWithSAP")) == (
        "video",
        "true",
        "1",
    )
    assert (audio.get("contentType"), audio.get("lang")) == ("audio", "de")
    assert [role.get("value") for role in root.iterfind(".//d:Role", NS)] == ["main", "main"]
    high = representations(write_mpd(TITLE))["video-720p"]
    assert {key: high.get(key) for key in ("width", "height", "frameRate", "codecs", "bandwidth")} == {
        "width": "1280",
        "height": "720",
        "frameRate": "25",
        "codecs": "avc1.64001f",
        "bandwidth": "1600000",
    }


@pytest.mark.parametrize("record", [LOW, HIGH, SOUND])
def test_mpd_and_playlist_name_the_same_objects_with_the_same_sizes_and_times(record: TrackRecord) -> None:
    listed = representations(write_mpd(TITLE))[record.track].find("d:SegmentList", NS)
    playlist: Any = m3u8.loads(write_media(record))

    assert listed is not None
    assert listed.get("timescale") == str(record.timescale)
    urls = listed.findall("d:SegmentURL", NS)
    assert [url.get("media") for url in urls] == [segment.uri for segment in playlist.segments]
    sizes = [int((url.get("mediaRange") or "").removeprefix("0-")) + 1 for url in urls]
    assert [f"{size}@0" for size in sizes] == [segment.byterange for segment in playlist.segments]
    assert sizes == [segment.media.size_bytes for segment in record.segments]
    durations = [int(each.attrib["d"]) / record.timescale for each in listed.iterfind(".//d:S", NS)]
    assert durations == pytest.approx([segment.duration for segment in playlist.segments], abs=1e-6)


def test_timeline_has_one_entry_a_segment_and_no_repeat_attribute() -> None:
    for representation in representations(write_mpd(TITLE)).values():
        entries = representation.findall(".//d:S", NS)
        assert len(entries) == len(representation.findall(".//d:SegmentURL", NS))
        assert not any("r" in entry.attrib for entry in entries)


def test_priming_is_not_part_of_the_audio_timeline() -> None:
    spans = [(start, duration) for start, duration, _ in presented(SOUND)]

    assert spans == [(0, 96_256), (96_256, 96_256), (192_512, 19_456)]
    assert [start for start, _, _ in presented(HIGH)] == [0, 25_600, 51_200]


def test_master_playlist_declares_measured_rates_and_the_audio_group() -> None:
    master: Any = m3u8.loads(write_master(TITLE))

    infos = [variant.stream_info for variant in master.playlists]
    assert [info.resolution for info in infos] == [(640, 360), (1280, 720)]
    assert [info.codecs for info in infos] == ["avc1.64001e,mp4a.40.2", "avc1.64001f,mp4a.40.2"]
    assert [info.frame_rate for info in infos] == [25.0, 25.0]
    audio_peak, audio_mean = peak_bitrate_bps(SOUND, 2.0), mean_bitrate_bps(SOUND)
    assert [info.bandwidth - audio_peak for info in infos] == [600_000, 1_600_000]
    assert [info.average_bandwidth - audio_mean for info in infos] == [mean_bitrate_bps(LOW), mean_bitrate_bps(HIGH)]
    assert [(media.group_id, media.language, media.uri) for media in master.media] == [
        ("audio", "de", "audio-de-128k.m3u8")
    ]
    assert {variant.stream_info.audio for variant in master.playlists} == {"audio"}


def test_silent_title_has_neither_audio_set_nor_group() -> None:
    silent = replace(TITLE, audio=None)

    assert len(ET.fromstring(write_mpd(silent)).findall(".//d:AdaptationSet", NS)) == 1
    assert "AUDIO" not in write_master(silent)
    assert set(write_playlists(silent)) == {"video-360p.m3u8", "video-720p.m3u8", "master.m3u8"}


def test_media_playlist_is_complete_vod_with_a_sized_init() -> None:
    playlist: Any = m3u8.loads(write_media(HIGH))

    assert (playlist.is_endlist, playlist.playlist_type, playlist.target_duration) == (True, "vod", 2)
    assert playlist.segments[0].init_section.byterange == "700@0"
    assert playlist.segments[0].init_section.uri == "../../" + HIGH.init.name


def test_title_without_video_is_no_title() -> None:
    with pytest.raises(ValueError, match="at least one video rung"):
        replace(TITLE, video=())


@given(st.lists(st.tuples(st.integers(1, 60_000), st.integers(1, 10**7)), min_size=1, max_size=30))
def test_peak_is_never_below_the_mean(segments: list[tuple[int, int]]) -> None:
    durations, sizes = [list(column) for column in zip(*segments, strict=True)]
    record = track("video-1p", 12_800, durations, sizes, "avc1.640015", 0)

    assert peak_bitrate_bps(record, 2.0) >= mean_bitrate_bps(record) >= 0
