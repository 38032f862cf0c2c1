"""A segment that is played while it comes: what counts as buffered, what is handed on, and what failures leave."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.effects import (
    AbandonSegment,
    DiscardSegment,
    Effect,
    FeedChunk,
    FeedSegment,
    FetchInit,
    FetchSegment,
    PrepareOutput,
    StartOutput,
    SwitchInit,
)
from cushion_player.engine import FetchFailure, PlaybackEngine
from cushion_player.notices import GapSkipped, RebufferStarted, SegmentRetried
from cushion_player.testing.timelines import LiveProgramme

SECOND = 1_000_000
CHUNK_US = SECOND // 2
CHUNK_BYTES = 1_000
N_CHUNKS = 4
GONE = FetchFailure("http_status", "HTTP 404", retryable=False, status=404)
LOST = FetchFailure("connection_lost", "the connection was lost", retryable=True)


@dataclass
class Held:
    """What a driver has of one request."""

    effect: FetchSegment
    n_chunks: int = 0
    is_whole: bool = False


@dataclass
class ChunkDriver:
    """A driver and an output without bytes: notes what is handed on, and refuses what no driver could do."""

    engine: PlaybackEngine = field(default_factory=lambda: PlaybackEngine(rule="throughput"))
    now: int = 0
    held: dict[int, Held] = field(default_factory=dict[int, Held])
    in_flight: dict[int, Held] = field(default_factory=dict[int, Held])
    output: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """(segment, rung, chunk) since the output was emptied last."""
    rung: int = -1
    said: list[object] = field(default_factory=list[object])

    def start(self, *, target_us: int = 1_500_000) -> None:
        programme = LiveProgramme(
            target_us=target_us,
            early_us=1_500_000,
            chunk_us=CHUNK_US,
            ahead_us=60 * SECOND,
            refresh_us=600 * SECOND,
            bitrates_bps=(300_000, 700_000),
        )
        timeline = programme.timeline(0)
        video = type(timeline)(timeline.tracks[:1], timeline.duration_us, True, timeline.live)
        self.engine.start(video, None, now=self.now)
        self.engine.play(now=self.now)
        self.drain()

    def drain(self) -> None:
        while events := self.engine.take_events():
            for event in events:
                self.said.append(event)
                if isinstance(event, Effect):
                    self._obey(event)

    def _obey(self, effect: Effect) -> None:
        match effect:
            case FetchInit():
                self.engine.init_received(effect.request_id, now=self.now)
            case FetchSegment():
                held = Held(effect)
                if effect.resumes:
                    held.n_chunks = self.held.pop(effect.resumes).n_chunks
                self.held[effect.request_id] = self.in_flight[effect.request_id] = held
            case AbandonSegment():
                gone = self.in_flight.pop(effect.request_id, None)
                if gone is not None and not gone.n_chunks:
                    self.held.pop(effect.request_id, None)
            case DiscardSegment():
                self.held.pop(effect.request_id, None)
            case PrepareOutput():
                self.output = []
                self.engine.output_ready(now=self.now)
            case SwitchInit():
                self.rung = effect.rung
            case FeedChunk():
                assert effect.rung == self.rung
                assert effect.end_us > effect.start_us
                held = self.held[effect.request_id]
                assert effect.to_bytes <= held.n_chunks * CHUNK_BYTES
                chunks = range(effect.from_bytes // CHUNK_BYTES, effect.to_bytes // CHUNK_BYTES)
                self.output += [(effect.index, effect.rung, chunk) for chunk in chunks]
            case FeedSegment():
                assert effect.rung == self.rung
                held = self.held[effect.request_id]
                chunks = range(N_CHUNKS if held.is_whole else held.n_chunks)
                self.output += [(effect.index, effect.rung, chunk) for chunk in chunks]
            case _:
                pass

    # ------------------------------------------------------------------ what happens to the request in flight

    def current(self) -> Held | None:
        return next(iter(self.in_flight.values()), None)

    def flying(self) -> Held:
        """The request in flight, which there is."""
        held = self.current()
        assert held is not None
        return held

    def chunk(self) -> None:
        held = self.current()
        if held is None or held.n_chunks == N_CHUNKS:
            return
        held.n_chunks += 1
        end_us = held.effect.start_us + held.n_chunks * CHUNK_US
        self.engine.chunk_received(
            held.effect.request_id, held.n_chunks * CHUNK_BYTES, end_us, (10_000, 1_000, 0), now=self.now
        )
        self.drain()

    def whole(self) -> None:
        held = self.current()
        if held is None:
            return
        while held.n_chunks < N_CHUNKS and self.current() is held:  # the engine may give it up meanwhile
            self.chunk()
        if held.effect.request_id in self.in_flight:
            held.is_whole = True
            del self.in_flight[held.effect.request_id]
            self.engine.segment_received(held.effect.request_id, N_CHUNKS * CHUNK_BYTES, self.now, now=self.now)
            self.drain()

    def fail(self, failure: FetchFailure, *, keeps: bool) -> None:
        held = self.current()
        if held is None:
            return
        del self.in_flight[held.effect.request_id]
        kept_bytes = held.n_chunks * CHUNK_BYTES if keeps else 0
        if not kept_bytes:
            self.held.pop(held.effect.request_id, None)
        failure = FetchFailure(
            failure.code, failure.message, failure.retryable, status=failure.status, kept_bytes=kept_bytes
        )
        self.engine.segment_failed(held.effect.request_id, failure, now=self.now)
        self.drain()

    def refuse(self) -> None:
        held = self.current()
        if held is not None and held.effect.resumes:
            held.n_chunks = 0
            self.engine.resume_refused(held.effect.request_id, now=self.now)
            self.drain()

    def seek(self, position_us: int) -> None:
        self.engine.seek(position_us, now=self.now)
        self.drain()

    def wait(self, microseconds: int) -> None:
        until = self.now + microseconds
        while (timer := self.engine.next_timer()) is not None and timer <= until:
            self.now = timer
            self.engine.handle_timer(now=self.now)
            self.drain()
        self.now = until

    def wait_for_next(self) -> None:
        """Until another segment is asked for."""
        while self.current() is None:
            self.wait(CHUNK_US // 2)

    def ahead_us(self) -> int:
        return self.engine.snapshot(self.now).buffer_us

    def shown(self) -> list[tuple[int, int]]:
        """What an output makes of it: what lies before what it has is passed over."""
        seen: list[tuple[int, int]] = []
        for index, _, chunk in self.output:
            if not seen or (index, chunk) > seen[-1]:
                seen.append((index, chunk))
        return seen


def test_each_chunk_counts_as_soon_as_it_is_there() -> None:
    driver = ChunkDriver()
    driver.start()
    position = driver.engine.snapshot(0).position_us
    first = driver.flying()

    driver.chunk()
    one = driver.ahead_us()
    driver.chunk()

    assert one == max(0, first.effect.start_us + CHUNK_US - position)
    assert driver.ahead_us() == first.effect.start_us + 2 * CHUNK_US - position
    assert driver.output == [(first.effect.index, 0, 0), (first.effect.index, 0, 1)]


def test_the_clock_runs_before_the_first_segment_is_whole() -> None:
    driver = ChunkDriver()
    driver.start()

    first = driver.flying()
    while not any(isinstance(each, StartOutput) for each in driver.said):
        assert first.n_chunks < N_CHUNKS
        driver.chunk()

    assert not first.is_whole


def test_playback_stops_where_the_chunks_end() -> None:
    driver = ChunkDriver()
    driver.start()
    for _ in range(3):
        driver.chunk()
    end_us = driver.flying().effect.start_us + 3 * CHUNK_US

    driver.wait(2 * SECOND)

    stalls = [each for each in driver.said if isinstance(each, RebufferStarted)]
    assert [each.position_us for each in stalls] == [end_us]


def test_a_broken_body_is_resumed_at_once_and_at_the_same_rung() -> None:
    driver = ChunkDriver()
    driver.start()
    driver.whole()
    driver.wait_for_next()
    driver.chunk()
    before = driver.flying()

    driver.fail(LOST, keeps=True)

    after = driver.flying()
    assert (after.effect.index, after.effect.rung) == (before.effect.index, before.effect.rung)
    assert after.effect.resumes == before.effect.request_id
    driver.whole()
    assert driver.output == sorted(set(driver.output))


def test_what_is_on_its_way_is_handed_on_again_after_a_seek_into_it() -> None:
    driver = ChunkDriver()
    driver.start()
    driver.chunk()
    driver.chunk()
    start_us = driver.flying().effect.start_us

    driver.seek(start_us + 100)

    assert driver.output == [(driver.flying().effect.index, 0, 0), (driver.flying().effect.index, 0, 1)]
    assert driver.ahead_us() == 2 * CHUNK_US - 100


def test_a_seek_beyond_what_has_come_of_a_segment_waits_for_the_rest_of_it() -> None:
    driver = ChunkDriver()
    driver.start(target_us=700_000)
    driver.chunk()
    before = driver.flying()

    driver.seek(before.effect.start_us + CHUNK_US + 300_000)
    driver.chunk()
    driver.chunk()

    assert driver.current() is before
    assert [chunk for _, _, chunk in driver.output] == [0, 1, 2]


def test_a_segment_whose_rest_is_gone_plays_as_far_as_it_came() -> None:
    driver = ChunkDriver()
    driver.start()
    driver.whole()
    driver.wait_for_next()
    driver.chunk()
    index = driver.flying().effect.index

    for _ in range(40):
        if driver.current() is not None and driver.flying().effect.index == index:
            driver.fail(GONE, keeps=False)
        elif driver.current() is not None:
            break
        driver.wait(SECOND // 4)

    assert not [each for each in driver.said if isinstance(each, GapSkipped)]
    later = driver.flying()
    assert later.effect.index > index


@pytest.mark.parametrize("keeps", [True, False])
def test_retries_are_told(keeps: bool) -> None:
    driver = ChunkDriver()
    driver.start()
    driver.chunk()

    driver.fail(LOST, keeps=keeps)

    retried = [each for each in driver.said if isinstance(each, SegmentRetried)]
    assert [each.delay_us == 0 for each in retried] == [keeps]


ACTS = st.lists(
    st.one_of(
        st.just(("chunk", 0)),
        st.just(("chunk", 0)),
        st.just(("whole", 0)),
        st.just(("lost", 1)),
        st.just(("lost", 0)),
        st.just(("gone", 0)),
        st.just(("refuse", 0)),
        st.tuples(st.just("seek"), st.integers(-6, 2)),
        st.tuples(st.just("wait"), st.integers(1, 12)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(acts=ACTS)
def test_whatever_happens_the_driver_has_what_it_is_to_hand_on_and_order_is_kept(acts: list[tuple[str, int]]) -> None:
    driver = ChunkDriver()
    driver.start()

    for name, figure in acts:
        match name:
            case "chunk":
                driver.chunk()
            case "whole":
                driver.whole()
            case "lost":
                driver.fail(LOST, keeps=bool(figure))
            case "gone":
                driver.fail(GONE, keeps=False)
            case "refuse":
                driver.refuse()
            case "seek":
                driver.seek(driver.engine.snapshot(driver.now).position_us + figure * CHUNK_US)
            case _:
                driver.wait(figure * CHUNK_US)

    indices = [index for index, _ in driver.shown()]
    assert indices == sorted(indices)
    held_bytes = sum(held.n_chunks for held in driver.held.values()) * CHUNK_BYTES
    assert held_bytes <= 40 * N_CHUNKS * CHUNK_BYTES  # what left the buffer was discarded
