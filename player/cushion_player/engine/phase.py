"""Where a playback stands."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a playback stands. Paused is not a phase: any phase can be paused."""

    IDLE = "idle"
    STARTUP = "startup"
    STEADY = "steady"
    REBUFFERING = "rebuffering"
    SEEKING = "seeking"
    ENDED = "ended"
    FAILED = "failed"


WAITING = (Phase.STARTUP, Phase.REBUFFERING, Phase.SEEKING)
"""Phases in which the clock is held until enough media is there."""
