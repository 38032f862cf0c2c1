"""How far one track was handed to the output: what comes next, in which format, and whether the end was told."""

from __future__ import annotations

from typing import NamedTuple

from cushion_player.buffer import ABSENT, BufferedSegment, TrackBuffer
from cushion_player.effects import EndTrack, FeedSegment, SwitchInit
from cushion_player.engine.arriving import Arriving
from cushion_player.engine.prerequisites import Prerequisites
from cushion_player.events import Event
from cushion_player.timeline import Track, TrackRung


class _Format(NamedTuple):
    """What a decoder was set up for; where it differs, a new one is needed."""

    rung: TrackRung
    init: str
    key: str
    discontinuity: int


class Feed:
    """From the buffer to the output, in order, once each."""

    def __init__(self, first_index: int, arriving: Arriving) -> None:
        self._arriving = arriving
        self.next_index = first_index
        """What lies before was fed."""
        self._format: _Format | None = None
        self._has_ended = False

    def restart(self, index: int) -> None:
        """The output begins anew, with this segment."""
        self.next_index = index
        self._format = None
        self._has_ended = False

    def go_on(self) -> None:
        """The track may grow: the end that was told is none."""
        self._has_ended = False

    def unfed(self, buffer: TrackBuffer) -> BufferedSegment | None:
        """The first received segment that could not be fed yet."""
        last = buffer.last()
        if last is None or last.index < self.next_index:
            return None
        unfed = next((each for each in buffer if each.index >= self.next_index and each.rung != ABSENT), None)
        return None if unfed is not None and self._arriving.is_fed(unfed) else unfed

    def advance(
        self, track: Track, buffer: TrackBuffer, prerequisites: Prerequisites, *, is_complete: bool
    ) -> list[Event]:
        """What can be handed to the output now, in order."""
        events: list[Event] = []
        for segment in buffer:
            if segment.index < self.next_index:
                continue
            if segment.rung != ABSENT:
                if not can_be_fed(segment, track, prerequisites):
                    break
                stretch = track.stretch_of(segment.index)
                names = stretch.init_of(segment.rung), stretch.key_of(segment.rung)
                wanted = _Format(stretch.rungs[segment.rung], *names, stretch.discontinuity)
                if wanted != self._format:
                    events.append(SwitchInit(track.kind, track.key, segment.rung, segment.index))
                    self._format = wanted
                if self._arriving.was_begun(segment):
                    events += self._arriving.feed(track, segment)
                    if not self._arriving.is_whole:
                        break
                else:
                    events.append(FeedSegment(segment.request_id, track.kind, track.key, segment.rung, segment.index))
            self.next_index = segment.index + 1
        if is_complete and self.next_index >= track.stop_index and not self._has_ended:
            events.append(EndTrack(track.kind))
            self._has_ended = True
        return events


def can_be_fed(segment: BufferedSegment, track: Track, prerequisites: Prerequisites) -> bool:
    """Whether nothing is missing to decode a received segment."""
    return segment.rung == ABSENT or prerequisites.are_held(track.stretch_of(segment.index), segment.rung)
