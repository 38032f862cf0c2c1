"""Producer reference times (box 'prft'): what the wall clock said when a moment of the media was made.

Source: ISO/IEC 14496-12 8.16.5. What live latency can be measured against.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from cushion_player.boxes.cursor import Box, unpack, version_and_flags, walk

NTP_TO_UNIX_S: Final = 2_208_988_800
"""From 1900 to 1970 (RFC 5905 figure 4)."""
_V0 = Struct(">IQI")
_V1 = Struct(">IQQ")
_ORIGINS: Final = {0: "encoder input", 1: "encoder output", 2: "moof finalised", 4: "moof written", 8: "arbitrary"}


@dataclass(frozen=True, slots=True)
class ProducerTime:
    """One pairing of media and wall clock.

    media_time: ticks of the track's timescale, its edit list not applied. wall_us: µs since 1970 UTC.
    origin: which moment of production is meant; `arbitrary` times still run at the rate of the media.
    """

    track_id: int
    media_time: int
    wall_us: int
    origin: str


def read_producer_times(data: bytes | memoryview) -> tuple[ProducerTime, ...]:
    """Those at the top level of a segment, in order. Raises DecodeError when one is cut off."""
    view = memoryview(data)
    return tuple([_read(view, box) for box in walk(view, 0, len(view)) if box.kind == b"prft"])


def _read(view: memoryview, box: Box) -> ProducerTime:
    version, flags = version_and_flags(view, box)
    track_id, ntp, media_time = unpack(_V1 if version else _V0, view, box.payload + 4, box)
    seconds, fraction = ntp >> 32, ntp & 0xFFFFFFFF
    wall_us = (seconds - NTP_TO_UNIX_S) * 1_000_000 + (fraction * 1_000_000 + (1 << 31) >> 32)
    return ProducerTime(track_id, media_time, wall_us, _ORIGINS.get(flags, "unknown"))
