"""What every container gives: coded frames with their times, and what their decoder must be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable


class CodedFrame(NamedTuple):
    """What a decoder takes at once. Times are µs of media time."""

    data: bytes | bytearray | memoryview
    pts_us: int
    dts_us: int
    duration_us: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """Frames of equal configuration go through one decoder.

    codec: the PyAV decoder's name. codec_string: for messages. extradata: b"" when the frames say it all themselves.
    """

    codec: str
    codec_string: str
    extradata: bytes = b""
    width_px: int = 0
    height_px: int = 0
    sample_rate_hz: int = 0
    channels: int = 0
    """Said only where neither extradata nor frames do (PCM)."""
    pixel_width: int = 1
    pixel_height: int = 1
    """The shape of one pixel."""
    rotation_deg: int = 0
    """Clockwise, 0, 90, 180 or 270: what the container says of turning."""


class TimedMetadata(NamedTuple):
    """A piece of metadata carried beside the media (an ID3 tag), and its media time in µs."""

    time_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """The frames of one track in one piece of media, in decode order.

    damage: what was wrong with the piece and was left out, "" when nothing was.
    """

    config: CodecConfig
    frames: Sequence[CodedFrame]
    damage: str = ""
    metadata: tuple[TimedMetadata, ...] = ()


class Demuxer(Protocol):
    """Finds the frames of one track in media of one format, piece by piece in order."""

    def read(self, data: bytes, expected_us: int) -> Stretch:
        """The frames of a segment, or of a chunk of one.

        expected_us: the media time at which it should begin; timestamps that wrap are taken to be those nearest to it.
        Raises DecodeError when there is nothing to make of the data, UnsupportedCodec when nothing here decodes it,
        KeyUnavailable when it is encrypted and the format's keys do not have its key.
        """
        ...

    def reset(self) -> None:
        """What comes next does not continue what came last."""
        ...


@runtime_checkable
class KnowsItsStart(Protocol):
    """A demuxer that can tell when a piece begins without reading it all."""

    def start_us(self, data: bytes) -> int | None:
        """Media time of the first timestamp, not unwrapped; None when there is none. Raises DecodeError."""
        ...
