"""When events are told: once each on the way, those that last after a jump, and in a session that replays."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from cushion_player.engine import EngineConfig, PlaybackEngine
from cushion_player.engine.event_schedule import EventSchedule, Passed
from cushion_player.journal import JournalWriter, replay
from cushion_player.notices import EventBegan, EventEnded
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timed import EventMark
from cushion_traces.link import make_link

SECOND = 1_000_000


def schedule(*marks: EventMark) -> EventSchedule:
    made = EventSchedule()
    made.add(marks)
    return made


def test_events_begin_and_end_in_order_on_the_way() -> None:
    made = schedule(EventMark(30, 2, 40), EventMark(10, 1, 35), EventMark(10, 3, 10))

    assert made.advance(5) == Passed()
    assert made.advance(20) == Passed((1, 3), ())
    assert made.next_us(20) == 30
    assert made.advance(38) == Passed((2,), (1,))
    assert made.advance(50) == Passed((), (2,))
    assert made.next_us(50) is None


def test_a_jump_tells_what_lasts_there_and_ends_what_does_not() -> None:
    made = schedule(EventMark(10, 1, 50), EventMark(20, 2, 30), EventMark(25, 3, 25), EventMark(60, 4, 90))
    made.advance(22)

    assert made.jump(70) == Passed((4,), (1, 2))
    assert made.jump(26) == Passed((1, 2), (4,))


def test_an_event_that_is_listed_late_is_told_if_it_still_lasts() -> None:
    made = schedule()
    made.advance(100)
    made.add((EventMark(50, 1, 200), EventMark(50, 2, 60)))

    assert made.advance(110) == Passed((1,), ())


def test_an_end_that_becomes_known_later_counts() -> None:
    made = schedule(EventMark(10, 1, 1000))
    made.advance(20)
    made.add((EventMark(10, 1, 30),))

    assert made.advance(40) == Passed((), (1,))


@given(
    marks=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), max_size=20),
    steps=st.lists(st.integers(1, 15), max_size=20),
)
def test_on_the_way_every_event_begins_once_and_what_lasts_ends_once(
    marks: list[tuple[int, int]], steps: list[int]
) -> None:
    listed = tuple(EventMark(start, number, start + length) for number, (start, length) in enumerate(marks))
    made = schedule(*listed)
    began: list[int] = []
    ended: list[int] = []
    position = 0
    for step in [0, *steps]:
        position += step
        passed = made.advance(position)
        began += passed.began
        ended += passed.ended

    assert sorted(began) == sorted(mark.event_id for mark in listed if mark.start_us <= position)
    lasting = [mark for mark in listed if (mark.end_us or 0) > mark.start_us]
    assert sorted(ended) == sorted(mark.event_id for mark in lasting if (mark.end_us or 0) <= position)


def test_a_session_tells_events_at_their_times_and_its_journal_replays() -> None:
    journal = io.StringIO()
    config = EngineConfig()
    engine = PlaybackEngine(config, "bba2", on_verb=JournalWriter(journal, config, "bba2", {}, 0).write)
    driver = VirtualDriver(engine, make_timeline(), make_link([SECOND], [6_000_000], 40_000))
    driver.start()
    marks = (EventMark(5 * SECOND, 0, 8 * SECOND), EventMark(30 * SECOND, 1, 50 * SECOND))
    driver.call(lambda now: engine.list_events(marks, now=now))

    driver.run(until_us=12 * SECOND)
    driver.call(lambda now: engine.seek(40 * SECOND, now=now))
    driver.run()

    told = [notice for _, notice in driver.notices if isinstance(notice, EventBegan | EventEnded)]
    assert told == [
        EventBegan(0, 5 * SECOND),
        EventEnded(0, 8 * SECOND),
        EventBegan(1, 40 * SECOND),
        EventEnded(1, 50 * SECOND),
    ]
    assert replay(journal.getvalue().splitlines()).is_equal
