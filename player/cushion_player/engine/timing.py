"""When each track may request its next segment."""

from __future__ import annotations

from cushion_player.engine.budget import Budget, smallest_bytes
from cushion_player.engine.config import EngineConfig
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.live import Live
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.track import TrackState

LEAD_SEGMENTS = 0.5
"""By how many of its segments a track may be ahead of one that is being fetched and has less than it takes to play on.

Sound that runs ahead takes from the picture the link on which both wait: at the start, and after a stall.
"""


class Timing:
    """Buffers, the clock, the byte limit and the live edge say when. Changes nothing."""

    def __init__(self, config: EngineConfig, lineup: Lineup, playhead: Playhead, budget: Budget) -> None:
        self.live: Live | None = None
        """While the presentation is live."""
        self._config = config
        self._lineup = lineup
        self._playhead = playhead
        self._budget = budget

    def threshold_us(self, phase: Phase) -> int:
        """Media ahead that lets the clock run; below it requests are never put off."""
        if phase is Phase.REBUFFERING:
            wanted_us = self._config.rebuffer_threshold_us
        else:
            wanted_us = self._config.start_threshold_us
        return wanted_us if self.live is None else self.live.threshold_us(wanted_us)

    def earliest_us(self, track: TrackState, phase: Phase, now: int) -> int | None:
        """When this track may request again by the clock alone; None when the clock does not decide it."""
        earliest = self._wanted_us(track, phase, now)
        if earliest is None or self.live is None:
            return earliest
        return None if self.live.has_left(track, now) else max(earliest, self.live.available_at_us(track))

    def _wanted_us(self, track: TrackState, phase: Phase, now: int) -> int | None:
        """The same, were every segment there."""
        if not track.has_next or track.in_flight is not None or track.failure is not None:
            return None
        retry_us = track.retries.at_us or 0 if track.retries.probe_index is None else 0
        position = self._playhead.position_us(now)
        if self._lineup.is_scrubbing:
            is_wanted = track is self._lineup.main and track.buffer.covering(position) is None
            return retry_us if is_wanted else None
        ahead = track.buffer.ahead_us(position)
        spare = ahead - self.threshold_us(phase)
        if self._is_too_far_ahead(track, ahead, position):
            return None  # what the others receive decides it
        if spare < 0:
            return retry_us
        excess = ahead + track.track.segment_us(track.next_index) - self._budget.goal_us()
        is_full = self._budget.room_bytes() < smallest_bytes(track)
        if not self._playhead.is_running:
            return None if is_full or excess > 0 else max(track.wait_until_us, retry_us)
        earliest = self._playhead.reached_at_us(position + spare + 1)
        if not is_full:
            earliest = min(earliest, max(track.wait_until_us, self._playhead.reached_at_us(position + max(excess, 0))))
        return max(earliest, retry_us)

    def _is_too_far_ahead(self, track: TrackState, ahead_us: int, position_us: int) -> bool:
        """Whether a track must leave the link to one that has less than it takes to play on."""
        if self.live is not None and self.live.edge.chunk_us:
            return False  # each comes no faster than it is made
        behind = [
            other.buffer.ahead_us(position_us)
            for other in self._lineup.tracks
            if other is not track and other.is_required and other.in_flight is not None
        ]
        lead_us = LEAD_SEGMENTS * track.track.segment_us(track.next_index)
        return bool(behind) and min(behind) < self._config.rebuffer_threshold_us and ahead_us >= min(behind) + lead_us
