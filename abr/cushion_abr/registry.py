"""Rules by name, and a rule bound to a ladder: what the engine holds.

`register` adds modules of other people; `bind` checks parameters once, so that the rule does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import index
from types import ModuleType
from typing import Any, NamedTuple, cast

import numpy as np

from cushion_abr.contract import (
    Decision,
    Float64Array,
    Int64Array,
    Ladder,
    Progress,
    RuleModule,
    Sample,
    Situation,
)
from cushion_abr.estimators import LINK_SIZE, link_init, link_observe_whole, link_throughput_bps
from cushion_abr.rules import bba0, bba2, bola, bola_guarded, fixed, throughput

KEEP = -1
"""What `abandon` returns to keep the download."""


class RuleError(ValueError):
    """A rule that cannot be used as asked."""


class UnknownRule(RuleError):
    """No rule of that name; `names` are those there are."""

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        super().__init__(f"no rule named {name!r}; there are: {', '.join(names)}")
        self.name = name
        self.names = names


class RuleParameterError(RuleError):
    """A parameter the rule does not have, or a value outside its range."""


class RuleShapeError(RuleError):
    """A module that is not a rule (something is missing), or a decision outside the ladder."""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """A rule: its name, its module, and its Params type (a NamedTuple of floats with defaults)."""

    name: str
    module: RuleModule
    params_type: type[NamedTuple]

    def make_params(self, values: Mapping[str, float]) -> NamedTuple:
        """Params with these values, the defaults for the rest. Raises RuleParameterError."""
        fields = _fields(self.params_type)
        ranges: Mapping[str, tuple[float, float]] = getattr(self.module, "RANGES", {})
        checked: dict[str, float] = {}
        for key, value in values.items():
            if key not in fields:
                known = ", ".join(fields) or "none"
                raise RuleParameterError(f"rule {self.name!r} has no parameter {key!r}; it has: {known}")
            number = _number(self.name, key, value)
            low, high = ranges.get(key, (-math.inf, math.inf))
            if not low <= number <= high:
                raise RuleParameterError(f"rule {self.name!r}: {key} must be in [{low:g}, {high:g}], got {number:g}")
            checked[key] = number
        make = cast("Callable[..., NamedTuple]", self.params_type)
        return make(**checked)


class BoundRule:
    """A rule with its parameters and state, bound to one ladder: what decides for one track of one session.

    It also keeps a throughput estimate (the smaller of two EWMAs with half-lives of 3 s and 8 s) whatever the rule
    does, for those who report it.
    """

    def __init__(self, spec: RuleSpec, ladder: Ladder, params: NamedTuple, seed: int) -> None:
        self.spec = spec
        self.ladder = ladder
        self.params = params
        state: object = spec.module.init(params, ladder, seed)
        if not isinstance(state, np.ndarray) or state.dtype != np.float64 or state.ndim != 1:
            raise RuleShapeError(
                f"rule {spec.name!r}: init must return a float64 array of one dimension, got {state!r}"
            )
        self._state: Float64Array = state
        self._link = np.zeros(LINK_SIZE, dtype=np.float64)
        link_init(self._link, 0, 3.0, 8.0)
        self._abandon: Callable[[Ladder, Progress, NamedTuple, Float64Array], int] | None = getattr(
            spec.module, "abandon", None
        )

    @property
    def lookahead(self) -> int:
        """How many coming segments `decide` wants to see (it copes with fewer, but needs one)."""
        return self.spec.module.LOOKAHEAD

    def decide(self, sizes_bits: Int64Array, situation: Situation) -> Decision:
        """Ask the rule.

        sizes_bits: (n_ahead, n_rungs) int64, C-contiguous, n_ahead = min(lookahead, n_left) >= 1.
        Raises RuleShapeError when the answer is a rung that is not allowed, a negative wait, or no whole numbers.
        """
        answer = self.spec.module.decide(self.ladder, sizes_bits, situation, self.params, self._state)
        try:
            decision = Decision(*map(index, answer))
        except TypeError as error:
            raise RuleShapeError(
                f"rule {self.spec.name!r} must decide in three whole numbers (rung, wait_us, reason), got {answer!r}"
            ) from error
        if not 0 <= decision.rung <= max(situation.max_rung, 0) or decision.rung >= len(self.ladder.bitrate_bps):
            raise RuleShapeError(
                f"rule {self.spec.name!r} chose rung {decision.rung} of {len(self.ladder.bitrate_bps)}"
                f" at segment {situation.index}; the highest allowed was {situation.max_rung}"
            )
        if decision.wait_us < 0:
            raise RuleShapeError(f"rule {self.spec.name!r} asked to wait {decision.wait_us} µs")
        return decision

    def observe(self, sample: Sample) -> None:
        """Tell the rule of a finished or abandoned download, or of a seek."""
        link_observe_whole(sample, self._link, 0)
        self.spec.module.observe(sample, self._state)

    def abandon(self, progress: Progress) -> int:
        """The rung to fetch instead of the download in flight, or -1 (KEEP), which rules without `abandon` answer.

        Raises RuleShapeError when the rule answers with a rung that is not lower.
        """
        if self._abandon is None:
            return KEEP
        rung = int(self._abandon(self.ladder, progress, self.params, self._state))
        if not KEEP <= rung < max(progress.rung, 0):
            raise RuleShapeError(f"rule {self.spec.name!r} would abandon rung {progress.rung} for rung {rung}")
        return rung

    def throughput_bps(self) -> float:
        """Estimated throughput in bit/s; 0.0 before any sample."""
        return link_throughput_bps(self._link, 0)


_rules: dict[str, RuleSpec] = {}


def register(name: str, module: ModuleType | RuleModule) -> RuleSpec:
    """Make a module known as a rule.

    Raises RuleShapeError when it lacks part of the contract, or the name is taken by another module.
    """
    for part in ("init", "observe", "decide"):
        if not callable(getattr(module, part, None)):
            raise RuleShapeError(f"rule {name!r}: its module has no function {part!r}")
    lookahead = getattr(module, "LOOKAHEAD", None)
    if not isinstance(lookahead, int) or lookahead < 1:
        raise RuleShapeError(f"rule {name!r}: LOOKAHEAD must be a whole number of at least 1, got {lookahead!r}")
    params_type: Any = getattr(module, "Params", None)
    if not (isinstance(params_type, type) and issubclass(params_type, tuple) and hasattr(params_type, "_fields")):
        raise RuleShapeError(f"rule {name!r}: its module has no NamedTuple 'Params'")
    spec = RuleSpec(name, cast("RuleModule", module), cast("type[NamedTuple]", params_type))
    defaults: Mapping[str, object] = getattr(params_type, "_field_defaults", {})
    for field in _fields(spec.params_type):
        if not isinstance(defaults.get(field), float):
            raise RuleShapeError(f"rule {name!r}: parameter {field!r} needs a float default")
    taken = _rules.get(name)
    if taken is not None and taken.module is not spec.module:
        raise RuleShapeError(f"there is a rule named {name!r} already")
    _rules[name] = spec
    return spec


def rule_names() -> tuple[str, ...]:
    """All names, in the order of registration."""
    return tuple(_rules)


def get_rule(name: str) -> RuleSpec:
    """The rule of that name. Raises UnknownRule."""
    spec = _rules.get(name)
    if spec is None:
        raise UnknownRule(name, rule_names())
    return spec


def rule_parameters(name: str) -> tuple[str, ...]:
    """The names of its parameters; none for a name that is not known."""
    spec = _rules.get(name)
    return _fields(spec.params_type) if spec is not None else ()


def bind(name: str, ladder: Ladder, seed: int = 0, **params: float) -> BoundRule:
    """A rule ready to decide for one track of one session. Raises UnknownRule, RuleParameterError."""
    spec = get_rule(name)
    return BoundRule(spec, ladder, spec.make_params(params), seed)


def _fields(params_type: type[NamedTuple]) -> tuple[str, ...]:
    fields: tuple[str, ...] = getattr(params_type, "_fields", ())
    return fields


def _number(name: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RuleParameterError(f"rule {name!r}: {key} must be a finite number, got {value!r}")
    return float(value)


for _module in (fixed, throughput, bba0, bba2, bola, bola_guarded):
    register(_module.__name__.rpartition(".")[2], _module)
