"""The interfaces between the driver and what people see and hear, and between those and the machine.

    driver ─→ MediaOutput ─→ decoders ─→ VideoRenderer   (pulls frames that are due)
                                      └→ AudioOutput     (is the master clock)

All methods of MediaOutput are called on the runtime's event-loop thread and return at once.
Implementations: media.output.DecodedOutput (PyAV), testing.FakeOutput and NullDecodeOutput (nothing decoded).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cushion_player.timeline import TrackKind


class OutputListener(Protocol):
    """What an output tells its driver. Always called on the event-loop thread."""

    def on_output_ready(self) -> None:
        """The first frame at the prepared position is decoded (or its track has ended)."""
        ...

    def on_output_starved(self) -> None:
        """The clock runs and there is nothing left to play though the track has not ended."""
        ...

    def on_position(self, position_us: int) -> None:
        """Where the audio clock says we are; at most every 100 ms while running."""
        ...

    def on_frames_dropped(self, count: int) -> None:
        """Frames that were decoded too late to be shown, since the last call."""
        ...

    def on_decode_failed(self, track: TrackKind, message: str, fatal: bool) -> None:
        """Damaged media; not fatal means it was skipped and playback goes on."""
        ...


class MediaOutput(Protocol):
    """Turns segments into picture and sound. Obeys the engine's output effects."""

    def attach(self, listener: OutputListener) -> None: ...
    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        """Drop all queued media; after this, fed segments up to `position_us` are decoded but not shown."""
        ...

    def switch_init(self, track: TrackKind, rung: int, init: bytes) -> None: ...
    def feed(self, track: TrackKind, rung: int, start_us: int, offset_us: int | None, segment: bytes) -> None:
        """Queue a media segment.

        start_us: where it starts on the presentation timeline. offset_us: media time minus timeline time (DASH
        presentationTimeOffset less period start); None when the manifest does not say (HLS): then the first fed
        segment fixes it, for all tracks alike.
        """
        ...

    def end_track(self, track: TrackKind) -> None: ...
    def start(self, position_us: int, rate: float) -> None: ...
    def stop(self) -> None: ...
    def set_volume(self, volume: float) -> None:
        """0.0 silent to 1.0 full."""
        ...

    def stats(self) -> OutputStats: ...
    async def close(self) -> None:
        """Stop every thread and release every device."""
        ...


@dataclass(frozen=True, slots=True)
class OutputStats:
    """What reached the outputs since the session began."""

    frames_shown: int = 0
    """Distinct video timestamps shown."""
    frames_dropped: int = 0
    frames_corrupt: int = 0
    audio_played_us: int = 0
    position_us: int = 0
    """The media clock now."""
    last_frame_us: int = -1
    """Presentation time of the last frame shown, -1 before the first."""
    last_frame_height_px: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A decoded picture. `native` is the decoder's own object (an av.VideoFrame), for renderers that convert."""

    time_us: int
    """Presentation time on the timeline."""
    duration_us: int
    width_px: int
    height_px: int
    rung: int
    native: object = field(repr=False)


class FrameSource(Protocol):
    """Where a renderer gets its pictures: it asks, on its own thread, as often as it can paint."""

    def take_due(self) -> VideoFrame | None:
        """The newest frame that is due and not yet taken; None when there is nothing new. Counts shown and dropped."""
        ...

    def next_due_in_us(self) -> int | None:
        """How long until the next queued frame is due (>= 0); None while stopped or when nothing is queued."""
        ...


class VideoRenderer(Protocol):
    """Shows pictures. `attach` may be called from any thread; painting happens on the renderer's own."""

    def attach(self, source: FrameSource) -> None: ...
    def detach(self) -> None: ...


class AudioOutput(Protocol):
    """Plays interleaved float32 stereo PCM and says how much has been heard. Methods may be called from any thread."""

    @property
    def sample_rate_hz(self) -> int: ...
    def writable(self) -> int:
        """How many samples (per channel) can be written now without blocking."""
        ...

    def write(self, pcm: NDArray[np.float32]) -> int:
        """Queue (n, 2) float32 samples; returns how many were taken."""
        ...

    def start(self) -> None: ...
    def stop(self) -> None:
        """Hold; what is queued stays queued."""
        ...

    def flush(self) -> None:
        """Drop what is queued and count `played_samples` from 0 again."""
        ...

    def played_samples(self) -> int:
        """Samples (per channel) heard since the last flush; never decreases until then. Stands still when starved."""
        ...

    def set_volume(self, volume: float) -> None: ...
    def close(self) -> None: ...
