"""SCTE-35 splice information: what a broadcaster says of breaks, and when.

Source: ANSI/SCTE 35 2023 9 (splice_info_section) and 10 (descriptors). Encrypted sections are read up to where they
are encrypted. What is not understood of a descriptor is kept as bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from cushion_player.errors import DecodeError

TABLE_ID: Final = 0xFC
PTS_CLOCK: Final = 90_000
_CUEI: Final = b"CUEI"
_SEGMENTATION: Final = 0x02


class SpliceCommand(IntEnum):
    """What a section commands."""

    NULL = 0x00
    SCHEDULE = 0x04
    INSERT = 0x05
    TIME_SIGNAL = 0x06
    BANDWIDTH_RESERVATION = 0x07
    PRIVATE = 0xFF


@dataclass(frozen=True, slots=True)
class SegmentationDescriptor:
    """What kind of segment begins or ends (10.3.3). type_id: table 23, `0x34` a placement opportunity's start."""

    event_id: int
    type_id: int
    is_cancelled: bool = False
    duration_us: int | None = None
    upid_type: int = 0
    upid: bytes = b""
    segment_number: int = 0
    segments_expected: int = 0


@dataclass(frozen=True, slots=True)
class SpliceInfo:
    """A splice_info_section.

    command: a SpliceCommand's number, or one that is not known. pts: 33 bits at 90 kHz, the adjustment added; None when
    the splice is immediate or the command has no time. event_id, is_out, duration_us, auto_return: of splice_insert.
    """

    command: int
    pts: int | None = None
    event_id: int | None = None
    is_out: bool | None = None
    is_cancelled: bool = False
    duration_us: int | None = None
    auto_return: bool = False
    is_encrypted: bool = False
    segmentation: tuple[SegmentationDescriptor, ...] = ()
    other_descriptors: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)


class _Bits:
    """Reads big-endian bit fields. Raises DecodeError past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._length = len(data) * 8
        self.at = 0

    def read(self, count: int) -> int:
        if self.at + count > self._length:
            raise DecodeError(f"SCTE-35 section ends within {count} bits at bit {self.at}")
        self.at += count
        return self._value >> (self._length - self.at) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.read(1))

    def bytes(self, count: int) -> bytes:
        return self.read(count * 8).to_bytes(count, "big")


def read_splice_info(data: bytes) -> SpliceInfo:
    """Read one section. Raises DecodeError when it is none, is cut off, or its checksum is wrong."""
    if len(data) < 17 or data[0] != TABLE_ID:
        raise DecodeError("not a SCTE-35 splice_info_section")
    length = (data[1] & 0x0F) << 8 | data[2]
    section = data[: 3 + length]
    if len(section) < 3 + length:
        raise DecodeError(f"SCTE-35 section says it has {length} bytes, but only {len(data) - 3} are there")
    if _crc32(section) != 0:
        raise DecodeError("SCTE-35 section with a wrong checksum")
    bits = _Bits(section)
    bits.read(24)
    bits.read(8)  # protocol_version
    is_encrypted = bits.flag()
    bits.read(6)
    adjustment = bits.read(33)
    bits.read(8 + 12)  # cw_index, tier
    command_length = bits.read(12)
    command = bits.read(8)
    if is_encrypted:
        return SpliceInfo(command, is_encrypted=True)
    begin = bits.at
    info = _command(bits, command, adjustment)
    if command_length != 0xFFF:  # 0xFFF: not said, by old encoders
        bits.at = begin + command_length * 8
    return _with_descriptors(info, bits)


def _command(bits: _Bits, command: int, adjustment: int) -> SpliceInfo:
    if command == SpliceCommand.TIME_SIGNAL:
        return SpliceInfo(command, pts=_splice_time(bits, adjustment))
    if command == SpliceCommand.INSERT:
        return _insert(bits, adjustment)
    return SpliceInfo(command)


def _splice_time(bits: _Bits, adjustment: int) -> int | None:
    if not bits.flag():
        bits.read(7)
        return None
    bits.read(6)
    return (bits.read(33) + adjustment) % (1 << 33)


def _insert(bits: _Bits, adjustment: int) -> SpliceInfo:
    event_id = bits.read(32)
    is_cancelled = bits.flag()
    bits.read(7)
    if is_cancelled:
        return SpliceInfo(SpliceCommand.INSERT, event_id=event_id, is_cancelled=True)
    is_out, is_program, has_duration, is_immediate = bits.flag(), bits.flag(), bits.flag(), bits.flag()
    bits.read(4)
    pts: int | None = None
    if is_program and not is_immediate:
        pts = _splice_time(bits, adjustment)
    if not is_program:
        for _ in range(bits.read(8)):
            bits.read(8)
            if not is_immediate:
                time = _splice_time(bits, adjustment)
                pts = time if pts is None else pts
    duration_us: int | None = None
    auto_return = False
    if has_duration:
        auto_return = bits.flag()
        bits.read(6)
        duration_us = _ticks_us(bits.read(33))
    bits.read(16 + 8 + 8)  # unique_program_id, avail_num, avails_expected
    return SpliceInfo(
        SpliceCommand.INSERT,
        pts=pts,
        event_id=event_id,
        is_out=is_out,
        duration_us=duration_us,
        auto_return=auto_return,
    )


def _with_descriptors(info: SpliceInfo, bits: _Bits) -> SpliceInfo:
    end = bits.read(16) * 8 + bits.at
    segmentation: list[SegmentationDescriptor] = []
    others: list[tuple[int, bytes]] = []
    while bits.at < end:
        tag, length = bits.read(8), bits.read(8)
        body = bits.bytes(length)
        if tag == _SEGMENTATION and body[:4] == _CUEI:
            segmentation.append(_segmentation(_Bits(body[4:])))
        else:
            others.append((tag, body))
    return SpliceInfo(
        info.command,
        info.pts,
        info.event_id,
        info.is_out,
        info.is_cancelled,
        info.duration_us,
        info.auto_return,
        info.is_encrypted,
        tuple(segmentation),
        tuple(others),
    )


def _segmentation(bits: _Bits) -> SegmentationDescriptor:
    event_id = bits.read(32)
    is_cancelled = bits.flag()
    bits.read(7)
    if is_cancelled:
        return SegmentationDescriptor(event_id, 0, is_cancelled=True)
    is_program, has_duration = bits.flag(), bits.flag()
    bits.read(6)
    if not is_program:
        for _ in range(bits.read(8)):
            bits.read(8 + 7 + 33)
    duration_us = _ticks_us(bits.read(40)) if has_duration else None
    upid_type, upid_length = bits.read(8), bits.read(8)
    upid = bits.bytes(upid_length)
    return SegmentationDescriptor(
        event_id,
        bits.read(8),
        duration_us=duration_us,
        upid_type=upid_type,
        upid=upid,
        segment_number=bits.read(8),
        segments_expected=bits.read(8),
    )


def _ticks_us(ticks: int) -> int:
    return ticks * 1_000_000 // PTS_CLOCK


def _table() -> tuple[int, ...]:
    made: list[int] = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        made.append(value)
    return tuple(made)


_CRC_TABLE: Final = _table()


def _crc32(data: bytes) -> int:
    """CRC-32 of MPEG-2 sections (ISO/IEC 13818-1 Annex A): 0 over a section with its own checksum."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[value >> 24 ^ byte]
    return value
