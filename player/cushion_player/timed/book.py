"""The events of one playback, numbered for the engine: what was found, and what is new of it."""

from __future__ import annotations

from collections.abc import Iterable

from cushion_player.timed.event import TimedEvent
from cushion_player.timed.mark import EventMark

_Name = tuple[str, str, str, str]


class EventBook:
    """Events by number. The same event found again (in a repeated segment, after a refresh) keeps its number."""

    def __init__(self) -> None:
        self._numbers: dict[_Name, int] = {}
        self._events: dict[int, TimedEvent] = {}

    def add(self, found: Iterable[TimedEvent]) -> tuple[EventMark, ...]:
        """The marks of those that are new or have changed."""
        marks: list[EventMark] = []
        for event in found:
            name = (event.source, event.scheme, event.value, event.id)
            number = self._numbers.setdefault(name, len(self._numbers))
            if self._events.get(number) != event:
                self._events[number] = event
                marks.append(EventMark(event.start_us, number, event.end_us))
        return tuple(marks)

    def event(self, number: int) -> TimedEvent:
        return self._events[number]
