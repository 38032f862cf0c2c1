"""Text tracks in fragmented MP4, box by box."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def text_init(entry: bytes, *, timescale: int = 1000, handler: bytes = b"text", track_id: int = 1) -> bytes:
    """An initialisation segment with one track of this sample entry."""
    mdhd = full(b"mdhd", words(0, 0, timescale, 0, 0))
    hdlr = full(b"hdlr", words(0), handler, bytes(12), b"\0")
    stbl = box(b"stbl", full(b"stsd", words(1), entry))
    mdia = box(b"mdia", mdhd, hdlr, box(b"minf", stbl))
    trak = box(b"trak", full(b"tkhd", words(0, 0, track_id, 0, 0), bytes(60)), mdia)
    mvex = box(b"mvex", full(b"trex", words(track_id, 1, 0, 0, 0)))
    return box(b"ftyp", b"iso6") + box(b"moov", full(b"mvhd", words(0, 0, 1000, 0), bytes(80)), trak, mvex)


def wvtt_entry(header: str = "WEBVTT") -> bytes:
    return box(b"wvtt", bytes(6), struct.pack(">H", 1), box(b"vttC", header.encode()))


def stpp_entry() -> bytes:
    return box(b"stpp", bytes(6), struct.pack(">H", 1), b"http://www.w3.org/ns/ttml\0\0\0")


def vttc(text: str, *, settings: str = "", name: str = "") -> bytes:
    parts = [
        box(kind, value.encode()) for kind, value in ((b"iden", name), (b"sttg", settings), (b"payl", text)) if value
    ]
    return box(b"vttc", *parts)


VTTE = box(b"vtte")


def text_segment(start: int, samples: Sequence[tuple[int, bytes]], track_id: int = 1) -> bytes:
    """One fragment. start: ticks; samples: duration in ticks, and the sample."""
    tfhd = full(b"tfhd", words(track_id), flags=0x020000)
    tfdt = full(b"tfdt", struct.pack(">Q", start), version=1)
    rows = b"".join(words(duration, len(data)) for duration, data in samples)

    def moof(data_offset: int) -> bytes:
        trun = full(b"trun", words(len(samples), data_offset), rows, flags=0x000301)
        return box(b"moof", full(b"mfhd", words(1)), box(b"traf", tfhd, tfdt, trun))

    mdat = box(b"mdat", *[data for _, data in samples])
    return moof(len(moof(0)) + 8) + mdat
