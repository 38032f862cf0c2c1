"""Which rung the main track's next segment is requested at. The rule chooses; here its choice meets what can be had."""

from __future__ import annotations

from typing import NamedTuple

from cushion_abr.contract import SOURCE_LOCAL, Progress, Sample
from cushion_abr.reasons import describe
from cushion_player.buffer import ABSENT, BufferedSegment
from cushion_player.engine.budget import Budget
from cushion_player.engine.caps import DroppedFrameCap
from cushion_player.engine.config import EngineConfig, Limits
from cushion_player.engine.learned import LearnedBitrates
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.phase import Phase
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.request import Request
from cushion_player.engine.rules import RuleBook
from cushion_player.engine.selection import RungRange, allowed_rungs, describe_situation
from cushion_player.engine.timing import Timing
from cushion_player.engine.track import TrackState

REPLACEMENT_MARGIN_US = 2_000_000
"""A buffered segment nearer to the position than this is left alone: the output may be decoding it."""


class Choice(NamedTuple):
    """A rung, how long to wait before it is requested, and why."""

    rung: int
    wait_us: int
    reason: str


class RungChoice:
    """The rule's choices, kept within the viewer's limits, the machine's cap and the byte limit. Requests nothing."""

    def __init__(
        self,
        config: EngineConfig,
        rules: RuleBook,
        lineup: Lineup,
        playhead: Playhead,
        budget: Budget,
        timing: Timing,
        cap: DroppedFrameCap,
    ) -> None:
        self.limits = Limits()
        self.rules = rules
        self._learned = LearnedBitrates()
        self._config = config
        self._lineup = lineup
        self._playhead = playhead
        self._budget = budget
        self._timing = timing
        self._cap = cap

    def decide(self, track: TrackState, phase: Phase, now: int) -> Choice:
        """For the segment that is next."""
        allowed = self._allowed(track)
        if self._lineup.is_scrubbing:
            return Choice(allowed.floor, 0, "scrubbing")
        if self.limits.pinned_rung is not None:
            return Choice(allowed.top, 0, "pinned by the viewer")
        if track.last_came_from == SOURCE_LOCAL:
            return Choice(allowed.top, 0, "read from a file: there is no link to adapt to")
        rungs = track.stretch.rungs
        rule = self.rules.use(self._learned.ladder(rungs))
        sizes = self._learned.sizes(rungs, track.sizes_ahead(rule.lookahead))
        goal_us, latency_us, later_us = self._budget.goal_us(), 0, 0
        live = self._timing.live
        if live is not None:
            latency_us = max(0, live.latency_us(self._playhead.position_us(now), now))
            goal_us = min(goal_us, max(latency_us, live.edge.target_latency_us))  # there can be no more
            if live.edge.chunk_us:  # what matters is when the last chunk must be there
                later_us = max(0, track.track.segment_us(track.next_index) - live.edge.chunk_us)
        situation = describe_situation(
            track, phase, self._playhead, goal_us, max_rung=allowed.top, now=now, live_latency_us=latency_us
        )
        if later_us:
            situation = situation._replace(
                buffer_us=situation.buffer_us + later_us, buffer_max_us=situation.buffer_max_us + later_us
            )
        decision = rule.decide(sizes, situation)
        usable = [each for each in track.usable_rungs() if allowed.floor <= each <= allowed.top]
        rung = max((each for each in usable if each <= decision.rung), default=usable[0])
        return Choice(rung, decision.wait_us, describe(decision.reason))

    def received(self, track: TrackState, request: Request, sample: Sample) -> None:
        """A segment of the main track has come."""
        self._learned.add(track.track, request.index, request.rung, request.received_bytes)
        self.rules.observe(sample)

    def floor(self, track: TrackState) -> int:
        """The lowest rung that the limits allow."""
        return allowed_rungs(track, self.limits, self._cap.below_bps).floor

    def _allowed(self, track: TrackState) -> RungRange:
        """The rungs within the limits whose next segment fits into what is left of the byte limit."""
        allowed = allowed_rungs(track, self.limits, self._cap.below_bps)
        room = self._budget.room_bytes()
        fitting = [
            rung
            for rung in track.usable_rungs()
            if allowed.floor <= rung <= allowed.top and track.track.size_bytes(track.next_index, rung) <= room
        ]
        return RungRange(allowed.floor, fitting[-1]) if fitting else RungRange(allowed.floor, allowed.floor)

    # ------------------------------------------------------------------ second thoughts

    def better(self, track: TrackState, request: Request, other_bytes: int, now: int) -> int | None:
        """A lower rung for which the rule gives a download up: once a segment, and never for more than is missing.

        other_bytes: what the other tracks' downloads took of the link meanwhile.
        """
        if (
            request.is_second_choice
            or request.is_replacement
            or request.is_probe
            or request.rung == 0
            or request.arrived_us
        ):
            return None
        if self.limits.pinned_rung is not None or self._lineup.is_scrubbing:
            return None
        if track.arriving.segment() is not None:
            return None  # it plays already
        live = self._timing.live
        if live is not None and live.is_in_the_making(track, request):
            return None  # it comes no faster than it is made
        total_bytes = self._learned.size_bytes(track.track, request.index, request.rung)
        better = self.rules.use(self._learned.ladder(track.stretch.rungs)).abandon(
            Progress(
                rung=request.rung,
                segment_us=track.track.segment_us(request.index),
                total_bytes=total_bytes - request.resumed_bytes,
                received_bytes=request.received_bytes - request.resumed_bytes,
                request_us=request.request_us,
                first_byte_us=request.first_byte_us,
                now_us=now,
                buffer_us=track.buffer.ahead_us(self._playhead.position_us(now)),
                sizes_exact=int(track.track.sizes_exact),
                other_bytes=other_bytes,
            )
        )
        if not track.floor <= better < request.rung or better not in track.usable_rungs():
            return None
        missing_bytes = total_bytes - request.received_bytes
        return better if self._learned.size_bytes(track.track, request.index, better) < missing_bytes else None

    def replaceable(self, track: TrackState, rung: int, now: int) -> BufferedSegment | None:
        """The first buffered segment that is of a lower rung and can be had at `rung` in good time."""
        throughput_bps = self.rules.throughput_bps()
        position = self._playhead.position_us(now)
        if not self._config.replaces_low_rungs or not throughput_bps or self.limits.pinned_rung is not None:
            return None
        if track.buffer.ahead_us(position) < self._budget.goal_us() // 2:
            return None
        room = self._budget.room_bytes()
        for segment in track.buffer:
            if segment.rung == ABSENT or track.track.stretch_of(segment.index).rungs != track.stretch.rungs:
                continue
            size_bytes = track.track.size_bytes(segment.index, rung)
            time_us = int(size_bytes * 8_000_000 / throughput_bps)
            is_in_time = segment.start_us - position > REPLACEMENT_MARGIN_US + 2 * time_us
            if segment.rung < rung and is_in_time and size_bytes <= room:
                return segment
        return None
