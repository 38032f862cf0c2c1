"""What a session was worth: plain figures over its segments.

Everything is computed from `SegmentRecord`s in playback order, so a live journal and a simulation are judged alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

LINEAR_REBUFFER_PENALTY: Final = 4.3
"""Per second, of linear QoE: the highest bitrate of Pensieve's ladder in Mb/s."""
LOG_REBUFFER_PENALTY: Final = 2.66
"""Per second, of logarithmic QoE (Pensieve): ln(4.3 / 0.3)."""


class SegmentRecord(NamedTuple):
    """One played segment."""

    bitrate_bps: float
    """Declared bitrate of the rung it was played at."""
    duration_us: int
    rebuffer_us: int
    """How long playback stood still waiting for it; the start-up is not a rebuffer and belongs elsewhere."""


def linear_qoe(
    records: Sequence[SegmentRecord],
    rebuffer_penalty: float = LINEAR_REBUFFER_PENALTY,
    switch_penalty: float = 1.0,
) -> float:
    """sum_k R_k - rebuffer_penalty * sum_k T_k - switch_penalty * sum_{k>=1} |R_k - R_{k-1}|.

    R in Mb/s, T in seconds. Source: Mao et al., Pensieve (SIGCOMM 2017), QoE_lin (after Yin et al., SIGCOMM 2015).
    Departures from its program: the first segment has no switch (theirs compares it with a default rung) and its
    download is no rebuffer. 0.0 for no segments.
    """
    qualities = [record.bitrate_bps / 1e6 for record in records]
    return _weighed(qualities, records, rebuffer_penalty, switch_penalty)


def log_qoe(
    records: Sequence[SegmentRecord],
    lowest_bps: float,
    rebuffer_penalty: float = LOG_REBUFFER_PENALTY,
    switch_penalty: float = 1.0,
) -> float:
    """As `linear_qoe` with ln(R / lowest_bps) for R (Pensieve QoE_log); lowest_bps > 0 is the lowest rung's bitrate."""
    qualities = [math.log(record.bitrate_bps / lowest_bps) for record in records]
    return _weighed(qualities, records, rebuffer_penalty, switch_penalty)


def mean_bitrate_bps(records: Sequence[SegmentRecord]) -> float:
    """Bitrate averaged over the media time played; 0.0 for no segments."""
    media_us = sum(record.duration_us for record in records)
    if media_us == 0:
        return 0.0
    return sum(record.bitrate_bps * record.duration_us for record in records) / media_us


def switches(records: Sequence[SegmentRecord]) -> int:
    """How often a segment was played at another bitrate than the one before."""
    return sum(before.bitrate_bps != after.bitrate_bps for before, after in pairwise(records))


def rebuffer_us(records: Sequence[SegmentRecord]) -> int:
    """Total time playback stood still after it had started."""
    return sum(record.rebuffer_us for record in records)


def rebuffer_ratio(records: Sequence[SegmentRecord]) -> float:
    """Rebuffer time / (media time + rebuffer time), 0.0 to 1.0; 0.0 for no segments. The start-up is in neither."""
    stalled_us = rebuffer_us(records)
    total_us = stalled_us + sum(record.duration_us for record in records)
    return stalled_us / total_us if total_us else 0.0


def _weighed(
    qualities: Sequence[float], records: Sequence[SegmentRecord], rebuffer_penalty: float, switch_penalty: float
) -> float:
    variation = sum(abs(after - before) for before, after in pairwise(qualities))
    return sum(qualities) - rebuffer_penalty * rebuffer_us(records) / 1e6 - switch_penalty * variation
