"""When to give up a download that is running late, and what to fetch instead.

A rule that wants this offers `abandon` and calls `abandon_slow` from it.
"""

from __future__ import annotations

from typing import Final

from cushion_abr.contract import Ladder, Progress

GRACE_US: Final = 500_000
"""No verdict earlier: the first bytes of a body say little (dash.js AbandonRequestsRule, Sabre)."""
LATE_FACTOR: Final = 1.8
"""Late means longer than this many segment durations in all (dash.js, Sabre)."""
SAFETY_FACTOR: Final = 0.9
"""Share of the measured throughput that the replacement may use (Sabre; dash.js uses all of it)."""
ANY_TIME: Final = 1e9
"""As `patience`: no waiting."""


def abandon_slow(ladder: Ladder, progress: Progress, patience: float = ANY_TIME) -> int:
    """The rung to fetch instead of the one in flight, or -1 to keep it.

    patience: no verdict while the buffer lasts more than so many times as long as the lowest rung's segment would
    take: a link that dips for a second recovers, and until then nothing is lost by waiting.

    Abandons when all of these hold: 500 ms have passed since the request; the projected total time is more than 1.8
    segment durations; what is missing needs longer than the buffer lasts; a lower rung exists whose whole segment is
    smaller than what is missing. That rung is the highest that fits in a segment duration at 0.9 of the measured
    throughput, or the lowest.

    Source: Sabre's ThroughputRule.check_abandon and dash.js AbandonRequestsRule. Departures: the buffer must really
    be at risk (dash.js asks only that it is below its target); throughput is what the link gave to this download and
    the player's others together, for the sound beside it is soon done; sizes at other rungs are scaled from this one
    by the declared bitrates, because a download in flight knows no others; `patience`, by which both judge at once.
    Sabre computes the same target and then asks the rule again; here the target is what is fetched.
    """
    elapsed_us = progress.now_us - progress.request_us
    body_us = progress.now_us - progress.first_byte_us
    missing_bytes = progress.total_bytes - progress.received_bytes
    if progress.rung <= 0 or elapsed_us < GRACE_US or progress.received_bytes <= 0:
        return -1
    if body_us <= 0 or missing_bytes <= 0:
        return -1
    bytes_per_us = (progress.received_bytes + progress.other_bytes) / body_us
    missing_us = missing_bytes / bytes_per_us
    if elapsed_us + missing_us <= LATE_FACTOR * progress.segment_us or missing_us <= progress.buffer_us:
        return -1
    bytes_per_bps = progress.total_bytes / ladder.bitrate_bps[progress.rung]
    latency_us = progress.first_byte_us - progress.request_us
    if progress.buffer_us > patience * (latency_us + ladder.bitrate_bps[0] * bytes_per_bps / bytes_per_us):
        return -1
    budget_bytes = SAFETY_FACTOR * bytes_per_us * max(progress.segment_us - latency_us, 0)
    rung = progress.rung - 1
    while rung > 0 and ladder.bitrate_bps[rung] * bytes_per_bps > budget_bytes:
        rung -= 1
    if ladder.bitrate_bps[rung] * bytes_per_bps < missing_bytes:
        return rung
    return -1
