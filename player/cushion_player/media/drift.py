"""Two clocks held together: the even one that we read, and the one that counts, which comes in steps.

An audio device takes its samples in gulps, and its crystal is not the machine's. Pictures follow the machine's clock,
drawn gently towards the device's; where the two are far apart, one jump is better than seconds of drift.
"""

from __future__ import annotations

from typing import Final

STEP_US: Final = 60_000
"""Farther apart than this is no drift: the sound stood still, or another device took over."""
_PULL_US: Final = 400_000
"""Time constant of the correction: gulps of 20 ms come through as less than a millisecond a frame."""


class DriftFilter:
    """Follows an uneven clock evenly. Never goes back."""

    def __init__(self) -> None:
        self._now_us: int | None = None
        self._position_us = 0.0

    def reset(self) -> None:
        """What comes next is a new place."""
        self._now_us = None

    def follow(self, raw_us: float, now_us: int, rate: float) -> float:
        """The position at `now_us`, of which the uneven clock says `raw_us`, when it should advance `rate` µs a µs."""
        if self._now_us is None:
            self._now_us, self._position_us = now_us, raw_us
            return raw_us
        elapsed_us = max(0, now_us - self._now_us)
        expected_us = self._position_us + rate * elapsed_us
        error_us = raw_us - expected_us
        if abs(error_us) > STEP_US:
            expected_us = raw_us
        else:
            expected_us += error_us * min(1.0, elapsed_us / _PULL_US)
        self._now_us = now_us
        self._position_us = max(self._position_us, expected_us)
        return self._position_us
