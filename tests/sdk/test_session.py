"""A whole session in virtual time: what is played, said, kept, reported, and left behind."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import math
from pathlib import Path

import pytest

from cushion_player.errors import HttpStatusError, ManifestError, UsageError
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.testing.faults import Status
from cushion_player.text import Cue
from cushion_sdk.session_events import (
    PlaybackEnded,
    PlaybackFailed,
    PlaybackStarted,
    ResumeSource,
    RungShown,
    SeekEnded,
    SegmentLoaded,
    SessionEvent,
    SessionOpened,
)
from cushion_sdk.session_types import SessionOptions, SessionState, SessionSummary
from tests.sdk.conftest import DURATION_S, LADDER_BPS, MPD_URL, TITLE, CountingOutput, Living, files


class TextOutput(NullDecodeOutput):
    """Keeps the text it was last given to show."""

    shown: tuple[Cue, ...] = ()

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        self.shown = cues


def test_a_title_plays_to_its_end_and_adds_up(living: Living) -> None:
    async def play() -> tuple[PlaybackEnded | PlaybackFailed, SessionSummary]:
        async with living.session() as session:
            session.play()
            ended = await session.wait_finished()
        return ended, session.summary()

    ended, summary = living.clock.run(play())

    assert ended == PlaybackEnded(DURATION_S)
    assert summary.played_s == pytest.approx(DURATION_S)
    assert summary.frames_expected == 1800
    assert summary.frames_shown == 1800
    assert summary.rebuffer_count == 0
    assert summary.errors == ()
    assert summary.rungs[0].rung == 0
    assert summary.rungs[-1].rung == 2
    assert summary.switches == len(summary.rungs) - 1
    assert LADDER_BPS[0] < summary.mean_bitrate_bps <= LADDER_BPS[2]
    assert summary.telemetry_events_acked == len(living.backend.records) > 5


def test_the_snapshot_follows_the_states_a_viewer_sees(living: Living) -> None:
    async def play() -> list[SessionState]:
        states: list[SessionState] = []
        async with living.session() as session:
            states.append(session.snapshot().state)
            session.play()
            await living.sleep(5)
            states.append(session.snapshot().state)
            session.pause()
            states.append(session.snapshot().state)
            session.play()
            session.seek(40.0)
            states.append(session.snapshot().state)
            await living.sleep(2)
            states.append(session.snapshot().state)
            await session.wait_finished()
            states.append(session.snapshot().state)
        states.append(session.snapshot().state)
        return states

    assert living.clock.run(play()) == [
        SessionState.READY,
        SessionState.PLAYING,
        SessionState.PAUSED,
        SessionState.SEEKING,
        SessionState.PLAYING,
        SessionState.ENDED,
        SessionState.CLOSED,
    ]


def test_events_begin_with_the_opening_and_end_with_the_session(living: Living) -> None:
    heard: list[SessionEvent] = []

    async def listen() -> None:
        async with living.session() as session:
            events = session.events()
            session.play()
            await session.wait_finished()
        heard.extend([event async for event in events])

    living.clock.run(listen())

    assert heard[0] == SessionOpened("The film", DURATION_S, 3, 0.0, ResumeSource.BEGINNING)
    kinds = [type(event) for event in heard]
    assert kinds.index(PlaybackStarted) < kinds.index(PlaybackEnded)
    assert kinds.count(SegmentLoaded) >= 30
    assert next(event.rung for event in heard if isinstance(event, RungShown)) == 0


def test_startup_does_not_count_the_time_nobody_asked_to_play(living: Living) -> None:
    async def hesitate() -> float | None:
        async with living.session() as session:
            await living.sleep(7)
            session.play()
            await living.sleep(2)
            return session.summary().startup_s

    startup_s = living.clock.run(hesitate())

    assert startup_s is not None
    assert 0 < startup_s < 1


def test_frames_that_are_dropped_do_not_lower_what_was_expected(living: Living) -> None:
    output = CountingOutput(living.clock)
    output.dropped = 40

    async def play() -> tuple[int, int | None]:
        async with living.session(output=output) as session:
            session.play()
            await living.sleep(10)
            summary = session.summary()
            return summary.frames_shown, summary.frames_expected

    shown, expected = living.clock.run(play())

    assert expected is not None
    assert expected - shown == 40


def test_frames_expected_are_unknown_without_a_frame_rate(living: Living) -> None:
    living.origin.content = dict(files(frame_rate=""))

    session = living.clock.run(living.watch(3, MPD_URL))

    assert session.summary().frames_expected is None


@pytest.mark.parametrize("position_s", [float("inf"), float("-inf"), float("nan")])
def test_a_position_that_is_no_number_of_seconds_is_refused(living: Living, position_s: float) -> None:
    async def play() -> None:
        async with living.session() as session:
            with pytest.raises(ValueError, match="a position is a number of seconds, got "):
                session.seek(position_s)

    living.clock.run(play())


def test_paused_time_and_skipped_time_are_not_played_time(living: Living) -> None:
    async def play() -> float:
        async with living.session() as session:
            session.play()
            await living.sleep(4)
            played_s = session.summary().played_s
            session.pause()
            await living.sleep(100)
            session.seek(50)
            session.play()
            await session.wait_finished()
            return session.summary().played_s - played_s

    assert living.clock.run(play()) == pytest.approx(10.0)


def test_a_bare_url_without_a_backend_resumes_too(living: Living) -> None:
    async def twice() -> float:
        await living.watch(12, MPD_URL + "?token=a", backend=False)
        async with living.session(MPD_URL, backend=False) as session:
            return session.summary().resume_from_s

    living.origin.content[MPD_URL + "?token=a"] = living.origin.content[MPD_URL]

    assert living.clock.run(twice()) == pytest.approx(12, abs=1)


def test_a_manifest_that_is_missing_is_said_by_type_and_changes_no_position(living: Living) -> None:
    async def fail() -> None:
        await living.watch(20)
        before = living.stores.position("default", "film").result()
        living.origin.faults.always(MPD_URL, Status(404))
        with pytest.raises(HttpStatusError, match="404"):
            await living.watch(1)
        assert living.stores.position("default", "film").result() == before

    living.clock.run(fail())

    assert all(output.is_closed for output in living.outputs)
    assert living.origin.open_streams == 0


@pytest.mark.parametrize("plays_interstitials", [True, False])
def test_a_title_loads_from_another_address_when_the_first_does_not_have_it(
    living: Living, plays_interstitials: bool
) -> None:
    options = SessionOptions(other_urls=(MPD_URL,), plays_interstitials=plays_interstitials)

    async def play() -> PlaybackEnded | PlaybackFailed:
        async with living.session(MPD_URL + ".gone", options, backend=False) as session:
            session.play()
            return await session.wait_finished()

    assert living.clock.run(play()) == PlaybackEnded(DURATION_S)


def test_a_page_instead_of_a_manifest_is_a_manifest_error(living: Living) -> None:
    living.origin.content[MPD_URL] = b"<!doctype html><title>Sign in</title>"

    with pytest.raises(ManifestError):
        living.clock.run(living.watch(1))


def test_a_start_that_fails_later_changes_no_position_and_is_an_event(living: Living) -> None:
    async def fail() -> PlaybackEnded | PlaybackFailed:
        await living.watch(20)
        for url in [url for url in living.origin.content if url.endswith(".m4s")]:
            living.origin.faults.always(url, Status(404))
        before = living.stores.position("default", "film").result()
        async with living.session() as session:
            session.play()
            finished = await session.wait_finished()
            assert session.snapshot().state is SessionState.FAILED
            problem = session.snapshot().error
        assert living.stores.position("default", "film").result() == before
        assert problem is not None
        assert session.summary().errors == (problem,)
        assert session.summary().startup_s is None
        return finished

    finished = living.clock.run(fail())

    assert isinstance(finished, PlaybackFailed)
    assert "404" in finished.message


def test_an_error_of_the_callers_own_comes_out_as_it_was(living: Living) -> None:
    class OwnError(Exception):
        pass

    async def raise_inside() -> None:
        async with living.session() as session:
            session.play()
            await living.sleep(1)
            raise OwnError

    with pytest.raises(OwnError):
        living.clock.run(raise_inside())
    assert living.outputs[0].is_closed


def test_closing_leaves_no_task_and_no_stream(living: Living) -> None:
    async def play() -> set[asyncio.Task[object]]:
        await living.watch(3)
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert living.clock.run(play()) == set()
    assert living.origin.open_streams == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (SessionOptions(rule="oracle"), "oracle"),
        (SessionOptions(rule_params={"nonsense": 1.0}), "nonsense"),
        (SessionOptions(trace="no-such-trace"), "no-such-trace"),
        (SessionOptions(journal_path=Path("/nowhere/at/all.jsonl")), "/nowhere/at/all.jsonl"),
    ],
)
def test_options_that_cannot_be_used_are_named(living: Living, options: SessionOptions, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        living.clock.run(living.watch(1, options=options))
    assert living.outputs[0].is_closed


@pytest.mark.parametrize(
    ("name", "value"),
    [("start_s", -1.0), ("start_s", math.inf), ("start_s", math.nan), ("volume", 1.5), ("buffer_goal_s", 0.0)],
)
def test_options_out_of_range_do_not_exist(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        dataclasses.replace(SessionOptions(), **{name: value})  # type: ignore[arg-type]  # each field by its name


def test_a_title_needs_the_backend_that_serves_it(living: Living) -> None:
    with pytest.raises(UsageError, match="a backend is needed"):
        living.clock.run(living.watch(1, TITLE, backend=False))


def test_the_trace_can_be_changed_while_playing(living: Living) -> None:
    async def play() -> tuple[str, float, str, float]:
        async with living.session(options=SessionOptions(trace="step")) as session:
            session.play()
            await living.sleep(6)
            shaped = session.snapshot()
            session.set_trace("unshaped")
            await living.sleep(6)
            free = session.snapshot()
            with pytest.raises(UsageError, match="oops"):
                session.set_trace("oops")
        return shaped.trace, shaped.throughput_bps, free.trace, free.throughput_bps

    before, slow_bps, after, fast_bps = living.clock.run(play())

    assert (before, after) == ("step", "unshaped")
    assert slow_bps < 7_000_000 < fast_bps


def test_the_session_starts_where_it_is_told_to(living: Living) -> None:
    async def play() -> tuple[float, float]:
        async with living.session(options=SessionOptions(start_s=31.0)) as session:
            return session.snapshot().position_s, session.summary().resume_from_s

    assert living.clock.run(play()) == (31.0, 0.0)


@pytest.mark.parametrize("start_s", [60.0, 1e30])
def test_a_start_past_the_end_is_refused_and_the_saved_position_stays(living: Living, start_s: float) -> None:
    living.clock.run(living.watch(5))
    with pytest.raises(UsageError, match="cannot start at"):
        living.clock.run(living.watch(1, options=SessionOptions(start_s=start_s)))

    session = living.clock.run(living.watch(1))

    assert session.summary().resume_from_s == pytest.approx(5, abs=1.1)


def test_what_is_no_url_is_a_usage_error(living: Living) -> None:
    with pytest.raises(UsageError, match="not a URL"):
        living.clock.run(living.watch(1, "http://[::1/a.mpd"))


def test_the_journal_is_written(living: Living, tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"

    living.clock.run(living.watch(3, options=SessionOptions(journal_path=path)))

    lines = path.read_text().splitlines()
    assert json.loads(lines[0])["rule"] == "bola_guarded"
    assert len(lines) > 5


def test_a_subtitle_file_is_still_shown_once_the_title_is_loaded(living: Living, tmp_path: Path) -> None:
    path = tmp_path / "film.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n", encoding="utf-8")
    output = TextOutput(living.clock)

    async def play() -> None:
        async with living.session(options=SessionOptions(subtitles_path=path), output=output) as session:
            session.play()
            await living.sleep(1)
            assert [cue.text for cue in output.shown] == ["Hello"]

    living.clock.run(play())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_ends_the_journal_and_not_the_playback(living: Living, caplog: pytest.LogCaptureFixture) -> None:
    session = living.clock.run(living.watch(20, options=SessionOptions(journal_path=Path("/dev/full"))))

    assert session.summary().played_s > 18
    assert "the journal /dev/full ends here" in caplog.text


def test_a_full_disk_stops_no_playback(living: Living, caplog: pytest.LogCaptureFixture) -> None:
    living.stores.is_full = True

    with caplog.at_level(logging.WARNING):
        session = living.clock.run(living.watch(10))

    assert session.summary().played_s > 9


def test_a_seek_is_kept_at_once(living: Living) -> None:
    async def play() -> list[float]:
        kept: list[float] = []
        async with living.session() as session:
            session.play()
            await living.sleep(3)
            events = session.events()
            session.seek(44.0)
            position = living.stores.position("default", "film").result()
            assert position is not None
            kept.append(position.report.position_s)
            async for event in events:
                if isinstance(event, SeekEnded):
                    break
        return kept

    assert living.clock.run(play()) == [44.0]
