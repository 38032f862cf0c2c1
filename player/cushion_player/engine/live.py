"""What a live presentation asks of a playback: where its edge and window are, how near to stay, when to ask for more.

Arithmetic on the engine's clock and the timeline's positions; what follows from it is for the engine to do. The edge
is where the presentation would end now; `correction_us` is what was found to be missing there (the clocks disagree).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from cushion_player.engine.config import EngineConfig, FetchFailure
from cushion_player.engine.request import Request
from cushion_player.engine.track import TrackState
from cushion_player.timeline import LiveEdge

CHECK_US = 500_000
"""How often the distance from the edge is looked at while it is being kept."""
EARLY_SPAN_US = 90_000_000
"""A segment that is not found this near to the edge may not be there yet: clocks of devices are wrong by so much."""
LATE_SPAN_US = 30_000_000
"""The same where what is listed should be there: caches and edges are late by no more."""
MAX_EARLY_TRIES = 8
"""Steps back in a row before anything was received; each doubles, so they reach over hours."""
MAX_LATE_TRIES = 2
"""Once playback goes, a segment that is late twice is treated as one that is not there."""
BACK_OFF_AFTER = 3
"""Refreshes in a row without anything new before they become rarer."""
MAX_BACK_OFF = 3
"""Doublings of the time between refreshes at most."""
MAX_BACK_OFF_WAITED = 1
"""The same while playback stands still for want of what they may bring."""
MAX_REFRESH_US = 6_000_000
"""Beyond this the time between refreshes is not doubled: a programme that comes back is to be noticed."""
MIN_REFRESH_US = 100_000
"""Between the beginnings of two refreshes, however fast the server answers."""
KEPT_FAILURES = 8
"""Failed refreshes that are told of when playback ends for want of one."""
LATE_DELAY_US = 1_000_000
"""After how long a listed segment that is not found is asked for again at most: edges are slower than origins."""
DRIFT_US = 6_000_000
"""In low latency, a distance so much beyond the wanted one is not made up for by the rate: that takes minutes."""
WINDOW_MARGIN_US = 2_000_000
"""How far into the window a jump lands: what is at its very head may be gone before it is fetched."""


class Live:
    """The edge, the window, the wanted latency and the refreshes of one live playback."""

    def __init__(self, config: EngineConfig, edge: LiveEdge, now: int) -> None:
        self.edge = edge
        self.correction_us = 0
        self.follows = True
        """Whether the distance from the edge is kept; False at a position that the viewer chose."""
        self.is_refreshing = False
        self.is_stale = False
        self.failure: FetchFailure | None = None
        """Why the last refresh failed; None when it did not."""
        self.failed: deque[tuple[int, FetchFailure]] = deque(maxlen=KEPT_FAILURES)
        """The refreshes that failed or brought nothing since the last that did, and when."""
        self._config = config
        self._grown_us = now
        self._fruitless = 0
        self._refreshed_us = now
        self._is_in_a_hurry = False
        self._early: dict[str, tuple[int, int]] = {}
        """By track, which segment was asked for too early and how often; under "", before anything was received."""

    # ------------------------------------------------------------------ where

    def edge_us(self, now: int) -> int:
        """The position of the live edge."""
        return now + self.edge.edge_offset_us - self.correction_us

    def latency_us(self, position_us: int, now: int) -> int:
        return self.edge_us(now) - position_us

    def adrift_at_us(self, position_us: int) -> int | None:
        """When a position that stands still is too far from the edge for the rate to bring it back; None for never."""
        if not (self.follows and self.edge.chunk_us):
            return None
        limit_us = max(self.edge.max_latency_us or 0, self.edge.target_latency_us + DRIFT_US)
        return position_us + limit_us - self.edge.edge_offset_us + self.correction_us

    def window_us(self, tracks: Sequence[TrackState], now: int) -> tuple[int, int]:
        """What may be played now: from where, and up to where it is there."""
        edge = self.edge_us(now)
        start = max(track.track.start_us[0] for track in tracks)
        early_us = 0 if self.edge.chunk_us else self.edge.early_us  # chunks are there as soon as they are made
        end = min(edge + early_us, *(track.track.end_us() for track in tracks))
        if self.edge.depth_us is not None:
            start = max(start, edge - self.edge.depth_us)
        return start, max(start, end)

    def join_us(self, tracks: Sequence[TrackState], now: int) -> int:
        """Where to play for the wanted latency."""
        start, end = self.window_us(tracks, now)
        return min(max(self.edge_us(now) - self.edge.target_latency_us, start), end)

    def clamp_us(self, position_us: int, tracks: Sequence[TrackState], now: int) -> int:
        """The nearest position within the window, and no nearer to the edge than is wanted."""
        return min(max(position_us, self.rejoin_us(tracks, now)), self.join_us(tracks, now))

    def rejoin_us(self, tracks: Sequence[TrackState], now: int) -> int:
        """The first position that can be played on from, for one who has fallen out of the window."""
        start, _ = self.window_us(tracks, now)
        return min(start + WINDOW_MARGIN_US, max(start, self.join_us(tracks, now)))

    def has_left(self, track: TrackState, now: int) -> bool:
        """Whether the segment that is next on a track is no longer offered."""
        if not track.has_next:
            return False
        if track.next_index < track.track.first_index:
            return True
        depth_us = self.edge.depth_us
        return depth_us is not None and track.track.segment_start_us(track.next_index + 1) <= (
            self.edge_us(now) - depth_us
        )

    # ------------------------------------------------------------------ when

    def available_at_us(self, track: TrackState) -> int:
        """From when on the next segment may be asked for; 0 where it already may."""
        if not self.edge.follows_clock:
            return 0
        end_us = track.track.segment_start_us(track.next_index + 1)
        return end_us - self.edge.early_us - self.edge.edge_offset_us + self.correction_us

    def newest_there(self, track: TrackState, now: int) -> int:
        """The last segment that should be there by now, clocks being right."""
        index = track.track.stop_index - 1
        if self.edge.follows_clock:
            edge_us = now + self.edge.edge_offset_us + self.edge.early_us
            while index > track.next_index and track.track.segment_start_us(index + 1) > edge_us:
                index -= 1
        return index

    def is_near_edge(self, track: TrackState, now: int) -> bool:
        """Whether the next segment may yet come: origins are that late, and no later."""
        end_us = track.track.segment_start_us(track.next_index + 1)
        span_us = EARLY_SPAN_US if self.edge.follows_clock else LATE_SPAN_US
        return end_us >= now + self.edge.edge_offset_us - span_us

    def is_in_the_making(self, track: TrackState, request: Request) -> bool:
        """Whether a segment that comes in chunks was not whole yet when it was asked for."""
        end_us = track.track.segment_start_us(request.index + 1)
        return self.edge.chunk_us > 0 and end_us > self.edge_us(request.request_us)

    def refresh_at_us(self, *, is_waited_for: bool = False) -> int | None:
        """When the manifest is to be asked for again; None while it is being asked for or will not change.

        is_waited_for: playback stands still for want of it, and asks less rarely.
        """
        if self.is_refreshing or self.edge.refresh_us is None:
            return None
        if self._is_in_a_hurry:
            return 0
        most = MAX_BACK_OFF_WAITED if is_waited_for else MAX_BACK_OFF
        doublings = min(max(0, self._fruitless - BACK_OFF_AFTER + 1), most)
        base_us = max(self.edge.refresh_us, self._config.retry.network.base_us if doublings else MIN_REFRESH_US)
        return self._refreshed_us + min(base_us << doublings, max(base_us, MAX_REFRESH_US))

    def hurry(self) -> None:
        """Ask at once, whenever it was asked last: a track is wanted that was not followed until now."""
        self._is_in_a_hurry = True

    def begin_refresh(self, now: int) -> None:
        self.is_refreshing, self._is_in_a_hurry = True, False
        self._refreshed_us = now

    def refreshed(self, edge: LiveEdge, now: int, *, has_grown: bool) -> None:
        """An answer came. A clock that was set anew makes what was found out about the old one void."""
        self.is_refreshing = False
        self.failure = None
        if edge.follows_clock and abs(edge.edge_offset_us - self.edge.edge_offset_us) > EARLY_SPAN_US // 90:
            self.correction_us = 0
        self.edge = edge
        if has_grown:
            self._grown_us = now
            self._fruitless = 0
            self.is_stale = False
            self.failed.clear()
        else:
            self._fruitless += 1
            self.failed.append((now, FetchFailure("stale", "it brought nothing new", retryable=True)))

    def refresh_failed(self, failure: FetchFailure, now: int) -> None:
        self.failed.append((now, failure))
        self.is_refreshing = False
        self.failure = failure
        self._fruitless += 1

    def stale_us(self, now: int) -> int:
        """How long nothing new has come, once that is more than chance; else 0."""
        return now - self._grown_us if self._fruitless >= BACK_OFF_AFTER else 0

    def gives_up_at_us(self) -> int | None:
        """When waiting for something new is in vain; None while it comes."""
        return self._grown_us + self._config.stale_limit_us if self._fruitless >= BACK_OFF_AFTER else None

    # ------------------------------------------------------------------ how fast

    def rate(self, current: float, latency_us: int, ahead_us: int) -> float:
        """The rate that brings the latency to what is wanted, from the `current` one; 1.0 when it need not change.

        ahead_us: media there is; nothing is gained by catching up into a stall.
        """
        edge, zone_us = self.edge, self._config.catch_up_zone_us
        if not self.follows or edge.min_rate >= 1.0 >= edge.max_rate:
            return 1.0
        zone_us = min(zone_us, edge.target_latency_us // 4)
        off_us = latency_us - edge.target_latency_us
        if abs(off_us) <= (zone_us if current == 1.0 else zone_us // 4) or off_us * (current - 1.0) < 0:
            return 1.0
        if off_us > 0 and ahead_us < min(self._config.start_threshold_us, edge.target_latency_us // 2):
            return 1.0
        full = edge.max_rate if off_us > 0 else edge.min_rate
        return full if abs(off_us) > 2 * zone_us else round((1.0 + full) / 2, 4)

    def threshold_us(self, wanted_us: int) -> int:
        """Media ahead that lets the clock run: near the edge there is never more than the latency."""
        return min(wanted_us, self.edge.target_latency_us // 2) if self.follows else wanted_us

    # ------------------------------------------------------------------ clocks that disagree

    def is_early(self, track: TrackState, request: Request, failure: FetchFailure, now: int) -> bool:
        """Whether a failed request may have come before its segment was there; then the edge is taken for nearer."""
        if failure.status not in (404, 410, 425):
            return False
        end_us = track.track.segment_start_us(request.index + 1)
        if end_us < now + self.edge.edge_offset_us - (EARLY_SPAN_US if self.edge.follows_clock else LATE_SPAN_US):
            return False
        has_received = track.last_rung >= 0
        key, index = (track.track.key, request.index) if has_received else ("", -1)
        before, tries = self._early.get(key, (index, 0))
        tries = tries + 1 if before == index else 1
        self._early[key] = index, tries
        if tries > (MAX_LATE_TRIES if has_received else MAX_EARLY_TRIES):
            return False
        segment_us = track.track.segment_us(request.index)
        if not self.edge.follows_clock:
            track.retries.at_us = now + min((self.edge.chunk_us or segment_us) // 2, LATE_DELAY_US)
            return True
        step_us = self.edge.chunk_us or segment_us
        step_us = step_us if has_received else step_us << (tries - 1)
        believed_us = now + self.edge.edge_offset_us + self.edge.early_us - end_us
        self.correction_us = max(self.correction_us, believed_us + step_us)
        return True
