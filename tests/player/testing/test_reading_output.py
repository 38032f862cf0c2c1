from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from cushion_player.model import Container
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.live import made_up_asset
from cushion_player.testing.outputs import RecordingListener
from cushion_player.testing.reading_output import ReadingOutput
from cushion_player.timeline import TrackKind

RUNG = made_up_asset().tracks[0].rungs[0]
GOOD = b"".join(RUNG.segments[0])
VIDEO = TrackKind.VIDEO


@dataclass
class Listener(RecordingListener):
    failures: list[DecodeFailure] = field(default_factory=list[DecodeFailure])

    def on_decode_failed(self, failure: DecodeFailure) -> None:
        self.failures.append(failure)

    def on_metadata(self, time_us: int, data: bytes) -> None:
        pass


def feed(init: bytes, *segments: bytes, container: Container = Container.MP4) -> tuple[ReadingOutput, Listener]:
    clock, listener = FakeClock(), Listener()
    output = ReadingOutput(clock)

    async def main() -> None:
        output.attach(listener)
        output.prepare(0, frozenset({VIDEO}))
        output.switch_format(VIDEO, MediaFormat(3, container, init))
        for index, data in enumerate(segments):
            output.feed(VIDEO, MediaSegment(index * 2, index * 2 + 2, None, data))
        await asyncio.sleep(0)
        await output.close()

    clock.run(main())
    return output, listener


def test_what_can_be_read_is_fed_and_makes_it_ready() -> None:
    output, listener = feed(RUNG.init, GOOD, GOOD)

    assert output.fed == {VIDEO: [(0, 2), (2, 4)]}
    assert listener.told == [("ready",)]
    assert listener.failures == []


def test_a_damaged_segment_is_told_and_left_out() -> None:
    output, listener = feed(RUNG.init, GOOD[:50], GOOD)

    assert [(failure.code, failure.rung, failure.is_fatal) for failure in listener.failures] == [
        (DecodeFault.DECODE, 3, False)
    ]
    assert output.fed == {VIDEO: [(2, 4)]}


def test_an_unreadable_initialisation_is_told_once_and_its_segments_left_out() -> None:
    output, listener = feed(b"<html>", GOOD, GOOD)

    assert [failure.code for failure in listener.failures] == [DecodeFault.INIT]
    assert output.fed == {}


def test_other_containers_are_taken_as_they_are() -> None:
    _, listener = feed(b"", b"G" * 188, container=Container.MPEG_TS)

    assert (listener.failures, listener.told) == ([], [("ready",)])
