"""Chunks paced by an encoder over a link of known capacity: what the timing of chunks makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr.chunk_timing import CHUNK_SIZE, chunk_add, chunk_init, chunk_sample, chunk_throughput_bps
from cushion_abr.contract import Float64Array
from cushion_abr.estimators import transfer_us
from cushion_traces.link import Link, SharedLink, make_link


def estimate() -> Float64Array:
    state = np.zeros(CHUNK_SIZE + 1)
    chunk_init(state, 1)
    return state


def stream(state: Float64Array, link: Link, media_bps: float, chunk_s: float, seconds: float) -> tuple[int, int]:
    """Send chunks as an encoder makes them; returns bytes and time of the whole, as a download would be measured."""
    shared = SharedLink(link)
    chunk_bytes = round(media_bps * chunk_s / 8)
    first_of_all = last = 0
    n_chunks = round(seconds / chunk_s)
    for number in range(1, n_chunks + 1):
        made_us = round(number * chunk_s * 1e6)
        left, first_us, first_bytes = chunk_bytes, 0, 0
        while left:
            size, last = shared.send(made_us, left, is_first=not first_us)
            if not first_us:
                first_us, first_bytes = last, size
                first_of_all = first_of_all or last
            left -= size
        chunk_add(state, 1, first_us, last, chunk_bytes, first_bytes)
    return n_chunks * chunk_bytes, last - first_of_all


@pytest.mark.parametrize("chunk_s", [0.1, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("media_bps", [300e3, 600e3, 1.2e6])
def test_constant_link_of_1_5_mbps_is_seen_within_a_tenth(media_bps: float, chunk_s: float) -> None:
    state = estimate()
    link = make_link([1_000_000], [1_500_000], latency_us=40_000)

    whole_bytes, whole_us = stream(state, link, media_bps, chunk_s, 20.0)

    assert chunk_throughput_bps(state, 1) == pytest.approx(1.5e6, rel=0.1)
    # What bytes over the whole time would say is the encoder's bitrate.
    assert whole_bytes * 8e6 / whole_us == pytest.approx(media_bps, rel=0.1)


def test_link_that_slows_down_is_followed_within_some_chunks() -> None:
    state = estimate()
    stream(state, make_link([1_000_000], [3_000_000]), 600e3, 0.2, 20.0)

    stream(state, make_link([1_000_000], [800_000]), 600e3, 0.2, 24.0)

    assert chunk_throughput_bps(state, 1) == pytest.approx(0.8e6, rel=0.15)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_chunk_in_one_read_says_nothing(size: int, first_us: int) -> None:
    state = estimate()

    chunk_add(state, 1, first_us, first_us, size, size)

    assert chunk_throughput_bps(state, 1) == 0.0


def test_timed_chunks_become_a_download_that_did_not_wait() -> None:
    sample = chunk_sample(2, request_us=1_000_000, end_us=3_000_000, busy_bytes=75_000, busy_us=400_000)

    assert (sample.rung, sample.bytes, transfer_us(sample)) == (2, 75_000, 400_000)
