"""Players that are not ours follow the live origin: FFmpeg, and dash.js and hls.js in Chromium."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from cushion_player.clock import wall_ms
from cushion_player.testing.live import DashOptions, HlsOptions, LiveConfig, LiveSite, Programme
from cushion_player.testing.origin import Origin
from tests.e2e.judging import Player, watch
from tests.player.testing.live_media import real_asset

SECOND = 1_000_000
SECONDS = 3.0


@contextmanager
def on_air(
    *, is_low_latency: bool = False, addressing: str = "number", latency_ms: tuple[int, int, int] = (2500, 1500, 6000)
) -> Generator[Origin, None, None]:
    """A live origin on a socket that began 40 s ago. latency_ms: target, least and most, in low latency."""
    low = DashOptions(utc_timing=("http-xsdate",), latency_ms=latency_ms, rates=(0.96, 1.04))
    dash = low if is_low_latency else DashOptions(addressing=addressing)
    config = LiveConfig(
        (Programme(real_asset()),),
        start_us=(wall_ms() - 40_000) * 1000,
        is_low_latency=is_low_latency,
        dash=dash,
        hls=HlsOptions(skip_until_s=12),
    )
    with Origin(LiveSite(config)).in_thread() as origin:
        yield origin


@pytest.mark.slow
@pytest.mark.engine("ffmpeg")
@pytest.mark.parametrize("path", ["/live.m3u8", "/live.mpd"])
def test_ffmpeg_follows_the_live_edge(path: str) -> None:
    with on_air(addressing="timeline-time") as origin:  # on templates with @duration FFmpeg 5.1 runs past the edge
        command = ["ffmpeg", "-v", "error", "-t", "4", "-i", origin.url(path), "-map", "0:v:0", "-map", "0:a:0"]
        done = subprocess.run(
            [*command, "-f", "framecrc", "-"], capture_output=True, text=True, timeout=30, check=False
        )
        refused = [
            (entry.path, entry.status)
            for entry in origin.log
            if entry.path.endswith("m4s") and entry.status not in (200, 206)
        ]

    packets = [line.split(",")[0] for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert done.returncode == 0, done.stderr
    assert packets.count("0") >= 90  # video at 30 frames a second
    assert packets.count("1") >= 120  # sound at 47
    assert refused == []


@pytest.mark.slow
@pytest.mark.engine("chromium", "node", "browser-players")
@pytest.mark.parametrize("is_low_latency", [False, True], ids=["whole segments", "low latency"])
@pytest.mark.parametrize("player", ["dash", "hls"])
def test_browser_players_follow_the_live_edge(player: Player, is_low_latency: bool) -> None:
    with on_air(is_low_latency=is_low_latency) as origin:
        report = watch(player, origin.url("/live.mpd" if player == "dash" else "/live.m3u8"), seconds=SECONDS)
        parts = [entry for entry in origin.log if entry.path.count(".") == 2]
        held = [entry for entry in origin.log if "_HLS_msn" in entry.query]

    assert report.errors == []
    assert report.played_s >= SECONDS
    assert report.decoded_video_bytes > 0
    assert report.decoded_audio_bytes > 0
    assert sorted(level.height for level in report.ladder) == [64, 96]
    assert bool(parts and held) == (player == "hls" and is_low_latency)
