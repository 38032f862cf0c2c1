"""Journals: round trip, crash tails, and differences told."""

from __future__ import annotations

import io
import json

import pytest

from cushion_player.engine import EngineConfig, FetchFailure, Limits, PlaybackEngine
from cushion_player.errors import JournalError
from cushion_player.journal import JournalWriter, decode, encode, replay
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_traces.link import make_link


def record() -> str:
    sink = io.StringIO()
    config = EngineConfig()
    engine = PlaybackEngine(config, "bba2", on_verb=JournalWriter(sink, config, "bba2", {}, 0).write)
    driver = VirtualDriver(engine, make_timeline(n_segments=10), make_link([1_000_000], [2_000_000], 20_000))
    driver.start()
    driver.run()
    return sink.getvalue()


@pytest.mark.parametrize(
    "value",
    [make_timeline(n_segments=2), Limits(max_height_px=360), FetchFailure("x", "y", True), EngineConfig(), (1, ("a",))],
)
def test_values_survive_a_journal(value: object) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


def test_replay_gives_the_same_decisions() -> None:
    report = replay(io.StringIO(record()))

    assert report.is_equal
    assert report.decisions == 20


def test_replay_says_where_it_differs() -> None:
    lines = record().splitlines()
    at = next(number for number, line in enumerate(lines) if '"rung":1' in line and "FetchSegment" in line)
    lines[at] = lines[at].replace('"rung":1', '"rung":0')

    report = replay(lines)

    assert not report.is_equal
    assert report.differences[0].line == at + 1


def test_an_unfinished_last_line_is_left_out() -> None:
    text = record()

    report = replay(io.StringIO(text[:-40]))

    assert report.is_equal
    assert report.unfinished_line == len(text.splitlines())
    assert replay(io.StringIO(text)).unfinished_line is None


def test_no_address_enters_a_journal_and_it_still_replays() -> None:
    sink = io.StringIO()
    config = EngineConfig()
    engine = PlaybackEngine(config, "bba2", on_verb=JournalWriter(sink, config, "bba2", {}, 0).write)
    failure = FetchFailure("http_status", "segment 0 of v: HTTP 404 (https://cdn.example/secret/a.m4s)", False)
    driver = VirtualDriver(engine, make_timeline(n_segments=3), None, fail=lambda _: failure)

    driver.start()
    driver.run()

    assert "PlaybackFailed" in sink.getvalue()
    assert "cdn.example" not in sink.getvalue()
    assert replay(io.StringIO(sink.getvalue())).is_equal


@pytest.mark.parametrize("text", ["", "nonsense\n", "{}\n", '{"cushion_journal":99}\n', "<html></html>\nx\n"])
def test_what_is_no_journal_is_refused(text: str) -> None:
    with pytest.raises(JournalError):
        replay(io.StringIO(text))


def test_a_broken_line_in_the_middle_is_refused_with_its_number() -> None:
    lines = record().splitlines()
    lines[3] = "{broken"

    with pytest.raises(JournalError, match="line 4"):
        replay(lines)


def test_a_journal_whose_timeline_does_not_hang_together_is_refused() -> None:
    lines = record().splitlines()
    start = json.loads(lines[1])
    start["args"][0]["tracks"][0]["sizes_bytes"][0] = [1]

    with pytest.raises(JournalError, match="does not fit this engine"):
        replay([lines[0], json.dumps(start)])


def test_the_first_differences_are_kept_and_all_are_counted() -> None:
    lines = [line.replace('"reason":"', '"reason":"once ') for line in record().splitlines()]

    report = replay(lines, max_differences=3)

    assert len(report.differences) == 3
    assert report.difference_count == 17  # the calls that made decisions


def test_an_empty_journal_is_called_so() -> None:
    with pytest.raises(JournalError, match="the journal is empty"):
        replay([])


@pytest.mark.parametrize("depth", [300, 900, 200_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    lines = record().splitlines()
    start = json.loads(lines[1])
    start["args"] = "HERE"

    with pytest.raises(JournalError):
        replay([lines[0], json.dumps(start).replace('"HERE"', nested)])
    with pytest.raises(JournalError, match=r"not a journal|nested too deeply"):
        replay(['{"x":' + nested + "}"])


def test_a_time_beyond_all_numbers_is_refused() -> None:
    lines = record().splitlines()
    call = json.loads(lines[1])
    call["now"] = "HERE"

    with pytest.raises(JournalError, match="does not fit"):
        replay([lines[0], json.dumps(call).replace('"HERE"', "1e999")])
