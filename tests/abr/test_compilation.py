"""The rules as they are compile, and then decide the same: what the batch simulator rests on."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cushion_abr.contract import Progress, Sample, Situation, make_ladder
from cushion_abr.registry import rule_names


def compiled(function: Callable[..., Any], njit: Any, done: dict[Any, Any]) -> Callable[..., Any]:
    """The function compiled by numba, with the plain functions it names compiled in their turn."""
    if function not in done:
        assert isinstance(function, types.FunctionType)
        scope = dict(function.__globals__)
        for name in function.__code__.co_names:
            if isinstance(scope.get(name), types.FunctionType):
                scope[name] = compiled(scope[name], njit, done)
        done[function] = njit(types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__))
    return done[function]  # type: ignore[no-any-return]  # numba's dispatcher has no type


@pytest.mark.parametrize("name", rule_names())
def test_a_rule_compiles_and_decides_the_same(name: str) -> None:
    numba = pytest.importorskip("numba", reason="numba is not installed (it comes with the batch simulator)")
    rule = importlib.import_module(f"cushion_abr.rules.{name}")
    done: dict[Any, Any] = {}
    observe, decide = (compiled(function, numba.njit, done) for function in (rule.observe, rule.decide))
    abandon = compiled(rule.abandon, numba.njit, done) if hasattr(rule, "abandon") else None
    ladder, params = make_ladder([300e3, 600e3, 1200e3, 2000e3, 3000e3]), rule.Params()
    random = np.random.default_rng(1)

    def draw(low: int, high: int) -> int:
        return int(random.integers(low, high))

    for _ in range(10):
        plain_state, fast_state = rule.init(params, ladder, 0), rule.init(params, ladder, 0)
        for index in range(50):
            start = draw(0, 10**9)
            first = start + draw(0, 10**5)
            sample = Sample(max(draw(-6, 3), 0), 1, draw(0, 2 * 10**6), start, first, first + draw(0, 3 * 10**6))
            rule.observe(sample, plain_state)
            observe(sample, fast_state)
            sizes = random.integers(10**4, 10**6, (draw(1, rule.LOOKAHEAD + 1), 5)) * 8
            here = Situation(
                start, draw(0, 31 * 10**6), 30 * 10**6, 2 * 10**6, index, 50 - index, draw(-1, 5), draw(0, 7),
                1, 0, float(draw(1, 3)), 1,
            )  # fmt: skip
            flight = Progress(
                draw(0, 5),
                2 * 10**6,
                10**6,
                draw(0, 10**6),
                0,
                draw(0, 10**5),
                draw(10**5, 4 * 10**6),
                draw(0, 10**7),
                1,
            )

            assert tuple(decide(ladder, sizes, here, params, fast_state)) == tuple(
                rule.decide(ladder, sizes, here, params, plain_state)
            )
            assert np.array_equal(plain_state, fast_state)
            if abandon is not None:
                assert abandon(ladder, flight, params, fast_state) == rule.abandon(ladder, flight, params, plain_state)
