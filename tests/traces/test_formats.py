from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_traces.formats import NAMES, detect, pensieve, plain, read, sabre, write
from cushion_traces.trace import Trace, TraceError

DATASETS = Path(__file__).parents[3] / "shared" / "datasets"

SABRE = """[
    {"duration_ms": 30000, "bandwidth_kbps": 5000, "latency_ms":  75},
    {"duration_ms": 0.5, "bandwidth_kbps": 1500.125}
]
"""
PENSIEVE = "0.0\t4.03768755221\n0.549999952316\t4.79283060109\n1.25 0.0\n"
CSV = """# a step
duration_us, rate_bps, latency_us
10000000, 6000000, 40000   # fast

500, 0, 0
"""

rows = st.lists(
    st.tuples(st.integers(1, 10**12), st.integers(0, 10**12), st.integers(0, 10**9)), min_size=1, max_size=20
).filter(lambda drawn: any(rate for _, rate, _ in drawn))
traces = rows.map(lambda drawn: Trace(*(tuple(column) for column in zip(*drawn, strict=True))))


def test_sabre_milliseconds_and_kilobits_become_us_and_bps() -> None:
    assert sabre.read(SABRE) == Trace((30_000_000, 500), (5_000_000, 1_500_125), (75_000, 0))


def test_a_cooked_rate_holds_for_the_time_that_ends_at_its_line() -> None:
    assert pensieve.read(PENSIEVE, latency_us=80_000) == Trace((550_000, 700_000), (4_792_831, 0), (80_000, 80_000))


def test_csv_is_read_with_comments_and_spaces() -> None:
    assert plain.read(CSV) == Trace((10_000_000, 500), (6_000_000, 0), (40_000, 0))


@pytest.mark.parametrize(("text", "name"), [(SABRE, "sabre"), (PENSIEVE, "pensieve"), (CSV, "csv")])
def test_a_format_is_recognised_by_its_first_line(text: str, name: str) -> None:
    assert detect(text) == name
    assert read(text).durations_us


@pytest.mark.parametrize("name", ["sabre", "csv"])
@given(trace=traces)
def test_what_was_written_reads_back_the_same(name: str, trace: Trace) -> None:
    assert read(write(trace, name)) == trace


@given(traces)
def test_a_cooked_trace_reads_back_but_for_the_latency(trace: Trace) -> None:
    back = read(write(trace, "pensieve"))

    assert (back.durations_us, back.rates_bps) == (trace.durations_us, trace.rates_bps)
    assert set(back.latencies_us) == {0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing in it"),
        ("# only a comment\n", "nothing in it"),
        ("<html><body>no such page</body></html>", "not a trace we know.*line 1"),
        ("[{]", "not JSON.*line 1, column 3"),
        ("[]", "not a list of periods"),
        ("[1]", "not an object.*period 0"),
        ('[{"duration_ms": 1000, "bandwidth_kbps": 1}, {"duration_ms": 1000}]', "bandwidth_kbps.*period 1"),
        ('[{"duration_ms": true, "bandwidth_kbps": 1}]', "duration_ms.*period 0"),
        ('[{"duration_ms": NaN, "bandwidth_kbps": 1}]', "duration_ms.*period 0"),
        ('[{"duration_ms": 1e99, "bandwidth_kbps": 1}]', "not a usable number.*period 0"),
        ('[{"duration_ms": 1e999999999999, "bandwidth_kbps": 1}]', "period 0"),
        ('[{"duration_ms": -1, "bandwidth_kbps": 1}]', "at least 1 µs.*period 0"),
        ('[{"duration_ms": 5, "bandwidth_kbps": 0}]', "every rate is 0"),
        ('[{"duration_ms": ' + "9" * 5000 + ', "bandwidth_kbps": 1}]', "not a usable number.*period 0"),
        ("[" * 100_000, "nested too deeply"),
        ("0 1\n", "at least two lines"),
        ("0 1\n1 x\n", "the rate is not a number: 'x'.*line 2"),
        ("0 1\n1 1\n\n1 1\n", "time does not advance.*line 4"),
        ("0 1\n1 -1\n", "negative.*line 2"),
        ("0 1\n1 nan\n", "not a usable number.*line 2"),
        ("0 1\n1 1 1\n", "expected 'seconds Mb/s'.*line 2"),
        ("duration_us,rate_bps,latency_us\n", "at least one row"),
        ("duration_us,rate_bps,latency_us\n1,2\n", "three whole numbers.*line 2"),
        ("duration_us,rate_bps,latency_us\n1,2,-3\n", "three whole numbers.*line 2"),
        ("duration_us,rate_bps,latency_us\n1,2,²\n", "three whole numbers.*line 2"),
        ("duration_us,rate_bps,latency_us\n0,2,3\n", "at least 1 µs.*line 2"),
        ("duration_us,rate_bps,latency_us\n1,99999999999999999999,3\n", "too large.*line 2"),
        ("duration_us,rate_bps,latency_us,weather\n1,2,3,4\n", "expected the header.*line 1"),
    ],
)
def test_a_broken_trace_is_an_error_that_says_where(text: str, says: str) -> None:
    with pytest.raises(TraceError, match=says):
        read(text)


@given(st.text(max_size=200))
def test_any_text_is_a_trace_or_a_trace_error(text: str) -> None:
    try:
        assert read(text).duration_us > 0
    except TraceError:
        pass


def test_an_unknown_format_is_answered_with_those_there_are() -> None:
    with pytest.raises(TraceError, match=", ".join(NAMES)):
        write(Trace((1,), (1,), (0,)), "mahimahi")


@pytest.mark.parametrize(
    ("folder", "name", "n_files"),
    [("sabre_hsdpa3g", "sabre", 86), ("sabre_ghent4g", "sabre", 40), ("comyco_cooked_norway_test", "pensieve", 142)],
)
def test_recorded_traces_read_and_round_trip(folder: str, name: str, n_files: int) -> None:
    if not DATASETS.is_dir():
        pytest.skip(f"no recorded traces at {DATASETS}")
    paths = sorted(path for path in (DATASETS / folder).iterdir() if path.suffix != ".md")
    assert len(paths) == n_files

    for path in paths[::5]:
        text = path.read_text(encoding="utf-8")
        trace = read(text)

        assert detect(text) == name
        assert read(write(trace, name)) == trace
        assert 1e4 < trace.mean_bps < 1e9
