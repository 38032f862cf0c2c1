"""Telemetry on its way: at least once to the backend, once in its books, and never in playback's way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.errors import NotFound, ServiceUnavailable
from cushion_player.testing.clock import FakeClock
from cushion_sdk.contracts.cmcd import CmcdEvent, CmcdState
from cushion_sdk.contracts.telemetry import TelemetryReceipt
from cushion_sdk.outbox import BATCH_EVENTS, OutboxSender
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.testing import FakeBackend, InlineStores
from cushion_sdk.waiting import Backoff
from tests.sdk.conftest import MPD_URL, TITLE, Living


class Post:
    """An outbox, a sender and a backend in virtual time."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stores = InlineStores()
        self.backend = FakeBackend(self.clock)
        self.sender = OutboxSender(self.stores, self.backend, self.clock, random.Random(1))

    def put(self, count: int, *, session: str = "s", first: int = 0) -> None:
        for sequence in range(first, first + count):
            self.stores.add_event(session, sequence, 1, f'e=t,sid="{session}",sn={sequence},ts=1,v=2')
        self.sender.wake()

    def waiting(self) -> int:
        return self.stores.outbox_size().result()[0]

    async def run_for(self, seconds: float) -> None:
        task = asyncio.create_task(self.sender.run())
        await self.clock.sleep_until(self.clock.now_us() + round(seconds * 1e6))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    yield made
    made.stores.close()


def test_everything_arrives_once_in_batches(post: Post) -> None:
    post.put(250)

    post.clock.run(post.sender.drain())

    assert len(post.backend.records) == post.sender.acknowledged("s") == 250
    assert len(post.backend.calls) == -(-250 // BATCH_EVENTS)
    assert post.waiting() == 0


def test_what_an_earlier_start_left_goes_first(post: Post) -> None:
    post.put(2, session="before")
    post.put(1, session="now")

    post.clock.run(post.run_for(1))

    assert [record.session_id for record in post.backend.records.values()] == ["before", "before", "now"]
    assert post.sender.acknowledged("now") == 1


def test_events_that_come_close_together_travel_together(post: Post) -> None:
    async def trickle() -> None:
        task = asyncio.create_task(post.sender.run())
        await asyncio.sleep(1)
        for sequence in range(5):
            post.put(1, first=sequence)
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    post.clock.run(trickle())

    assert post.backend.calls == ["send_telemetry"]
    assert len(post.backend.records) == 5


def test_a_backend_that_is_down_is_asked_less_and_less_often(post: Post) -> None:
    post.put(1)
    post.backend.is_down = True

    post.clock.run(post.run_for(600))

    assert 10 <= len(post.backend.calls) <= 30
    assert post.waiting() == 1


def test_a_backend_that_comes_back_gets_everything(post: Post) -> None:
    async def outage() -> None:
        post.backend.is_down = True
        await post.run_for(30)
        post.backend.is_down = False
        await post.run_for(61)

    post.put(7)
    post.clock.run(outage())

    assert len(post.backend.records) == 7
    assert post.waiting() == 0


def test_a_lost_answer_repeats_the_batch_and_the_backend_counts_it_once(post: Post) -> None:
    async def lose() -> None:
        post.backend.loses_answers = True
        with pytest.raises(ServiceUnavailable):
            await post.sender.drain()
        assert post.sender.acknowledged("s") == 0
        assert [event.attempts for event in post.stores.next_events(10, 10_000).result()] == [1, 1, 1]
        post.backend.loses_answers = False
        await post.sender.drain()

    post.put(3)
    post.clock.run(lose())

    assert len(post.backend.records) == post.sender.acknowledged("s") == 3


def test_a_record_that_is_refused_alone_is_dropped_and_holds_up_no_other(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.backend.refuses = "sn=1,"
    post.put(3)

    post.clock.run(post.sender.drain())

    assert sorted(sequence or 0 for _, sequence in post.backend.records) == [0, 2]
    assert post.waiting() == 0
    assert "refused and dropped" in caplog.text


def test_a_backend_without_a_collector_loses_nothing(post: Post) -> None:
    class Bare(FakeBackend):
        async def send_telemetry(self, body: bytes) -> TelemetryReceipt:
            raise NotFound("POST /v1/telemetry: HTTP 404")

    sender = OutboxSender(post.stores, Bare(post.clock), post.clock, random.Random(1))
    post.put(3)

    with pytest.raises(NotFound):
        post.clock.run(sender.drain())

    assert post.waiting() == 3


def test_records_the_backend_cannot_read_are_forgotten_and_not_counted(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.put(2)
    post.stores.add_event("s", 9, 1, "not a record")

    post.clock.run(post.sender.drain())

    assert post.sender.acknowledged("s") == 2
    assert post.waiting() == 0
    assert "could not read 1 of 3" in caplog.text


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["put", "send", "down", "lose", "ok"]), max_size=25))
def test_whatever_happens_on_the_way_every_event_is_counted_exactly_once(story: list[str]) -> None:
    post = Post()
    sequence = 0

    async def live() -> None:
        nonlocal sequence
        for step in [*story, "ok", "send"]:
            match step:
                case "put":
                    post.put(3, first=sequence)
                    sequence += 3
                case "send":
                    await asyncio.gather(post.sender.drain(), return_exceptions=True)
                case _:
                    post.backend.is_down = step == "down"
                    post.backend.loses_answers = step == "lose"

    post.clock.run(live())

    assert sorted(number or 0 for _, number in post.backend.records) == list(range(sequence))
    assert post.waiting() == 0
    post.stores.close()


def test_waiting_after_failures_doubles_to_its_cap_with_jitter() -> None:
    backoff = Backoff(random.Random(3), base_us=1000, cap_us=8000)

    waits = [backoff.failed_us() for _ in range(8)]
    backoff.succeeded()

    for wait_us, full_us in zip(waits, [1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000], strict=True):
        assert full_us / 2 <= wait_us <= full_us
    assert backoff.failed_us() <= 1000


# --------------------------------------------------------------------------- what a session reports


def test_a_session_tells_its_story_in_cmcd(living: Living) -> None:
    async def watch() -> None:
        async with living.session(options=SessionOptions(profile_id="Zoë")) as session:
            session.play()
            await living.sleep(12)
            session.pause()
            session.play()
            session.set_rate(1.5)
            session.seek(30)
            await living.sleep(3)

    living.clock.run(watch())

    records = sorted(living.backend.records.values(), key=lambda record: record.sequence or 0)
    assert [record.sequence for record in records] == list(range(len(records)))
    states = [record.state for record in records if record.event is CmcdEvent.PLAY_STATE]
    assert states == [
        CmcdState.STARTING,
        CmcdState.PLAYING,
        CmcdState.PAUSED,
        CmcdState.PLAYING,
        CmcdState.SEEKING,
        CmcdState.PLAYING,
        CmcdState.QUIT,
    ]
    kinds = {record.event for record in records}
    assert kinds >= {CmcdEvent.BITRATE_CHANGE, CmcdEvent.TIME_INTERVAL, CmcdEvent.PLAYBACK_RATE}
    assert sum(record.start_delay_ms is not None for record in records) == 1
    last = records[-1]
    assert (last.content_id, last.profile_id, last.device_id) == (TITLE.title_id, "Zo%C3%AB", "inline-device")
    assert len({record.session_id for record in records}) == 1
    assert last.streaming_format == "d"
    assert last.stream_type == "v"


def test_a_failure_is_reported_with_its_code(living: Living) -> None:
    async def watch() -> None:
        from cushion_player.testing.faults import Status

        for url in [url for url in living.origin.content if url.endswith(".m4s")]:
            living.origin.faults.always(url, Status(403))
        async with living.session() as session:
            session.play()
            await session.wait_finished()

    living.clock.run(watch())

    errors = [record for record in living.backend.records.values() if record.event is CmcdEvent.ERROR]
    assert [record.error_codes for record in errors] == [("http_status",)]
    assert errors[0].state is CmcdState.FATAL_ERROR


def test_events_of_an_outage_are_delivered_by_the_next_session(living: Living) -> None:
    async def twice() -> tuple[int, int]:
        living.backend.is_down = True
        first = await living.watch(5)
        living.backend.is_down = False
        second = await living.watch(5)
        return first.summary().telemetry_events_acked, second.summary().telemetry_events_acked

    first_acked, second_acked = living.clock.run(twice())

    sessions = {session_id for session_id, _ in living.backend.records}
    assert first_acked == 0
    assert second_acked >= 3
    assert len(sessions) == 2
    assert living.stores.outbox_size().result() == (0, 0)


def test_a_backend_that_hangs_delays_no_frame_and_the_end_by_little(living: Living) -> None:
    async def watch(source: str) -> tuple[float, float]:
        before_us = living.clock.now_us()
        async with living.session(source) as session:
            session.play()
            await living.sleep(10)
            played_s = session.summary().played_s
        return played_s, (living.clock.now_us() - before_us) / 1e6

    async def compare() -> tuple[tuple[float, float], tuple[float, float]]:
        well = await watch(MPD_URL)
        living.backend.delay_us = 3600 * 1_000_000
        return well, await watch(MPD_URL)

    (well_s, _), (hung_s, took_s) = living.clock.run(compare())

    assert hung_s >= well_s - 0.2
    assert took_s < 10 + 2
