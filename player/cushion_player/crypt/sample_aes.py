"""HLS SAMPLE-AES: single frames of H.264, AAC, AC-3 and E-AC-3 inside elementary streams, where they lie.

Every stream keeps its length: what an H.264 unit loses with its emulation prevention is filled up with zeros behind it,
which any decoder passes over (trailing_zero_8bits, ITU-T H.264 B.1).
Source: Apple, "MPEG-2 Stream Encryption Format for HTTP Live Streaming" (2.1-2.4).
"""

from __future__ import annotations

from typing import Final

from cushion_player.crypt.aes import BLOCK_BYTES, cbc_decrypt

_START_CODE: Final = b"\0\0\1"
_SLICES: Final = (1, 5)
"""NAL unit types that are encrypted: slices, and slices of an IDR picture."""
_SHORT_NAL_BYTES: Final = 48
"""Units up to this length stay in the clear."""
_NAL_LEADER_BYTES: Final = 32
_NAL_PERIOD_BYTES: Final = 160
"""One block of ten is encrypted."""
_AUDIO_LEADER_BYTES: Final = 16
_ADTS_HEADER_BYTES: Final = 7
_AC3_SIZES: Final = (
    (64, 69, 96), (64, 70, 96), (80, 87, 120), (80, 88, 120), (96, 104, 144), (96, 105, 144), (112, 121, 168),
    (112, 122, 168), (128, 139, 192), (128, 140, 192), (160, 174, 240), (160, 175, 240), (192, 208, 288),
    (192, 209, 288), (224, 243, 336), (224, 244, 336), (256, 278, 384), (256, 279, 384), (320, 348, 480),
    (320, 349, 480), (384, 417, 576), (384, 418, 576), (448, 487, 672), (448, 488, 672), (512, 557, 768),
    (512, 558, 768), (640, 696, 960), (640, 697, 960), (768, 835, 1152), (768, 836, 1152), (896, 975, 1344),
    (896, 976, 1344), (1024, 1114, 1536), (1024, 1115, 1536), (1152, 1253, 1728), (1152, 1254, 1728),
    (1280, 1393, 1920), (1280, 1394, 1920),
)  # fmt: skip
"""Words of 16 bits in an AC-3 frame, by frmsizecod and fscod: 48, 44.1 and 32 kHz (ETSI TS 102 366 table 4.13)."""


def decrypt_h264(stream: bytes, key: bytes, iv: bytes) -> bytes:
    """An H.264 byte stream (Annex B) in the clear, of the same length."""
    out = bytearray(stream)
    start = stream.find(_START_CODE)
    while start >= 0:
        start += len(_START_CODE)
        following = stream.find(_START_CODE, start)
        end = following if following >= 0 else len(stream)
        if start < end and stream[start] & 0x1F in _SLICES:
            unit = stream[start:end].rstrip(b"\0")
            if len(unit) > _SHORT_NAL_BYTES:
                clear = _decrypt_nal(unit.replace(b"\0\0\3", b"\0\0"), key, iv)
                out[start:end] = clear.ljust(end - start, b"\0")
        start = following
    return bytes(out)


def _decrypt_nal(unit: bytes, key: bytes, iv: bytes) -> bytes:
    """A unit without emulation prevention: one chain over the first block of each period that is not the last bytes."""
    picked = range(_NAL_LEADER_BYTES, len(unit) - BLOCK_BYTES, _NAL_PERIOD_BYTES)
    clear = cbc_decrypt(key, iv, b"".join([unit[at : at + BLOCK_BYTES] for at in picked]))
    out = bytearray(unit)
    for index, at in enumerate(picked):
        out[at : at + BLOCK_BYTES] = clear[BLOCK_BYTES * index : BLOCK_BYTES * (index + 1)]
    return bytes(out)


def decrypt_adts(stream: bytes, key: bytes, iv: bytes) -> bytes:
    """AAC in ADTS frames in the clear. What is between frames, or cut off at the end, stays as it is."""
    out = bytearray(stream)
    at = 0
    while at + _ADTS_HEADER_BYTES <= len(stream):
        if stream[at] != 0xFF or stream[at + 1] & 0xF6 != 0xF0:
            at = _next(stream, b"\xff", at + 1)
            continue
        size = (stream[at + 3] & 3) << 11 | stream[at + 4] << 3 | stream[at + 5] >> 5
        header = _ADTS_HEADER_BYTES if stream[at + 1] & 1 else _ADTS_HEADER_BYTES + 2
        if size < header or at + size > len(stream):
            at = _next(stream, b"\xff", at + 1)
            continue
        _decrypt_frame(out, at + header + _AUDIO_LEADER_BYTES, at + size, key, iv)
        at += size
    return bytes(out)


def decrypt_ac3(stream: bytes, key: bytes, iv: bytes) -> bytes:
    """AC-3 or E-AC-3 sync frames in the clear. What is between frames, or cut off at the end, stays as it is."""
    out = bytearray(stream)
    at = _next(stream, b"\x0b\x77", 0)
    while at + 6 <= len(stream):
        size = _dolby_frame_size(stream, at)
        if size and at + size <= len(stream):
            _decrypt_frame(out, at + _AUDIO_LEADER_BYTES, at + size, key, iv)
        at = _next(stream, b"\x0b\x77", at + max(size, 1))
    return bytes(out)


def _dolby_frame_size(stream: bytes, at: int) -> int:
    """Bytes of the sync frame at `at`; 0 when its header is nonsense. bsid tells AC-3 (to 10) from E-AC-3."""
    if stream[at + 5] >> 3 > 10:
        return 2 * (((stream[at + 2] & 7) << 8 | stream[at + 3]) + 1)
    rate, code = stream[at + 4] >> 6, stream[at + 4] & 0x3F
    return 2 * _AC3_SIZES[code][rate] if rate < 3 and code < len(_AC3_SIZES) else 0


def _next(stream: bytes, mark: bytes, at: int) -> int:
    found = stream.find(mark, at)
    return found if found >= 0 else len(stream)


def _decrypt_frame(out: bytearray, start: int, end: int, key: bytes, iv: bytes) -> None:
    """One chain over the whole blocks in out[start:end]."""
    end -= max(0, end - start) % BLOCK_BYTES
    if end > start:
        out[start:end] = cbc_decrypt(key, iv, bytes(out[start:end]))
