"""Which source to ask: service locations or pathways in order of preference, those that failed last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

MAX_DOUBLINGS = 10


@dataclass(slots=True)
class _Penalty:
    until_us: int
    failures: int
    why: str


class SourceBoard:
    """Penalties by source, and the order that a steering server wants. A penalty outlives a new order."""

    def __init__(self, max_penalty_us: int) -> None:
        self._max_penalty_us = max_penalty_us
        self._penalties: dict[str, _Penalty] = {}
        self._steered: tuple[str, ...] = ()
        self._clones: tuple[tuple[str, str], ...] = ()

    def steer(self, order: tuple[str, ...], clones: tuple[tuple[str, str], ...]) -> None:
        """From now on prefer `order`. clones: (base, name) of sources that have all that their base has."""
        self._steered = order
        known = dict.fromkeys((*self._clones, *clones))
        self._clones = tuple(known)

    def of(self, listed: tuple[str, ...]) -> list[str]:
        """All sources that have what `listed` have, preferred first; those that the order does not name go last."""
        found = list(listed)
        for base, name in self._clones:
            if base in found and name not in found:
                found.append(name)
        rank = {name: number for number, name in enumerate(self._steered)}
        return sorted(found, key=lambda name: rank.get(name, len(rank)))

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

    def why_left(self, source: str, now: int) -> str:
        """Why a source is not asked any more, in words."""
        if self.is_penalised(source, now):
            return self._penalties[source].why
        return "steering" if self._steered else "the preferred source may be asked again"

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
