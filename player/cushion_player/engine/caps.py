"""A cap on the rung while the machine cannot keep up: frames that come too late are worse than a smaller picture."""

from __future__ import annotations

from cushion_player.engine.config import EngineConfig
from cushion_player.timeline import TrackRung


class DroppedFrameCap:
    """Counts dropped frames by the rung that plays, and says below which bitrate to stay.

    dash.js and Shaka cap by the share of frames dropped; an output here tells what it dropped and not what it showed,
    so the limit is a number within a window (24 in 4 s: a fifth of 30 frames a second).
    """

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._counts: list[tuple[int, int]] = []
        self._below_bps: int | None = None
        self._until_us = 0
        self._hold_us = config.cap_hold_us
        self._failed_bps = 0

    @property
    def below_bps(self) -> int | None:
        """Rungs of this bitrate and above are not used; None when all are."""
        return self._below_bps

    @property
    def until_us(self) -> int | None:
        """When the cap is lifted; None when there is none."""
        return self._until_us if self._below_bps is not None else None

    def note(self, count: int, rung: TrackRung, now: int) -> bool:
        """Frames of this rung were dropped. Returns whether it is capped now."""
        self._counts = [(at, n) for at, n in self._counts if now - at < self._config.dropped_frames_window_us]
        self._counts.append((now, count))
        if sum(n for _, n in self._counts) < self._config.dropped_frames_limit:
            return False
        self._counts.clear()
        if self._failed_bps and rung.bitrate_bps >= self._failed_bps:
            self._hold_us *= 2
        self._failed_bps = rung.bitrate_bps
        self._below_bps = rung.bitrate_bps
        self._until_us = now + self._hold_us
        return True

    def changed_rung(self) -> None:
        """Another rung plays: what the last one dropped is not held against it."""
        self._counts.clear()

    def expire(self, now: int) -> bool:
        """Whether the cap was lifted just now."""
        if self._below_bps is None or now < self._until_us:
            return False
        self._below_bps = None
        return True
