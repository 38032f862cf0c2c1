"""Requests in flight that take too long for what is left to play: when to look at them, and what is said of them.

A transport's own time-outs are for servers that are dead; these are for viewers who run out of media meanwhile.
"""

from __future__ import annotations

from cushion_player.engine.config import FetchFailure
from cushion_player.engine.prerequisites import Need, NeedKind, NeedState, Prerequisites
from cushion_player.engine.recovery import Recovery
from cushion_player.engine.request import Request
from cushion_player.engine.track import TrackState

LOOK_US = 500_000
"""How often a request is looked at."""
SILENCE_US = 3_000_000
"""A request silent for so long is given up when little is left to play and another source has the same."""
SAME_SOURCE_FACTOR = 2
"""So many times longer when only the same source is left to try: it may be as slow."""
SHORT_SEGMENTS = 2
"""Little is left: fewer segments than this."""
LATE_US = 1_000_000
"""An initialisation segment may take this and twice what answers take, where another rung can do without it."""
LIMIT_US = 20_000_000
LIMIT_SEGMENTS = 5
"""A request may take the longer of the two; then it must be about to end, or it counts as failed."""


class Overdue:
    """What is known of how long answers take, and the verdicts that follow."""

    def __init__(self, recovery: Recovery) -> None:
        self.heard_us = 0
        """When bytes last came of any request: while others fill the link, one may be silent."""
        self._recovery = recovery
        self._latency_us = 0

    def answered(self, latency_us: int) -> None:
        """A first byte came so long after its request: servers that are always slow are not given up for it."""
        self._latency_us = max(latency_us, self._latency_us * 4 // 5)

    @property
    def _silence_us(self) -> int:
        return max(SILENCE_US, 2 * self._latency_us + 1_000_000)

    def look_at_us(self, track: TrackState) -> int | None:
        """When to look at the track's request next."""
        request = track.in_flight
        return None if request is None else max(request.request_us, request.looked_us) + LOOK_US

    def verdict(self, track: TrackState, request: Request, ahead_us: int, now: int) -> FetchFailure | None:
        """Why the request is to be given up now; None to keep it."""
        if not self._recovery.gives_up_slow:
            return None
        if request.arrived_us:
            return _without_keys(track, request) if now - request.arrived_us >= LIMIT_US else None
        is_begun = track.arriving.is_at(request.index)  # chunks come at their own times, whatever fills the link
        silent_us = now - (request.heard_us if is_begun else max(request.heard_us, self.heard_us))
        is_little = ahead_us < SHORT_SEGMENTS * track.track.segment_us(request.index)
        if is_little and not request.is_replacement and silent_us >= self._patience_us(track, request, now):
            track.retries.cut = True
            left = f"{ahead_us / 1e6:.1f} s of media left"
            return _too_slow(track, request, f"silent for {silent_us / 1e6:.1f} s with {left}")
        elapsed_us = now - request.request_us
        limit_us = max(LIMIT_US, LIMIT_SEGMENTS * track.track.segment_us(request.index))
        if elapsed_us < limit_us:
            return None
        came = request.received_bytes - request.resumed_bytes
        missing = track.track.size_bytes(request.index, request.rung) - request.received_bytes
        if came > 0 and missing * elapsed_us <= came * limit_us:
            return None
        return _too_slow(track, request, f"only {came} bytes in {elapsed_us / 1e6:.0f} s")

    def _patience_us(self, track: TrackState, request: Request, now: int) -> float:
        """How long silence is borne: less when another source is not known to fail, longer once a segment where not.

        The same source may do better when it is asked again, at a lower rung where there is one.
        """
        sources = track.track.stretch_of(request.index).sources
        if self._is_elsewhere(sources, {request.source, *track.retries.tried.get(request.rung, ())}, now):
            return self._silence_us
        if track.arriving.is_at(request.index) and not track.retries.cut:
            return self._silence_us // 2  # nothing is lost by asking for the rest
        return float("inf") if track.retries.cut else SAME_SOURCE_FACTOR * self._silence_us

    def _is_elsewhere(self, sources: tuple[str, ...], excluded: set[str], now: int) -> bool:
        other = self._recovery.board.pick(sources, now, excluded)
        return bool(other) and not self._recovery.board.is_penalised(other or "", now)

    # ------------------------------------------------------------------ initialisation segments

    def late_at_us(self, state: NeedState) -> int:
        """When to look next whether an initialisation segment keeps playback waiting."""
        patience_us = LATE_US + 2 * self._latency_us if self._latency_us else SILENCE_US
        return max(state.asked_us + patience_us, state.looked_us + LOOK_US)

    def is_late(self, track: TrackState, state: NeedState, ahead_us: int, now: int) -> bool:
        """Whether other rungs should be played meanwhile: it takes long, and little is left."""
        if state.is_late or now < self.late_at_us(state):
            return False
        state.looked_us = now
        return is_short(track, ahead_us)

    def need_at_us(self, track: TrackState, state: NeedState, now: int) -> int:
        """When an initialisation segment that was asked for counts as failed."""
        sources = track.track.stretch_of(state.place.index).sources
        is_elsewhere = self._is_elsewhere(sources, {state.source, *state.tried}, now)
        return state.asked_us + (self._silence_us if is_elsewhere else LIMIT_US)

    def need_verdict(self, track: TrackState, state: NeedState, now: int) -> FetchFailure | None:
        if not self._recovery.gives_up_slow or now < self.need_at_us(track, state, now):
            return None
        name = track.track.stretch_of(state.place.index).rungs[state.place.rung].key
        text = f"the initialisation segment of {name}: nothing whole in {(now - state.asked_us) / 1e6:.1f} s"
        return FetchFailure("fetch_timeout", text, retryable=True)


def is_short(track: TrackState, ahead_us: int) -> bool:
    """Whether little is left to play."""
    index = min(track.next_index, track.track.stop_index - 1)
    return ahead_us < SHORT_SEGMENTS * track.track.segment_us(index)


def inits_in_flight(prerequisites: Prerequisites) -> list[tuple[Need, NeedState]]:
    return [
        (need, state)
        for need, state in prerequisites.states.items()
        if need.kind is NeedKind.INIT and state.request_id is not None
    ]


def _without_keys(track: TrackState, request: Request) -> FetchFailure:
    name = track.track.stretch_of(request.index).rungs[request.rung].key
    return FetchFailure("key", f"segment {request.index} of {name}: no answer of who has its keys", retryable=True)


def _too_slow(track: TrackState, request: Request, what: str) -> FetchFailure:
    name = track.track.stretch_of(request.index).rungs[request.rung].key
    part = track.arriving.segment()
    kept_bytes = part.size_bytes if part is not None and part.request_id == request.request_id else 0
    text = f"segment {request.index} of {name}: {what}"
    return FetchFailure("fetch_timeout", text, retryable=True, kept_bytes=kept_bytes)
