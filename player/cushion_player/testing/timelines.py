"""Small timelines for tests and experiments."""

from __future__ import annotations

from collections.abc import Sequence

from cushion_player.timeline import Timeline, Track, TrackKind, TrackRung

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
