"""Which source to ask: service locations or pathways in order of preference, those that failed last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

MAX_DOUBLINGS = 10
MAX_CLONES = 100
"""Of one playback: a server that thinks of new ones all the time is not followed further."""
STEERING = "steering"
FREE_AGAIN = "the preferred source may be asked again"


@dataclass(slots=True)
class _Penalty:
    until_us: int
    failures: int
    why: str


@dataclass(slots=True)
class _Use:
    """What a source brought since somebody asked."""

    size_bytes: int = 0
    took_us: int = 0

    @property
    def throughput_bps(self) -> int:
        return self.size_bytes * 8_000_000 // self.took_us if self.took_us > 0 else 0


class SourceBoard:
    """Penalties by source, and the order that a steering server wants. A penalty outlives a new order."""

    def __init__(self, max_penalty_us: int) -> None:
        self._max_penalty_us = max_penalty_us
        self._penalties: dict[str, _Penalty] = {}
        self._steered: tuple[str, ...] = ()
        self._clones: tuple[tuple[str, str], ...] = ()
        self._uses: dict[str, _Use] = {}
        self._current = ""

    def steer(self, order: tuple[str, ...], clones: tuple[tuple[str, str], ...] = ()) -> bool:
        """From now on prefer `order`. clones: (base, name) of sources that have all that their base has.

        Returns whether anything is new about that.
        """
        before = self._steered, self._clones
        self._steered = order
        self._clones = tuple(dict.fromkeys((*self._clones, *clones)))[:MAX_CLONES]
        return before != (self._steered, self._clones)

    def of(self, listed: tuple[str, ...]) -> list[str]:
        """All sources that have what `listed` have, preferred first; those that the order does not name go last."""
        found = list(listed)
        for base, name in self._clones:
            if base in found and name not in found:
                found.append(name)
        rank = {name: number for number, name in enumerate(self._steered)}
        return sorted(found, key=lambda name: rank.get(name, len(rank)))

    def wanted(self, now: int) -> tuple[str, ...]:
        """The order that a steering server wants, those that are penalised last; () without one."""
        return tuple(sorted(self._steered, key=lambda name: self.is_penalised(name, now)))

    def pick(self, listed: tuple[str, ...], now: int, excluded: Collection[str] = ()) -> str | None:
        """The source to ask now; where all are penalised, the one whose penalty ends first. None: all excluded.

        "" where nothing is listed: then there is one place only.
        """
        sources = [name for name in self.of(listed) or [""] if name not in excluded]
        free = next((name for name in sources if not self.is_penalised(name, now)), None)
        return free if free is not None else min(sources, key=lambda name: self._penalties[name].until_us, default=None)

    def is_penalised(self, source: str, now: int) -> bool:
        penalty = self._penalties.get(source)
        return penalty is not None and penalty.until_us > now

    def why_moved(self, left: str, taken: str, now: int) -> str:
        """Why `taken` is asked instead of `left`, in words."""
        if self.is_penalised(left, now):
            return self._penalties[left].why
        return FREE_AGAIN if taken in self._penalties else STEERING

    def punish(self, source: str, penalty_us: int, why: str, now: int) -> None:
        """Avoid a source for a while; the longer, the more often it failed in a row."""
        before = self._penalties.get(source)
        if before is not None and before.until_us > now:
            before.why = why
            return  # failures of requests that ran side by side count once
        failures = before.failures + 1 if before is not None else 1
        length_us = min(penalty_us << min(failures - 1, MAX_DOUBLINGS), self._max_penalty_us)
        self._penalties[source] = _Penalty(now + length_us, failures, why)

    def forgive(self, source: str, now: int) -> None:
        """It worked: the next failure counts as the first."""
        if not self.is_penalised(source, now):
            self._penalties.pop(source, None)

    # ------------------------------------------------------------------ what a steering server is told

    def note_use(self, source: str, size_bytes: int, took_us: int) -> None:
        """A source brought so many bytes in so long a time."""
        if source:
            use = self._uses.pop(source, _Use())  # put in again: the current one is the last
            self._uses[source] = _Use(use.size_bytes + size_bytes, use.took_us + took_us)
            self._current = source

    def take_uses(self) -> tuple[tuple[str, int], ...]:
        """(source, throughput in bit/s) of those used since the last call, the current one last."""
        uses = tuple((source, use.throughput_bps) for source, use in self._uses.items())
        self._uses.clear()
        return uses or (((self._current, 0),) if self._current else ())
