"""Versions of one live MPD that count from different instants."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player import manifest
from cushion_player.model import Presentation
from cushion_player.planning.live_restart import going_on

URL = "http://live/live.mpd"


def version(availability_start: str, period_start: str = "PT0S") -> Presentation:
    text = f"""<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" minimumUpdatePeriod="PT2S"
        profiles="urn:mpeg:dash:profile:isoff-live:2011" minBufferTime="PT2S"
        availabilityStartTime="{availability_start}"><Period id="0" start="{period_start}">
        <AdaptationSet mimeType="video/mp4">
        <SegmentTemplate duration="2" media="$Number$.m4s" initialization="i"/><Representation id="v" bandwidth="1"/>
        </AdaptationSet></Period></MPD>"""
    return manifest.read(text.encode(), URL).presentation


BEFORE = version("2026-01-01T00:00:00Z")


def test_periods_that_begin_elsewhere_by_the_clock_are_others() -> None:
    now = version("2026-01-01T00:01:00Z", "PT5S")

    moved = going_on(BEFORE, now)

    assert moved.live.availability_start == BEFORE.live.availability_start
    assert [period.start for period in moved.periods] == [65]
    assert moved.periods[0].id != "0"
    assert going_on(moved, now).periods == moved.periods, "the next version is of the same period"


def test_periods_that_move_against_the_start_are_the_same() -> None:
    before, now = version("2026-01-01T00:01:00Z", "PT5S"), version("2026-01-01T00:00:30Z", "PT35S")

    moved = going_on(before, now)

    assert [(period.id, period.start) for period in moved.periods] == [("0", Fraction(5))]


@pytest.mark.parametrize("start", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.9Z"])
def test_a_start_that_stays_or_drifts_changes_nothing(start: str) -> None:
    now = version(start)

    assert going_on(BEFORE, now) is now
