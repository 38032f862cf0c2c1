"""Fragmented MP4, by our own box reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import compress
from typing import Final

from cushion_player.boxes import InitInfo, SegmentInfo, read_init, read_segment
from cushion_player.crypt import NO_KEYS, SampleDecryptor
from cushion_player.errors import DecodeError
from cushion_player.media.demux.base import CodecConfig, CodedFrame, Stretch
from cushion_player.timeline import TrackKind

_HANDLERS: Final = {TrackKind.VIDEO: "vide", TrackKind.AUDIO: "soun"}
_MAX_MISSING_BYTES: Final = 64 * 1024 * 1024
"""A box that claims to end further beyond its segment than this is nonsense rather than truncated."""


class Mp4Demuxer:
    """Segments and chunks (moof and mdat) of one track; a muxed segment's other tracks are passed over."""

    def __init__(self, kind: TrackKind, init: bytes, keys: Mapping[bytes, bytes] = NO_KEYS) -> None:
        """keys: content keys by key id.

        Raises DecodeError when the initialisation segment is broken, UnsupportedCodec for an unknown codec or scheme.
        """
        self._info = read_init(init, _HANDLERS[kind])
        info = self._info
        self._decryptor = SampleDecryptor(keys)
        self._config = CodecConfig(
            info.codec,
            info.codec_string,
            info.extradata,
            info.width_px,
            info.height_px,
            info.sample_rate_hz,
            pixel_width=info.pixel_aspect[0],
            pixel_height=info.pixel_aspect[1],
            rotation_deg=info.rotation_deg,
        )

    @property
    def config(self) -> CodecConfig:
        return self._config

    def read(self, data: bytes, expected_us: int) -> Stretch:
        """See Demuxer. A truncated segment gives the frames that are whole.

        Raises KeyUnavailable when it has encrypted samples whose key is not there.
        """
        found, damage = _read(data, self._info)
        view = memoryview(data)
        scale, half = self._info.timescale, self._info.timescale // 2
        frames = [
            CodedFrame(
                view[offset : offset + size],
                (cts * 1_000_000 + half) // scale,
                (dts * 1_000_000 + half) // scale,
                (duration * 1_000_000 + half) // scale,
                is_sync,
            )
            for offset, size, dts, cts, duration, is_sync in found.samples
        ]
        if found.encryption:
            frames = [
                frame if encryption is None else frame._replace(data=self._decryptor.decrypt(frame.data, encryption))
                for frame, encryption in zip(frames, found.encryption, strict=True)
            ]
        return Stretch(self._config, frames, damage)

    def start_us(self, data: bytes) -> int | None:
        """Media time of the first frame shown; None without frames. Raises DecodeError."""
        found, _ = _read(data, self._info)
        return found.start * 1_000_000 // self._info.timescale if found.samples else None

    def reset(self) -> None:
        """Every segment stands alone."""


def _read(data: bytes, info: InitInfo) -> tuple[SegmentInfo, str]:
    """What the segment holds, and what is missing of it."""
    try:
        return read_segment(data, info), ""
    except DecodeError as error:
        missing = _missing_bytes(data)
        if not 0 < missing <= _MAX_MISSING_BYTES:
            raise
        found = read_segment(data + bytes(missing), info)
        kept = [sample.offset + sample.size <= len(data) for sample in found.samples]
        if not any(kept):
            raise
        whole = list(compress(found.samples, kept))
        lost = len(found.samples) - len(whole)
        encryption = list(compress(found.encryption, kept))
        return replace(
            found, samples=whole, encryption=encryption
        ), f"{error} ({lost} of {len(found.samples)} frames are missing)"


def _missing_bytes(data: bytes) -> int:
    """How many bytes the media data of the last fragment lacks; 0 when that is not what is wrong."""
    at, has_fragment = 0, False
    while at + 16 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            return 0
        if at + size > len(data):
            return at + size - len(data) if has_fragment and kind == b"mdat" else 0
        has_fragment = has_fragment or kind == b"moof"
        at += size
    return 0
