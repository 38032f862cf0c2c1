import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr.abandonment import abandon_slow
from cushion_abr.contract import Ladder, Progress, make_ladder

LADDER = make_ladder([300e3, 600e3, 1200e3, 2000e3, 3000e3])


def progress(
    received: int, elapsed_us: int, buffer_us: int = 1_000_000, rung: int = 4, latency_us: int = 40_000
) -> Progress:
    """A 2 s segment of 750 kB at the top rung of LADDER."""
    return Progress(rung, 2_000_000, 750_000, received, 0, latency_us, elapsed_us, buffer_us, 1)


def test_a_late_download_is_given_up_for_the_rung_the_link_carries() -> None:
    slow = progress(received=120_000, elapsed_us=1_040_000)  # 0.96 Mb/s: 6.3 s in all

    assert abandon_slow(LADDER, slow) == 1


def test_no_verdict_before_half_a_second() -> None:
    assert abandon_slow(LADDER, progress(received=10_000, elapsed_us=499_999)) == -1
    assert abandon_slow(LADDER, progress(received=10_000, elapsed_us=500_000)) >= 0


def test_a_download_of_at_most_1_8_segments_is_kept() -> None:
    # the whole takes latency + 750 kB / rate
    assert abandon_slow(LADDER, progress(received=220_000, elapsed_us=1_040_000)) == -1  # 3.45 s
    assert abandon_slow(LADDER, progress(received=200_000, elapsed_us=1_040_000)) >= 0  # 3.79 s


def test_a_buffer_that_outlasts_the_rest_is_not_at_risk() -> None:
    assert abandon_slow(LADDER, progress(received=120_000, elapsed_us=1_040_000, buffer_us=5_300_000)) == -1


def test_what_is_missing_must_be_more_than_the_whole_replacement() -> None:
    nearly_done = progress(received=700_000, elapsed_us=6_000_000, buffer_us=0)

    assert abandon_slow(LADDER, nearly_done) == -1


def test_the_lowest_rung_is_never_abandoned() -> None:
    assert abandon_slow(LADDER, progress(received=1_000, elapsed_us=1_900_000, rung=0)) == -1


def test_a_download_without_a_byte_is_left_to_the_timeouts() -> None:
    assert abandon_slow(LADDER, progress(received=0, elapsed_us=5_000_000)) == -1


def test_the_lowest_rung_is_taken_when_none_fits() -> None:
    assert abandon_slow(LADDER, progress(received=20_000, elapsed_us=1_040_000, buffer_us=0)) == 0


def test_what_sound_took_beside_a_download_counts_as_throughput() -> None:
    alone = progress(received=60_000, elapsed_us=640_000, buffer_us=7_500_000)  # 0.8 Mb/s: 6.9 s are missing
    halved = alone._replace(received_bytes=50_000, buffer_us=8_000_000)  # 8.4 s are missing at what it had for itself

    assert abandon_slow(LADDER, alone) == -1
    assert abandon_slow(LADDER, halved) >= 0
    assert abandon_slow(LADDER, halved._replace(other_bytes=50_000)) == -1


def test_patience_waits_while_the_buffer_lasts_for_several_of_the_lowest_rung() -> None:
    late = progress(received=30_000, elapsed_us=640_000, buffer_us=9_000_000)  # 0.4 Mb/s: 1.54 s for the lowest

    assert abandon_slow(LADDER, late) == 0
    assert abandon_slow(LADDER, late, 5.0) == -1
    assert abandon_slow(LADDER, late, 6.0) == 0


@pytest.mark.parametrize("ladder", [LADDER, make_ladder([1e6]), make_ladder([1e6, 1e6])])
@given(
    received=st.integers(0, 1_000_000),
    total=st.integers(1, 1_000_000),
    first_us=st.integers(0, 3_000_000),
    now_us=st.integers(0, 20_000_000),
    buffer_us=st.integers(0, 30_000_000),
    rung=st.integers(0, 4),
)
def test_the_answer_is_keep_or_a_lower_rung_that_is_smaller_than_the_rest(
    ladder: Ladder, received: int, total: int, first_us: int, now_us: int, buffer_us: int, rung: int
) -> None:
    rung = min(rung, ladder.bitrate_bps.size - 1)
    flight = Progress(rung, 2_000_000, total, min(received, total), 0, first_us, now_us, buffer_us, 1)

    answer = abandon_slow(ladder, flight)

    assert answer == -1 or 0 <= answer < rung
    if answer >= 0:
        whole = total * ladder.bitrate_bps[answer] / ladder.bitrate_bps[rung]
        assert whole < total - min(received, total)
