"""NullDecodeOutput keeps an output's promises without decoding."""

from __future__ import annotations

import asyncio
import threading

from cushion_player.clock import MonotonicClock
from cushion_player.media.output import NullDecodeOutput
from cushion_player.outputs import MediaOutput, MediaSegment, OutputStats
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import RecordingListener
from cushion_player.timeline import TrackKind
from tests.contracts.media_output_suite import MediaOutputSuite


class TestNullDecodeOutput(MediaOutputSuite):
    def make(self) -> MediaOutput:
        return NullDecodeOutput(MonotonicClock())

    async def settle(self, output: MediaOutput) -> None:
        await asyncio.sleep(0)


async def test_runs_by_its_clock_at_its_rate_and_shows_nothing() -> None:
    clock, listener = FakeClock(), RecordingListener()
    output = NullDecodeOutput(clock)
    output.attach(listener)
    output.prepare(5_000_000, frozenset({TrackKind.VIDEO}))
    output.start(5_000_000, 2.0)

    await clock.advance(1_000_000)
    output.stop()
    await clock.advance(1_000_000)

    assert output.stats() == OutputStats(position_us=7_000_000)


async def test_a_thousand_outputs_take_no_thread() -> None:
    before = threading.active_count()
    outputs = [NullDecodeOutput(FakeClock()) for _ in range(1000)]
    for output in outputs:
        output.prepare(0, frozenset({TrackKind.VIDEO}))
        output.feed(TrackKind.VIDEO, MediaSegment(0, 1_000_000, 0, b"any"))
        output.start(0, 1.0)

    assert threading.active_count() == before
