import types
from typing import NamedTuple

import numpy as np
import pytest

from cushion_abr.contract import (
    SAMPLE_DOWNLOAD,
    Decision,
    Float64Array,
    Ladder,
    Progress,
    Sample,
    Situation,
    make_ladder,
)
from cushion_abr.registry import (
    RuleParameterError,
    RuleShapeError,
    UnknownRule,
    bind,
    get_rule,
    register,
    rule_names,
)

HERE = Situation(0, 0, 30_000_000, 2_000_000, 0, 10, -1, 1, 0, 0, 1.0, 1)
SIZES = np.array([[600_000, 1_200_000]], dtype=np.int64)


class HalfParams(NamedTuple):
    level: float = 0.5


def foreign(rung: int = 0, wait_us: int = 0, abandon_for: int = -1) -> types.ModuleType:
    """A rule module of someone else's, with the answers it gives."""
    module = types.ModuleType("foreign")

    def init(params: HalfParams, ladder: Ladder, seed: int) -> Float64Array:
        return np.full(1, float(seed))

    def observe(sample: Sample, state: Float64Array) -> None:
        state[0] += 1

    def decide(
        ladder: Ladder, sizes: object, situation: Situation, params: HalfParams, state: Float64Array
    ) -> Decision:
        return Decision(rung, wait_us, 100 + int(state[0]))

    def abandon(ladder: Ladder, progress: Progress, params: HalfParams, state: Float64Array) -> int:
        return abandon_for

    vars(module).update(LOOKAHEAD=3, Params=HalfParams, init=init, observe=observe, decide=decide, abandon=abandon)
    return module


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    import cushion_abr.registry as registry

    monkeypatch.setattr(registry, "_rules", dict(registry._rules))


def test_the_shipped_rules_are_known_by_name() -> None:
    assert rule_names() == ("fixed", "throughput", "bba0", "bba2", "bola", "bola_guarded")
    assert get_rule("bola").name == "bola"


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(UnknownRule, match=r"no rule named 'bbr'; there are: fixed, throughput, bba0, bba2, bola") as e:
        bind("bbr", make_ladder([1e6]))

    assert e.value.names == rule_names()
    assert isinstance(e.value, ValueError)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"speed": 1.0}, "has no parameter 'speed'; it has: gp"),
        ({"gp": 0.0}, r"gp must be in \[0.01, 1000\], got 0"),
        ({"gp": float("nan")}, "finite"),
        ({"gp": True}, "finite number, got True"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(params: dict[str, float], says: str) -> None:
    with pytest.raises(RuleParameterError, match=says):
        bind("bola", make_ladder([1e6]), seed=0, **params)


def test_a_whole_number_serves_as_a_parameter() -> None:
    rule = bind("fixed", make_ladder([1e6, 2e6]), rung=1)

    assert rule.decide(SIZES, HERE).rung == 1


def test_a_foreign_module_becomes_a_rule_with_its_own_state() -> None:
    register("half", foreign(rung=1))
    rule, other = bind("half", make_ladder([1e6, 2e6]), seed=7), bind("half", make_ladder([1e6, 2e6]), seed=7)

    rule.observe(Sample(SAMPLE_DOWNLOAD, 0, 250_000, 0, 0, 1_000_000))

    assert rule.lookahead == 3
    assert rule.decide(SIZES, HERE) == Decision(1, 0, 108)
    assert other.decide(SIZES, HERE) == Decision(1, 0, 107)


def test_a_bound_rule_measures_the_throughput_whatever_its_rule_does() -> None:
    rule = bind("fixed", make_ladder([1e6]))
    assert rule.throughput_bps() == 0.0

    rule.observe(Sample(SAMPLE_DOWNLOAD, 0, 250_000, 0, 0, 1_000_000))

    assert rule.throughput_bps() == pytest.approx(2e6)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (foreign(rung=2), "chose rung 2 of 2 at segment 0; the highest allowed was 1"),
        (foreign(rung=-1), "chose rung -1"),
        (foreign(wait_us=-5), "asked to wait -5 µs"),
    ],
)
def test_an_impossible_decision_is_an_error_that_names_the_rule(module: types.ModuleType, says: str) -> None:
    register("odd", module)

    with pytest.raises(RuleShapeError, match=f"'odd' {says}"):
        bind("odd", make_ladder([1e6, 2e6])).decide(SIZES, HERE)


def test_abandoning_for_a_rung_that_is_not_lower_is_an_error() -> None:
    register("odd", foreign(abandon_for=1))

    with pytest.raises(RuleShapeError, match="abandon rung 1 for rung 1"):
        bind("odd", make_ladder([1e6, 2e6])).abandon(Progress(1, 2_000_000, 1000, 10, 0, 10, 900_000, 0, 1))


def test_a_rule_without_abandon_keeps_every_download() -> None:
    late = Progress(1, 2_000_000, 750_000, 1_000, 0, 10, 1_900_000, 0, 1)

    assert bind("bba0", make_ladder([1e6, 2e6])).abandon(late) == -1
    assert bind("bba2", make_ladder([1e6, 2e6])).abandon(late) == 0


def test_a_module_that_lacks_a_part_is_no_rule() -> None:
    for part, says in (("decide", "no function 'decide'"), ("Params", "NamedTuple"), ("LOOKAHEAD", "whole number")):
        module = foreign()
        delattr(module, part)
        with pytest.raises(RuleShapeError, match=says):
            register("lacking", module)


def test_a_taken_name_is_refused_to_another_module_only() -> None:
    first = foreign()
    register("half", first)
    register("half", first)

    with pytest.raises(RuleShapeError, match="already"):
        register("half", foreign())


def test_numpy_integers_are_taken_and_fractions_refused() -> None:
    register("scalar", foreign(rung=np.int64(1)))  # type: ignore[arg-type]  # what a careless rule returns
    register("fraction", foreign(rung=0.5))  # type: ignore[arg-type]

    assert [type(field) for field in bind("scalar", make_ladder([1e6, 2e6])).decide(SIZES, HERE)] == [int] * 3
    with pytest.raises(RuleShapeError, match="three whole numbers"):
        bind("fraction", make_ladder([1e6, 2e6])).decide(SIZES, HERE)


def test_a_state_that_is_no_float_array_is_refused() -> None:
    def listed(params: HalfParams, ladder: Ladder, seed: int) -> list[float]:
        return [0.0]

    module = foreign()
    vars(module)["init"] = listed
    register("listed", module)

    with pytest.raises(RuleShapeError, match="float64 array"):
        bind("listed", make_ladder([1e6]))
