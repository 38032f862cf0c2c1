"""Transport stream packets made by hand, for what no muxer here writes."""

from __future__ import annotations

from collections.abc import Mapping


def packet(pid: int, payload: bytes) -> list[bytes]:
    """The payload over as many packets as it takes; the first says that something begins."""
    packets: list[bytes] = []
    for number, at in enumerate(range(0, len(payload), 184)):
        part = payload[at : at + 184]
        begins = 0x40 if at == 0 else 0
        head = bytes([0x47, begins | pid >> 8, pid & 255])
        missing = 184 - len(part)
        if not missing:
            packets.append(head + bytes([0x10 | number & 15]) + part)
        else:
            field = bytes([missing - 1]) + (b"\0" + b"\xff" * (missing - 2) if missing > 1 else b"")
            packets.append(head + bytes([0x30 | number & 15]) + field + part)
    return packets


def programme_map(streams: Mapping[int, tuple[int, bytes]]) -> list[bytes]:
    """PAT and PMT: type and descriptors of each stream by its pid."""
    association = b"\0\1\xc1\0\0" + b"\0\1\xf0\0"
    entries = b"".join(
        bytes([kind]) + (0xE000 | pid).to_bytes(2, "big") + (0xF000 | len(body)).to_bytes(2, "big") + body
        for pid, (kind, body) in streams.items()
    )
    programme = b"\0\1\xc1\0\0" + b"\xe1\0\xf0\0" + entries
    return [*packet(0, _section(0, association)), *packet(0x1000, _section(2, programme))]


def pes(stream_id: int, ticks: int, payload: bytes) -> bytes:
    """A PES packet with a PTS."""
    stamp = bytes(
        [
            0x21 | ticks >> 29 & 0x0E,
            ticks >> 22 & 255,
            1 | ticks >> 14 & 0xFE,
            ticks >> 7 & 255,
            1 | ticks << 1 & 0xFE,
        ]
    )
    body = b"\x80\x80\x05" + stamp + payload
    return b"\0\0\1" + bytes([stream_id]) + len(body).to_bytes(2, "big") + body


def _section(table: int, body: bytes) -> bytes:
    length = len(body) + 4
    return b"\0" + bytes([table]) + (0xB000 | length).to_bytes(2, "big") + body + bytes(4)
