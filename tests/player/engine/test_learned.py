"""Bitrates that are learned from what came, where the manifest names no sizes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_abr.qoe import SegmentRecord, mean_bitrate_bps
from cushion_player.effects import FetchSegment
from cushion_player.engine import PlaybackEngine
from cushion_player.engine.learned import CEILING, FLOOR, LearnedBitrates
from cushion_player.notices import SegmentLoaded
from cushion_player.testing.timelines import FILM_LADDER_BPS, make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Timeline, Track, TrackKind
from cushion_traces.link import make_link

DECLARED = make_timeline(exact_sizes=False, audio_bps=None).tracks[0]


def after(track: Track, rung: int, share: float, count: int) -> LearnedBitrates:
    """What is known after `count` segments of a rung that took so much of what was declared."""
    learned = LearnedBitrates()
    for index in range(count):
        learned.add(track, index, rung, round(track.size_bytes(index, rung) * share))
    return learned


def test_bitrates_come_near_to_what_segments_take() -> None:
    ladder = after(DECLARED, 1, 0.5, 20).ladder(DECLARED.rungs)

    assert ladder[1] == pytest.approx(0.5 * FILM_LADDER_BPS[1], rel=0.2)


def test_a_rung_that_never_came_is_like_the_nearest_that_did() -> None:
    learned = after(DECLARED, 0, 0.4, 20)
    for index in range(20):
        learned.add(DECLARED, index, 2, round(DECLARED.size_bytes(index, 2) * 0.8))

    low, below, high, above = learned.factors(DECLARED.rungs)

    assert low == below < 0.6
    assert high == above > 0.75


def test_one_segment_is_not_taken_at_its_word() -> None:
    assert after(DECLARED, 0, 0.4, 1).factors(DECLARED.rungs)[0] == pytest.approx(0.8, rel=0.02)


def test_small_departures_are_not_told() -> None:
    assert after(DECLARED, 0, 0.95, 20).ladder(DECLARED.rungs) == FILM_LADDER_BPS


def test_known_sizes_are_left_as_they_are() -> None:
    exact = make_timeline(audio_bps=None).tracks[0]

    assert after(exact, 0, 0.3, 20).ladder(exact.rungs) == FILM_LADDER_BPS


def test_sizes_are_scaled_as_the_ladder_is() -> None:
    learned = after(DECLARED, 0, 0.5, 20)

    (row,) = learned.sizes(DECLARED.rungs, np.array([[1000, 2000, 3000, 4000]], dtype=np.int64))

    assert row.tolist() == [int(each * learned.factors(DECLARED.rungs)[0]) for each in (1000, 2000, 3000, 4000)]
    assert learned.size_bytes(DECLARED, 0, 0) == pytest.approx(row[0] / 1000 * DECLARED.size_bytes(0, 0), rel=0.01)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**9)), max_size=40))
def test_any_ladder_that_is_learned_ascends_within_its_bounds(came: list[tuple[int, int]]) -> None:
    learned = LearnedBitrates()
    for rung, size in came:
        learned.add(DECLARED, 0, rung, size)

    ladder = learned.ladder(DECLARED.rungs)

    assert all(low <= high for low, high in pairwise(ladder))
    assert all(FLOOR <= factor <= CEILING for factor in learned.factors(DECLARED.rungs))


def played_bps(timeline: Timeline, share: float) -> float:
    """The declared bitrate of what is played over 1.2 Mb/s when segments take a share of it."""

    def size_of(fetch: FetchSegment) -> int:
        track = timeline.find(fetch.key)
        assert track is not None
        return max(1, round(track.size_bytes(fetch.index, fetch.rung) * share))

    driver = VirtualDriver(PlaybackEngine(), timeline, make_link([1_000_000], [1_200_000], 40_000), size_of=size_of)
    driver.start()
    driver.run()
    loaded = [each for _, each in driver.notices if isinstance(each, SegmentLoaded) and each.track is TrackKind.VIDEO]
    return mean_bitrate_bps([SegmentRecord(FILM_LADDER_BPS[each.rung], 2_000_000, 0) for each in loaded])


def test_a_playlist_that_declares_peaks_is_played_as_high_as_one_that_tells_the_truth() -> None:
    honest = make_timeline(n_segments=100, exact_sizes=False, audio_bps=None)
    doubled = make_timeline(
        n_segments=100, exact_sizes=False, audio_bps=None, bitrates_bps=[2 * bps for bps in FILM_LADDER_BPS]
    )

    assert played_bps(doubled, 0.5) >= 0.9 * played_bps(honest, 1.0)
