"""Packets as another demuxer found them, laid end to end: what media files are cut into to be played in segments.

An initialisation segment is MAGIC and a JSON object of the codec's configuration. A segment is packets, each a header
(pts, dts: int64 µs; duration µs, size bytes: uint32; 1 for a key frame: uint8) and its data, big-endian.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from struct import Struct
from typing import Any, Final

from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.media.demux.base import CodecConfig, CodedFrame, Stretch

MAGIC: Final = b"CUSHPKT1"
_HEADER: Final = Struct(">qqIIB")
_VIDEO: Final = ("h264", "hevc", "libdav1d", "av1", "vp9", "vp8", "mpeg4", "mpeg2video", "mjpeg", "prores", "theora")
_AUDIO: Final = ("aac", "mp3float", "mp3", "ac3", "eac3", "opus", "libopus", "vorbis", "flac", "alac")
_PCM: Final = (
    "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_u8", "pcm_mulaw", "pcm_alaw"
)  # fmt: skip
CODECS: Final = frozenset(_VIDEO + _AUDIO + _PCM)
"""Decoders that a file may ask for."""


def write_init(config: CodecConfig) -> bytes:
    said = asdict(config) | {"extradata": base64.b64encode(config.extradata).decode()}
    return MAGIC + json.dumps(said).encode()


def write_segment(frames: Iterable[CodedFrame]) -> bytes:
    parts: list[bytes | bytearray | memoryview] = []
    for frame in frames:
        parts += [
            _HEADER.pack(frame.pts_us, frame.dts_us, frame.duration_us, len(frame.data), frame.is_sync),
            frame.data,
        ]
    return b"".join(parts)


class PacketsDemuxer:
    """Segments of one codec."""

    def __init__(self, init: bytes) -> None:
        """Raises DecodeError when it is no such initialisation segment, UnsupportedCodec for an unknown codec."""
        self._config = _read_init(init)
        if self._config.codec not in CODECS:
            raise UnsupportedCodec(f"no decoder for {self._config.codec[:40]!r} here")

    @property
    def config(self) -> CodecConfig:
        return self._config

    def read(self, data: bytes, expected_us: int) -> Stretch:
        view = memoryview(data)
        frames: list[CodedFrame] = []
        at = 0
        while at < len(data):
            body = at + _HEADER.size
            if body > len(data):
                return Stretch(self._config, frames, "the segment is truncated")
            pts_us, dts_us, duration_us, size, is_sync = _HEADER.unpack_from(data, at)
            at = body + size
            if at > len(data):
                return Stretch(self._config, frames, "the segment is truncated")
            frames.append(CodedFrame(view[body:at], pts_us, dts_us, duration_us, bool(is_sync)))
        return Stretch(self._config, frames)

    def start_us(self, data: bytes) -> int | None:
        return min((frame.pts_us for frame in self.read(data, 0).frames), default=None)

    def reset(self) -> None:
        """Every segment stands alone."""


def _read_init(init: bytes) -> CodecConfig:
    if not init.startswith(MAGIC):
        raise DecodeError("the initialisation segment does not begin with the mark of packets")
    try:
        said: dict[str, Any] = json.loads(init[len(MAGIC) :])
        said["extradata"] = base64.b64decode(said["extradata"], validate=True)
        for each in fields(CodecConfig):
            if type(said[each.name]).__name__ != each.type:
                raise ValueError(f"{each.name} is no {each.type}")
        return CodecConfig(**said)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DecodeError(f"the initialisation segment of packets cannot be read: {error}") from error
