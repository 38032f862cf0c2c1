"""The phase of a playback, and what all its waiting adds up to."""

from __future__ import annotations

from cushion_player.engine.phase import WAITING, Phase
from cushion_player.engine.stalls import Stall
from cushion_player.events import Event
from cushion_player.notices import PlaybackStarted, RebufferEnded, SeekEnded, StallCause


class Waits:
    """Which phase it is and since when, for somebody who wants to watch: while paused nobody waits."""

    def __init__(self) -> None:
        self.phase = Phase.IDLE
        self.wants_play = False
        self.startup_us: int | None = None
        """How long the start took; None before it."""
        self.rebuffer_count = 0
        self.seek_us = 0
        self.hold_until_us = 0
        """The clock does not run before this."""
        self._since_us = 0
        self._paused_us = 0
        self._rebuffer_us = 0
        self._stall: Stall | None = None
        self._has_sought = False

    @property
    def is_waiting(self) -> bool:
        """Whether the clock is held until enough media is there."""
        return self.phase in WAITING

    @property
    def is_over(self) -> bool:
        return self.phase in (Phase.ENDED, Phase.FAILED)

    @property
    def has_played(self) -> bool:
        return self.startup_us is not None

    def waited_us(self, now: int) -> int:
        """How long the phase has lasted for the viewer."""
        until_us = now if self.wants_play else max(self._paused_us, self._since_us)
        return until_us - self._since_us

    def rebuffer_us(self, now: int) -> int:
        """The length of all rebuffers, the one that is going on with them."""
        return self._rebuffer_us + (self.waited_us(now) if self.phase is Phase.REBUFFERING else 0)

    # ------------------------------------------------------------------ the viewer

    def begin(self, now: int) -> None:
        self._paused_us = now
        self.enter(Phase.STARTUP, now)

    def play(self, now: int) -> None:
        self.wants_play = True
        self._since_us += now - max(self._paused_us, self._since_us)

    def pause(self, now: int) -> None:
        self.wants_play = False
        self._paused_us = now

    def seek(self, now: int) -> None:
        """The viewer goes elsewhere; one who has not yet begun, or is on the way already, waits on."""
        self._has_sought = True
        if self.phase not in (Phase.STARTUP, Phase.SEEKING):
            self.enter(Phase.SEEKING, now)

    # ------------------------------------------------------------------ phases

    def enter(self, phase: Phase, now: int) -> None:
        self.phase = phase
        self._since_us = now
        self.hold_until_us = 0

    def leave(self, position_us: int, waited_us: int, now: int) -> list[Event]:
        """The clock runs (again): what was waited for, and how long."""
        phase, events = self.phase, list[Event]()
        self.enter(Phase.STEADY, now)
        if phase is Phase.SEEKING:
            self.seek_us += waited_us
        if not self.has_played:
            self.startup_us = waited_us
            events.append(PlaybackStarted(position_us, waited_us))
        if self._has_sought:
            self._has_sought = False
            events.append(SeekEnded(position_us, waited_us if phase is Phase.SEEKING else 0))
        return events

    # ------------------------------------------------------------------ rebuffers

    def begin_stall(self, cause: StallCause, now: int) -> None:
        self.enter(Phase.REBUFFERING, now)
        self.rebuffer_count += 1
        self._stall = Stall(cause)

    def note_cause(self, cause: StallCause) -> None:
        """Something was seen to be in the way."""
        if self._stall is not None:
            self._stall.note(cause)

    def note_recovery(self, recovery: str) -> None:
        """Something that had failed has come, in this way."""
        if self._stall is not None:
            self._stall.recovered = recovery

    @property
    def is_stalled(self) -> bool:
        return self._stall is not None

    def end_stall(self, position_us: int, recovery: str, now: int) -> list[Event]:
        """Close the rebuffer that is going on, if one is. recovery: "" is what the stall itself knows."""
        if self._stall is None:
            return []
        stall, self._stall = self._stall, None
        waited = self.waited_us(now)
        self._rebuffer_us += waited
        return [RebufferEnded(position_us, waited, stall.cause, recovery or stall.recovery())]
