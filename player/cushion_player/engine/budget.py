"""How many bytes are held, and what still fits."""

from __future__ import annotations

from collections.abc import Iterable

from cushion_player.engine.config import EngineConfig
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.track import TrackState
from cushion_player.events import Event


def held_bytes(tracks: Iterable[TrackState], decoded_bytes: int) -> int:
    """What is buffered, on its way (at its expected size), and decoded."""
    total = decoded_bytes
    for track in tracks:
        total += track.buffer.size_bytes
        if track.in_flight is not None:
            expected = track.track.size_bytes(track.in_flight.index, track.in_flight.rung)
            total += max(expected, track.in_flight.received_bytes)
    return total


def smallest_bytes(track: TrackState) -> int:
    """The size of the next segment at the lowest rung that can be had."""
    usable = track.usable_rungs()
    return track.track.size_bytes(track.next_index, usable[0]) if usable else 0


class Budget:
    """The byte limit of one playback."""

    def __init__(self, config: EngineConfig, lineup: Lineup) -> None:
        self.decoded_bytes = 0
        """What decoded frames take, as far as the output tells."""
        self._config = config
        self._lineup = lineup

    def room_bytes(self) -> int:
        """What may still be requested; negative when more is held than should be."""
        return self._config.buffer_limit_bytes - held_bytes(self._lineup.tracks, self.decoded_bytes)

    def goal_us(self) -> int:
        """How much media ahead is wanted, or what the byte limit holds of the highest rungs when that is less."""
        tracks = self._lineup.tracks
        total_bps = sum(track.stretch.rungs[-1].bitrate_bps for track in tracks if track.is_required)
        segment_us = max((track.track.segment_us(track.next_index) for track in tracks if track.has_next), default=0)
        fits_us = self._config.buffer_limit_bytes * 8_000_000 // max(1, total_bps)
        return min(self._config.buffer_goal_us, max(fits_us, 2 * segment_us))

    def make_room(self, position_us: int) -> list[Event]:
        """Give up the media behind the position when the next segments do not fit beside it."""
        tracks = self._lineup.tracks
        needed = sum(smallest_bytes(track) for track in tracks if track.has_next and track.in_flight is None)
        if self.room_bytes() >= needed:
            return []
        return [event for track in tracks for event in track.trim(position_us)]
