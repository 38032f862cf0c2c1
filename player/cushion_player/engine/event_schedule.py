"""When events begin and end on the way of the position. Knows their times and nothing of what they say."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import Final

from cushion_player.timed.mark import EventMark

MAX_MARKS: Final = 20_000
"""The oldest are forgotten beyond this: a channel that runs for days must not grow for ever."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The ids of the events that the position has come to, and of those that are over."""

    began: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()


class EventSchedule:
    """Marks in order of their start, and those that last now."""

    def __init__(self) -> None:
        self._marks: list[EventMark] = []
        self._known: dict[int, EventMark] = {}
        self._active: dict[int, EventMark] = {}
        self._late: list[EventMark] = []
        self._position_us = -1
        """Up to here everything was told."""

    def add(self, marks: tuple[EventMark, ...]) -> None:
        """List further marks. One of a known id takes the place of the old one: its end may be known by now."""
        for mark in marks:
            old = self._known.get(mark.event_id)
            if old == mark:
                continue
            if old is not None:
                self._marks.remove(old)
            elif mark.lasts_at(self._position_us):
                self._late.append(mark)
            self._known[mark.event_id] = mark
            insort(self._marks, mark)
            if mark.event_id in self._active:
                self._active[mark.event_id] = mark
        for old in self._marks[: max(0, len(self._marks) - MAX_MARKS)]:
            del self._known[old.event_id]
        del self._marks[: max(0, len(self._marks) - MAX_MARKS)]

    def advance(self, position_us: int) -> Passed:
        """Playback has come to `position_us`: everything on the way there is told."""
        if position_us < self._position_us:
            return Passed()  # the clock was re-anchored a little back
        first = bisect_right(self._marks, self._position_us, key=lambda mark: mark.start_us)
        last = bisect_right(self._marks, position_us, key=lambda mark: mark.start_us)
        return self._pass([*self._take_late(), *self._marks[first:last]], position_us)

    def jump(self, position_us: int) -> Passed:
        """Playback begins at `position_us` without what lies before: only what lasts there is told."""
        last = bisect_right(self._marks, position_us, key=lambda mark: mark.start_us)
        self._late.clear()
        begun = [mark for mark in self._marks[:last] if mark.lasts_at(position_us) or mark.start_us == position_us]
        left = [mark.event_id for mark in self._active.values() if not mark.lasts_at(position_us)]
        for event_id in left:
            del self._active[event_id]
        passed = self._pass([mark for mark in begun if mark.event_id not in self._active], position_us)
        return Passed(passed.began, (*left, *passed.ended))

    def next_us(self, position_us: int) -> int | None:
        """The next position after `position_us` at which something begins or ends."""
        at = bisect_right(self._marks, position_us, key=lambda mark: mark.start_us)
        times = [mark.end_us for mark in self._active.values() if mark.end_us is not None and mark.end_us > position_us]
        if at < len(self._marks):
            times.append(self._marks[at].start_us)
        return min(times, default=None)

    def _take_late(self) -> list[EventMark]:
        late, self._late = self._late, []
        return late

    def _pass(self, begun: list[EventMark], position_us: int) -> Passed:
        self._position_us = position_us
        for mark in begun:
            if mark.end_us is not None and mark.end_us > mark.start_us:
                self._active[mark.event_id] = mark
        over = [mark for mark in self._active.values() if mark.end_us is not None and mark.end_us <= position_us]
        for mark in over:
            del self._active[mark.event_id]
        return Passed(
            tuple(mark.event_id for mark in begun),
            tuple(mark.event_id for mark in sorted(over, key=lambda mark: (mark.end_us or 0, mark.event_id))),
        )
