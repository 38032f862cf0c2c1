"""The command, as people use it: play, journal, replay, inspect, resume after a kill, and plain words for bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cushion_player.testing.faults import Hang, Html, Status, Truncate
from cushion_player.testing.origin import Origin
from cushion_sdk.contracts import PositionReport, Title
from tests.e2e.stack import CUSHION, Stack, cushion

RESUME_TOLERANCE_S = 1.0


def play(url: str, data: Path, *more: str, timeout_s: float = 60.0) -> tuple[dict[str, Any], str, int]:
    """`cushion play --headless --json -`: the summary ({} without one), what it said on stderr, the exit status."""
    done = cushion("play", url, "--headless", "--json", "-", "--data", str(data), *more, timeout_s=timeout_s)
    return (json.loads(done.stdout) if done.stdout.strip() else {}), done.stderr, done.returncode


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_plain(said: str) -> bool:
    """One or two sentences for people, and no traceback."""
    return 0 < len(said.strip()) < 600 and "Traceback" not in said and "Error(" not in said


@pytest.fixture(scope="module")
def origin(stack: Stack, film_title: Title) -> Iterator[Origin]:
    """The published files on a server that misbehaves when asked."""
    with Origin(stack.data / "server" / "store").in_thread() as running:
        yield running


@pytest.fixture
def manifest(origin: Origin, stack: Stack, film_title: Title) -> Iterator[str]:
    """The path of the film's MPD on the misbehaving server; its faults are forgotten afterwards."""
    yield film_title.dash_path.removeprefix("/media")
    origin.faults.clear()


def test_playing_tells_a_summary_and_leaves_a_journal_that_replays(
    stack: Stack, film_title: Title, tmp_path: Path
) -> None:
    journal = tmp_path / "session.jsonl"

    summary, _, status = play(
        stack.dash_url(film_title), tmp_path, "--seconds", "4", "--trace", "step", "--journal", str(journal)
    )
    replayed = cushion("replay", str(journal))

    assert status == 0
    assert summary["rebuffer_count"] == 0
    assert summary["frames_shown"] >= 0.9 * summary["frames_expected"]
    assert summary["startup_s"] < 2.0
    assert {"rungs", "mean_bitrate_bps", "switches", "resume_from_s", "telemetry_events_acked", "errors"} <= set(
        summary
    )
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "same decisions" in replayed.stdout


def test_replay_says_where_a_changed_journal_differs(stack: Stack, film_title: Title, tmp_path: Path) -> None:
    journal = tmp_path / "session.jsonl"
    play(stack.dash_url(film_title), tmp_path, "--seconds", "1", "--journal", str(journal))
    lines = journal.read_text().splitlines()
    changed = [re.sub(r'"\$":"FetchSegment",(.*?)"rung":0', r'"$":"FetchSegment",\1"rung":1', line) for line in lines]
    assert changed != lines
    journal.write_text("\n".join(changed) + "\n")

    replayed = cushion("replay", str(journal))

    assert replayed.returncode == 1
    assert re.search(r"^line \d+, start:$", replayed.stdout, re.MULTILINE)
    assert re.search(r"\d+ differences?", replayed.stderr)


def test_inspect_tells_both_manifests_alike(stack: Stack, film_title: Title) -> None:
    said = [cushion("inspect", url, "--json") for url in (stack.dash_url(film_title), stack.hls_url(film_title))]

    assert [done.returncode for done in said] == [0, 0]
    assert all(json.loads(done.stdout) for done in said)


def stored_position(data: Path) -> PositionReport | None:
    """What the device keeps now, read beside the process that writes it."""
    path = data / "device" / "device.db"
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT report FROM positions").fetchone()
        except sqlite3.OperationalError:
            return None
    return msgspec.json.decode(row[0], type=PositionReport) if row else None


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["none", "up", "down"])
def test_killed_playback_resumes_within_a_second(stack: Stack, film_title: Title, tmp_path: Path, backend: str) -> None:
    stack.rewind(film_title)
    url = stack.dash_url(film_title)
    server = {"none": (), "up": ("--server", stack.url), "down": ("--server", f"http://127.0.0.1:{free_port()}")}[
        backend
    ]
    process = subprocess.Popen(
        [CUSHION, "play", url, "--headless", "--data", str(tmp_path), *server],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while ((stored := stored_position(tmp_path)) is None or stored.position_s < 2.5) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.6)
    process.send_signal(signal.SIGKILL)
    killed_ms = time.time() * 1000
    process.wait(10)
    assert stored is not None
    was_at_s = stored.position_s + (killed_ms - stored.reported_ms) / 1000

    summary, said, _ = play(url, tmp_path, "--seconds", "1", *server)

    assert summary, said
    assert was_at_s > 3.0
    assert abs(summary["resume_from_s"] - was_at_s) <= RESUME_TOLERANCE_S


@pytest.mark.slow
def test_interrupted_playback_ends_at_once_and_resumes_exactly(stack: Stack, film_title: Title, tmp_path: Path) -> None:
    url = stack.hls_url(film_title)
    process = subprocess.Popen(
        [CUSHION, "play", url, "--headless", "--data", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while (stored := stored_position(tmp_path)) is None or stored.position_s < 1.0:
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=5)

    assert process.returncode == 130
    assert "Traceback" not in said
    kept = stored_position(tmp_path)
    assert kept is not None
    summary, _, _ = play(url, tmp_path, "--seconds", "1")
    assert summary["resume_from_s"] == pytest.approx(kept.position_s, abs=0.05)


def test_missing_server_is_told_plainly(tmp_path: Path) -> None:
    _, said, status = play(f"http://127.0.0.1:{free_port()}/a.mpd", tmp_path)

    assert status != 0
    assert is_plain(said)


@pytest.mark.parametrize(
    ("fault", "word"),
    [(Status(404), "404"), (Html(), "HTML"), (Status(503), "503"), (Truncate(after_bytes=200), "")],
)
def test_bad_manifest_is_told_plainly(
    origin: Origin, manifest: str, tmp_path: Path, fault: Status | Html | Truncate, word: str
) -> None:
    origin.faults.always(manifest, fault)

    _, said, status = play(origin.url(manifest), tmp_path)

    assert status != 0
    assert word in said
    assert is_plain(said)


@pytest.mark.slow
def test_server_that_hangs_is_given_up(origin: Origin, manifest: str, tmp_path: Path) -> None:
    origin.faults.always(manifest, Hang())

    began = time.monotonic()
    _, said, status = play(origin.url(manifest), tmp_path, timeout_s=45)

    assert status != 0
    assert is_plain(said)
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_missing_segments_end_playback_plainly_and_keep_the_saved_position(
    origin: Origin, manifest: str, tmp_path: Path
) -> None:
    url = origin.url(manifest)
    play(url, tmp_path, "--seconds", "2")
    kept = stored_position(tmp_path)
    origin.faults.always("/objects/*", Status(404))

    _, said, status = play(url, tmp_path)

    assert status != 0
    assert "404" in said
    assert is_plain(said)
    assert kept is not None
    assert stored_position(tmp_path) == kept


@pytest.mark.parametrize("arguments", [("--rule", "no-such"), ("--trace", "no-such")])
def test_unknown_names_are_told_plainly(
    stack: Stack, film_title: Title, tmp_path: Path, arguments: tuple[str, str]
) -> None:
    _, said, status = play(stack.dash_url(film_title), tmp_path, *arguments)

    assert status != 0
    assert "no-such" in said
    assert is_plain(said)


def test_source_that_is_no_video_becomes_no_title(stack: Stack, film_title: Title, tmp_path: Path) -> None:
    before = [title.title_id for title in stack.titles()]
    source = tmp_path / "notes.mp4"
    source.write_bytes(b"these are not the frames you are looking for\n" * 1000)

    done = cushion("ingest", str(source), "--data", str(stack.data))

    assert done.returncode != 0
    assert is_plain(done.stderr)
    assert [title.title_id for title in stack.titles()] == before


def test_cut_off_source_becomes_no_title(stack: Stack, film_title: Title, film_file: Path, tmp_path: Path) -> None:
    before = [title.title_id for title in stack.titles()]
    source = tmp_path / "cut.mp4"
    data = film_file.read_bytes()
    source.write_bytes(data[: len(data) * 6 // 10])

    done = cushion("ingest", str(source), "--data", str(stack.data))

    assert done.returncode != 0
    assert is_plain(done.stderr)
    assert [title.title_id for title in stack.titles()] == before


def test_busy_port_is_told_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = cushion("serve", "--data", str(tmp_path), "--port", str(taken.getsockname()[1]))

    assert done.returncode != 0
    assert is_plain(done.stderr)


def test_help_answers_within_300_ms_of_cpu() -> None:
    def cpu_s() -> float:
        before = os.times()
        assert cushion("--help").returncode == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(cpu_s() for _ in range(3)) < 0.3
