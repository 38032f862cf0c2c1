"""The playback engine: arithmetic on values, no I/O. Time arrives as `now`, effects leave as events."""

from cushion_player.engine.config import EngineConfig, FetchFailure, Limits, Loop, TrackSelection
from cushion_player.engine.core import PlaybackEngine
from cushion_player.engine.phase import Phase
from cushion_player.engine.snapshot import EngineSnapshot

__all__ = [
    "EngineConfig",
    "EngineSnapshot",
    "FetchFailure",
    "Limits",
    "Loop",
    "Phase",
    "PlaybackEngine",
    "TrackSelection",
]
