from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_servers.api.cache import ByteBudgetCache, CachedObject
from cushion_servers.api.ranges import ByteSpan, RangeNotSatisfiable, parse_range


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 40)), max_size=60))
def test_cache_never_exceeds_its_budget_and_counts_right(puts: list[tuple[str, int]]) -> None:
    cache = ByteBudgetCache(100)
    for name, size in puts:
        cache.put(name, CachedObject(bytes(size), "t"))

        held = [cache.get(each) for each in "abcdefgh"]
        assert cache.size_bytes == sum(len(item.data) for item in held if item is not None) <= 100
        assert (cache.get(name) is not None) == (size <= 25)


def test_least_recently_used_object_goes_first() -> None:
    cache = ByteBudgetCache(80)
    for name in "abcd":
        cache.put(name, CachedObject(bytes(20), "t"))
    cache.get("a")

    cache.put("e", CachedObject(bytes(20), "t"))

    assert cache.get("b") is None
    assert cache.get("a") is not None


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("bytes=0-9", ByteSpan(0, 9)),
        ("bytes=0-99", ByteSpan(0, 99)),
        ("bytes=90-200", ByteSpan(90, 99)),
        ("bytes=10-", ByteSpan(10, 99)),
        ("bytes=-5", ByteSpan(95, 99)),
        ("bytes=-500", ByteSpan(0, 99)),
        ("Bytes=1-1", ByteSpan(1, 1)),
        ("bytes=5-3", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("nonsense", None),
    ],
)
def test_ranges_of_a_hundred_bytes(value: str, span: ByteSpan | None) -> None:
    assert parse_range(value, 100) == span


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_ranges_outside_the_object_are_not_satisfiable(value: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(value, 100)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_span_lies_inside_the_object(first: int, last: int, size: int) -> None:
    try:
        span = parse_range(f"bytes={first}-{last}", size)
    except RangeNotSatisfiable:
        assert first >= size
        return
    assert span is None or 0 <= span.first <= span.last < size
