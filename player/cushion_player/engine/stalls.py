"""Why playback stands still, and what ended it."""

from __future__ import annotations

from cushion_player.engine.prerequisites import NeedKind
from cushion_player.engine.track import TrackState
from cushion_player.notices import StallCause

RECOVERIES = {
    StallCause.NETWORK: "enough media arrived",
    StallCause.SERVER: "a later try succeeded",
    StallCause.GAP: "the gap was skipped",
    StallCause.DECODER: "the output caught up",
    StallCause.KEY: "the key arrived",
    StallCause.EDGE: "the live edge moved on",
    StallCause.CLOCK: "the segment was there at last",
}

_TELLING = (
    StallCause.NETWORK,  # blamed when nothing more telling is seen
    StallCause.EDGE,
    StallCause.SERVER,
    StallCause.CLOCK,
    StallCause.DECODER,
    StallCause.KEY,
    StallCause.GAP,
)


def stall_cause(track: TrackState) -> StallCause:
    """Why this track has nothing to play, as far as the engine can see now."""
    need = track.waits_for()
    if need is not None and need.kind is NeedKind.KEY:
        return StallCause.KEY
    if track.in_flight is not None and track.in_flight.arrived_us:
        return StallCause.KEY
    if track.is_in_trouble():
        return StallCause.KEY if track.retries.last_code == "key" else StallCause.SERVER
    if not track.has_next and track.may_grow:
        return StallCause.EDGE
    return StallCause.NETWORK


class Stall:
    """One rebuffer: the most telling cause seen while it lasted."""

    def __init__(self, cause: StallCause) -> None:
        self.cause = cause
        self.recovered = ""
        """What made a segment arrive that had failed, when one had."""

    def note(self, cause: StallCause) -> None:
        """Something else was seen to be in the way."""
        if _TELLING.index(cause) > _TELLING.index(self.cause):
            self.cause = cause

    def recovery(self) -> str:
        """What ended it."""
        return self.recovered if self.recovered and self.cause is StallCause.SERVER else RECOVERIES[self.cause]
