import math

import pytest

from cushion_abr.qoe import (
    SegmentRecord,
    linear_qoe,
    log_qoe,
    mean_bitrate_bps,
    rebuffer_ratio,
    rebuffer_us,
    switches,
)

RECORDS = [
    SegmentRecord(300_000, 4_000_000, 0),
    SegmentRecord(1_200_000, 4_000_000, 500_000),
    SegmentRecord(1_200_000, 4_000_000, 0),
    SegmentRecord(750_000, 2_000_000, 1_500_000),
]


def test_linear_qoe_is_bitrate_less_4_3_per_second_of_rebuffer_less_variation() -> None:
    assert linear_qoe(RECORDS) == pytest.approx(0.3 + 1.2 + 1.2 + 0.75 - 4.3 * 2.0 - (0.9 + 0.45))


def test_log_qoe_is_the_same_over_the_logarithm_of_the_bitrate() -> None:
    expected = 2 * math.log(4) + math.log(2.5) - 2.66 * 2.0 - math.log(4) - math.log(1.6)

    assert log_qoe(RECORDS, 300_000) == pytest.approx(expected)


def test_the_mean_bitrate_is_weighted_by_media_time() -> None:
    assert mean_bitrate_bps(RECORDS) == pytest.approx((0.3 * 4 + 1.2 * 8 + 0.75 * 2) / 14 * 1e6)


def test_switches_and_rebuffers_are_counted() -> None:
    assert switches(RECORDS) == 2
    assert rebuffer_us(RECORDS) == 2_000_000
    assert rebuffer_ratio(RECORDS) == pytest.approx(2 / 16)


def test_no_segments_are_worth_nothing() -> None:
    assert linear_qoe([]) == mean_bitrate_bps([]) == rebuffer_ratio([]) == 0.0
    assert switches([]) == 0
