from __future__ import annotations

import pytest

from benchmarks.bench_endurance import Sample, growth, real_session, virtual_session
from benchmarks.harness import Report


def samples(traced_bytes: list[int]) -> list[Sample]:
    return [Sample(float(index), held, 0, 0, 0, 0) for index, held in enumerate(traced_bytes)]


def test_growth_is_from_the_middle_third_to_the_last() -> None:
    warming_up, flat, leaking = [1, 500, 900], [1000, 1002, 998], [1000, 1100, 1200]

    assert growth(samples(warming_up + flat + flat), lambda item: item.traced_bytes) == 0
    assert growth(samples(warming_up + flat + leaking), lambda item: item.traced_bytes) == 100


def test_memory_is_flat_over_six_virtual_minutes() -> None:
    assert missed(virtual_session(0.1)) == []


@pytest.mark.slow
def test_memory_is_flat_over_two_virtual_hours() -> None:
    assert missed(virtual_session(2)) == []


@pytest.mark.slow
def test_memory_is_flat_over_a_real_minute_of_decoding() -> None:
    assert missed(real_session(1)) == []


def missed(report: Report) -> list[str]:
    return [claim for claim, holds in report.verdicts if not holds]
