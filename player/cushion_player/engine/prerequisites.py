"""What segments need before they can be decoded: initialisation segments and keys. Each is asked for by name, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from cushion_player.engine.config import FetchFailure
from cushion_player.notices import Attempt
from cushion_player.timeline import Stretch, Track


class NeedKind(StrEnum):
    INIT = "init"
    KEY = "key"


class Need(NamedTuple):
    """One thing that is needed, by the name the timeline gives it."""

    kind: NeedKind
    name: str


class Place(NamedTuple):
    """A segment at a rung, for which something is needed."""

    index: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # hides tuple.index
    rung: int


@dataclass(slots=True)
class NeedState:
    """How far it is with one need."""

    place: Place
    is_held: bool = False
    lost: FetchFailure | None = None
    """Why it is not to be had, or of no use."""
    is_late: bool = False
    """Nothing came of it in good time: rungs that do without it are played meanwhile."""
    request_id: int | None = None
    retry_at_us: int | None = None
    asked_us: int = 0
    looked_us: int = 0
    source: str = ""
    tried: set[str] = field(default_factory=set)
    """The sources that failed since every source had its turn."""
    rounds: int = 0
    """How often every source has failed."""
    log: list[Attempt] = field(default_factory=list)
    """What failed; empty once it is there."""
    refused: list[Attempt] = field(default_factory=list)
    """What came and was of no use to the output."""

    @property
    def is_lost(self) -> bool:
        return self.lost is not None

    @property
    def is_known(self) -> bool:
        """Whether it was asked for already."""
        return self.is_held or self.is_lost or self.request_id is not None or self.retry_at_us is not None


def needs_of(stretch: Stretch, rung: int) -> tuple[Need, ...]:
    """What a segment of this stretch needs at this rung: the initialisation segment first."""
    key = stretch.key_of(rung)
    name = stretch.init_of(rung) or f"{stretch.rungs[rung].key}@{stretch.first_index}"
    init = Need(NeedKind.INIT, name)
    return (init, Need(NeedKind.KEY, key)) if key else (init,)


def newest_place(track: Track, need: Need, place: Place) -> Place:
    """Of the segments after `place` that need the same, the last but one that is listed: all rungs should list it."""
    stop = track.stop_index
    for stretch in reversed(track.stretches):
        if stretch.first_index <= place.index:
            break
        if place.rung < len(stretch.rungs) and need in needs_of(stretch, place.rung):
            return Place(max(stretch.first_index, min(stop - 1, track.stop_index - 2)), place.rung)
        stop = stretch.first_index
    return Place(max(place.index, min(stop - 1, track.stop_index - 2)), place.rung)


@dataclass(slots=True)
class Prerequisites:
    """The needs of one track."""

    states: dict[Need, NeedState] = field(default_factory=dict)

    def open(self, stretch: Stretch, place: Place) -> list[tuple[Need, NeedState]]:
        """What must be asked for now: keys wait for the initialisation segment, which may say which ones."""
        found: list[tuple[Need, NeedState]] = []
        for need in needs_of(stretch, place.rung):
            state = self.states.setdefault(need, NeedState(place))
            if not state.is_known:
                found.append((need, state))
            if not state.is_held:
                break
        return found

    def are_held(self, stretch: Stretch, rung: int) -> bool:
        return all(need in self.states and self.states[need].is_held for need in needs_of(stretch, rung))

    def missing(self, stretch: Stretch, rung: int) -> Need | None:
        """The first need that is not met."""
        return next(
            (need for need in needs_of(stretch, rung) if not (need in self.states and self.states[need].is_held)), None
        )

    def are_lost(self, stretch: Stretch, rung: int) -> bool:
        return any(need in self.states and self.states[need].is_lost for need in needs_of(stretch, rung))

    def are_late(self, stretch: Stretch, rung: int) -> bool:
        return any(need in self.states and self.states[need].is_late for need in needs_of(stretch, rung))

    def why_lost(self, stretch: Stretch) -> FetchFailure | None:
        """Why the first rung of a stretch that is lost is lost."""
        needs = (need for rung in range(len(stretch.rungs)) for need in needs_of(stretch, rung))
        return next((self.states[need].lost for need in needs if need in self.states and self.states[need].lost), None)

    def forget_before(self, track: Track) -> None:
        """Drop the needs of what has left the track, unless they are being asked for: keys may change for days."""
        stretches = track.stretches[track.stretch_number(track.first_index) :]
        wanted = {need for each in stretches for rung in range(len(each.rungs)) for need in needs_of(each, rung)}
        self.states = {
            need: state for need, state in self.states.items() if need in wanted or state.request_id is not None
        }

    def asked(self, request_id: int) -> tuple[Need, NeedState] | None:
        """The need that a request was made for."""
        return next(((need, state) for need, state in self.states.items() if state.request_id == request_id), None)

    def in_flight(self) -> list[NeedState]:
        return [state for state in self.states.values() if state.request_id is not None]

    def due(self) -> list[tuple[Need, NeedState]]:
        """What waits to be tried again."""
        return [(need, state) for need, state in self.states.items() if state.retry_at_us is not None]
