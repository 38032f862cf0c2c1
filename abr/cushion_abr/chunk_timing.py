"""Throughput of a link out of chunks that arrive as an encoder makes them (low latency, chunked transfer).

A segment that is still being made takes as long to arrive as to make, so bytes by its whole time give the encoder's
bitrate, not the link's throughput. What can be timed is each chunk from its first bytes to its last: while it comes,
the link is busy. The sum of such bytes over the sum of such times, both forgetting with a half-life, is the estimate.

On a slice of a rule's float64 state, like the functions of `cushion_abr.estimators`; nothing here allocates.
"""

from __future__ import annotations

import math
from typing import Final

from cushion_abr.contract import SAMPLE_DOWNLOAD, Float64Array, Sample

CHUNK_SIZE: Final = 3
"""Slots: the half-life (µs of busy time), busy bits, busy µs."""
SHORT_US: Final = 5_000
"""A chunk that came within this was buffered below us; its own time says nothing about the link."""


def chunk_init(state: Float64Array, base: int, half_life_s: float = 3.0) -> None:
    """Start an estimate in state[base : base + CHUNK_SIZE]; half_life_s (> 0) counts busy time."""
    state[base] = half_life_s * 1_000_000.0
    state[base + 1] = 0.0
    state[base + 2] = 0.0


def chunk_add(state: Float64Array, base: int, first_us: int, end_us: int, n_bytes: int, first_bytes: int) -> None:
    """Count a chunk of `n_bytes`, of which the first read at `first_us` brought `first_bytes`, the last at `end_us`.

    What the first read brought is not counted, for nobody knows how long it took; a chunk in one read says nothing.
    """
    busy_us = end_us - first_us
    timed_bytes = n_bytes - first_bytes
    if busy_us < SHORT_US or timed_bytes <= 0:
        return
    kept = math.exp2(-busy_us / state[base])
    state[base + 1] = kept * state[base + 1] + timed_bytes * 8.0
    state[base + 2] = kept * state[base + 2] + busy_us


def chunk_throughput_bps(state: Float64Array, base: int) -> float:
    """Estimated throughput in bit/s; 0.0 before any chunk that could be timed."""
    if state[base + 2] <= 0.0:
        return 0.0
    return float(state[base + 1] * 1_000_000.0 / state[base + 2])


def chunk_sample(rung: int, request_us: int, end_us: int, busy_bytes: int, busy_us: int) -> Sample:
    """A segment's timed chunks as a download that never waited for the encoder, for rules that know only downloads.

    request_us: of the segment, which is not counted as latency, since the answer may have waited for the encoder.
    """
    first_us = max(request_us, end_us - busy_us)
    return Sample(SAMPLE_DOWNLOAD, rung, busy_bytes, first_us, first_us, end_us)
