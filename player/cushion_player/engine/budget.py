"""How many bytes are held, and what still fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cushion_player.engine.config import EngineConfig
from cushion_player.engine.track import TrackState


def held_bytes(tracks: Iterable[TrackState], decoded_bytes: int) -> int:
    """What is buffered, on its way (at its expected size), and decoded."""
    total = decoded_bytes
    for track in tracks:
        total += track.buffer.size_bytes
        if track.in_flight is not None:
            expected = track.track.size_bytes(track.in_flight.index, track.in_flight.rung)
            total += max(expected, track.in_flight.received_bytes)
    return total


def room_bytes(config: EngineConfig, tracks: Iterable[TrackState], decoded_bytes: int) -> int:
    """What may still be requested; negative when more is held than should be."""
    return config.buffer_limit_bytes - held_bytes(tracks, decoded_bytes)


def smallest_bytes(track: TrackState) -> int:
    """The size of the next segment at the lowest rung that can be had."""
    usable = track.usable_rungs()
    return track.track.size_bytes(track.next_index, usable[0]) if usable else 0


def buffer_goal_us(config: EngineConfig, tracks: Sequence[TrackState]) -> int:
    """The goal in time, or what the byte limit holds of the highest rungs when that is less."""
    total_bps = sum(track.stretch.rungs[-1].bitrate_bps for track in tracks if track.is_required)
    segment_us = max((track.track.segment_us(track.next_index) for track in tracks if track.has_next), default=0)
    fits_us = config.buffer_limit_bytes * 8_000_000 // max(1, total_bps)
    return min(config.buffer_goal_us, max(fits_us, 2 * segment_us))
