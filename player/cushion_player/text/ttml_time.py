"""Time expressions of TTML (TTML2, 12.3.1), exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from cushion_player.text.ttml_xml import Element

_CLOCK: Final = re.compile(
    r"([0-9]{2,6}):([0-9]{1,2}):([0-9]{1,2})(?:(\.[0-9]{1,12})|[:;]([0-9]{1,6})(?:\.([0-9]{1,6}))?)?"
)
_OFFSET: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,12}))?(h|ms|m|s|f|t)")
_UNITS_US: Final = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}

Exact: TypeAlias = int | Fraction
"""Microseconds without rounding; whole ones, which nearly all are, as int."""


@dataclass(frozen=True, slots=True)
class TimeBase:
    """What frames and ticks last."""

    frames_per_s: Fraction = Fraction(30)
    sub_frames: int = 1
    ticks_per_s: int = 1

    def time(self, text: str) -> Exact | None:
        """A time expression; None when it is none."""
        text = text.strip()
        clock = _CLOCK.fullmatch(text)
        if clock is not None:
            hours, minutes, seconds, fraction, frames, sub_frames = clock.groups()
            whole = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1_000_000
            if fraction is not None:
                return whole + _decimal(fraction[1:], 1_000_000)
            if frames is None:
                return whole
            count = int(frames) + Fraction(int(sub_frames or 0), self.sub_frames)
            return _plain(whole + count * 1_000_000 / self.frames_per_s)
        offset = _OFFSET.fullmatch(text)
        if offset is None:
            return None
        number, fraction, unit = int(offset[1]), offset[2] or "", offset[3]
        if unit in _UNITS_US:
            return number * _UNITS_US[unit] + _decimal(fraction, _UNITS_US[unit])
        count = number + Fraction(int(fraction or 0), 10 ** len(fraction))
        return _plain(count * 1_000_000 / (self.frames_per_s if unit == "f" else self.ticks_per_s))


def _decimal(digits: str, unit_us: int) -> Exact:
    """`.digits` of a unit."""
    product = int(digits or 0) * unit_us
    whole, rest = divmod(product, 10 ** len(digits))
    return whole if not rest else Fraction(product, 10 ** len(digits))


def _plain(value: Exact) -> Exact:
    return value.numerator if value.denominator == 1 else value


def read_time_base(root: Element) -> TimeBase:
    """frameRate × frameRateMultiplier, subFrameRate and tickRate of the document (7.2.5 and after)."""
    frame_rate = _whole(root.get("ttp:frameRate")) or 30
    multiplier = re.fullmatch(r"\s*([0-9]{1,9})[\s:]+([0-9]{1,9})\s*", root.get("ttp:frameRateMultiplier"))
    scale = Fraction(1)
    if multiplier and int(multiplier[1]) and int(multiplier[2]):
        scale = Fraction(int(multiplier[1]), int(multiplier[2]))
    sub_frames = _whole(root.get("ttp:subFrameRate")) or 1
    ticks = _whole(root.get("ttp:tickRate"))
    if not ticks:
        ticks = frame_rate * sub_frames if root.get("ttp:frameRate") else 1
    return TimeBase(frame_rate * scale, sub_frames, ticks)


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text.strip()) else 0
