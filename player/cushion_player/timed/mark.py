"""When an event is: all that the engine knows of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class EventMark:
    """An event as the engine knows it. end_us: its start for an instant, None while nobody knows."""

    start_us: int
    event_id: int
    end_us: int | None = None

    def lasts_at(self, position_us: int) -> bool:
        return self.end_us is not None and self.start_us <= position_us < self.end_us
