"""A segment out of its parts: asked for ahead, counted once listed, gone on with behind what is there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from cushion_player.driving.receiving import Body
from cushion_player.driving.receiving_parts import Ahead, PartNews, PartsReceiver
from cushion_player.errors import FetchError, HttpStatusError, ResponseTooLarge
from cushion_player.manifest.hls_parts import Parts
from cushion_player.model import Address, Chunk
from cushion_player.testing.answers import Answer, NotYet
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import FaultScript, Rule
from cushion_player.testing.faults import Fault, Hang, Status, Truncate
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchTimeouts

SECOND = 1_000_000
PART_US = SECOND // 4
N_PARTS = 4
PARTS = [bytes([number]) * 1_000 for number in range(N_PARTS)]
WHOLE = b"".join(PARTS)
BASE = "http://a"


def url(part: int) -> str:
    return f"{BASE}/{part}.m4s"


@dataclass
class PartSite:
    """Part n is made at (n + 1) quarters of a second; one that is asked for before is waited for."""

    def response(self, path: str, query: str, now_us: int) -> Answer | NotYet:
        if path == "/whole.m4s":
            return Answer(200, WHOLE)
        number = int(path[1:-4])
        ready_us = (number + 1) * PART_US
        if number > N_PARTS:
            return Answer(404)
        body = PARTS[number] if number < N_PARTS else b"next" * 100
        return Answer(200, body) if ready_us <= now_us else NotYet(ready_us)


@dataclass
class Playlist:
    """PartNews of a playlist that is read again whenever there is another part."""

    clock: FakeClock
    has_hints: bool = True
    lists_parts_of_whole: bool = True
    gap: int = -1
    late_us: int = 20_000
    ahead: Ahead = field(default_factory=Ahead)

    def parts(self) -> Parts:
        count = min(max(0, (self.clock.now_us() - self.late_us) // PART_US), N_PARTS)
        is_whole = count == N_PARTS
        chunks = tuple(Chunk(Address(url(at)), at, 1, is_gap=at == self.gap) for at in range(count))
        hint = Address(url(count)) if self.has_hints else None
        if is_whole and not self.lists_parts_of_whole:
            chunks = ()
        return Parts(chunks, is_whole, hint, Address(f"{BASE}/whole.m4s") if is_whole else None)

    async def changed(self) -> None:
        now_us = self.clock.now_us()
        await self.clock.sleep_until((now_us - self.late_us) // PART_US * PART_US + PART_US + self.late_us)


@dataclass
class Outcome:
    body: Body
    error: FetchError | None
    grown: list[int]
    read_bytes: int
    refused: int
    asked: list[tuple[int, str]]


def receive(
    *faults: tuple[int, Fault], kept: Body | None = None, from_us: int = 0, limit_bytes: int = 1 << 20, **said: object
) -> Outcome:
    clock = FakeClock(from_us)
    failing = {part: tuple(fault for at, fault in faults if at == part) for part, _ in faults}
    rules = [Rule(f"/{part}.m4s", those) for part, those in failing.items()]
    transport = FakeTransport(clock, {}, sites={BASE: PartSite()}, faults=FaultScript(*rules))
    playlist = Playlist(clock, **said)  # type: ignore[arg-type]  # its fields
    outcome = Outcome(Body(), None, [], 0, 0, [])

    async def main() -> None:
        async with asyncio.TaskGroup() as group:

            def on_read(n_bytes: int) -> None:
                outcome.read_bytes += n_bytes

            def on_refused() -> None:
                outcome.refused += 1

            receiver = PartsReceiver(
                transport,
                clock,
                PartNews(playlist.parts, playlist.changed, playlist.ahead),
                label="segment 1",
                timeouts=FetchTimeouts(),
                spawn=group.create_task,
                kept=kept,
                on_read=on_read,
                on_part=lambda: outcome.grown.append(len(receiver.body.data)),
                on_refused=on_refused,
                limit_bytes=limit_bytes,
            )
            try:
                await receiver.receive()
            except FetchError as error:
                outcome.error = error
            outcome.body = receiver.body
            await clock.sleep_until(clock.now_us() + 1_000)
            playlist.ahead.forget()

    clock.run(main())
    outcome.asked = [(request.time_us, request.url) for request in transport.requests]
    assert not transport.open_streams
    return outcome


def test_all_parts_make_the_segment() -> None:
    outcome = receive()

    assert bytes(outcome.body.data) == WHOLE
    assert outcome.grown == [1_000, 2_000, 3_000, 4_000]
    assert outcome.body.n_parts == N_PARTS
    assert outcome.body.can_be_resumed


def test_hinted_parts_are_asked_for_before_they_are_there_and_once() -> None:
    outcome = receive()

    parts = [(time_us, asked) for time_us, asked in outcome.asked if asked != url(N_PARTS)]
    assert [asked for _, asked in parts] == [url(number) for number in range(N_PARTS)]
    assert all(time_us < (number + 1) * PART_US for number, (time_us, _) in enumerate(parts))


def test_the_first_part_of_the_next_segment_is_asked_for_at_the_end() -> None:
    assert receive().asked[-1][1] == url(N_PARTS)


def test_without_hints_parts_are_asked_for_once_they_are_listed() -> None:
    outcome = receive(has_hints=False)

    assert bytes(outcome.body.data) == WHOLE
    assert all(time_us >= (number + 1) * PART_US for number, (time_us, _) in enumerate(outcome.asked))


@pytest.mark.parametrize("fault", [Status(404), Truncate(300), Status(503)])
def test_a_hint_that_comes_to_nothing_is_asked_for_again_once_it_is_listed(fault: Fault) -> None:
    outcome = receive((2, fault))

    assert bytes(outcome.body.data) == WHOLE
    assert [asked for _, asked in outcome.asked].count(url(2)) == 2


def test_a_part_that_fails_leaves_those_before_it() -> None:
    outcome = receive((2, Status(404)), (2, Status(404)))

    assert isinstance(outcome.error, HttpStatusError)
    assert outcome.error.status == 404
    assert bytes(outcome.body.data) == WHOLE[:2_000]
    assert outcome.body.n_parts == 2


def test_the_next_try_goes_on_behind_what_is_there() -> None:
    kept = Body(bytearray(WHOLE[:2_000]), is_growing=True, n_parts=2)

    outcome = receive(kept=kept, from_us=3 * PART_US)

    assert bytes(outcome.body.data) == WHOLE
    assert url(0) not in [asked for _, asked in outcome.asked]
    assert outcome.refused == 0


def test_a_segment_whose_parts_are_not_listed_any_more_is_fetched_whole() -> None:
    kept = Body(bytearray(WHOLE[:2_000]), is_growing=True, n_parts=2)

    outcome = receive(kept=kept, from_us=9 * PART_US, lists_parts_of_whole=False)

    assert bytes(outcome.body.data) == WHOLE
    assert outcome.refused == 1
    assert outcome.grown == [4_000]


def test_a_part_that_is_a_gap_is_passed_over() -> None:
    outcome = receive(gap=1, has_hints=False)

    assert bytes(outcome.body.data) == PARTS[0] + PARTS[2] + PARTS[3]
    assert outcome.body.n_parts == N_PARTS


def test_a_hinted_part_that_hangs_is_given_its_time_and_asked_for_again() -> None:
    outcome = receive((1, Hang()))

    assert bytes(outcome.body.data) == WHOLE


def test_there_is_an_end_to_how_much_is_read() -> None:
    assert isinstance(receive(limit_bytes=2_500).error, ResponseTooLarge)


def test_every_byte_that_is_read_is_counted() -> None:
    outcome = receive(has_hints=False)

    assert outcome.read_bytes == len(WHOLE)
