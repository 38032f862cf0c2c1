"""The command: one sentence for every failure, the right exit status, and nothing on stdout but the result."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from cushion_player.engine import EngineConfig, PlaybackEngine
from cushion_player.errors import FetchTimeout, UsageError
from cushion_player.journal import JournalWriter
from cushion_player.testing.timelines import make_timeline
from cushion_player.testing.virtual import VirtualDriver
from cushion_sdk.cli import main, root, windows
from cushion_sdk.cli.reports import check_target, describe, summary_json, tell_summary, write_summary
from cushion_sdk.cli.running import as_url, data_directory
from cushion_sdk.headless import verdict
from cushion_sdk.session_types import (
    RungSpan,
    SessionOptions,
    SessionProblem,
    SessionSnapshot,
    SessionSummary,
)
from cushion_traces.link import make_link
from tests.sdk.conftest import Living, manifest

SUMMARY = SessionSummary(
    startup_s=0.2,
    rebuffer_s=0.0,
    rebuffer_count=0,
    frames_shown=300,
    frames_dropped=0,
    frames_expected=300,
    played_s=10.0,
    rungs=(RungSpan(0.2, 1, 360, 900_000),),
    mean_bitrate_bps=900_000,
    switches=0,
    resume_from_s=0.0,
    telemetry_events_acked=6,
    errors=(),
)


def changed(**values: object) -> SessionSummary:
    import dataclasses

    return dataclasses.replace(SUMMARY, **values)  # type: ignore[arg-type]  # fields by their names


def installed(*points: EntryPoint) -> Callable[..., list[EntryPoint]]:
    """Stands in for importlib.metadata.entry_points."""

    def entry_points(group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    return entry_points


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.mpd"
    path.write_text("<!doctype html><html><body>Please sign in</body></html>")
    return path


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["play", "nothing.mpd", "--headless"], 2, "'nothing.mpd' is neither a URL nor a file that exists"),
        (["play", "rtsp://host/a", "--headless"], 2, "rtsp URLs cannot be read"),
        (["play", "http://host/a.mpd", "--headless", "--also", "rtsp://host/a"], 2, "rtsp URLs cannot be read"),
        (
            ["play", "http://127.0.0.1:9/a.mpd", "--headless", "--also", "http://127.0.0.1:9/b.mpd"],
            1,
            "9/b.mpd), 3 times",
        ),
        (["play", "http://127.0.0.1:9/a.mpd", "--headless"], 1, "127.0.0.1:9"),
        (["play", "http://host/a.mpd", "--headless", "--trace", "no-such"], 2, "no trace named 'no-such'"),
        (["play", "http://host/a.mpd", "--headless", "--rule", "oracle"], 2, "oracle"),
        (["play", "http://host/a.mpd", "--headless", "--server", "nowhere"], 2, "http or https URL"),
        (["play", "http://[::1", "--headless"], 2, "is not a URL"),
        (["play", "http://host/a.mpd", "--headless", "--start", "inf"], 2, "--start takes seconds"),
        (["inspect", "http://[::1"], 2, "is not a URL"),
        (["inspect", "nothing.mpd"], 2, "nothing.mpd"),
        (["replay", "nothing.jsonl"], 2, "nothing.jsonl: No such file or directory"),
        (["film", "x.mp4", "--size", "tiny"], 2, "--size tiny"),
        (["film", "x.mp4", "--size", "33x20"], 2, "33x20"),
        (["film", "x.mp4", "--size", "1000000x1000000"], 2, "7680x4320 at most"),
        (["film", "x.mp4", "--size", "160x4322"], 2, "7680x4320 at most"),
        (["film", "x.mp4", "--fps", "0/0"], 2, "0/0"),
        (["play", "http://127.0.0.1:9/a.mpd", "--headless", "--json", "."], 2, "to .: it is a directory"),
        (
            ["play", "http://127.0.0.1:9/a.mpd", "--headless", "--json", "no/x.json"],
            2,
            "cannot be written to no/x.json",
        ),
        (["replay", os.devnull], 1, "the journal is empty"),
        (["film", "/nowhere/x.mp4", "--seconds", "0.2", "--size", "160x90"], 2, "/nowhere"),
    ],
)
def test_bad_input_gets_one_sentence(
    args: list[str],
    status: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if args[0] == "play":
        args = [*args, "--data", str(tmp_path / "data")]
    if words == "/nowhere" and os.access("/", os.W_OK):
        (tmp_path / "file").write_text("in the way")
        args = ["film", str(tmp_path / "file" / "x.mp4"), *args[2:]]
        words = "cannot be written"

    assert root.run(args) == status

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("cushion: ")
    assert words in said.err


@pytest.mark.parametrize("command", [["inspect"], ["play", "--headless", "--json", "-"]])
def test_a_page_instead_of_a_manifest_is_named_so(
    command: list[str], page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")] if command[0] == "play" else []

    assert root.run([command[0], str(page), *command[1:], *data]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert "HTML" in said.err


@pytest.mark.parametrize("args", [["play"], ["play", "a", "--seconds", "soon"], ["nonsense"], ["film"]])
def test_wrong_usage_has_status_2(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(args) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_help_names_the_commands_of_all_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["--help"]) == 0

    said = capsys.readouterr().out
    assert all(name in said for name in ("play", "inspect", "film", "replay", "serve", "ingest"))


def test_addresses_with_their_tokens_are_not_logged_at_any_verbosity(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told_by = logging.getLogger("httpx")  # each request, with its whole address
    told_by.setLevel(logging.NOTSET)

    root.run(["-vv", "replay", str(tmp_path / "none")])

    assert not told_by.isEnabledFor(logging.INFO)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("cushion 0.")


def test_a_command_that_cannot_be_loaded_is_named_and_the_others_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = EntryPoint("broken", "cushion_sdk.no_such_module:command", root.GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", installed(broken))

    assert root.run(["--help"]) == 0

    said = capsys.readouterr()
    assert "the command 'broken' cannot be loaded" in said.err
    assert "play" in said.out


def test_an_error_of_ours_is_its_own_sentence_and_a_bug_is_called_one() -> None:
    assert root.sentence(FetchTimeout("segment 3: no answer\n  in 10 s")) == "segment 3: no answer in 10 s"
    assert root.sentence(FileNotFoundError(2, "No such file", "/x")) == "/x: No such file"
    assert root.sentence(KeyError("x")).startswith("internal error, KeyError")


def test_a_bug_is_one_sentence_and_a_traceback_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: list[str]) -> int:
        raise ExceptionGroup("tasks", [ZeroDivisionError("oops")])

    monkeypatch.setattr(root, "_invoke", fail)
    monkeypatch.delenv("CUSHION_DEBUG", raising=False)

    assert root.run([]) == 1
    assert "internal error, ZeroDivisionError: oops" in capsys.readouterr().err

    monkeypatch.setenv("CUSHION_DEBUG", "1")
    with pytest.raises(ExceptionGroup):
        root.run([])


def test_sigterm_unwinds_a_command_and_puts_the_handler_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = []

    def invoke(_args: list[str]) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append(True)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(root, "_invoke", invoke)

    assert root.run([]) == 143
    assert cleaned
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_window_play_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(windows, "entry_points", installed())

    assert root.run(["play", "http://host/a.mpd", "--data", str(tmp_path)]) == 2
    assert "install cushion-demo-app, or use --headless" in capsys.readouterr().err


def test_a_window_gets_the_request_and_its_summary_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: list[windows.WindowRequest] = []

    def window(request: windows.WindowRequest) -> SessionSummary:
        asked.append(request)
        return SUMMARY

    monkeypatch.setattr(windows, "find_window", lambda: window)

    assert root.run(["play", "http://host/a.mpd", "--start", "5", "--data", str(tmp_path), "--json", "-"]) == 0
    assert asked == [
        windows.WindowRequest("http://host/a.mpd", SessionOptions(trace="unshaped", start_s=5.0), tmp_path / "device")
    ]
    assert json.loads(capsys.readouterr().out)["played_s"] == 10.0


def test_inspect_prints_a_tree_or_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "film.mpd"
    path.write_bytes(manifest())

    assert root.run(["inspect", str(path)]) == 0
    tree = capsys.readouterr().out
    assert root.run(["inspect", str(path), "--json", "--segments"]) == 0
    described = json.loads(capsys.readouterr().out)

    assert "v2  3000 kb/s  320x720  30 fps  avc1.64001f  mp4  30 segments" in tree
    representation = described["periods"][0]["adaptation_sets"][0]["representations"][0]
    assert len(representation["segments"]) == 30


def test_film_makes_a_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "film.mp4"

    assert root.run(["film", str(path), "--seconds", "0.5", "--size", "160x90"]) == 0
    assert path.stat().st_size > 1000
    assert "160x90" in capsys.readouterr().out


def test_replay_says_whether_the_decisions_are_the_same(
    living: Living, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "session.jsonl"
    living.clock.run(living.watch(20, options=SessionOptions(journal_path=path)))

    assert root.run(["replay", str(path)]) == 0
    assert "the same decisions" in capsys.readouterr().out

    lines = path.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if '"$":"FetchSegment"' in line and '"rung":2' in line)
    lines[at] = lines[at].replace('"rung":2', '"rung":1')
    path.write_text("".join(lines))

    assert root.run(["replay", str(path)]) == 1
    said = capsys.readouterr()
    assert f"line {at + 1}" in said.out
    assert "1 difference\n" in said.err


def test_what_is_no_journal_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\x80\x81")
    assert root.run(["replay", str(path)]) == 2
    path.write_text("{}\n")
    assert root.run(["replay", str(path)]) == 1
    assert "not a journal" in capsys.readouterr().err


# --------------------------------------------------------------------------- verdict and summary


@pytest.mark.parametrize(
    ("summary", "seconds", "has_ended", "problem"),
    [
        (SUMMARY, 10.0, False, ""),
        (SUMMARY, None, True, ""),
        (SUMMARY, 60.0, True, ""),
        (changed(frames_shown=270), 10.0, False, ""),
        (changed(frames_shown=269), 10.0, False, "only 269 of 300 frames"),
        (SUMMARY, 12.0, False, "only 10.0 of 12.0 s"),
        (SUMMARY, None, False, "not all"),
        (changed(startup_s=None, played_s=0.0), 10.0, False, "never started"),
        (changed(frames_shown=0, frames_expected=None), 10.0, False, "no frame was shown"),
        (changed(frames_expected=None), 10.0, False, ""),
    ],
)
def test_the_verdict_says_what_was_wrong(
    summary: SessionSummary, seconds: float | None, has_ended: bool, problem: str
) -> None:
    said = verdict(summary, None, seconds=seconds, has_ended=has_ended)

    assert (problem in said) if problem else said == ""


def test_a_failure_is_the_verdict() -> None:
    failure = SessionProblem("http_status", "segment 4: HTTP 404")

    assert verdict(SUMMARY, failure, seconds=10.0, has_ended=False) == "segment 4: HTTP 404"


def test_the_summary_has_these_keys_and_no_others() -> None:
    assert list(json.loads(summary_json(SUMMARY))) == [
        "startup_s",
        "rebuffer_s",
        "rebuffer_count",
        "frames_shown",
        "frames_dropped",
        "frames_expected",
        "played_s",
        "rungs",
        "mean_bitrate_bps",
        "switches",
        "resume_from_s",
        "telemetry_events_acked",
        "errors",
        "schema",
    ]
    assert json.loads(summary_json(SUMMARY))["rungs"] == [
        {"time_s": 0.2, "rung": 1, "height_px": 360, "bitrate_bps": 900_000}
    ]


def test_a_summary_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_summary(SUMMARY, str(tmp_path / "out.json"))

    assert json.loads((tmp_path / "out.json").read_text())["schema"] == 1
    assert os.listdir(tmp_path) == ["out.json"]
    with pytest.raises(UsageError, match="cannot be written"):
        write_summary(SUMMARY, str(tmp_path / "out.json" / "x.json"))


def test_a_place_for_the_summary_is_tried_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("old")

    check_target(str(tmp_path / "old.json"))
    check_target(str(tmp_path / "new.json"))
    check_target("-")

    assert (tmp_path / "old.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["old.json"]


@pytest.fixture
def session_journal(tmp_path: Path) -> Path:
    """One playback of ten segments at 1 Mb/s."""
    path = tmp_path / "session.jsonl"
    config = EngineConfig()
    with path.open("w") as sink:
        engine = PlaybackEngine(config, "bba2", on_verb=JournalWriter(sink, config, "bba2", {}, 0).write)
        link = make_link([1_000_000], [2_000_000], 20_000)
        driver = VirtualDriver(engine, make_timeline(n_segments=10), link)
        driver.start()
        driver.run()
    return path


def test_replay_shows_the_first_differences_and_counts_all(
    session_journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session_journal.write_text(session_journal.read_text().replace('"reason":"', '"reason":"once '))

    assert root.run(["replay", str(session_journal)]) == 1

    said = capsys.readouterr()
    assert said.out.count("recorded:") == 3
    assert said.err == "17 differences, the first 3 are shown\n"


def test_replay_says_that_the_last_line_is_unfinished(
    session_journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session_journal.write_text(session_journal.read_text()[:-40])

    assert root.run(["replay", str(session_journal)]) == 0

    said = capsys.readouterr()
    assert "the same decisions" in said.out
    assert "the last line is unfinished, left out" in said.err


def test_ctrl_c_during_the_imports_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_args: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(root, "run", interrupted)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_people_get_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    tell_summary(changed(startup_s=None, rungs=(), errors=(SessionProblem("decode", "segment 3 is damaged"),)))

    said = capsys.readouterr().out
    assert "never started" in said
    assert "problem: segment 3 is damaged" in said
    assert "loading" in describe(SessionSnapshot())


def test_urls_stay_and_files_become_urls(tmp_path: Path) -> None:
    path = tmp_path / "a b.mpd"
    path.write_text("")

    assert as_url("https://host/a.mpd") == "https://host/a.mpd"
    assert as_url(str(path)) == path.as_uri()


def test_data_lie_where_told_or_here_or_at_the_users_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_directory(Path("x")) == Path("x")
    assert "cushion" in str(data_directory(None))
    (tmp_path / ".cushion").mkdir()
    assert data_directory(None) == Path(".cushion")


# --------------------------------------------------------------------------- as a process


def start(*args: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "cushion_sdk.cli", *args]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_help_costs_less_than_300_ms_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "cushion_sdk.cli", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.3


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_everything_without_a_word_too_many(tmp_path: Path, number: signal.Signals, status: int) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.mpd"
        with start("play", url, "--headless", "--json", "-", "--data", str(tmp_path)) as process:
            silent.settimeout(20)
            connection, _ = silent.accept()
            process.send_signal(number)
            before = time.monotonic()
            out, err = process.communicate(timeout=20)
            took_s = time.monotonic() - before
            connection.close()

    assert process.returncode == status
    assert out == ""
    assert err == ""
    assert took_s < 5


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_film_that_is_stopped_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with start("film", "--seconds", "600", "--size", "160x90", str(tmp_path / "film.mp4")) as process:
        while not list(tmp_path.iterdir()) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, out, err) == (status, "", "")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "film.mpd"
    path.write_bytes(manifest())
    with start("inspect", str(path), "--json", "--segments") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
