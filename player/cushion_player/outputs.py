"""The interfaces between the driver and what people see and hear, and between those and the machine.

    driver ─→ MediaOutput ─→ decoders ─→ VideoRenderer   (pulls frames that are due)
                                      ├→ AudioOutput     (is the master clock)
                                      └→ TextRenderer    (is told what to show)

All methods of MediaOutput are called on the runtime's event-loop thread and return at once.
Implementations: media.output.DecodedOutput (PyAV), testing.FakeOutput and NullDecodeOutput (nothing decoded).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from cushion_player.model import Container
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.text.cue import Cue


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """What the segments of a track are until the next format.

    init: the initialisation segment; b"" when segments need none (MPEG-TS, packed audio). codecs: RFC 6381, as far as
    known. discontinuity: segments of one number share one media timeline, whatever the track. keys: content keys by
    key id, 16 bytes each. key, index: the track in the timeline and the first segment fed in it, for failures to name.
    is_shared: another track is fed with the same media, which need not carry anything of this one.
    """

    rung: int
    container: Container
    init: bytes = field(repr=False)
    codecs: str = ""
    discontinuity: int = 0
    keys: Mapping[bytes, bytes] = field(default_factory=dict[bytes, bytes], repr=False, hash=False)
    key: str = field(default="", compare=False)
    index: int = field(default=0, compare=False)
    has_key_frames_only: bool = False
    """Of each segment the first picture is meant, for as long as the segment lasts; it may be cut off after it."""
    is_shared: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MediaSegment:
    """Media to play over [start_us, end_us) of the presentation timeline: a segment, or a chunk of one.

    offset_us: media time minus timeline time (DASH presentationTimeOffset less period start); None when the manifest
    does not say (HLS): then the first segment fed of a discontinuity fixes it, for all tracks alike.
    is_last_chunk: False when more of the same segment follows; what comes next need not begin with a key frame then.
    """

    start_us: int
    end_us: int
    offset_us: int | None
    data: bytes = field(repr=False)
    is_last_chunk: bool = True


class DecodeFault(StrEnum):
    """What could not be decoded, and so what helps."""

    INIT = "init"
    """The initialisation segment cannot be read: another rung may do."""
    CODEC = "codec"
    """No decoder here knows it: a rung of another codec may do."""
    KEY = "key"
    """A sample is encrypted, and the format's keys do not have its key: another rung, or a new key, may do."""
    DECODE = "decode"
    """Damaged media. Not fatal means that it was skipped and playback goes on."""


@dataclass(frozen=True, slots=True)
class DecodeFailure:
    """What went wrong with a track; `rung` is the one that was being decoded, `key` and `index` are its format's.

    is_fatal: the track gives nothing more. Otherwise playback goes on, after INIT and CODEC from the next
    `switch_format` on: until then the track's segments are left out.
    """

    track: TrackKind
    code: DecodeFault
    message: str
    rung: int
    is_fatal: bool = False
    key: str = ""
    index: int = 0


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

    def on_decode_failed(self, failure: DecodeFailure) -> None: ...

    def on_metadata(self, time_us: int, data: bytes) -> None:
        """An ID3 tag that a transport stream carries, and its time on the timeline; told before it is due."""
        ...


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """How sound is heard, the volume apart.

    delay_us: how much later (negative: earlier) than its picture, for screens and loudspeakers that are not in step.
    target_lufs: bring programmes to this loudness (EBU R 128; -16 is usual for the web); None leaves them as they are.
    Raises ValueError outside of +-5 s and -40 to -5 LUFS.
    """

    muted: bool = False
    delay_us: int = 0
    target_lufs: float | None = None

    def __post_init__(self) -> None:
        if abs(self.delay_us) > 5_000_000:
            raise ValueError(f"sound may be at most 5 s early or late, not {self.delay_us / 1e6:g} s")
        if self.target_lufs is not None and not -40.0 <= self.target_lufs <= -5.0:
            raise ValueError(f"loudness lies between -40 and -5 LUFS, got {self.target_lufs}")


class MediaOutput(Protocol):
    """Turns segments into picture and sound. Obeys the engine's output effects."""

    def attach(self, listener: OutputListener) -> None: ...
    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        """Drop all queued media; after this, fed segments up to `position_us` are decoded but not shown."""
        ...

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        """What is fed next on the track is of this format."""
        ...

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        """Queue media of the format last switched to."""
        ...

    def cut(self, track: TrackKind, from_us: int) -> None:
        """Forget what was fed on the track, starts at or after `from_us` and is not decoded yet, and its end.

        What is being decoded is shown up to `from_us`. Next on the track come a format and segments from `from_us` on.
        """
        ...

    def end_track(self, track: TrackKind) -> None: ...
    def start(self, position_us: int, rate: float) -> None: ...
    def stop(self) -> None: ...
    def set_volume(self, volume: float) -> None:
        """0.0 silent to 1.0 full."""
        ...

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        """Text to show beside what is fed, from a file of its own; () for none. It stays over jumps."""
        ...

    def select_captions(self, service: str | None) -> None:
        """Show captions that the picture carries, one of cushion_player.text.SERVICES, from the next segment on."""
        ...

    def set_sound(self, settings: SoundSettings) -> None:
        """How sound is to be heard from now on, the volume apart."""
        ...

    def step(self, frames: int) -> int | None:
        """Show the picture `frames` (>= 1) after the one on screen, while stopped; returns its time.

        None when it is not decoded, or the clock runs. Sound stays where it was: before playing on, `prepare` there.
        """
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
    """Decoded, but too late to be shown."""
    frames_skipped: int = 0
    """Not even decoded, to catch up: no other frame needed them."""
    frames_corrupt: int = 0
    audio_played_us: int = 0
    position_us: int = 0
    """The media clock now."""
    last_frame_us: int = -1
    """Presentation time of the last frame shown, -1 before the first."""
    last_frame_height_px: int = 0
    decoded_bytes: int = 0
    """What decoded pictures and sound that wait to be shown and heard hold now."""


class DynamicRange(StrEnum):
    """How light is coded (H.273 transfer characteristics): as for ordinary screens, or for bright ones."""

    SDR = "sdr"
    PQ = "pq"
    """SMPTE ST 2084."""
    HLG = "hlg"
    """ARIB STD-B67."""


@dataclass(frozen=True, slots=True)
class FrameLook:
    """What a renderer must know beside the pixels.

    pixel_aspect: width to height of one pixel. rotation_deg: how far to turn the picture clockwise, 0, 90, 180 or 270.
    peak_nits: brightest light in the content where it says so, else 0.
    """

    pixel_aspect: tuple[int, int] = (1, 1)
    rotation_deg: int = 0
    dynamic_range: DynamicRange = DynamicRange.SDR
    peak_nits: int = 0


PLAIN_LOOK: Final = FrameLook()


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
    look: FrameLook = PLAIN_LOOK

    @property
    def shape_px(self) -> tuple[int, int]:
        """Width and height to show it at: of square pixels, and turned."""
        horizontal, vertical = self.look.pixel_aspect
        width_px, height_px = self.width_px, self.height_px
        if horizontal > vertical:
            width_px = round(width_px * horizontal / vertical)
        elif vertical > horizontal:
            height_px = round(height_px * vertical / horizontal)
        return (height_px, width_px) if self.look.rotation_deg % 180 else (width_px, height_px)


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


class TextRenderer(Protocol):
    """Shows text over the picture. `show` is called on the event-loop thread; painting is the renderer's own affair."""

    def show(self, cues: tuple[Cue, ...]) -> None:
        """These cues and no others, from now on. Called when that changes."""
        ...


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
