"""What a session adds up to, from its events alone: played media, rungs, frames that were due, errors.

Pure: no clock is read; whoever feeds it says what time it is.
"""

from __future__ import annotations

import math

from cushion_sdk.session_events import (
    MediaDamaged,
    PartMissing,
    PlaybackEnded,
    PlaybackFailed,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    RebufferEnded,
    RebufferStarted,
    RungShown,
    SeekEnded,
    SeekStarted,
    SessionEvent,
)
from cushion_sdk.session_types import RungSpan, SessionProblem

MAX_ERRORS = 50
"""Problems kept in a summary; a broken title may damage every segment."""


class SessionLedger:
    """Adds up one session.

    Media time is counted between the positions at which the clock started and stopped, so it is what the media clock
    passed: waiting, pausing and seeking add nothing, playing a second twice counts twice.
    """

    def __init__(self) -> None:
        self.rungs: list[RungSpan] = []
        self.errors: list[SessionProblem] = []
        self.has_started = False
        self.pictures_s = (0.0, math.inf)
        """From where to where the title has pictures."""
        self._running_from_s: float | None = None
        self._played_s = 0.0
        self._pictured_s = 0.0
        self._played_bits = 0.0
        self._bitrate_bps = 0

    def hear(self, event: SessionEvent, session_s: float) -> None:
        """Take an event in; `session_s` is the time since the session was opened."""
        match event:
            case PlaybackStarted():
                self.has_started = True
                self._running_from_s = event.position_s
            case PlaybackResumed() | RebufferEnded() | SeekEnded():
                self._running_from_s = event.position_s
            case PlaybackPaused() | RebufferStarted() | PlaybackEnded():
                self._stop(event.position_s)
            case SeekStarted():
                self._stop(event.from_s)
            case RungShown():
                self._show(event, session_s)
            case PlaybackFailed():
                self._stop(event.position_s)
                self.add_error(event.code, event.message)
            case MediaDamaged():
                self.add_error("decode", event.message)
            case PartMissing():
                self.add_error("fetch", event.message)
            case _:
                pass

    def add_error(self, code: str, message: str) -> None:
        """Note a problem, up to MAX_ERRORS; the same one again is not repeated."""
        problem = SessionProblem(code, message)
        if len(self.errors) < MAX_ERRORS and problem not in self.errors:
            self.errors.append(problem)

    def played_s(self, position_s: float) -> float:
        """Media seconds played until now, the clock being at `position_s`."""
        return self._played_s + self._running_for(position_s)

    def pictured_s(self, position_s: float) -> float:
        """Of the media seconds played until now, those that have pictures."""
        return self._pictured_s + self._pictured_for(position_s)

    def mean_bitrate_bps(self, position_s: float) -> int:
        """Mean of what was shown, weighted by the media time it was shown for; 0 before anything was."""
        played_s = self.played_s(position_s)
        bits = self._played_bits + self._running_for(position_s) * self._bitrate_bps
        return round(bits / played_s) if played_s > 0 else 0

    @property
    def switches(self) -> int:
        """How often the shown rung changed."""
        return max(0, len(self.rungs) - 1)

    def _running_for(self, position_s: float) -> float:
        return max(0.0, position_s - self._running_from_s) if self._running_from_s is not None else 0.0

    def _pictured_for(self, position_s: float) -> float:
        if self._running_from_s is None:
            return 0.0
        from_s, until_s = self.pictures_s
        return max(0.0, min(position_s, until_s) - max(self._running_from_s, from_s))

    def _add(self, position_s: float) -> None:
        self._pictured_s += self._pictured_for(position_s)
        passed_s = self._running_for(position_s)
        self._played_s += passed_s
        self._played_bits += passed_s * self._bitrate_bps

    def _stop(self, position_s: float) -> None:
        self._add(position_s)
        self._running_from_s = None

    def _show(self, shown: RungShown, session_s: float) -> None:
        if self._running_from_s is not None:
            self._add(shown.position_s)
            self._running_from_s = shown.position_s
        self._bitrate_bps = shown.bitrate_bps
        if not self.rungs or self.rungs[-1].rung != shown.rung:
            self.rungs.append(RungSpan(round(session_s, 3), shown.rung, shown.height_px, shown.bitrate_bps))
