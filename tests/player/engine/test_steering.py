"""Content steering: when the server is asked, what its answers change, and that it can do no harm."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.effects import FetchSegment
from cushion_player.engine import EngineConfig, FetchFailure, PlaybackEngine
from cushion_player.engine.config import SteeringAnswer
from cushion_player.engine.sources import MAX_CLONES, SourceBoard
from cushion_player.engine.steering import DEFAULT_TTL_US, FIRST_ANSWER_US, MIN_TTL_US
from cushion_player.journal import JournalWriter, replay
from cushion_player.notices import PlaybackEnded, SourceChanged, SourcesSteered, SteeringFailed
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import SteeringHint, Timeline, TrackKind
from tests.player.engine.test_sources import LINK, MISSING, RESET, SECOND, asked, play, timeline, told

GONE = FetchFailure("http_status", "HTTP 410", retryable=False, status=410)
BUSY = FetchFailure("http_status", "HTTP 429", retryable=True, retry_after_us=40 * SECOND, status=429)
NOISE = FetchFailure("manifest_syntax", "no JSON", retryable=False)
Says = Callable[[int], SteeringAnswer | FetchFailure]


def steered(*sources: str, n_segments: int = 30, default: tuple[str, ...] = (), asks_first: bool = False) -> Timeline:
    return replace(timeline(*sources, n_segments=n_segments), steering=SteeringHint(default, asks_first))


def play_steered(
    shown: Timeline, says: Says, fail: Callable[[FetchSegment], FetchFailure | None] | None = None
) -> VirtualDriver:
    driver = VirtualDriver(PlaybackEngine(EngineConfig(), "bba2"), shown, LINK, fail=fail, steer=says)
    driver.start()
    driver.run()
    return driver


def wants(*order: str, ttl_s: float = 300, clones: tuple[tuple[str, str], ...] = ()) -> SteeringAnswer:
    return SteeringAnswer(order, round(ttl_s * SECOND), clones)


def sources_asked(driver: VirtualDriver) -> list[str]:
    return [fetch.source for _, fetch in driver.requests if fetch.track is TrackKind.VIDEO]


def asked_at_s(driver: VirtualDriver) -> list[float]:
    return [at / SECOND for at, _ in driver.steerings]


def test_the_manifest_says_where_to_begin_until_the_server_has_answered() -> None:
    driver = play_steered(steered("a", "b", "c", default=("c",)), lambda _: wants("b", "a"))

    assert sources_asked(driver)[0] == "c"
    assert set(sources_asked(driver)[2:]) == {"b"}
    assert told(driver, SourceChanged)[0] == SourceChanged(TrackKind.VIDEO, "c", "b", "steering")
    assert told(driver, SourcesSteered) == [SourcesSteered(("b", "a"), 300 * SECOND)]


def test_nothing_is_requested_before_the_first_answer_where_the_manifest_wants_that() -> None:
    driver = play_steered(steered("a", "b", asks_first=True), lambda _: wants("b"))

    assert driver.steerings[0][0] == 0
    assert driver.requests[0][0] == LINK.latency_us
    assert set(sources_asked(driver)) == {"b"}
    assert told(driver, SourceChanged) == []


def test_gone_is_gone_even_where_it_says_when_to_come_again() -> None:
    driver = play_steered(steered("a", "b", n_segments=60), lambda _: replace(GONE, retry_after_us=SECOND))

    assert len(driver.steerings) == 1


@pytest.mark.parametrize("failure", [GONE, NOISE, MISSING])
def test_a_first_answer_that_will_not_come_is_not_waited_for(failure: FetchFailure) -> None:
    driver = play_steered(steered("a", "b", asks_first=True), lambda _: failure)

    assert driver.requests[0][0] == LINK.latency_us
    assert told(driver, PlaybackEnded)


def test_a_first_answer_that_may_come_is_waited_for_three_seconds_at_most() -> None:
    driver = play_steered(steered("a", "b", asks_first=True), lambda _: replace(BUSY, retry_after_us=60 * SECOND))

    assert driver.requests[0][0] == FIRST_ANSWER_US


def test_it_is_asked_again_when_its_answer_runs_out_and_told_what_was_used() -> None:
    driver = play_steered(
        steered("a", "b"), lambda at: wants("a", ttl_s=10) if at < 15 * SECOND else wants("b", ttl_s=20)
    )

    assert asked_at_s(driver)[:4] == pytest.approx([0, 10.04, 20.08, 40.12])
    first, second, third, fourth = (effect for _, effect in driver.steerings[:4])
    assert first.sources == ()
    assert second.sources == third.sources == ("a",)
    assert fourth.sources == ("b",)
    assert 2_000_000 < second.throughputs_bps[0] < 6_100_000


def test_a_penalty_comes_before_the_order_and_the_source_comes_back_when_it_is_over() -> None:
    driver = play_steered(
        steered("a", "b", n_segments=90),
        lambda _: wants("b", "a", ttl_s=30),
        lambda fetch: RESET if (fetch.index, fetch.source) == (5, "b") else None,
    )

    changes = [(change.from_source, change.to_source, change.reason) for change in told(driver, SourceChanged)]
    assert changes == [
        ("a", "b", "steering"),
        ("b", "a", "reset"),
        ("a", "b", "the preferred source may be asked again"),
    ]
    assert len(told(driver, SourcesSteered)) == 1, "the same order is no news"


def test_a_clone_is_a_source_with_penalties_of_its_own() -> None:
    driver = play_steered(
        steered("a", "b"),
        lambda _: wants("c", "a", clones=(("b", "c"),)),
        lambda fetch: RESET if fetch.source == "c" and fetch.index > 5 else None,
    )

    assert "c" in sources_asked(driver)
    assert [(change.to_source, change.reason) for change in told(driver, SourceChanged)] == [
        ("c", "steering"),
        ("a", "reset"),
    ]


def test_a_clone_of_the_only_source_is_a_choice() -> None:
    driver = play_steered(steered("a"), lambda _: wants("c", clones=(("a", "c"),)))

    assert set(sources_asked(driver)[2:]) == {"c"}


def test_a_server_that_is_gone_for_good_is_left_alone() -> None:
    driver = play_steered(steered("a", "b", n_segments=400), lambda _: GONE)

    assert len(driver.steerings) == 1
    assert told(driver, SteeringFailed) == [SteeringFailed("HTTP 410", None)]
    assert set(sources_asked(driver)) == {"a"}


def test_a_server_that_asks_for_patience_gets_it() -> None:
    driver = play_steered(steered("a", "b", n_segments=60), lambda at: BUSY if at < SECOND else wants("b"))

    assert asked_at_s(driver)[1] == pytest.approx(40 + LINK.latency_us / SECOND)


def test_what_time_may_heal_is_tried_three_times_and_then_when_the_last_answer_runs_out() -> None:
    driver = play_steered(steered("a", "b", n_segments=400), lambda at: wants("b", ttl_s=60) if at < SECOND else RESET)

    times = asked_at_s(driver)
    assert times[1] == pytest.approx(60, abs=0.1)
    assert times[3] - times[1] < 3
    assert times[4] - times[3] == pytest.approx(60, abs=0.1)
    assert "a" not in sources_asked(driver)[2:], "what was known goes on"


def test_what_time_does_not_heal_is_tried_when_the_last_answer_runs_out() -> None:
    driver = play_steered(steered("a", "b", n_segments=400), lambda _: NOISE)

    assert asked_at_s(driver) == pytest.approx([0, 300, 600], abs=0.2)


@pytest.mark.parametrize("ttl_us", [0, -5, 1])
def test_a_server_that_wants_to_be_asked_all_the_time_is_asked_every_five_seconds(ttl_us: int) -> None:
    driver = play_steered(steered("a", "b", n_segments=60), lambda _: SteeringAnswer(("b",), ttl_us))

    times = [at for at, _ in driver.steerings]
    assert all(later - earlier >= MIN_TTL_US for earlier, later in pairwise(times))
    assert len(times) <= 60 * 2 / 5 + 1


def test_names_that_nobody_has_change_nothing() -> None:
    driver = play_steered(steered("a", "b"), lambda _: wants("x", "y"))

    assert set(sources_asked(driver)) == {"a"}


def test_a_server_that_invents_sources_for_ever_is_not_followed_for_ever() -> None:
    board = SourceBoard(SECOND)
    for number in range(300):
        board.steer(("a",), (("a", f"clone {number}"),))

    assert len(board.of(("a",))) == 1 + MAX_CLONES


def test_without_steering_in_the_manifest_nobody_is_asked() -> None:
    driver = play(timeline("a", "b"), lambda _: None)

    assert driver.steerings == []


def test_an_answer_that_nobody_asked_for_changes_nothing() -> None:
    driver = VirtualDriver(PlaybackEngine(), timeline("a", "b"), LINK)
    driver.start()
    driver.call(lambda now: driver.engine.steering_answered(wants("b"), now=now))
    driver.call(lambda now: driver.engine.steering_failed(GONE, now=now))
    driver.run()

    assert set(sources_asked(driver)) == {"a"}


ANSWERS = st.one_of(
    st.sampled_from([GONE, BUSY, NOISE, RESET, MISSING]),
    st.builds(
        SteeringAnswer,
        st.lists(st.sampled_from("abcdx"), max_size=4).map(tuple),
        st.sampled_from([0, 1, SECOND, 7 * SECOND, DEFAULT_TTL_US, 10**15]),
        st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcdefg")), max_size=3).map(tuple),
    ),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=8), st.booleans(), st.integers(0, 6))
def test_whatever_a_server_says_playback_ends_as_without_it_and_replays(
    answers: list[SteeringAnswer | FetchFailure], asks_first: bool, failing: int
) -> None:
    journal = io.StringIO()
    config = EngineConfig()
    engine = PlaybackEngine(config, "bba2", on_verb=JournalWriter(journal, config, "bba2", {}, 0).write)
    given_answers = iter(answers)
    shown = steered("a", "b", n_segments=40, asks_first=asks_first)

    driver = VirtualDriver(
        engine,
        shown,
        LINK,
        steer=lambda _: next(given_answers, answers[-1]),
        fail=lambda fetch: RESET if fetch.index == failing and fetch.source == "a" else None,
    )
    driver.start()
    driver.run()

    assert told(driver, PlaybackEnded)
    assert len(driver.steerings) <= 3 * (40 * 2 / 5 + 1), "three tries each time, and five seconds between the times"
    assert replay(io.StringIO(journal.getvalue())).is_equal
    assert asked(driver, 39)
