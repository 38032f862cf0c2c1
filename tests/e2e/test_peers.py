"""Debian's ffmpeg and mpv open both manifests over HTTP and find the same title in them."""

from __future__ import annotations

import subprocess
from typing import Any

import msgspec
import numpy as np
import pytest

from cushion_player.media.film import beep_onsets
from cushion_sdk.contracts import Title
from tests.e2e.conftest import FILM
from tests.e2e.stack import Stack

MANIFESTS = ["dash", "hls"]
AAC_FRAME_S = 1024 / 48_000
FIELDS = "stream=index,codec_type,codec_name,width,height,start_time,avg_frame_rate,sample_rate,channels"


def address(stack: Stack, title: Title, manifest: str) -> str:
    return stack.dash_url(title) if manifest == "dash" else stack.hls_url(title)


def run(*command: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr.decode()[-2000:]}"
    return done


def probe(url: str) -> list[dict[str, Any]]:
    """What ffprobe says of each stream, pictures by height, then sound; without the stream's place in the file."""
    told = msgspec.json.decode(run("ffprobe", "-v", "error", "-show_entries", FIELDS, "-of", "json", url).stdout)
    streams = [{key: value for key, value in stream.items() if key != "index"} for stream in told["streams"]]
    return sorted(streams, key=lambda stream: (stream["codec_type"] == "audio", stream.get("height", 0)))


@pytest.mark.engine("ffprobe")
def test_ffprobe_finds_the_same_streams_in_both_manifests(stack: Stack, film_title: Title) -> None:
    dash, hls = probe(stack.dash_url(film_title)), probe(stack.hls_url(film_title))

    video = [stream for stream in dash if stream["codec_type"] == "video"]
    audio = [stream for stream in dash if stream["codec_type"] == "audio"]
    assert dash == hls
    assert [stream["height"] for stream in video] == [rung.height_px for rung in film_title.ladder.video]
    assert {stream["start_time"] for stream in video} == {"0.000000"}
    assert len(audio) == 1
    # The encoder's priming lies before 0 and is dropped by the decoder; see the test of the beep.
    assert -AAC_FRAME_S <= float(audio[0]["start_time"]) + 1e-6 <= AAC_FRAME_S


@pytest.mark.engine("ffmpeg")
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_ffmpeg_decodes_every_frame(stack: Stack, film_title: Title, manifest: str) -> None:
    url = address(stack, film_title, manifest)

    told = run(
        "ffmpeg", "-v", "error", "-xerror", "-copyts", "-i", url, "-map", "0:v:0", "-fps_mode", "passthrough",
        "-f", "framecrc", "-",
    ).stdout  # fmt: skip

    frames = [line.split(",") for line in told.decode().splitlines() if not line.startswith("#")]
    assert len(frames) == FILM.n_frames
    assert int(frames[0][2]) == 0


@pytest.mark.engine("ffmpeg")
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_ffmpeg_hears_the_beeps_on_the_second(stack: Stack, film_title: Title, manifest: str) -> None:
    url = address(stack, film_title, manifest)

    told = run(
        "ffmpeg", "-v", "error", "-copyts", "-i", url, "-vn", "-af", "aresample=async=1:first_pts=0", "-t", "4.5",
        "-f", "f32le", "-ac", "1", "-ar", "48000", "-",
    ).stdout  # fmt: skip

    heard = beep_onsets(np.frombuffer(told, dtype=np.float32), 48_000)
    assert heard == pytest.approx([0, 1, 2, 3, 4], abs=0.003)


@pytest.mark.engine("mpv")
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_mpv_plays_sound_and_picture(stack: Stack, film_title: Title, manifest: str) -> None:
    url = address(stack, film_title, manifest)

    told = run(
        "mpv", "--no-config", "--vo=null", "--ao=null", "--untimed", "--length=2", "--msg-level=all=warn,term-msg=info",
        "--term-playing-msg=PLAYING ${video-params/h} ${audio-params/samplerate} ${duration}", url,
    )  # fmt: skip

    said = told.stdout.decode() + told.stderr.decode()
    top = film_title.ladder.video[-1].height_px
    assert f"PLAYING {top} 48000 00:00:12" in said
    assert "rror" not in said
