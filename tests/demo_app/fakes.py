"""What the app's tests play with: a session that obeys at once, titles, jobs, and a sink that plays when told to."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cushion_player.engine.config import Limits
from cushion_player.errors import UsageError
from cushion_player.outputs import VideoFrame
from cushion_sdk.contracts.catalog import Ladder, LadderRung, Title
from cushion_sdk.contracts.ingest import IngestJob, IngestState
from cushion_sdk.session_types import SessionSnapshot, SessionState
from cushion_sdk.thumbnails import ThumbnailPicture


def make_title(title_id: str = "t1", name: str = "Bikes", *, duration_s: float = 60.0, note: str = "") -> Title:
    """A title of two rungs."""
    rungs = [
        LadderRung(
            height_px=height, width_px=height * 16 // 9, bitrate_bps=height * 2000, peak_bitrate_bps=1, codecs=""
        )
        for height in (360, 720)
    ]
    return Title(
        title_id=title_id,
        name=name,
        duration_s=duration_s,
        dash_path=f"/media/{title_id}/manifest.mpd",
        hls_path=f"/media/{title_id}/master.m3u8",
        ladder=Ladder(video=rungs, audio_bitrate_bps=128_000, frame_rate="30/1", segment_s=2.0),
        note=note,
    )


def make_job(
    name: str = "Bunny", state: IngestState = IngestState.RUNNING, *, title_id: str = "", problem: str = ""
) -> IngestJob:
    """A job half done."""
    return IngestJob(
        job_id=f"job-{name}", state=state, name=name, title_id=title_id, done_steps=3, total_steps=6,
        step="encoding 720p", problem=problem,
    )  # fmt: skip


class FakeSession:
    """A session that does what it is told, at once, and remembers it."""

    def __init__(self, duration_s: float = 60.0) -> None:
        self.told: list[object] = []
        self.closed: Future[None] = Future()
        self.thumbnails: list[tuple[float, Future[ThumbnailPicture | None]]] = []
        """What was asked for, and its answer."""
        self.now = SessionSnapshot(state=SessionState.PLAYING, duration_s=duration_s, buffer_s=10.0, n_rungs=2)

    def become(self, **changes: object) -> None:
        """Change what the next snapshot says."""
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]  # a test names real fields

    def play(self) -> None:
        self.told.append("play")
        self.become(state=SessionState.PLAYING)

    def pause(self) -> None:
        self.told.append("pause")
        self.become(state=SessionState.PAUSED)

    def seek(self, position_s: float) -> None:
        self.told.append(("seek", position_s))

    def set_rate(self, rate: float) -> None:
        self.told.append(("rate", rate))

    def set_volume(self, volume: float) -> None:
        self.told.append(("volume", volume))

    def set_trace(self, name: str) -> None:
        self.told.append(("trace", name))

    def set_limits(self, limits: Limits) -> None:
        self.told.append(("limits", limits.max_height_px, limits.pinned_rung))

    def select_audio(self, key: str) -> None:
        self.told.append(("audio", key))

    def select_text(self, key: str | None) -> None:
        self.told.append(("text", key))
        tracks = [replace(each, is_selected=each.key == key) for each in self.now.tracks]
        self.become(tracks=tuple(tracks))

    def seek_to_live(self) -> None:
        self.told.append("live")

    def select_captions(self, service: str | None) -> None:
        self.told.append(("captions", service))
        self.become(captions_shown=service or "")

    def show_subtitle_file(self, path: Path | None, offset_s: float = 0.0) -> Future[None]:
        self.told.append(("file", path.name if path is not None else None, offset_s))
        done: Future[None] = Future()
        if path is not None and "bad" in path.name:
            done.set_exception(UsageError(f"the subtitle file {path} cannot be read"))
        else:
            done.set_result(None)
        return done

    def set_loop(self, start_s: float = 0.0, end_s: float | None = None) -> None:
        self.told.append(("loop", start_s, end_s))

    def end_loop(self) -> None:
        self.told.append("end loop")

    def step(self, frames: int) -> None:
        self.told.append(("step", frames))

    def set_scrubbing(self, is_on: bool) -> None:
        self.told.append(("scrubbing", is_on))

    def skip_interstitial(self) -> None:
        self.told.append("skip")

    def thumbnail(self, position_s: float) -> Future[ThumbnailPicture | None]:
        self.thumbnails.append((position_s, Future()))
        return self.thumbnails[-1][1]

    def snapshot(self) -> SessionSnapshot:
        return self.now

    def close_soon(self) -> Future[None]:
        self.told.append("close")
        self.closed.set_result(None)
        return self.closed


class SinkError(Enum):
    """QAudio.Error, as far as the output looks."""

    NoError = 0
    IOError = 3


@dataclass
class _Device:
    sink: FakeSink

    def write(self, samples: bytes) -> int:
        self.sink.held_bytes += len(samples)
        return len(samples)


class FakeSink:
    """A QAudioSink whose device plays when the test lets time pass."""

    BUFFER_BYTES = 48_000

    def __init__(self, *, has_device: bool = True) -> None:
        self.has_device = has_device
        self.held_bytes = 0
        self.is_suspended = False
        self.is_stopped = False
        self.volume = 1.0
        self.trouble = SinkError.NoError

    def start(self) -> _Device | None:
        self.is_suspended = self.is_stopped = False
        return _Device(self) if self.has_device else None

    def suspend(self) -> None:
        self.is_suspended = True

    def resume(self) -> None:
        self.is_suspended = False

    def reset(self) -> None:
        self.held_bytes = 0

    def stop(self) -> None:
        self.is_stopped = True

    def error(self) -> SinkError:
        return self.trouble

    def bufferSize(self) -> int:  # noqa: N802 (Qt's name)
        return self.BUFFER_BYTES

    def bytesFree(self) -> int:  # noqa: N802 (Qt's name)
        return self.BUFFER_BYTES - self.held_bytes

    def setVolume(self, volume: float) -> None:  # noqa: N802 (Qt's name)
        self.volume = volume

    def consume(self, duration_us: int) -> None:
        """The device plays for so long."""
        if not self.is_suspended and not self.is_stopped:
            self.held_bytes = max(0, self.held_bytes - duration_us * 48 // 1000 * 8)


def plain_conversion(frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    """A picture of one colour, whose blue is the frame's time in ms."""
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., 0] = frame.time_us // 1000 % 256
    picture[..., 1:3] = 0
    return picture
