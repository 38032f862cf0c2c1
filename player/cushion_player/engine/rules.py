"""The rule of one playback over ladders that may change from stretch to stretch."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import islice

from cushion_abr.contract import Sample, make_ladder
from cushion_abr.registry import BoundRule, bind

KEPT_SAMPLES = 64
"""What a rule that is bound to a new ladder is told of the past: more than any estimator here remembers."""


class RuleBook:
    """One rule, bound to every ladder that was met. A ladder's rule hears what it missed before it decides."""

    def __init__(self, name: str, params: Mapping[str, float], seed: int) -> None:
        self._name = name
        self._params = dict(params)
        self._seed = seed
        self._samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        self._observed = 0
        self._bound: dict[tuple[int, ...], BoundRule] = {}
        self._heard: dict[tuple[int, ...], int] = {}
        self._ladder: tuple[int, ...] = ()
        self._current: BoundRule | None = None

    def use(self, ladder: tuple[int, ...]) -> BoundRule:
        """The rule for a ladder of these bitrates; it is the current one from now on.

        Raises UnknownRule and RuleParameterError, the first time.
        """
        if self._current is not None and ladder == self._ladder:
            return self._current
        self._ladder = ladder
        self._current = current = self._bound.get(ladder) or self._bind(ladder)
        missed = min(self._observed - self._heard[ladder], len(self._samples))
        for sample in islice(self._samples, len(self._samples) - missed, None):
            current.observe(sample)
        self._heard[ladder] = self._observed
        return current

    def observe(self, sample: Sample) -> None:
        """Tell the current rule, and remember it for the others."""
        self._samples.append(sample)
        self._observed += 1
        self._heard[self._ladder] = self._observed
        if self._current is not None:
            self._current.observe(sample)

    def throughput_bps(self) -> float:
        """Estimated throughput in bit/s; 0.0 before any sample."""
        return self._current.throughput_bps() if self._current is not None else 0.0

    def _bind(self, ladder: tuple[int, ...]) -> BoundRule:
        rule = bind(self._name, make_ladder([float(bps) for bps in ladder]), seed=self._seed, **self._params)
        self._bound[ladder] = rule
        self._heard[ladder] = 0
        return rule
