"""What is done about each kind of failure: how often to try, how long to wait and to avoid the source. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SECOND_US = 1_000_000
_MASK = (1 << 64) - 1


class FailureClass(StrEnum):
    """Failures that call for the same."""

    NETWORK = "network"
    """No connection, or one that broke."""
    TIMEOUT = "timeout"
    """Silence, or a body too slow to be of use."""
    SERVER = "server"
    """5xx."""
    BUSY = "busy"
    """429, 503, and whatever says Retry-After."""
    MISSING = "missing"
    """404, 410."""
    DENIED = "denied"
    """401, 403, 451."""
    CORRUPT = "corrupt"
    """It came, and is not what it should be."""
    TOO_LARGE = "too_large"
    OTHER = "other"
    """Whatever else cannot be helped by trying again."""


_CODES = {
    "connection_lost": FailureClass.NETWORK,
    "fetch_timeout": FailureClass.TIMEOUT,
    "media": FailureClass.CORRUPT,
    "decode": FailureClass.CORRUPT,
    "too_large": FailureClass.TOO_LARGE,
}
_STATUSES = {
    401: FailureClass.DENIED,
    403: FailureClass.DENIED,
    404: FailureClass.MISSING,
    410: FailureClass.MISSING,
    429: FailureClass.BUSY,
    451: FailureClass.DENIED,
    503: FailureClass.BUSY,
}


TRANSIENT = frozenset({FailureClass.NETWORK, FailureClass.TIMEOUT, FailureClass.SERVER, FailureClass.BUSY})
"""What time may heal, and where other rungs will hardly be better."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What is done about one class.

    attempts: tries of one segment at every source that has it, before it is given up at this rung. While media is
    ahead of the position, and for a while after (`RetryPolicy.patience_us`), a transient failure is tried on.
    """

    attempts: int
    base_us: int
    """Wait before the second try at the same source; doubles with each."""
    penalty_us: int
    """How long the source is avoided while another one has the same; doubles when it fails again."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base_us <= 0 or self.penalty_us < 0:
            raise ValueError(f"RetryRule needs attempts >= 1, base_us > 0 and penalty_us >= 0, got {self}")


_AGAIN = RetryRule(3, SECOND_US // 2, 60 * SECOND_US)
_ELSEWHERE = RetryRule(1, SECOND_US // 2, 60 * SECOND_US)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A rule for each class, and what bounds them all. docs/decisions tells where the figures come from."""

    network: RetryRule = _AGAIN
    timeout: RetryRule = _AGAIN
    server: RetryRule = _AGAIN
    busy: RetryRule = RetryRule(3, SECOND_US, 60 * SECOND_US)
    missing: RetryRule = _ELSEWHERE
    denied: RetryRule = RetryRule(1, SECOND_US // 2, 300 * SECOND_US)
    corrupt: RetryRule = RetryRule(2, SECOND_US // 2, 60 * SECOND_US)
    too_large: RetryRule = _ELSEWHERE
    other: RetryRule = _ELSEWHERE
    jitter: float = 0.25
    """Share by which waits are drawn longer or shorter, so that many clients do not come back at once."""
    max_delay_us: int = 8 * SECOND_US
    max_retry_after_us: int = 30 * SECOND_US
    """What a server asks for is honoured up to this."""
    max_penalty_us: int = 300 * SECOND_US
    patience_us: int = 20 * SECOND_US
    """How long, once playback stands for want of it, a transient failure is still tried on."""
    gives_up_slow: bool = True
    """Give up requests that take too long for what is left to play; without it they are waited for, however long."""
    max_attempts: int = 60
    """Of one segment, over all rungs and sources."""

    def __post_init__(self) -> None:
        if not 0 <= self.jitter < 1 or self.max_attempts < 1:
            raise ValueError(f"RetryPolicy needs 0 <= jitter < 1 and max_attempts >= 1, got {self}")

    def rule(self, kind: FailureClass) -> RetryRule:
        found = getattr(self, kind.value)
        assert isinstance(found, RetryRule)
        return found


def classify(code: str, status: int, *, retryable: bool, retry_after_us: int) -> FailureClass:
    """The class of a failure by its error code and HTTP status (0 when there was no answer)."""
    if retry_after_us > 0:
        return FailureClass.BUSY
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:
        return FailureClass.SERVER
    found = _CODES.get(code)
    if found is not None:
        return found
    return FailureClass.SERVER if retryable else FailureClass.OTHER


def delay_us(policy: RetryPolicy, rule: RetryRule, attempt: int, retry_after_us: int, draw: float) -> int:
    """How long to wait after the failed try number `attempt` (from 1). draw: in [-1, 1), the jitter's."""
    backoff = min(rule.base_us << min(attempt - 1, 20), policy.max_delay_us)
    jittered = round(backoff * (1 + policy.jitter * draw))
    return max(jittered, min(retry_after_us, policy.max_retry_after_us))


class Jitter:
    """Draws in [-1, 1) that a seed determines (splitmix64), so that a journal replays."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def draw(self) -> float:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) / (1 << 63) - 1.0
