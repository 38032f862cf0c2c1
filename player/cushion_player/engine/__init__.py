"""The playback engine: arithmetic on values, no I/O. Time arrives as `now`, effects leave as events."""

from cushion_player.engine.config import EngineConfig, FetchFailure, Limits
from cushion_player.engine.core import EngineSnapshot, Phase, PlaybackEngine

__all__ = ["EngineConfig", "EngineSnapshot", "FetchFailure", "Limits", "Phase", "PlaybackEngine"]
