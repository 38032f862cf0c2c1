"""One session of a packaged title in virtual time: the engine as it is, the real sizes, the manifests' round trips."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.abr_links import linear_qoe
from benchmarks.harness import BenchmarkError
from cushion_player.clock import MonotonicClock
from cushion_player.driving.loading import load_presentation
from cushion_player.effects import FetchSegment
from cushion_player.engine import EngineConfig, PlaybackEngine
from cushion_player.notices import PlaybackStarted, SegmentLoaded
from cushion_player.planning.addressing import plan_playback
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Timeline, Track, TrackKind
from cushion_player.transport.file import FileTransport
from cushion_traces.link import Link, finish_us

LIMIT_US: Final = 3_600_000_000
_SEGMENT = re.compile(r"chunk-stream(\d+)-(\d+)\.m4s$")


@dataclass(frozen=True, slots=True)
class VirtualTitle:
    """A title as the engine sees it, and what its files weigh."""

    timeline: Timeline
    sizes_bytes: Mapping[tuple[str, int, int], int]
    """By key of the track, rung and index."""
    manifest_bytes: tuple[int, ...]
    """What is fetched before the first segment, by round trip."""
    bitrates_bps: tuple[int, ...]
    """What the score counts for each rung, whatever the manifest declares."""


@dataclass(frozen=True, slots=True)
class VirtualScore:
    """What one session was worth. Seconds; bit/s in Mb/s."""

    qoe: float
    mbps: float
    startup_s: float
    stalled_s: float
    switches: int
    rungs: str


def read_title(folder: Path, bitrates_bps: tuple[int, ...], *, is_hls: bool) -> VirtualTitle:
    """The title that `benchmarks.title` packages into `folder`, by its MPD or by its playlists."""
    timeline = asyncio.run(_timeline(folder / ("master.m3u8" if is_hls else "manifest.mpd")))
    weights: dict[tuple[str, int], int] = {}
    for path in folder.glob("chunk-stream*.m4s"):
        found = _SEGMENT.search(path.name)
        if found:
            weights[found[1], int(found[2]) - 1] = path.stat().st_size
    sizes: dict[tuple[str, int, int], int] = {}
    for track in timeline.tracks:
        for rung in range(len(track.rungs)):
            stream = "0" if track.kind is TrackKind.AUDIO else str(rung + 1)
            for index in range(track.n_segments):
                sizes[track.key, rung, index] = weights[stream, index]
    if is_hls:
        playlists = sum(path.stat().st_size for path in folder.glob("media_*.m3u8"))
        rounds: tuple[int, ...] = ((folder / "master.m3u8").stat().st_size, playlists)
    else:
        rounds = ((folder / "manifest.mpd").stat().st_size,)
    return VirtualTitle(timeline, sizes, rounds, bitrates_bps)


async def _timeline(path: Path) -> Timeline:
    transport = FileTransport()
    loaded = await load_presentation(transport, path.as_uri(), MonotonicClock())
    await transport.close()
    return plan_playback(loaded.presentation).timeline


def declaring(title: VirtualTitle, factor: float) -> VirtualTitle:
    """The title, were its video declared at so many times its bitrate."""

    def scaled(track: Track) -> Track:
        if track.kind is not TrackKind.VIDEO:
            return track
        rungs = tuple(replace(rung, bitrate_bps=round(rung.bitrate_bps * factor)) for rung in track.rungs)
        return replace(track, rungs=rungs, stretches=tuple(replace(each, rungs=rungs) for each in track.stretches))

    return replace(title, timeline=replace(title.timeline, tracks=tuple(map(scaled, title.timeline.tracks))))


def watch(
    title: VirtualTitle,
    link: Link,
    rule: str,
    params: Mapping[str, float] | None = None,
    config: EngineConfig | None = None,
) -> VirtualScore:
    """Play it from its manifest to its end. Raises BenchmarkError where the link is too slow to ever begin."""

    def size_of(fetch: FetchSegment) -> int:
        return title.sizes_bytes[fetch.key, fetch.rung, fetch.index]

    engine = PlaybackEngine(config, rule, params)
    driver = VirtualDriver(engine, title.timeline, link, size_of=size_of)
    for n_bytes in title.manifest_bytes:
        driver.now_us = finish_us(link, driver.now_us + link.latency_us, n_bytes)
    driver.start()
    driver.run(until_us=LIMIT_US)
    video = title.timeline.tracks[0]
    rungs = [0] * video.n_segments
    startup_us: int | None = None
    for time_us, notice in driver.notices:
        if isinstance(notice, SegmentLoaded) and notice.track is TrackKind.VIDEO:
            rungs[notice.index] = notice.rung
        elif isinstance(notice, PlaybackStarted):
            startup_us = time_us
    if startup_us is None:
        raise BenchmarkError("nothing was ever played")
    stalled_us = engine.snapshot(driver.now_us).rebuffer_us
    rates = [float(title.bitrates_bps[rung]) for rung in rungs]
    return VirtualScore(
        linear_qoe(rates, (startup_us + stalled_us) / 1e6),
        sum(rates) / len(rates) / 1e6,
        startup_us / 1e6,
        stalled_us / 1e6,
        sum(a != b for a, b in pairwise(rungs)),
        "".join(map(str, rungs)),
    )
