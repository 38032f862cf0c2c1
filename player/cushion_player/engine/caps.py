"""A cap on the rung while the machine cannot keep up: frames that come too late are worse than a smaller picture."""

from __future__ import annotations

from cushion_player.engine.config import EngineConfig
from cushion_player.engine.track import TrackState
from cushion_player.notices import RungCapped
from cushion_player.timeline import TrackRung


class DroppedFrameCap:
    """Counts dropped frames by the rung that plays, and says below which bitrate to stay.

    dash.js and Shaka cap by the share of frames dropped; an output here tells what it dropped and not what it showed,
    so the limit is a number within a window (24 in 4 s: a fifth of 30 frames a second).
    """

    def __init__(self, config: EngineConfig) -> None:
        self.total = 0
        """Frames dropped in all."""
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

    def consider(self, count: int, main: TrackState, now: int) -> list[RungCapped]:
        """The machine dropped frames of what plays; with nothing lower to go to, a cap helps nobody."""
        rung = main.playing
        if rung is None:
            return []
        below = [at for at, each in enumerate(main.stretch.rungs) if each.bitrate_bps < rung.bitrate_bps]
        if not below or not self._note(count, rung, now):
            return []
        reason = f"{self.total} frames were dropped: the machine cannot keep up with {rung.key}"
        return [RungCapped(main.kind, below[-1], reason)]

    def _note(self, count: int, rung: TrackRung, now: int) -> bool:
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
