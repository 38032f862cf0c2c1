"""Writes and stamps fragmented MP4 for tests: made-up segments, and real ones put at another time.

The contents of made-up samples are no video or sound; every box around them is as it should be (ISO/IEC 14496-12).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import pack, pack_into, unpack_from

_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SPS = bytes.fromhex("6764001facd9405005bb0110000003001000000303c0f1831960")
_PPS = bytes.fromhex("68ebe3cb22c0")
_NTP_EPOCH_S = 2_208_988_800
_SYNC, _NOT_SYNC = 0x02000000, 0x01010000


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return pack(">I4s", len(body) + 8, kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, pack(">I", version << 24 | flags), *parts)


# --------------------------------------------------------------------------- made up


def make_init(kind: str, timescale: int, *, width_px: int = 0, height_px: int = 0, rate_hz: int = 48_000) -> bytes:
    """An initialisation segment of one track. kind: `video` (AVC) or `audio` (AAC, stereo)."""
    is_video = kind == "video"
    entry = _video_entry(width_px, height_px) if is_video else _audio_entry(rate_hz)
    header = full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    handler = b"vide" if is_video else b"soun"
    nothing = [full_box(name, 0, 0, bytes(4)) for name in (b"stts", b"stsc", b"stco")]
    table = box(b"stbl", full_box(b"stsd", 0, 0, pack(">I", 1), entry), *nothing, full_box(b"stsz", 0, 0, bytes(8)))
    reference = box(b"dinf", full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, 1)))
    size = pack(">II", width_px << 16, height_px << 16)
    volume = pack(">H2x", 0 if is_video else 0x100)
    track = box(
        b"trak",
        full_box(b"tkhd", 0, 7, pack(">IIIII", 0, 0, 1, 0, 0), bytes(8), pack(">hh", 0, 0), volume, _MATRIX, size),
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0)),
            full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"made\0"),
            box(b"minf", header, reference, table),
        ),
    )
    movie = full_box(
        b"mvhd", 0, 0, pack(">IIIIIH", 0, 0, 1000, 0, 0x10000, 0x100), bytes(10), _MATRIX, bytes(24), pack(">I", 2)
    )
    extends = box(b"mvex", full_box(b"trex", 0, 0, pack(">5I", 1, 1, 0, 0, 0)))
    return box(b"ftyp", b"iso6", bytes(4), b"iso6cmfc") + box(b"moov", movie, track, extends)


def _video_entry(width_px: int, height_px: int) -> bytes:
    sets = pack(">BH", 0xE1, len(_SPS)) + _SPS + pack(">BH", 1, len(_PPS)) + _PPS
    config = box(b"avcC", bytes([1, 0x64, 0, 0x1F, 0xFF]), sets)
    sizes = pack(">16xHHIIIH32xHh", width_px, height_px, 0x480000, 0x480000, 0, 1, 24, -1)
    return box(b"avc1", pack(">6xH", 1), sizes, config)


def _audio_entry(rate_hz: int) -> bytes:
    specific = b"\x05\x02\x11\x90"  # AAC-LC, 48 kHz, stereo
    decoder = b"\x04\x13\x40\x15" + bytes(11) + specific
    descriptor = bytes([3, 3 + len(decoder) + 3, 0, 1, 0]) + decoder + b"\x06\x01\x02"
    return box(
        b"mp4a",
        pack(">6xH", 1),
        pack(">8xHHI", 2, 16, 0),
        pack(">I", rate_hz << 16),
        full_box(b"esds", 0, 0, descriptor),
    )


def make_chunk(time: int, durations: Sequence[int], size_bytes: int) -> bytes:
    """A movie fragment at a decode time and its media data: samples of these durations, the first one sync.

    size_bytes: of all samples together.
    """
    share, rest = divmod(size_bytes, len(durations))
    sizes = [share + (rest if index == 0 else 0) for index in range(len(durations))]
    rows = b"".join(
        pack(">III", duration, size, _NOT_SYNC if index else _SYNC)
        for index, (duration, size) in enumerate(zip(durations, sizes, strict=True))
    )
    head_bytes = 8 + 16 + 8 + 16 + 20 + 20 + len(rows)
    traf = box(
        b"traf",
        full_box(b"tfhd", 0, 0x020000, pack(">I", 1)),
        full_box(b"tfdt", 1, 0, pack(">Q", time)),
        full_box(b"trun", 0, 0x000701, pack(">II", len(durations), head_bytes + 8), rows),
    )
    moof = box(b"moof", full_box(b"mfhd", 0, 0, pack(">I", 0)), traf)
    assert len(moof) == head_bytes
    return moof + box(b"mdat", bytes(size_bytes))


# --------------------------------------------------------------------------- stamped


def boxes_of(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of each box, in order. The data is our own: what does not fit is an assertion."""
    end = len(data) if end is None else end
    while start < end:
        size, kind = unpack_from(">I4s", data, start)
        assert 8 <= size <= end - start, f"box {kind!r} at {start}"
        yield kind, start, start + size
        start += size


def split_chunks(segment: bytes) -> tuple[bytes, ...]:
    """A segment cut after each of its mdat boxes; whatever stands before a fragment stays with it, styp is dropped."""
    chunks: list[bytes] = []
    pending = b""
    for kind, start, end in boxes_of(segment):
        if kind != b"styp":
            pending += segment[start:end]
        if kind == b"mdat":
            chunks.append(pending)
            pending = b""
    return tuple(chunks)


def decode_time(chunk: bytes) -> int:
    """The base media decode time of its (first) fragment."""
    position = _find(chunk, b"moof", b"traf", b"tfdt")
    is_long = chunk[position + 8] == 1
    return int(unpack_from(">q" if is_long else ">I", chunk, position + 12)[0])


def stamped(chunk: bytes, time: int, sequence: int) -> bytes:
    """The chunk with this decode time and sequence number. Raises ValueError when the time does not fit in its tfdt."""
    made = bytearray(chunk)
    pack_into(">I", made, _find(chunk, b"moof", b"mfhd") + 12, sequence)
    position = _find(chunk, b"moof", b"traf", b"tfdt")
    if chunk[position + 8] == 1:
        pack_into(">q", made, position + 12, time)
    elif 0 <= time < 1 << 32:
        pack_into(">I", made, position + 12, time)
    else:
        raise ValueError(f"decode time {time} does not fit in 32 bits: package with tfdt version 1")
    return bytes(made)


def _find(data: bytes, *path: bytes) -> int:
    start, end, position = 0, len(data), 0
    for kind in path:
        start, end = next((at, stop) for found, at, stop in boxes_of(data, start, end) if found == kind)
        position, start = start, start + 8
    return position


# --------------------------------------------------------------------------- beside the media


def make_emsg(scheme: str, value: str, timescale: int, time: int, duration: int, key: int, data: bytes) -> bytes:
    """An event message, version 1: its time on the media timeline."""
    texts = scheme.encode() + b"\0" + value.encode() + b"\0"
    return full_box(b"emsg", 1, 0, pack(">IQII", timescale, time, duration, key), texts, data)


def make_prft(utc_us: int, time: int) -> bytes:
    """A producer reference time, version 1: when the encoder got the media time in (NTP time of day)."""
    seconds, micros = divmod(utc_us, 1_000_000)
    ntp = (seconds + _NTP_EPOCH_S & 0xFFFFFFFF, (micros << 32) // 1_000_000)
    return full_box(b"prft", 1, 24, pack(">IIIQ", 1, *ntp, time))
