import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr.remembered import DEFAULT_TTL_S, RememberedThroughput, decode, encode, usable_bps

SEEN = RememberedThroughput(3_200_000.0, 1_700_000_000_000, "home")


@given(st.integers(1, 10**12), st.integers(0, 2**53 - 1), st.text(max_size=40))
def test_what_was_written_is_read_again(bps: int, at_ms: int, network: str) -> None:
    remembered = RememberedThroughput(float(bps), at_ms, network)

    assert decode(encode(remembered)) == remembered


@given(
    st.text()
    | st.sampled_from(["[" * 5000, "null", "[]", '{"v":1}', '{"v":1,"throughput_bps":NaN,"at_ms":1,"network":""}'])
)
def test_garbage_is_no_memory(text: str) -> None:
    assert decode(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"v":2,"throughput_bps":1,"at_ms":1,"network":""}',
        '{"v":1,"throughput_bps":0,"at_ms":1,"network":""}',
        '{"v":1,"throughput_bps":-5,"at_ms":1,"network":""}',
        '{"v":1,"throughput_bps":true,"at_ms":1,"network":""}',
        '{"v":1,"throughput_bps":1,"at_ms":-1,"network":""}',
        '{"v":1,"throughput_bps":1,"at_ms":1,"network":7}',
    ],
)
def test_impossible_values_are_no_memory(text: str) -> None:
    assert decode(text) is None


@pytest.mark.parametrize(
    ("age_s", "network", "usable"),
    [(0, "home", True), (DEFAULT_TTL_S, "home", True), (DEFAULT_TTL_S + 1, "home", False), (-1, "home", False),
     (1, "train", False)],
)  # fmt: skip
def test_memory_is_used_while_fresh_and_on_its_own_network(age_s: float, network: str, usable: bool) -> None:
    now_ms = SEEN.at_ms + round(age_s * 1000)

    assert usable_bps(SEEN, now_ms=now_ms, network=network) == (SEEN.throughput_bps if usable else 0.0)


def test_nothing_is_remembered_at_first() -> None:
    assert usable_bps(None, now_ms=0) == 0.0
