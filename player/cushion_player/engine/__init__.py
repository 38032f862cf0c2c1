"""The playback engine: arithmetic on values, no I/O. Time arrives as `now`, effects leave as events."""

from cushion_player.engine.config import EngineConfig, FetchFailure, Limits, Loop, TrackSelection
from cushion_player.engine.core import PlaybackEngine
from cushion_player.engine.phase import Phase
from cushion_player.engine.retry import FailureClass, RetryPolicy, RetryRule
from cushion_player.engine.snapshot import EngineSnapshot

__all__ = [
    "EngineConfig",
    "EngineSnapshot",
    "FailureClass",
    "FetchFailure",
    "Limits",
    "Loop",
    "Phase",
    "PlaybackEngine",
    "RetryPolicy",
    "RetryRule",
    "TrackSelection",
]
