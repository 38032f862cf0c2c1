"""What holds for every session: time advances, replay agrees, nothing is fetched for nothing."""

from __future__ import annotations

import io
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.effects import FetchSegment
from cushion_player.engine import EngineConfig, FetchFailure, PlaybackEngine
from cushion_player.journal import JournalWriter, replay
from cushion_player.notices import PlaybackEnded, PlaybackFailed
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_traces.link import make_link

SECOND = 1_000_000


@dataclass(frozen=True)
class Act:
    """Something a viewer or a network does at a time."""

    after_us: int
    what: str
    amount: int


ACTS = st.lists(
    st.builds(
        Act,
        after_us=st.integers(0, 5 * SECOND),
        what=st.sampled_from(["seek", "pause", "play", "rate", "starved", "observed"]),
        amount=st.integers(0, 70 * SECOND),
    ),
    max_size=12,
)
LINKS = st.builds(
    make_link,
    st.lists(st.integers(1, 10 * SECOND), min_size=2, max_size=2).map(lambda durations: [*durations, 4 * SECOND]),
    st.lists(st.integers(0, 8_000_000), min_size=2, max_size=2).map(lambda rates: [*rates, 900_000]),
    st.integers(0, 300_000),
)
RULES = st.sampled_from(["fixed", "throughput", "bba0", "bba2", "bola", "bola_guarded"])


def act(driver: VirtualDriver, action: Act) -> None:
    engine = driver.engine
    match action.what:
        case "seek":
            driver.call(lambda now: engine.seek(action.amount, now=now))
        case "pause":
            driver.call(lambda now: engine.pause(now=now))
        case "play":
            driver.call(lambda now: engine.play(now=now))
        case "rate":
            driver.call(lambda now: engine.set_rate(0.25 + action.amount / (20 * SECOND), now=now))
        case "starved":
            driver.call(lambda now: engine.output_starved(now=now))
        case _:
            position = engine.snapshot(driver.now_us).position_us
            driver.call(lambda now: engine.position_observed(max(0, position - action.amount // 1000), now=now))


def session(
    journal: io.StringIO, rule: str, link_and_acts: tuple[object, list[Act]], failures: set[int]
) -> VirtualDriver:
    link, acts = link_and_acts
    config = EngineConfig()
    writer = JournalWriter(journal, config, rule, {}, 7)
    engine = PlaybackEngine(config, rule, seed=7, on_verb=writer.write)
    driver = VirtualDriver(
        engine,
        make_timeline(n_segments=20),
        link,  # type: ignore[arg-type] # a Link
        fail=lambda fetch: (
            FetchFailure("connection_lost", "reset", retryable=True) if fail_now(fetch, failures) else None
        ),
    )
    driver.start()
    for action in acts:
        driver.run(until_us=driver.now_us + action.after_us)
        act(driver, action)
    driver.call(lambda now: engine.play(now=now))
    driver.run(until_us=driver.now_us + 3_600 * SECOND)
    return driver


def fail_now(fetch: FetchSegment, failures: set[int]) -> bool:
    if fetch.request_id in failures:
        failures.discard(fetch.request_id)
        return True
    return False


@settings(max_examples=60, deadline=None)
@given(rule=RULES, link=LINKS, acts=ACTS, failures=st.sets(st.integers(1, 40), max_size=2))
def test_every_session_ends_and_its_journal_replays(
    rule: str, link: object, acts: list[Act], failures: set[int]
) -> None:
    journal = io.StringIO()

    driver = session(journal, rule, (link, acts), failures)

    last = driver.notices[-1][1]
    report = replay(io.StringIO(journal.getvalue()))
    assert any(isinstance(notice, PlaybackEnded | PlaybackFailed) for _, notice in driver.notices), last
    assert report.is_equal, report.differences[:1]
    assert report.decisions == len(driver.requests)


@settings(max_examples=40, deadline=None)
@given(rule=RULES, link=LINKS, acts=ACTS)
def test_a_timer_always_advances_or_emits(rule: str, link: object, acts: list[Act]) -> None:
    engine = PlaybackEngine(rule=rule)
    driver = VirtualDriver(engine, make_timeline(n_segments=8), link)  # type: ignore[arg-type] # a Link
    driver.start()
    idle_timers = 0

    for action in acts:
        driver.run(until_us=driver.now_us + action.after_us)
        act(driver, action)
        for _ in range(5):
            timer = engine.next_timer()
            if timer is None:
                break
            assert timer > driver.now_us
            before = len(driver.notices) + len(driver.requests)
            driver.run(until_us=timer)
            idle_timers = 0 if len(driver.notices) + len(driver.requests) > before else idle_timers + 1

    assert idle_timers < 60
