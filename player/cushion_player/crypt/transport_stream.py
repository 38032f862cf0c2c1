"""MPEG-TS segments under SAMPLE-AES: deciphered where they lie, so that any demuxer can go on with the result.

Knows packets, PAT, PMT and PES headers as far as needed to find the payload of encrypted streams; their stream types
become those of clear ones. Sources: ISO/IEC 13818-1 2.4; Apple, "MPEG-2 Stream Encryption Format" 2.5 (stream types).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cushion_player.crypt.sample_aes import decrypt_ac3, decrypt_adts, decrypt_h264
from cushion_player.errors import DecodeError

PACKET_BYTES: Final = 188
_SYNC: Final = 0x47
_Decrypt = Callable[[bytes, bytes, bytes], bytes]
_STREAMS: Final[dict[int, tuple[int, _Decrypt]]] = {
    0xDB: (0x1B, decrypt_h264),
    0xCF: (0x0F, decrypt_adts),
    0xC1: (0x81, decrypt_ac3),
    0xC2: (0x87, decrypt_ac3),
}
"""Stream type when encrypted -> the type when clear, and what deciphers it."""

_Spans = list[tuple[int, int]]


def is_transport_stream(data: bytes) -> bool:
    """Whether it looks like whole packets of 188 bytes."""
    return len(data) >= PACKET_BYTES and data[0] == _SYNC and (len(data) == PACKET_BYTES or data[PACKET_BYTES] == _SYNC)


def decrypt_transport_stream(data: bytes, key: bytes, iv: bytes) -> bytes:
    """The segment with its encrypted streams in the clear; other streams, and an incomplete last packet, as they are.

    Raises DecodeError when a packet does not begin where it should.
    """
    out = bytearray(data)
    payloads = _payloads_by_pid(data)
    streams: dict[int, int] = {}
    for pid in _program_map_pids(data, payloads.get(0, [])):
        streams.update(_reveal_streams(out, payloads.get(pid, [])))
    for pid, stream_type in streams.items():
        spans = _elementary_spans(data, payloads.get(pid, []))
        stream = b"".join([data[start:end] for start, end in spans])
        clear = _STREAMS[stream_type][1](stream, key, iv)
        at = 0
        for start, end in spans:
            out[start:end] = clear[at : at + end - start]
            at += end - start
    return bytes(out)


_Payload = tuple[int, int, bool]
"""Where a packet's payload starts and ends, and whether a PES packet or a section starts in it."""


def _payloads_by_pid(data: bytes) -> dict[int, list[_Payload]]:
    found: dict[int, list[_Payload]] = {}
    for at in range(0, len(data) - PACKET_BYTES + 1, PACKET_BYTES):
        if data[at] != _SYNC:
            raise DecodeError(f"no sync byte at byte {at} of the transport stream")
        control = data[at + 3]
        if not control & 0x10:
            continue
        start = at + 4 + (data[at + 4] + 1 if control & 0x20 else 0)
        end = at + PACKET_BYTES
        if start < end:
            head = data[at + 1]
            found.setdefault((head & 0x1F) << 8 | data[at + 2], []).append((start, end, bool(head & 0x40)))
    return found


def _section(data: bytes | bytearray, payload: _Payload, table: int) -> tuple[int, int] | None:
    """Where a table's section starts and ends (its checksum apart) if it begins, and lies wholly, in this payload."""
    start, end, is_start = payload
    if not is_start:
        return None
    start += 1 + data[start]
    if start + 8 > end or data[start] != table:
        return None
    section_end = start + 3 + ((data[start + 1] & 0x0F) << 8 | data[start + 2]) - 4
    return (start, section_end) if start + 8 <= section_end <= end - 4 else None


def _program_map_pids(data: bytes, payloads: list[_Payload]) -> set[int]:
    pids: set[int] = set()
    for payload in payloads:
        section = _section(data, payload, 0)
        if section is not None:
            for at in range(section[0] + 8, section[1] - 3, 4):
                if data[at] or data[at + 1]:  # program 0 is the network
                    pids.add((data[at + 2] & 0x1F) << 8 | data[at + 3])
    return pids


def _reveal_streams(out: bytearray, payloads: list[_Payload]) -> dict[int, int]:
    """PID -> encrypted type of a program's encrypted streams, which become clear types in the program map."""
    found: dict[int, int] = {}
    for payload in payloads:
        section = _section(out, payload, 2)
        if section is None:
            continue
        start, end = section
        is_changed = False
        at = start + 12 + ((out[start + 10] & 0x0F) << 8 | out[start + 11])
        while at + 5 <= end:
            kind = out[at]
            if kind in _STREAMS:
                is_changed = True
                found[(out[at + 1] & 0x1F) << 8 | out[at + 2]] = kind
                out[at] = _STREAMS[kind][0]
            at += 5 + ((out[at + 3] & 0x0F) << 8 | out[at + 4])
        if is_changed:
            out[end : end + 4] = _checksum(out[start:end]).to_bytes(4, "big")
    return found


def _elementary_spans(data: bytes, payloads: list[_Payload]) -> _Spans:
    """Where the bytes of the elementary stream lie: payloads less PES headers, each of which fits one packet."""
    spans: _Spans = []
    for start, end, is_start in payloads:
        if is_start:
            if end - start < 9 or data[start : start + 3] != b"\0\0\1":
                continue
            start += 9 + data[start + 8]
        if start < end:
            spans.append((start, end))
    return spans


def _checksum(data: bytes | bytearray) -> int:
    """CRC-32/MPEG-2 (13818-1 annex A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CHECKSUMS[crc >> 24 ^ byte]
    return crc


def _checksum_of_byte(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = crc << 1 ^ (0x104C11DB7 if crc & 0x80000000 else 0)
    return crc


_CHECKSUMS: Final = tuple(_checksum_of_byte(byte) for byte in range(256))
