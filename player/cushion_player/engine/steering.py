"""Content steering: when the steering server is asked, and what follows from its answers.

The order it wants goes to the board, where penalties still come first. It can do no harm: between two answers pass some
seconds, a failure is tried again a few times and then left for as long, and whatever it answers, the sources of the
manifest stay. RFC 8216bis 7.2, ETSI TS 103 998.
"""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.effects import AskSteering
from cushion_player.engine.config import FetchFailure, SteeringAnswer
from cushion_player.engine.retry import TRANSIENT, Jitter, RetryPolicy, delay_us
from cushion_player.engine.sources import SourceBoard
from cushion_player.notices import SourcesSteered, SteeringFailed
from cushion_player.timeline import SteeringHint

SECOND_US = 1_000_000
DEFAULT_TTL_US = 300 * SECOND_US
"""Until an answer says something else (RFC 8216bis 7.2)."""
MIN_TTL_US = 5 * SECOND_US
"""However often a server wants to be asked."""
MAX_TTL_US = 86_400 * SECOND_US
FIRST_ANSWER_US = 3 * SECOND_US
"""Longer nobody waits for an answer before the first request."""
STOP_STATUS = 410
"""What a server says that wants to be left alone."""


class Steering:
    """One steering server of one playback."""

    def __init__(
        self,
        hint: SteeringHint,
        board: SourceBoard,
        policy: RetryPolicy,
        seed: int,
        emit: Callable[..., None],
        now: int,
    ) -> None:
        board.steer(hint.default)
        self._board = board
        self._policy = policy
        self._jitter = Jitter(seed)
        self._emit: Callable[..., None] = emit
        self._ttl_us = DEFAULT_TTL_US
        self._ask_at_us: int | None = now
        """None while it is being asked, and for ever once it is not to be."""
        self._hold_until_us = now + FIRST_ANSWER_US if hint.asks_first else now
        self._failures = 0
        """In a row, since it was last left alone for a while."""

    def is_holding(self, now: int) -> bool:
        """Whether requests wait for the first answer."""
        return now < self._hold_until_us

    def next_times(self, now: int) -> list[int]:
        """When there could be something to do by the clock alone."""
        times = [self._ask_at_us] if self._ask_at_us is not None else []
        return [*times, self._hold_until_us] if self.is_holding(now) else times

    def ask_due(self, now: int) -> None:
        """Have the server asked when it is time, and tell it what was used since it was asked last."""
        if self._ask_at_us is None or now < self._ask_at_us:
            return
        self._ask_at_us = None
        uses = self._board.take_uses()
        self._emit(AskSteering(tuple(source for source, _ in uses), tuple(throughput for _, throughput in uses)))

    def answered(self, answer: SteeringAnswer, now: int) -> None:
        self._failures = 0
        self._hold_until_us = now
        self._ttl_us = min(max(answer.ttl_us, MIN_TTL_US), MAX_TTL_US)
        self._ask_at_us = now + self._ttl_us
        if self._board.steer(answer.order, answer.clones):
            self._emit(SourcesSteered(answer.order, self._ttl_us))

    def failed(self, failure: FetchFailure, now: int) -> None:
        """No answer: soon again where time may heal it, else when the last answer runs out, or never."""
        again_us = self._again_us(failure)
        self._ask_at_us = now + again_us if again_us is not None else None
        self._emit(SteeringFailed(failure.message, again_us))

    def _again_us(self, failure: FetchFailure) -> int | None:
        self._failures += 1
        if failure.status == STOP_STATUS:
            self._hold_until_us = 0
            return None
        rule = self._policy.rule(failure.kind)
        if failure.kind in TRANSIENT and self._failures < rule.attempts:
            backoff_us = delay_us(self._policy, rule, self._failures, 0, self._jitter.draw())
            return min(max(backoff_us, failure.retry_after_us), MAX_TTL_US)
        self._failures = 0
        self._hold_until_us = 0
        return min(max(self._ttl_us, failure.retry_after_us), MAX_TTL_US)
