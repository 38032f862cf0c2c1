"""Frames of sound in a bare stream: ADTS (ISO/IEC 13818-7), MPEG audio (11172-3), AC-3 and E-AC-3 (ETSI TS 102 366)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple


class AudioHeader(NamedTuple):
    """A frame as its header has it: bytes, samples per channel, Hz. `continues`: it belongs to the frame before it."""

    size: int
    samples: int
    rate_hz: int
    continues: bool = False


ReadHeader = Callable[[bytes, int], AudioHeader | None]
"""Reads the header at a position; None when none is there."""
HEADER_BYTES: Final = 7
"""The longest that any of the readers looks at."""

_ADTS_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_MP3_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""By the version bits: MPEG-1, MPEG-2, MPEG-2.5."""
_MP3_KBPS: Final = {
    (True, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By (is MPEG-1, layer bits: 3 is layer I); layers II and III of MPEG-2 share one row."""
_AC3_RATES: Final = (48000, 44100, 32000)
_AC3_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_EAC3_BLOCKS: Final = (1, 2, 3, 6)


def read_adts(data: bytes, at: int) -> AudioHeader | None:
    if len(data) - at < HEADER_BYTES or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    rate_index = data[at + 2] >> 2 & 15
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate_index >= len(_ADTS_RATES) or size < HEADER_BYTES:
        return None
    return AudioHeader(size, 1024 * ((data[at + 6] & 3) + 1), _ADTS_RATES[rate_index])


def read_mpeg_audio(data: bytes, at: int) -> AudioHeader | None:
    if len(data) - at < 4 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    kbps_index, rate_index, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    if version == 1 or not layer or kbps_index in (0, 15) or rate_index == 3:
        return None
    is_first = version == 3
    rate_hz = _MP3_RATES[version][rate_index]
    bps = 1000 * _MP3_KBPS[is_first, layer if is_first or layer == 3 else 2][kbps_index]
    if layer == 3:
        return AudioHeader((12 * bps // rate_hz + padding) * 4, 384, rate_hz)
    samples = 576 if layer == 1 and not is_first else 1152
    return AudioHeader(samples // 8 * bps // rate_hz + padding, samples, rate_hz)


def read_ac3(data: bytes, at: int) -> AudioHeader | None:
    """AC-3 and E-AC-3: they share the sync word and differ in the bit stream identification."""
    if len(data) - at < 6 or data[at] != 0x0B or data[at + 1] != 0x77:
        return None
    return _read_eac3(data, at) if is_eac3(data, at) else _read_ac3(data, at)


def is_eac3(data: bytes, at: int) -> bool:
    return data[at + 5] >> 3 > 10


def _read_ac3(data: bytes, at: int) -> AudioHeader | None:
    rate_index, size_code = data[at + 4] >> 6, data[at + 4] & 63
    if rate_index == 3 or size_code // 2 >= len(_AC3_KBPS):
        return None
    rate_hz = _AC3_RATES[rate_index]
    words = _AC3_KBPS[size_code // 2] * 1000 * 1536 // rate_hz // 16
    if rate_index == 1:
        words += size_code & 1
    return AudioHeader(words * 2, 1536, rate_hz)


def _read_eac3(data: bytes, at: int) -> AudioHeader | None:
    if data[at + 5] >> 3 > 16:
        return None
    is_dependent = data[at + 2] >> 6 == 1
    size = (((data[at + 2] & 7) << 8 | data[at + 3]) + 1) * 2
    rate_index = data[at + 4] >> 6
    if rate_index < 3:
        return AudioHeader(size, 256 * _EAC3_BLOCKS[data[at + 4] >> 4 & 3], _AC3_RATES[rate_index], is_dependent)
    half_rate = data[at + 4] >> 4 & 3
    return AudioHeader(size, 1536, _AC3_RATES[half_rate] // 2, is_dependent) if half_rate < 3 else None


READERS: Final[dict[str, ReadHeader]] = {
    "aac": read_adts,
    "mp3float": read_mpeg_audio,
    "ac3": read_ac3,
    "eac3": read_ac3,
}
"""By the decoder's name."""


class SoundFrame(NamedTuple):
    """Where a frame lies in a buffer, and how long it sounds."""

    start: int
    end: int
    samples: int
    rate_hz: int


def split_frames(data: bytes, read_header: ReadHeader) -> tuple[list[SoundFrame], int, int]:
    """The whole frames in `data`, where the rest begins (a frame that goes on elsewhere), and bytes passed over.

    Where no frame begins the next place is taken at which one does and is followed by another or by the end.
    """
    frames: list[SoundFrame] = []
    at, skipped, length = 0, 0, len(data)
    while at < length:
        header = read_header(data, at)
        if header is None:
            if length - at < HEADER_BYTES and data[at] in (0x0B, 0xFF):
                break
            found = _next_header(data, at + 1, read_header)
            skipped += found - at
            at = found
            continue
        end = at + header.size
        if end > length:
            break
        if header.continues and frames and frames[-1].end == at:
            frames[-1] = frames[-1]._replace(end=end)
        else:
            frames.append(SoundFrame(at, end, header.samples, header.rate_hz))
        at = end
    return frames, at, skipped


def _next_header(data: bytes, at: int, read_header: ReadHeader) -> int:
    sync = 0x0B if read_header is read_ac3 else 0xFF
    while (at := data.find(sync, at)) >= 0:
        header = read_header(data, at)
        if header is not None:
            end = at + header.size
            if end >= len(data) or read_header(data, end) is not None or len(data) - end < HEADER_BYTES:
                return at
        at += 1
    return len(data)
