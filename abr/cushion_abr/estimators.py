"""Throughput and latency estimators, each on a slice of a rule's float64 state.

A rule reserves a slice, calls the `*_init` function once and the others as samples come; `base` is where its slice
starts. Nothing here allocates or keeps anything elsewhere, so a batch loop can compile these functions as they are.
What a rule does with an estimate (safety factors, guards) belongs to the rule.
"""

from __future__ import annotations

import math
from typing import Final

from cushion_abr.contract import SAMPLE_SEEK, SOURCE_NETWORK, Float64Array, Sample

SMALL_BYTES: Final = 16_000
"""Below this the latency dominates and the body time says little (Shaka ignores such samples)."""
SHORT_US: Final = 5_000
"""A body that came within this was buffered below us; its own time says nothing about the link."""

# --------------------------------------------------------------------------- dual EWMA

DUAL_SIZE: Final = 6
"""Slots of a dual EWMA: the two half-lives, the two averages, the two weights still on the zero it started from."""


def dual_init(state: Float64Array, base: int, fast_half_life: float, slow_half_life: float) -> None:
    """Start a dual EWMA in state[base : base + DUAL_SIZE]; half-lives (> 0) are in the unit of the later weights."""
    state[base] = fast_half_life
    state[base + 1] = slow_half_life
    state[base + 2] = 0.0
    state[base + 3] = 0.0
    state[base + 4] = 1.0
    state[base + 5] = 1.0


def dual_add(state: Float64Array, base: int, value: float, weight: float) -> None:
    """Add a sample of this weight (> 0).

    Per half-life h: a = 0.5^(weight / h), e = a e + (1 - a) value. Source: the EWMA of dash.js, Shaka and Sabre; the
    correction for the zero start is carried as a product instead of a second power of the total weight.
    """
    fast = math.exp2(-weight / state[base])
    slow = math.exp2(-weight / state[base + 1])
    state[base + 2] = fast * state[base + 2] + (1.0 - fast) * value
    state[base + 3] = slow * state[base + 3] + (1.0 - slow) * value
    state[base + 4] *= fast
    state[base + 5] *= slow


def dual_is_known(state: Float64Array, base: int) -> bool:
    """Whether any sample has been added."""
    return bool(state[base + 5] < 1.0)


def dual_min(state: Float64Array, base: int) -> float:
    """The smaller of the two averages, right for throughput: quick to fall, slow to rise. 0.0 before any sample."""
    if not dual_is_known(state, base):
        return 0.0
    return min(
        float(state[base + 2] / (1.0 - state[base + 4])),
        float(state[base + 3] / (1.0 - state[base + 5])),
    )


def dual_max(state: Float64Array, base: int) -> float:
    """The larger of the two averages, right for latency. 0.0 before any sample."""
    if not dual_is_known(state, base):
        return 0.0
    return max(
        float(state[base + 2] / (1.0 - state[base + 4])),
        float(state[base + 3] / (1.0 - state[base + 5])),
    )


# --------------------------------------------------------------------------- harmonic mean


def harmonic_size(capacity: int) -> int:
    """How many slots the harmonic mean of the last `capacity` values needs."""
    return capacity + 2


def harmonic_init(state: Float64Array, base: int, capacity: int) -> None:
    """Start a harmonic mean in state[base : base + harmonic_size(capacity)]; capacity >= 1."""
    for slot in range(base, base + capacity + 2):
        state[slot] = 0.0


def harmonic_add(state: Float64Array, base: int, capacity: int, value: float) -> None:
    """Add a value (> 0), forgetting the oldest beyond `capacity`."""
    position = int(state[base + 1])
    state[base + 2 + position] = value
    state[base + 1] = float((position + 1) % capacity)
    if state[base] < capacity:
        state[base] += 1.0


def harmonic_mean(state: Float64Array, base: int) -> float:
    """n / sum(1 / x) over the values kept; 0.0 before any. Source: FESTIVE (CoNEXT 2012), MPC (SIGCOMM 2015)."""
    count = int(state[base])
    if count == 0:
        return 0.0
    total = 0.0
    for slot in range(base + 2, base + 2 + count):
        total += 1.0 / state[slot]
    return float(count / total)


# --------------------------------------------------------------------------- what a link gives

LINK_SIZE: Final = 2 * DUAL_SIZE + 2
"""Slots of a link estimate: a dual EWMA of throughput (bit/s), one of latency (µs), and the two floors of samples."""


def transfer_us(sample: Sample, small_bytes: float = SMALL_BYTES, short_us: float = SHORT_US) -> int:
    """The time over which a sample's bytes are counted, in µs.

    First byte to end; from the request where the body is smaller than `small_bytes` or came within `short_us` (an
    underestimate of the throughput, never an overestimate). 0 when the sample carries no measurement: a seek, an empty
    one, and what came out of a cache or a file, whose source says so. A fast answer of the network stays an answer of
    the network: players that take it for a cache hit see nothing of a link on the same machine.
    """
    if sample.bytes <= 0 or sample.kind == SAMPLE_SEEK or sample.source != SOURCE_NETWORK:
        return 0
    body_us = sample.end_us - sample.first_byte_us
    if sample.bytes < small_bytes or body_us < short_us:
        return max(sample.end_us - sample.request_us, 1)
    return body_us


def link_init(
    state: Float64Array,
    base: int,
    fast_half_life_s: float,
    slow_half_life_s: float,
    small_bytes: float = SMALL_BYTES,
    short_us: float = SHORT_US,
) -> None:
    """Start a link estimate in state[base : base + LINK_SIZE]; latency half-lives are 1 and 2 samples (dash.js).

    small_bytes, short_us: below these a sample is timed from its request (see `transfer_us`).
    """
    dual_init(state, base, fast_half_life_s, slow_half_life_s)
    dual_init(state, base + DUAL_SIZE, 1.0, 2.0)
    state[base + 2 * DUAL_SIZE] = small_bytes
    state[base + 2 * DUAL_SIZE + 1] = short_us


def link_observe(sample: Sample, state: Float64Array, base: int) -> None:
    """Count a finished or abandoned download, weighted by its seconds; seeks and empty samples change nothing.

    By its own bytes alone: what is left for it while other downloads go on as they do.
    """
    _link_add(sample, sample.bytes, state, base)


def link_observe_whole(sample: Sample, state: Float64Array, base: int) -> None:
    """As `link_observe`, by all the bytes that came meanwhile: what the link gives to everybody."""
    _link_add(sample, sample.bytes + sample.other_bytes, state, base)


def _link_add(sample: Sample, link_bytes: int, state: Float64Array, base: int) -> None:
    floors = base + 2 * DUAL_SIZE
    duration_us = transfer_us(sample, state[floors], state[floors + 1])
    if duration_us > 0:
        dual_add(state, base, link_bytes * 8_000_000.0 / duration_us, duration_us / 1_000_000.0)
        dual_add(state, base + DUAL_SIZE, float(max(sample.first_byte_us - sample.request_us, 0)), 1.0)


def link_throughput_bps(state: Float64Array, base: int) -> float:
    """Estimated throughput in bit/s; 0.0 before any sample."""
    return dual_min(state, base)


def link_latency_us(state: Float64Array, base: int) -> float:
    """Estimated time from request to first byte in µs; 0.0 before any sample."""
    return dual_max(state, base + DUAL_SIZE)
