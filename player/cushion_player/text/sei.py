"""Caption bytes in coded pictures: cc_data (ATSC A/53 part 4) out of SEI messages of H.264 and H.265.

Works on one access unit at a time, with length-prefixed NAL units (avcC, hvcC) or start codes (Annex B). What is
broken ends there; it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple


class NalCodec(Enum):
    """Whose NAL units. The value: the types of the units that carry SEI."""

    H264 = frozenset({6})
    H265 = frozenset({39, 40})


class CcTriple(NamedTuple):
    """One element of cc_data: kind 0 and 1 are CEA-608 of field 1 and 2, 3 begins a CEA-708 packet, 2 goes on with it.

    Invalid elements of kind 2 and 3 end a packet; they are kept, with `is_valid` False.
    """

    kind: int
    first: int
    second: int
    is_valid: bool = True


_T35: Final = 4
_START: Final = re.compile(b"\0\0\1")
_MAX_NALS: Final = 1_000
_ATSC: Final = b"\xb5\x00\x31GA94\x03"
_DIRECTV: Final = b"\xb5\x00\x2f\x03"


def nal_codec(codec: str) -> NalCodec | None:
    """By a decoder's name or a codec string; None when it is neither H.264 nor H.265."""
    if codec.startswith(("h264", "avc")):
        return NalCodec.H264
    return NalCodec.H265 if codec.startswith(("hevc", "hvc1", "hev1", "dvh1", "dvhe")) else None


def nal_length_bytes(extradata: bytes, codec: NalCodec) -> int:
    """How long the length before each NAL unit is, from avcC or hvcC; 0 means start codes."""
    at = 4 if codec is NalCodec.H264 else 21
    if len(extradata) <= at or extradata[:3] == b"\0\0\1" or extradata[:4] == b"\0\0\0\1":
        return 0
    return (extradata[at] & 3) + 1


def from_packet(packet: bytes | memoryview, codec: NalCodec, length_bytes: int = 4) -> list[CcTriple]:
    """The caption bytes of one coded picture, in order. length_bytes: see `nal_length_bytes`."""
    triples: list[CcTriple] = []
    units = _by_length(packet, length_bytes) if length_bytes else _by_start_code(bytes(packet))
    for start, end in units:
        header = packet[start]
        kind = header & 0x1F if codec is NalCodec.H264 else (header >> 1) & 0x3F
        if kind in codec.value:
            body = bytes(packet[start + (1 if codec is NalCodec.H264 else 2) : end])
            _read_messages(body.replace(b"\0\0\3", b"\0\0"), triples)
    return triples


def _by_length(packet: bytes | memoryview, length_bytes: int) -> Iterator[tuple[int, int]]:
    """Where each NAL unit lies."""
    at, end = 0, len(packet)
    for _ in range(_MAX_NALS):
        start = at + length_bytes
        if start >= end:
            return
        at = start + int.from_bytes(packet[at:start], "big")
        if at > end:
            return
        if at > start:
            yield start, at


def _by_start_code(packet: bytes) -> Iterator[tuple[int, int]]:
    starts = [found.end() for found in _START.finditer(packet)][:_MAX_NALS]
    ends = [start - 3 for start in starts[1:]] + [len(packet)]
    yield from [(start, end) for start, end in zip(starts, ends, strict=False) if end > start]


def _read_messages(body: bytes, triples: list[CcTriple]) -> None:
    """SEI messages (H.264 7.3.2.3.1): type and size, both in bytes of 255 and a rest."""
    at, end = 0, len(body)
    while end - at > 2:
        numbers: list[int] = []
        for _ in range(2):
            number = 0
            while at < end and body[at] == 0xFF:
                number += 255
                at += 1
            if at >= end:
                return
            numbers.append(number + body[at])
            at += 1
        kind, size = numbers
        if kind == _T35:
            _read_t35(body[at : at + size], triples)
        at += size


def _read_t35(payload: bytes, triples: list[CcTriple]) -> None:
    prefix = _ATSC if payload.startswith(_ATSC) else _DIRECTV if payload.startswith(_DIRECTV) else b""
    at = len(prefix) + (prefix == _DIRECTV)  # DirecTV says a length there
    if not prefix or len(payload) < at + 2 or not payload[at] & 0x40:
        return
    count = payload[at] & 0x1F
    at += 2
    for index in range(at, min(at + 3 * count, len(payload) - 2), 3):
        marker, first, second = payload[index : index + 3]
        kind, is_valid = marker & 3, bool(marker & 4)
        if is_valid or kind >= 2:
            triples.append(CcTriple(kind, first, second, is_valid))
