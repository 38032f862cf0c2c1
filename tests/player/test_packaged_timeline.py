"""One title, written by our packager as an MPD and as playlists: both must be read as one timeline."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.manifest import ReadResult, read, resolve
from cushion_player.model import Presentation
from cushion_player.planning.addressing import PlaybackPlan, plan_playback
from cushion_player.timeline import Track, TrackKind
from cushion_servers.manifests.dash import write_mpd
from cushion_servers.manifests.description import MASTER_NAME, AudioTrack, TitleDescription, VideoTrack
from cushion_servers.manifests.hls import write_playlists
from cushion_servers.store import content_name
from cushion_servers.transcode.facts import SegmentRecord, StoredObject, TrackRecord

URL = "https://example.com/media/titles/t/"
HEIGHTS = (360, 540, 720)
Spans = list[tuple[int, int]]
"""(duration in ticks, size in bytes) of each segment."""


def stored(seed: str, size_bytes: int, suffix: str) -> StoredObject:
    return StoredObject(name=content_name(seed.encode(), suffix), size_bytes=size_bytes)


def track(name: str, timescale: int, spans: Spans, codecs: str, edit: int, scale: int = 1) -> TrackRecord:
    segments: list[SegmentRecord] = []
    at = 0
    for index, (duration, size) in enumerate(spans):
        segments.append(
            SegmentRecord(media=stored(f"{name}{index}", size * scale, ".m4s"), start=at, duration=duration)
        )
        at += duration
    init = stored(name, 700, ".mp4")
    return TrackRecord(track=name, init=init, timescale=timescale, edit_start=edit, codecs=codecs, segments=segments)


def title(video: Spans, audio: Spans | None, timescale: int, rungs: int) -> TitleDescription:
    tracks = tuple(
        VideoTrack(track(f"video-{height}p", timescale, video, "avc1.64001f", 1024, rung + 1), 16, height, Fraction(30))
        for rung, height in enumerate(HEIGHTS[:rungs])
    )
    sound = None
    if audio is not None:
        sound = AudioTrack(track("audio-en-128k", 48_000, audio, "mp4a.40.2", 1024), "en", 48_000, 2)
    duration = Fraction(sum(ticks for ticks, _ in video), timescale)
    return TitleDescription(tracks, sound, duration, float(Fraction(video[0][0], timescale)))


def read_mpd(described: TitleDescription) -> Presentation:
    result = read(write_mpd(described), URL + "manifest.mpd")
    assert not result.needs
    return result.presentation


def read_playlists(described: TitleDescription) -> Presentation:
    texts = write_playlists(described)
    result: ReadResult = read(texts[MASTER_NAME], URL + MASTER_NAME)
    while result.needs:
        need = result.needs[0]
        result = resolve(result, need, texts[need.url.removeprefix(URL)].encode(), need.url)
    return result.presentation


def addresses(plan: PlaybackPlan, track: Track) -> list[object]:
    return [
        plan.segment_address(track.key, index, rung)
        for rung in range(len(track.rungs))
        for index in range(track.n_segments)
    ]


sizes = st.integers(10_000, 5_000_000)
frames = st.integers(30, 240)


@settings(max_examples=60)
@given(
    video=st.lists(st.tuples(frames, sizes), min_size=1, max_size=30),
    audio=st.none() | st.lists(st.tuples(st.integers(40, 110), sizes), min_size=1, max_size=30),
    clock=st.sampled_from([(30_000, 1001), (12_800, 512), (90_000, 3003), (24_000, 1000)]),
    rungs=st.integers(1, len(HEIGHTS)),
)
def test_dash_and_hls_of_one_title_give_one_timeline(
    video: Spans, audio: Spans | None, clock: tuple[int, int], rungs: int
) -> None:
    timescale, frame = clock
    described = title(
        [(count * frame, size) for count, size in video],
        None if audio is None else [(count * 1024, size) for count, size in audio],
        timescale,
        rungs,
    )

    dash, hls = plan_playback(read_mpd(described)), plan_playback(read_playlists(described))

    for kind in (TrackKind.VIDEO, TrackKind.AUDIO):
        ours, theirs = dash.timeline.first(kind), hls.timeline.first(kind)
        if ours is None or theirs is None:
            assert ours is theirs
            continue
        assert ours.start_us == theirs.start_us
        assert ours.sizes_bytes == theirs.sizes_bytes
        # Bits over seconds, in whole bit/s: EXTINF has seconds to a µs only.
        assert [rung.bitrate_bps for rung in ours.rungs] == pytest.approx(
            [rung.bitrate_bps for rung in theirs.rungs], rel=1e-5, abs=1
        )
        assert [rung.height_px for rung in ours.rungs] == [rung.height_px for rung in theirs.rungs]
        assert addresses(dash, ours) == addresses(hls, theirs)
        assert [dash.init_address(ours.key, 0, rung) for rung in range(len(ours.rungs))] == [
            hls.init_address(theirs.key, 0, rung) for rung in range(len(theirs.rungs))
        ]
    assert dash.timeline.duration_us == hls.timeline.duration_us
