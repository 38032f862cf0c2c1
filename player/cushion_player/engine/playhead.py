"""Where playback is: last anchor + rate × (now − anchor), in integers.

The rate is held in parts per million, so that "when is position P reached" and "where are we then" agree exactly.
"""

from __future__ import annotations

PPM = 1_000_000


class Playhead:
    """A position that moves while running."""

    def __init__(self) -> None:
        self._position_us = 0
        self._at_us = 0
        self._rate_ppm = PPM
        self._running = False

    @property
    def is_running(self) -> bool:
        return self._running

    @property
    def rate(self) -> float:
        return self._rate_ppm / PPM

    def position_us(self, now: int) -> int:
        if not self._running:
            return self._position_us
        return self._position_us + (now - self._at_us) * self._rate_ppm // PPM

    def reached_at_us(self, position_us: int) -> int:
        """The first µs at which `position_us` will have been reached. Only while running."""
        assert self._running, "a held playhead reaches nothing"
        ahead = position_us - self._position_us
        return self._at_us + -(-ahead * PPM // self._rate_ppm)

    def move(self, position_us: int, now: int) -> None:
        self._position_us = position_us
        self._at_us = now

    def start(self, now: int) -> None:
        self._at_us = now
        self._running = True

    def stop(self, now: int) -> None:
        self._position_us = self.position_us(now)
        self._running = False

    def set_rate(self, rate: float, now: int) -> None:
        self.move(self.position_us(now), now)
        self._rate_ppm = max(1, round(rate * PPM))
