"""One event with its place on the timeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cushion_player.timed.id3 import Id3Frame
from cushion_player.timed.scte35 import SpliceInfo


class EventSource(StrEnum):
    """Where an event was found."""

    MANIFEST = "manifest"
    """An EventStream of an MPD."""
    SEGMENT = "segment"
    """An emsg box."""
    ID3 = "id3"
    """An ID3 tag in a transport stream."""
    DATE_RANGE = "date-range"
    """EXT-X-DATERANGE of a playlist."""
    BREAK = "break"
    """A mark of the player's own: where other presentations are played in between."""


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event at its media time.

    scheme, value: what kind it is, as the format names it (a date range: its CLASS). id: unique with both of them.
    duration_us: 0 when it is an instant; None when nobody has said how long it lasts.
    text, data: the payload, as text where the format has text. attributes: named values (a date range's X-…).
    scte35, id3: the payload understood, where it is one of these.
    """

    source: EventSource
    scheme: str
    value: str
    id: str
    start_us: int
    duration_us: int | None
    text: str = field(default="", repr=False)
    data: bytes = field(default=b"", repr=False)
    attributes: tuple[tuple[str, str], ...] = ()
    scte35: SpliceInfo | None = None
    id3: tuple[Id3Frame, ...] = ()

    @property
    def end_us(self) -> int | None:
        return None if self.duration_us is None else self.start_us + self.duration_us
