"""What a session adds up to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_sdk import session_events as said
from cushion_sdk.ledger import MAX_ERRORS, SessionLedger


def test_only_media_that_the_clock_passed_is_played() -> None:
    ledger = SessionLedger()
    story: list[said.SessionEvent] = [
        said.PlaybackStarted(10.0, 0.2),
        said.PlaybackPaused(14.0),
        said.PlaybackResumed(14.0),
        said.RebufferStarted(16.0, "buffer"),
        said.RebufferEnded(16.0, 3.0),
        said.SeekStarted(20.0, 50.0),
        said.SeekEnded(50.0, 0.4),
        said.PlaybackEnded(60.0),
    ]
    for event in story:
        ledger.hear(event, 0.0)

    assert ledger.played_s(60.0) == 20.0
    assert ledger.has_started


def test_running_media_counts_up_to_now() -> None:
    ledger = SessionLedger()
    ledger.hear(said.PlaybackStarted(10.0, 0.2), 0.0)

    assert ledger.played_s(12.5) == 2.5
    assert ledger.played_s(9.0) == 0.0


def test_the_mean_bitrate_is_weighted_by_media_time() -> None:
    ledger = SessionLedger()
    ledger.hear(said.PlaybackStarted(0.0, 0.2), 0.2)
    ledger.hear(said.RungShown(0.0, 0, 240, 1_000_000), 0.2)
    ledger.hear(said.RungShown(4.0, 2, 720, 4_000_000), 4.2)

    assert ledger.mean_bitrate_bps(4.0) == 1_000_000
    assert ledger.mean_bitrate_bps(8.0) == 2_500_000
    assert [(span.time_s, span.rung) for span in ledger.rungs] == [(0.2, 0), (4.2, 2)]
    assert ledger.switches == 1


def test_the_same_rung_shown_again_is_no_switch() -> None:
    ledger = SessionLedger()
    for _ in range(3):
        ledger.hear(said.RungShown(0.0, 1, 480, 1_000_000), 0.0)

    assert ledger.switches == 0


def test_nothing_shown_is_no_mean() -> None:
    assert SessionLedger().mean_bitrate_bps(0.0) == 0


def test_problems_are_listed_once_and_not_without_end() -> None:
    ledger = SessionLedger()
    for number in range(200):
        ledger.add_error("decode", f"segment {number // 2}")

    assert len(ledger.errors) == MAX_ERRORS
    assert len(set(ledger.errors)) == MAX_ERRORS


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=20))
def test_played_media_is_the_sum_of_the_runs(runs: list[tuple[float, float]]) -> None:
    ledger = SessionLedger()
    for start_s, length_s in runs:
        ledger.hear(said.SeekEnded(start_s, 0.0), 0.0)
        ledger.hear(said.SeekStarted(start_s + length_s, 0.0), 0.0)

    assert ledger.played_s(0.0) == pytest.approx(sum(length_s for _, length_s in runs))


def test_time_before_the_first_picture_and_after_the_last_has_none() -> None:
    ledger = SessionLedger()
    ledger.pictures_s = (2.0, 12.0)
    story: list[said.SessionEvent] = [
        said.PlaybackStarted(0.0, 0.2),
        said.PlaybackPaused(1.0),
        said.PlaybackResumed(1.0),
        said.SeekStarted(5.0, 11.0),
        said.SeekEnded(11.0, 0.1),
        said.RungShown(11.5, 0, 240, 1_000_000),
    ]
    for event in story:
        ledger.hear(event, 0.0)

    assert ledger.pictured_s(20.0) == 4.0  # 2 to 5, 11 to 12
    assert ledger.played_s(20.0) == 14.0
