"""MPEG transport stream packets (ISO/IEC 13818-1, 2.4.3): from bytes to the payload of each stream.

Whole columns of packets are handled at once, in numpy: a segment has thousands of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cushion_player.errors import DecodeError

PACKET_BYTES: Final = 188
_SYNC: Final = 0x47
_MAX_RESYNCS: Final = 1_000
"""Data that is out of step more often than this is noise."""

_Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """The packets of a piece of a transport stream.

    rows: (n, 188) uint8. pids, starts: (n,); `starts` is where the payload begins, 188 where there is none.
    lost: places at which data was out of step, or packets flagged as damaged.
    """

    rows: _Bytes
    pids: NDArray[np.uint16]
    starts: NDArray[np.uint16]
    lost: int

    def of(self, pid: int) -> Packets:
        """Those of one stream that carry payload."""
        chosen = np.flatnonzero((self.pids == pid) & (self.starts < PACKET_BYTES))
        return Packets(self.rows[chosen], self.pids[chosen], self.starts[chosen], 0)

    def begins(self) -> NDArray[np.bool_]:
        """(n,) whether a PES packet or section begins in the packet."""
        return np.asarray((self.rows[:, 1] & 0x40) != 0)

    def random_access(self) -> NDArray[np.bool_]:
        """(n,) whether the packet says that decoding can begin here."""
        rows = self.rows
        return np.asarray(((rows[:, 3] & 0x20) != 0) & (rows[:, 4] > 0) & ((rows[:, 5] & 0x40) != 0))

    def is_scrambled(self) -> bool:
        return bool((self.rows[:, 3] & 0xC0).any())

    def jumps(self) -> int:
        """How often the continuity counter says that packets are missing (one repeated packet is allowed)."""
        counters = (self.rows[:, 3] & 15).astype(np.int16)
        steps = (counters[1:] - counters[:-1]) & 15
        return int(np.count_nonzero(steps > 1))

    def payload(self) -> tuple[bytes, NDArray[np.int64]]:
        """All payload end to end, and (n,) where that of each packet begins in it."""
        lengths = PACKET_BYTES - self.starts.astype(np.int64)
        offsets = np.cumsum(lengths) - lengths
        mask = np.arange(PACKET_BYTES, dtype=np.uint16) >= self.starts[:, None]
        return self.rows[mask].tobytes(), offsets


def read_packets(data: bytes) -> Packets:
    """Raises DecodeError when there is no transport stream in `data`."""
    rows, lost = _in_step(data)
    damaged = (rows[:, 1] & 0x80) != 0
    if damaged.any():
        lost += int(np.count_nonzero(damaged))
        rows = rows[~damaged]
    pids = ((rows[:, 1].astype(np.uint16) & 0x1F) << 8 | rows[:, 2]).astype(np.uint16)
    control = rows[:, 3] & 0x30
    starts = np.full(len(rows), 4, dtype=np.uint16)
    adapted = (control & 0x20) != 0
    starts[adapted] = np.minimum(rows[adapted, 4].astype(np.uint16) + 5, PACKET_BYTES)
    starts[(control & 0x10) == 0] = PACKET_BYTES
    return Packets(rows, pids, starts, lost)


def _in_step(data: bytes) -> tuple[_Bytes, int]:
    """(n, 188): the packets of `data`, and how often the next one was not where it should be."""
    parts: list[_Bytes] = []
    at = find_sync(data, 0)
    lost = int(at > 0)
    whole = np.frombuffer(data, dtype=np.uint8)
    while len(data) - at >= PACKET_BYTES:
        count = (len(data) - at) // PACKET_BYTES
        rows = whole[at : at + count * PACKET_BYTES].reshape(count, PACKET_BYTES)
        wrong = np.flatnonzero(rows[:, 0] != _SYNC)
        good = int(wrong[0]) if len(wrong) else count
        if good:
            parts.append(rows[:good])
        if good == count:
            break
        lost += 1
        if lost > _MAX_RESYNCS:
            raise DecodeError(f"the transport stream is out of step more than {_MAX_RESYNCS} times")
        at = find_sync(data, at + good * PACKET_BYTES)
    if not parts:
        raise DecodeError("no transport stream: no byte 47h every 188 bytes")
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), lost


def find_sync(data: bytes, at: int) -> int:
    """The next place where a packet begins and is followed by others, or by the end."""
    while (at := data.find(_SYNC, at)) >= 0:
        if all(data[at + step : at + step + 1] in (b"\x47", b"") for step in (PACKET_BYTES, 2 * PACKET_BYTES)):
            return at
        at += 1
    return len(data)
