"""Packed audio (RFC 8216bis, 3.1.4): bare frames of AAC, MP3, AC-3 or E-AC-3 behind an ID3 tag that tells the time."""

from __future__ import annotations

from typing import Final

from cushion_player.errors import DecodeError
from cushion_player.media.demux.audio_frames import (
    READERS,
    is_eac3,
    read_ac3,
    read_adts,
    read_mpeg_audio,
    split_frames,
)
from cushion_player.media.demux.base import CodecConfig, CodedFrame, Stretch
from cushion_player.media.demux.wrapping import unwrap_us

_TIMESTAMP: Final = b"com.apple.streaming.transportStreamTimestamp\0"
_JOIN_US: Final = 100_000
"""A piece without a timestamp that should begin this near to the end of the last one follows it without a gap."""


class PackedDemuxer:
    """Segments of one codec; what a segment does not finish is carried into the next."""

    def __init__(self) -> None:
        self._codec = ""
        self._rest = b""
        self._next_us: int | None = None

    def read(self, data: bytes, expected_us: int) -> Stretch:
        """See Demuxer. A piece without a timestamp begins where the last one ended, or at `expected_us`."""
        at, ticks = read_timestamp(data)
        start_us = self._start_us(ticks, expected_us)
        codec = _sniff(data, at) or self._codec
        if not codec:
            raise DecodeError("no frame of AAC, MP3, AC-3 or E-AC-3 begins in the segment: it is not packed audio")
        is_continued = codec == self._codec and bool(self._rest) and ticks is None
        body = self._rest + data[at:] if is_continued else data[at:]
        self._codec = codec
        found, end, skipped = split_frames(body, READERS[codec])
        self._rest = body[end:]
        view = memoryview(body)
        frames: list[CodedFrame] = []
        for start, stop, samples, rate_hz in found:
            duration_us = samples * 1_000_000 / rate_hz
            time_us = round(start_us)
            frames.append(CodedFrame(view[start:stop], time_us, time_us, round(duration_us), True))
            start_us += duration_us
        self._next_us = round(start_us)
        damage = f"{skipped} bytes between frames of sound were passed over" if skipped else ""
        return Stretch(CodecConfig(codec, codec), frames, damage)

    def reset(self) -> None:
        self._rest, self._next_us = b"", None

    def _start_us(self, ticks: int | None, expected_us: int) -> float:
        if ticks is not None:
            return unwrap_us(ticks, expected_us)
        if self._next_us is not None and abs(self._next_us - expected_us) <= _JOIN_US:
            return self._next_us
        return expected_us


def read_timestamp(data: bytes) -> tuple[int, int | None]:
    """Where the frames begin after leading ID3 tags, and the timestamp in them: 33 bits at 90 kHz."""
    at, ticks = 0, None
    while data[at : at + 3] == b"ID3" and len(data) - at >= 10:
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 127
        end = at + 10 + size + (10 if data[at + 5] & 0x10 else 0)
        found = data.find(_TIMESTAMP, at, end)
        if found >= 0 and found + len(_TIMESTAMP) + 8 <= min(end, len(data)):
            first = found + len(_TIMESTAMP)
            ticks = int.from_bytes(data[first : first + 8], "big") & (1 << 33) - 1
        at = min(end, len(data))
    return at, ticks


def _sniff(data: bytes, at: int) -> str:
    """The codec of a frame at `at`, "" when none begins there."""
    if read_adts(data, at) is not None:
        return "aac"
    if read_ac3(data, at) is not None:
        return "eac3" if is_eac3(data, at) else "ac3"
    return "mp3float" if read_mpeg_audio(data, at) is not None else ""
