"""The few boxes our own packaging needs: split a muxer's output, read and rewrite decode times, check a segment.

Works only on what our muxer writes (one track, one trun a fragment); it is not a general reader. Source: ISO/IEC
14496-12 (boxes) and 14496-15 (avcC, sample layout).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from cushion_servers.errors import PackagingError

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_CONTAINERS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"})
_NAL_SLICE, _NAL_IDR = 1, 5


class Box(NamedTuple):
    """A box inside some bytes: `start` is its header's offset, `body` its payload's, `end` one past it."""

    kind: bytes
    start: int
    body: int
    end: int


class MuxedParts(NamedTuple):
    """What one muxer run wrote: the init segment (ftyp + moov) and media segments (moof + mdat each)."""

    init: bytes
    segments: list[bytes]


class SegmentFacts(NamedTuple):
    """Times of a segment in ticks, and whether its first video sample is an IDR picture."""

    sequence: int
    decode_time: int
    duration: int
    sample_count: int
    starts_with_idr: bool


class InitFacts(NamedTuple):
    """Facts of an init segment. `edit_start` is the edit list's media time, 0 without one."""

    timescale: int
    edit_start: int
    codecs: str


def iter_boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of `data[start:end]`, in order; raises PackagingError where they do not fit."""
    limit = len(data) if end is None else end
    while start < limit:
        if start + 8 > limit:
            raise PackagingError(f"A box header at byte {start} is cut off.")
        size, body = _U32.unpack_from(data, start)[0], start + 8
        if size == 1:
            size, body = _U64.unpack_from(data, start + 8)[0], start + 16
        if size < body - start or start + size > limit:
            raise PackagingError(f"The box at byte {start} does not fit.")
        yield Box(data[start + 4 : start + 8], start, body, start + size)
        start += size


def find_box(data: bytes, *path: bytes) -> Box | None:
    """The first box at `path` (`b"moov", b"trak", …`), or None."""
    start, end, found = 0, len(data), None
    for kind in path:
        found = next((box for box in iter_boxes(data, start, end) if box.kind == kind), None)
        if found is None:
            return None
        start, end = found.body, found.end
    return found


def split_muxed(data: bytes) -> MuxedParts:
    """Split a fragmented mp4 into its init and media segments; index boxes (sidx, mfra) are dropped."""
    init, segments, moof = b"", list[bytes](), b""
    for box in iter_boxes(data):
        raw = data[box.start : box.end]
        if box.kind in (b"ftyp", b"moov"):
            init += raw
        elif box.kind == b"moof":
            moof = raw
        elif box.kind == b"mdat":
            if not moof:
                raise PackagingError("The muxer wrote media data before its movie fragment.")
            segments.append(moof + raw)
            moof = b""
    if not init or not segments:
        raise PackagingError("The muxer wrote no init segment or no media segment.")
    return MuxedParts(init, segments)


def read_segment(data: bytes, *, video: bool) -> SegmentFacts:
    """Facts of one of our segments; raises PackagingError when a box is missing."""
    sequence = _U32.unpack_from(data, _required(data, b"moof", b"mfhd").body + 4)[0]
    tfdt = _required(data, b"moof", b"traf", b"tfdt")
    wide = data[tfdt.body] == 1
    decode_time = (_U64 if wide else _U32).unpack_from(data, tfdt.body + 4)[0]
    tfhd, trun = _required(data, b"moof", b"traf", b"tfhd"), _required(data, b"moof", b"traf", b"trun")
    sample_count, duration = _trun_duration(data, trun, _default_duration(data, tfhd))
    mdat = _required(data, b"mdat")
    return SegmentFacts(sequence, decode_time, duration, sample_count, video and _starts_with_idr(data, mdat))


def with_times(data: bytes, *, decode_time: int, sequence: int) -> bytes:
    """The same segment at another place of its track: tfdt (which must be 64-bit) and mfhd rewritten."""
    tfdt = _required(data, b"moof", b"traf", b"tfdt")
    if data[tfdt.body] != 1:
        raise PackagingError("The segment's decode time is not a 64-bit one.")
    changed = bytearray(data)
    _U64.pack_into(changed, tfdt.body + 4, decode_time)
    _U32.pack_into(changed, _required(data, b"moof", b"mfhd").body + 4, sequence)
    return bytes(changed)


def read_init(init: bytes) -> InitFacts:
    """Timescale, edit list and RFC 6381 codec string of one of our init segments (H.264 or AAC)."""
    mdhd = _required(init, b"moov", b"trak", b"mdia", b"mdhd")
    timescale = _U32.unpack_from(init, mdhd.body + (20 if init[mdhd.body] == 1 else 12))[0]
    return InitFacts(timescale, _edit_start(init), _codecs(init))


def _required(data: bytes, *path: bytes) -> Box:
    box = find_box(data, *path)
    if box is None:
        raise PackagingError(f"The muxer's output lacks {'/'.join(kind.decode() for kind in path)}.")
    return box


def _edit_start(init: bytes) -> int:
    elst = find_box(init, b"moov", b"trak", b"edts", b"elst")
    if elst is None:
        return 0
    wide = init[elst.body] == 1
    media_time_of = struct.Struct(">8xq4x" if wide else ">4xi4x")
    for k in range(_U32.unpack_from(init, elst.body + 4)[0]):
        media_time: int = media_time_of.unpack_from(init, elst.body + 8 + k * media_time_of.size)[0]
        if media_time >= 0:
            return media_time
    return 0


def _codecs(init: bytes) -> str:
    stsd = _required(init, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    entry = next(iter_boxes(init, stsd.body + 8, stsd.end))
    if entry.kind == b"avc1":
        avcc = next((box for box in iter_boxes(init, entry.body + 78, entry.end) if box.kind == b"avcC"), None)
        if avcc is None:
            raise PackagingError("The init segment has no avcC box.")
        return f"avc1.{init[avcc.body + 1 : avcc.body + 4].hex()}"
    if entry.kind == b"mp4a":
        esds = next((box for box in iter_boxes(init, entry.body + 28, entry.end) if box.kind == b"esds"), None)
        if esds is None or b"\x05\x80\x80\x80" not in init[esds.body : esds.end]:
            raise PackagingError("The init segment has no AudioSpecificConfig.")
        return "mp4a.40.2"
    raise PackagingError(f"The init segment holds {entry.kind.decode('latin-1')}, which is neither avc1 nor mp4a.")


def _default_duration(data: bytes, tfhd: Box) -> int:
    flags = _U32.unpack_from(data, tfhd.body)[0] & 0xFFFFFF
    at = tfhd.body + 8 + 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2)
    return _U32.unpack_from(data, at)[0] if flags & 0x8 else 0


def _trun_duration(data: bytes, trun: Box, default: int) -> tuple[int, int]:
    """(samples, total duration in ticks) of a trun."""
    flags, count = _U32.unpack_from(data, trun.body)[0] & 0xFFFFFF, _U32.unpack_from(data, trun.body + 4)[0]
    if not flags & 0x100:
        return count, count * default
    entry_bytes = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    at = trun.body + 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    return count, sum(_U32.unpack_from(data, at + k * entry_bytes)[0] for k in range(count))


def _starts_with_idr(data: bytes, mdat: Box) -> bool:
    at = mdat.body
    while at + 5 <= mdat.end:
        kind = data[at + 4] & 0x1F
        if kind in (_NAL_SLICE, _NAL_IDR):
            return kind == _NAL_IDR
        at += 4 + _U32.unpack_from(data, at)[0]
    return False
