"""The 90 kHz clock of MPEG systems: 33 bits, back at 0 after 26.5 hours."""

from __future__ import annotations

from typing import Final

CLOCK_HZ: Final = 90_000
_PERIOD: Final = 1 << 33


def unwrap_us(ticks: int, expected_us: int) -> int:
    """The time in µs at which a 33-bit clock shows `ticks`, nearest to `expected_us`."""
    expected = expected_us * 9 // 100
    turns = (expected - ticks + _PERIOD // 2) // _PERIOD
    return ((ticks + turns * _PERIOD) * 200 + 9) // 18


def ticks_to_us(ticks: int) -> int:
    return (ticks * 200 + 9) // 18
