"""Caps that any rule may put on its choice. Each returns a rung; none chooses one by itself."""

from __future__ import annotations

from cushion_abr.contract import Int64Array, Ladder, Situation
from cushion_abr.reasons import LIMITED


def allowed_top(situation: Situation, n_rungs: int) -> int:
    """The highest rung that may be chosen now, within the ladder whatever `max_rung` says.

    The rules here treat the ladder above it as absent: a map or a utility spans only the rungs that can be played.
    """
    return max(min(situation.max_rung, n_rungs - 1), 0)


def limited(rung: int, top: int, n_rungs: int, reason: int) -> int:
    """LIMITED when the choice is the highest allowed rung and the ladder goes on above it, else `reason`."""
    if rung == top and top < n_rungs - 1:
        return LIMITED
    return reason


def insufficient_buffer(
    sizes_bits: Int64Array, situation: Situation, throughput_bps: float, factor: float, top: int
) -> int:
    """The highest rung <= `top` whose next segment arrives within `factor` of the time the buffer lasts.

    sizes_bits: (n_ahead, n_rungs) int64; row 0 is used. 0 when even the lowest would not, or the buffer is empty.
    Source: dash.js InsufficientBufferRule (bitrate x segment <= 0.7 x throughput x buffer). Departures: the real size
    of the segment when known, the playback rate counts, and no exemption for the first segments.
    """
    budget_bits = factor * throughput_bps * situation.buffer_us / 1_000_000.0
    if situation.rate > 0.0:
        budget_bits /= situation.rate
    rung = top
    while rung > 0 and sizes_bits[0, rung] > budget_bits:
        rung -= 1
    return rung


def affordable(ladder: Ladder, budget_bps: float, top: int) -> int:
    """The highest rung <= `top` whose bitrate is within the budget; 0 when none is."""
    rung = top
    while rung > 0 and ladder.bitrate_bps[rung] > budget_bps:
        rung -= 1
    return rung


def carries(ladder: Ladder, situation: Situation, throughput_bps: float, rung: int, n_segments: float) -> bool:
    """Whether `rung` can be kept for `n_segments`, or to the end where that is nearer, at this throughput.

    While it costs more than the link gives, the buffer is drawn down; one segment of it must be left in the end.
    An upward switch that must be taken back at once costs two switches and gains little: this is what keeps a rule
    from going to and fro where the link lies between two rungs.
    """
    if situation.rate > 0.0:
        throughput_bps /= situation.rate
    bitrate_bps = ladder.bitrate_bps[rung]
    if bitrate_bps <= throughput_bps:
        return True
    if throughput_bps <= 0.0:
        return False
    lost_us = situation.segment_us * (bitrate_bps / throughput_bps - 1.0)
    return bool(situation.buffer_us - situation.segment_us >= lost_us * min(n_segments, float(situation.n_left)))
