"""Where bytes come from is said by who brings them, and only what a network brought measures a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.driving.receiving import Receiver
from cushion_player.effects import FetchInit, FetchSegment
from cushion_player.engine import EngineConfig, PlaybackEngine
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import ByteSource, FetchRequest, Transport
from cushion_player.transport.counted import CountedTransport
from cushion_player.transport.file import DataTransport, FileTransport
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import make_link

LINK = make_link([1_000_000], [8_000_000], 0)


async def source_of_body(transport: Transport, url: str) -> ByteSource:
    receiver = Receiver(
        transport,
        MonotonicClock(),
        FetchRequest(url),
        on_progress=lambda received_bytes, first_byte_us: None,
        on_refused=lambda: None,
    )
    await receiver.receive()
    return receiver.body.source


async def test_files_and_data_are_local(tmp_path: Path) -> None:
    path = tmp_path / "1.m4s"
    path.write_bytes(b"media")

    assert await source_of_body(FileTransport(), path.as_uri()) is ByteSource.LOCAL
    assert await source_of_body(DataTransport(), "data:,media") is ByteSource.LOCAL


async def test_what_crosses_a_modelled_link_is_of_the_network(tmp_path: Path) -> None:
    path = tmp_path / "1.m4s"
    path.write_bytes(b"media")
    clock = MonotonicClock()

    assert await source_of_body(ShapedTransport(FileTransport(), clock), path.as_uri()) is ByteSource.LOCAL
    assert await source_of_body(ShapedTransport(FileTransport(), clock, LINK), path.as_uri()) is ByteSource.NETWORK


def test_who_says_nothing_is_of_the_network_and_counting_changes_nothing() -> None:
    clock = FakeClock()
    counted: list[int] = []
    plain = FakeTransport(clock, {"http://a/1": b"media"})

    async def main() -> list[ByteSource]:
        return [
            await source_of_body(plain, "http://a/1"),
            await source_of_body(CountedTransport(plain, counted.append), "http://a/1"),
        ]

    assert clock.run(main()) == [ByteSource.NETWORK] * 2
    assert sum(counted) == len(b"media")


# --------------------------------------------------------------------------- what a rule makes of it


def play(n_segments: int, source: ByteSource, config: EngineConfig | None = None) -> tuple[list[int], float]:
    """The rungs asked for, and the throughput believed in, when each segment takes 10 ms."""
    engine = PlaybackEngine(config, "throughput")
    engine.start(make_timeline(audio_bps=None), 0, now=0)
    engine.play(now=0)
    rungs: list[int] = []
    now = 0
    while len(rungs) < n_segments:
        for event in engine.take_events():
            if isinstance(event, FetchInit):
                engine.init_received(event.request_id, now=now)
            elif isinstance(event, FetchSegment):
                rungs.append(event.rung)
                began, now = now, now + 10_000
                if source is not ByteSource.NETWORK:
                    engine.segment_came_from(event.request_id, source.value, now=now)
                engine.segment_received(event.request_id, 100_000, began + 1, now=now)
        timer = engine.next_timer()
        if timer is not None:
            now = max(now, timer)
            engine.handle_timer(now=now)
    return rungs[:n_segments], engine.snapshot(now).throughput_bps


def test_what_a_network_brings_is_measured() -> None:
    rungs, throughput_bps = play(4, ByteSource.NETWORK)

    assert throughput_bps == pytest.approx(80_000_000, rel=0.01)
    assert rungs[-1] == 3


def test_what_a_cache_brings_measures_nothing() -> None:
    assert play(4, ByteSource.CACHE) == ([0, 0, 0, 0], 0.0)


def test_a_title_on_disk_is_played_at_its_best() -> None:
    assert play(4, ByteSource.LOCAL) == ([0, 3, 3, 3], 0.0)


@pytest.mark.parametrize("source", [ByteSource.CACHE, ByteSource.LOCAL])
def test_an_embedder_may_count_them_all_the_same(source: ByteSource) -> None:
    config = EngineConfig(measured_sources=("network", "cache", "local"))

    assert play(4, source, config) == play(4, ByteSource.NETWORK)
