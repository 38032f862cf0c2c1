"""Small timelines for tests and experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cushion_player.timeline import LiveEdge, Timeline, Track, TrackKind, TrackRung
from cushion_player.timeline_update import TimelineUpdate, TrackUpdate

FILM_LADDER_BPS = (300_000, 700_000, 1_400_000, 2_800_000)
HEIGHTS_PX = (240, 360, 540, 720, 1080)


def make_timeline(
    *,
    n_segments: int = 30,
    segment_us: int = 2_000_000,
    bitrates_bps: Sequence[int] = FILM_LADDER_BPS,
    audio_bps: int | None = 128_000,
    exact_sizes: bool = True,
) -> Timeline:
    """Video of constant bitrate on `bitrates_bps`, and one audio rung unless `audio_bps` is None."""
    boundaries = tuple(index * segment_us for index in range(n_segments + 1))
    sizes = tuple(tuple(bps * segment_us // 8_000_000 for bps in bitrates_bps) for _ in range(n_segments))
    tracks = [
        Track(
            TrackKind.VIDEO,
            "video",
            "",
            tuple(
                TrackRung(f"video/{index}", bps, height_px=HEIGHTS_PX[min(index, len(HEIGHTS_PX) - 1)])
                for index, bps in enumerate(bitrates_bps)
            ),
            boundaries,
            sizes if exact_sizes else (),
        )
    ]
    if audio_bps is not None:
        tracks.append(Track(TrackKind.AUDIO, "audio", "en", (TrackRung("audio/en", audio_bps),), boundaries))
    return Timeline(tuple(tracks), boundaries[-1])


class LiveProgramme:
    """A live presentation of even segments, as a planner would tell of it: a function of time alone.

    The live edge is at `edge_us` when the clock says 0 and moves with it. Segments are listed up to the edge and
    `ahead_us` beyond, and stay `window_us`. ends_us: where it ends.
    """

    def __init__(
        self,
        *,
        segment_us: int = 2_000_000,
        edge_us: int = 60_000_000,
        window_us: int = 30_000_000,
        ahead_us: int = 0,
        target_us: int = 6_000_000,
        early_us: int = 0,
        chunk_us: int = 0,
        rates: tuple[float, float] = (0.96, 1.04),
        refresh_us: int = 2_000_000,
        ends_us: int | None = None,
        is_clocked: bool = True,
        bitrates_bps: Sequence[int] = FILM_LADDER_BPS,
    ) -> None:
        self.segment_us = segment_us
        self.edge_us = edge_us
        self.window_us = window_us
        self.ends_us = ends_us
        self._ahead_us = ahead_us
        self._bitrates = bitrates_bps
        self._edge = LiveEdge(
            edge_offset_us=edge_us,
            target_latency_us=target_us,
            min_rate=rates[0],
            max_rate=rates[1],
            refresh_us=refresh_us,
            depth_us=window_us,
            early_us=early_us,
            follows_clock=is_clocked,
            chunk_us=chunk_us,
        )
        self._told_stop = 0

    def timeline(self, now: int) -> Timeline:
        """What is known at first."""
        first, stop = self._listed(now)
        self._told_stop = stop
        even = make_timeline(n_segments=stop, segment_us=self.segment_us, bitrates_bps=self._bitrates)
        tracks = tuple(
            replace(track, start_us=track.start_us[first:], sizes_bytes=(), first_index=first, stretches=())
            for track in even.tracks
        )
        return Timeline(tracks, stop * self.segment_us, is_live=True, live=self._edge)

    def update(self, now: int) -> TimelineUpdate:
        """What came since it was told last."""
        first, stop = self._listed(now)
        from_index, self._told_stop = self._told_stop, stop
        bounds = tuple(index * self.segment_us for index in range(from_index, stop + 1))
        tracks = tuple(TrackUpdate(key, first, from_index, bounds) for key in ("video", "audio"))
        has_ended = self.ends_us is not None and now + self.edge_us >= self.ends_us
        return TimelineUpdate(None if has_ended else self._edge, stop * self.segment_us, tracks)

    def _listed(self, now: int) -> tuple[int, int]:
        edge = now + self.edge_us
        end = edge + self._ahead_us if self.ends_us is None else min(edge + self._ahead_us, self.ends_us)
        return max(0, (edge - self.window_us) // self.segment_us), end // self.segment_us
