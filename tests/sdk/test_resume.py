"""Resume: which report counts, where playback starts, and that no position is lost, set back or made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.errors import NotFound
from cushion_player.testing.clock import FakeClock
from cushion_sdk.contracts.resume import PositionReport, beats
from cushion_sdk.device_schema import StoredPosition
from cushion_sdk.resume import PositionKeeper, PositionUploader, choose_start, is_completed, latest, session_start_ms
from cushion_sdk.session_events import ResumeSource, SessionOpened
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.testing import FakeBackend, InlineStores
from tests.sdk.conftest import DURATION_S, MPD_URL, Living


def report(
    position_s: float = 30.0, *, session: str = "a", started_ms: int = 1000, sequence: int = 1, duration_s: float = 60.0
) -> PositionReport:
    return PositionReport(
        device_id="d",
        session_id=session,
        session_started_ms=started_ms,
        sequence=sequence,
        position_s=position_s,
        duration_s=duration_s,
        reported_ms=started_ms + sequence * 1000,
    )


def stored_position(value: PositionReport, *, is_pending: bool = True, title_id: str = "film") -> StoredPosition:
    return StoredPosition("default", title_id, value, is_pending=is_pending)


# A session has one start time; reports are told apart by session and sequence.
STARTED_MS = {"a": 1000, "b": 1000, "c": 2000, "d": 3000}


def report_of(session: str, sequence: int) -> PositionReport:
    return report(float(sequence), session=session, started_ms=STARTED_MS[session], sequence=sequence)


reports = st.builds(report_of, st.sampled_from(sorted(STARTED_MS)), st.integers(1, 5))


@given(st.lists(reports, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_whatever_the_order_the_same_report_is_left(said: list[PositionReport], rng: random.Random) -> None:
    def left(order: list[PositionReport]) -> PositionReport:
        held = order[0]
        for each in order[1:]:
            held = each if beats(each, held) else held
        return held

    shuffled = said.copy()
    rng.shuffle(shuffled)

    assert left(said) == left(shuffled) == left(said + shuffled)


@given(reports, reports, reports)
def test_beats_is_a_strict_order(a: PositionReport, b: PositionReport, c: PositionReport) -> None:
    assert not beats(a, a)
    assert not (beats(a, b) and beats(b, a))
    assert beats(a, b) or beats(b, a) or a == b
    if beats(a, b) and beats(b, c):
        assert beats(a, c)


@given(st.lists(reports, max_size=8), st.lists(reports, max_size=8))
def test_a_store_ends_with_the_report_that_beats_all_others(
    first: list[PositionReport], second: list[PositionReport]
) -> None:
    stores = InlineStores()
    for each in first + second:
        stores.save_position(stored_position(each))

    kept = stores.position("default", "film").result()

    assert (kept is None) == (not first + second)
    assert kept is None or not any(beats(each, kept.report) for each in first + second)
    stores.close()


@given(st.integers(0, 10_000), st.lists(reports, max_size=3))
def test_a_new_session_beats_all_that_its_device_knew_even_when_the_wall_clock_went_back(
    now_ms: int, known: list[PositionReport]
) -> None:
    started_ms = session_start_ms(now_ms, tuple(known))

    assert started_ms >= now_ms
    assert all(beats(report(session="new", started_ms=started_ms), old) for old in known)


def test_the_start_is_what_was_asked_for() -> None:
    start = choose_start(5.0, report(30.0), report(40.0, session="b", started_ms=2000))

    assert (start.position_s, start.source) == (5.0, ResumeSource.ARGUMENT)


def test_the_start_is_the_later_session_of_device_and_backend() -> None:
    older, newer = report(30.0), report(10.0, session="b", started_ms=2000)

    assert choose_start(None, older, newer).source is ResumeSource.BACKEND
    assert choose_start(None, newer, older).source is ResumeSource.DEVICE
    assert choose_start(None, newer, older).position_s == 10.0
    assert latest(None, older) == latest(older, None) == older


@pytest.mark.parametrize(("position_s", "starts_at_s"), [(0.0, 0.0), (58.1, 58.1), (58.2, 0.0), (60.0, 0.0)])
def test_the_last_three_percent_count_as_watched(position_s: float, starts_at_s: float) -> None:
    assert choose_start(None, report(position_s), None).position_s == starts_at_s


def test_a_title_of_unknown_length_is_never_completed() -> None:
    assert not is_completed(100.0, 0.0)


def keeper(stores: InlineStores, **changes: object) -> PositionKeeper:
    values: dict[str, object] = {
        "profile_id": "default",
        "title_id": "film",
        "session_id": "a",
        "session_started_ms": 1000,
        "is_shared": True,
    }
    return PositionKeeper(stores, **(values | changes))  # type: ignore[arg-type]  # values by their names


def test_a_session_that_never_played_writes_nothing() -> None:
    stores = InlineStores()

    assert not keeper(stores).save(12.0, 60.0, 5000)
    assert stores.position("default", "film").result() is None
    stores.close()


def test_reports_of_a_session_are_numbered_and_stand_still_when_it_does() -> None:
    stores = InlineStores()
    keeping = keeper(stores)
    keeping.played()

    told = [keeping.save(position_s, 60.0, 5000) for position_s in (1.0, 2.0, 2.0, 3.0)]

    kept = stores.position("default", "film").result()
    assert told == [True, True, False, True]
    assert kept is not None
    assert (kept.report.sequence, kept.report.position_s, kept.is_pending) == (3, 3.0, True)
    stores.close()


def test_an_upload_confirms_what_the_backend_holds() -> None:
    stores, clock = InlineStores(), FakeClock()
    backend = FakeBackend(clock)
    stores.save_position(stored_position(report(20.0)))

    clock.run(PositionUploader(stores, backend, clock, random.Random(1)).upload_all())

    assert backend.positions["default", "film"].position_s == 20.0
    assert stores.pending_positions().result() == []
    stores.close()


def test_an_upload_that_is_beaten_brings_back_what_beats_it() -> None:
    stores, clock = InlineStores(), FakeClock()
    backend = FakeBackend(clock)
    newer = report(50.0, session="b", started_ms=9000)
    backend.positions["default", "film"] = newer
    stores.save_position(stored_position(report(20.0)))

    clock.run(PositionUploader(stores, backend, clock, random.Random(1)).upload_all())

    kept = stores.position("default", "film").result()
    assert kept == StoredPosition("default", "film", newer, is_pending=False, is_completed=False)
    stores.close()


def test_a_report_made_during_an_upload_stays_pending() -> None:
    stores = InlineStores()
    first = stored_position(report(20.0))
    stores.save_position(first)
    stores.save_position(stored_position(report(21.0, sequence=2)))

    assert stores.confirm_position(first).result() is False
    assert len(stores.pending_positions().result()) == 1
    stores.close()


def test_a_title_the_backend_does_not_know_does_not_hold_up_the_others() -> None:
    class Picky(FakeBackend):
        async def put_position(self, profile_id: str, title_id: str, report: PositionReport) -> PositionReport:
            if title_id == "gone":
                raise NotFound("no such title")
            return await super().put_position(profile_id, title_id, report)

    stores, clock = InlineStores(), FakeClock()
    backend = Picky(clock)
    stores.save_position(stored_position(report(1.0), title_id="gone"))
    stores.save_position(stored_position(report(20.0, session="b", started_ms=9000)))

    clock.run(PositionUploader(stores, backend, clock, random.Random(1)).upload_all())

    assert list(backend.positions) == [("default", "film")]
    assert stores.pending_positions().result() == []
    stores.close()


# --------------------------------------------------------------------------- whole sessions


def test_a_second_session_resumes_within_a_second(living: Living) -> None:
    async def twice() -> tuple[float, float, ResumeSource]:
        first = await living.watch(17)
        async with living.session() as second:
            opened = await anext(second.events())
            assert isinstance(opened, SessionOpened)
            return first.summary().played_s, second.summary().resume_from_s, opened.source

    played_s, resumed_s, source = living.clock.run(twice())

    assert resumed_s == pytest.approx(played_s, abs=0.01)
    assert source is ResumeSource.DEVICE


def test_a_session_resumes_with_the_backend_down_as_well(living: Living) -> None:
    async def twice() -> float:
        living.backend.is_down = True
        await living.watch(17)
        async with living.session() as second:
            return second.summary().resume_from_s

    assert living.clock.run(twice()) == pytest.approx(16.9, abs=1)


def test_another_device_resumes_from_the_backend(living: Living) -> None:
    async def twice() -> tuple[float, ResumeSource]:
        await living.watch(17)
        living.change_device()
        async with living.session() as second:
            opened = await anext(second.events())
            assert isinstance(opened, SessionOpened)
            return second.summary().resume_from_s, opened.source

    resumed_s, source = living.clock.run(twice())

    assert resumed_s == pytest.approx(16.9, abs=1)
    assert source is ResumeSource.BACKEND


def test_a_backend_that_does_not_answer_costs_a_start_at_most_300_ms_when_the_device_knows(living: Living) -> None:
    async def open_with_delay(delay_us: int) -> float:
        living.backend.delay_us = delay_us
        before_us = living.clock.now_us()
        async with living.session():
            opened_us = living.clock.now_us()
        return (opened_us - before_us) / 1e6

    async def compare() -> tuple[float, float, float]:
        unknown_s = await open_with_delay(60_000_000)
        living.backend.delay_us = 0
        await living.watch(5)
        prompt_s = await open_with_delay(0)
        return unknown_s - prompt_s, await open_with_delay(60_000_000) - prompt_s, prompt_s

    unknown_s, known_s, _ = living.clock.run(compare())

    assert known_s == pytest.approx(0.3)
    assert unknown_s == pytest.approx(1.5)


def test_a_watched_title_starts_anew_and_is_marked(living: Living) -> None:
    async def watch() -> float:
        async with living.session(options=SessionOptions(start_s=DURATION_S - 4)) as session:
            session.play()
            await session.wait_finished()
        async with living.session() as again:
            return again.snapshot().position_s

    assert living.clock.run(watch()) == 0.0
    kept = living.stores.position("default", "film").result()
    assert kept is not None
    assert kept.is_completed
    assert kept.report.position_s == DURATION_S


def test_opening_without_playing_leaves_the_position(living: Living) -> None:
    async def watch() -> None:
        await living.watch(17)
        before = living.stores.position("default", "film").result()
        async with living.session(options=SessionOptions(start_s=3.0)):
            await living.sleep(5)
        assert living.stores.position("default", "film").result() == before

    living.clock.run(watch())


def test_the_position_is_on_the_device_within_a_second_and_at_the_backend_within_five(living: Living) -> None:
    async def watch() -> list[tuple[float, float]]:
        behind: list[tuple[float, float]] = []
        async with living.session() as session:
            session.play()
            await living.sleep(8)
            for _ in range(40):
                await living.sleep(0.37)
                kept = living.stores.position("default", "film").result()
                assert kept is not None
                now_s = session.snapshot().position_s
                held = living.backend.positions["default", "film"]
                behind.append((now_s - kept.report.position_s, now_s - held.position_s))
        return behind

    behind = living.clock.run(watch())

    assert max(device_s for device_s, _ in behind) <= 1.0
    assert max(backend_s for _, backend_s in behind) <= 6.0


def test_a_pause_is_told_to_the_backend_at_once(living: Living) -> None:
    async def watch() -> float:
        async with living.session() as session:
            session.play()
            await living.sleep(6.3)
            session.pause()
            await living.sleep(0.1)
            return session.snapshot().position_s - living.backend.positions["default", "film"].position_s

    assert living.clock.run(watch()) == pytest.approx(0.0, abs=0.001)


def test_positions_of_bare_urls_stay_on_the_device(living: Living) -> None:
    living.clock.run(living.watch(6, MPD_URL))

    assert living.backend.positions == {}
    assert len(living.stores.positions("default").result()) == 1


def test_a_viewer_can_ask_that_nothing_is_reported(living: Living) -> None:
    session = living.clock.run(living.watch(6, options=SessionOptions(report_to_backend=False)))

    assert living.backend.positions == {}
    assert living.backend.records == {}
    assert session.summary().telemetry_events_acked == 0
    assert living.stores.outbox_size().result() == (0, 0)


def test_profiles_do_not_share_positions(living: Living) -> None:
    async def watch() -> float:
        await living.watch(17, options=SessionOptions(profile_id="one"))
        async with living.session(options=SessionOptions(profile_id="two")) as session:
            return session.snapshot().position_s

    assert living.clock.run(watch()) == 0.0
