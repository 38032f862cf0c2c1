from __future__ import annotations

import io
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from cushion_demo_app.backend_process import MAX_REVIVALS, BackendProcess, live_url, serve_advice
from cushion_demo_app.commands import _film_size
from cushion_demo_app.demo import NothingToWatch, advice, choose_title
from cushion_demo_app.display import has_display
from cushion_demo_app.progress import PreparationProgress
from cushion_demo_app.seed import SeedReport
from cushion_demo_app.title_check import check_title, check_title_of
from cushion_player.errors import NotFound, ServiceUnavailable, UsageError
from cushion_sdk.contracts.ingest import IngestState
from tests.demo_app.fakes import make_job, make_title

STUB = """
import http.server, json, pathlib, sys
data = pathlib.Path(sys.argv[2])
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[4])), Answer)
url = f"http://127.0.0.1:{server.server_address[1]}"
(data / "server").mkdir(exist_ok=True)
(data / "server" / "address.json").write_text(json.dumps({"url": url, "pid": 1}))
print(json.dumps({"url": url}), flush=True)
server.serve_forever()
"""


def stub(source: str = STUB) -> tuple[str, ...]:
    return (sys.executable, "-c", source)


def test_a_backend_is_started_answers_and_is_ended(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, stub()) as backend:
        assert backend.is_ours
        assert live_url(tmp_path) == backend.url

    assert live_url(tmp_path) is None


def test_a_backend_that_serves_already_is_used_and_left_running(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, stub()) as first:
        with BackendProcess(tmp_path, stub("raise SystemExit('never started')")) as second:
            assert second.url == first.url
            assert not second.is_ours

        assert live_url(tmp_path) == first.url


def kill(backend: BackendProcess) -> None:
    process = backend._process
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def test_a_backend_that_died_is_started_again_where_it_was_a_few_times(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, stub()) as backend:
        assert not backend.revive(), "it lives"
        for _ in range(MAX_REVIVALS):
            kill(backend)
            assert backend.revive()
            assert live_url(tmp_path) == backend.url

        kill(backend)
        assert not backend.revive()


def test_a_backend_of_others_is_not_started_again(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, stub()) as first, BackendProcess(tmp_path, stub()) as second:
        kill(first)

        assert not second.revive()


def test_the_advice_names_the_data_directory() -> None:
    data = Path("/tmp/my data")

    assert serve_advice(data) == f"Start it with “cushion serve --data {shlex.quote(str(data))}”."
    assert advice(data, BackendProcess(data)) == serve_advice(data)


def test_an_unknown_title_is_refused_with_the_names_there_are() -> None:
    titles = [make_title("t1", "Bikes"), make_title("t2", "Film")]

    for known in ("Bikes", "t2", "Bunny", "promised"):
        check_title(known, titles, [make_job("Bunny")], ["promised"])
    with pytest.raises(UsageError, match="the catalog has no “Bears”; it has “Bikes”, “Film”"):
        check_title("Bears", titles, [make_job("Bears", IngestState.FAILED)])


def test_a_backend_that_is_away_is_not_asked_for_titles() -> None:
    check_title_of("http://127.0.0.1:9", "Bears")


def test_a_backend_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    command = stub("import sys; sys.exit('cushion serve: Cannot listen on 127.0.0.1:80: Permission denied.')")

    with pytest.raises(ServiceUnavailable, match=r"^the backend did not start: Cannot listen on 127.0.0.1:80"):
        BackendProcess(tmp_path, command).__enter__()


def test_an_address_left_by_a_killed_backend_is_no_backend(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    address = tmp_path / "server" / "address.json"
    for text in (json.dumps({"url": "http://127.0.0.1:1", "pid": 1}), "{", "[]"):
        address.write_text(text)

        assert live_url(tmp_path) is None


def test_a_title_is_chosen_by_name_or_id() -> None:
    report = SeedReport(titles=(make_title("t1", "Bikes"), make_title("t2", "Film")))

    assert choose_title(report, "Film").title_id == "t2"
    assert choose_title(report, "t1").name == "Bikes"
    with pytest.raises(NotFound, match="the catalog has no “Bears”; it has “Bikes”, “Film”"):
        choose_title(report, "Bears")


def test_a_title_that_could_not_be_prepared_is_explained() -> None:
    broken = make_job("Film", IngestState.FAILED, problem="the disk is full")

    with pytest.raises(NothingToWatch, match="“Film” could not be prepared: the disk is full"):
        choose_title(SeedReport(jobs=(broken,)), "Film")


def test_progress_names_what_is_ready() -> None:
    said = io.StringIO()
    with PreparationProgress(Console(file=said)) as progress:
        progress.show(SeedReport(preparing=(make_job("Film"),), jobs=(make_job("old", IngestState.PUBLISHED),)))
        progress.show(SeedReport(jobs=(make_job("Film", IngestState.PUBLISHED),)))

    assert said.getvalue().splitlines()[1:] == ["  Film is ready"]


def test_film_sizes() -> None:
    assert _film_size("640x360") == (640, 360)
    with pytest.raises(UsageError, match="WIDTHxHEIGHT"):
        _film_size("big")


def test_a_display_is_one_that_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not has_display()

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "w0")
    for left_over in (":65000", "localhost:59000.0", "unix:65000.0", "nonsense"):
        monkeypatch.setenv("DISPLAY", left_over)
        assert not has_display()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as compositor:
        compositor.bind(str(tmp_path / "w0"))
        compositor.listen()
        assert has_display()

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert has_display()


def test_the_commands_load_fast_enough_for_every_help() -> None:
    measure = (
        "import typer, time; before = time.process_time(); import cushion_demo_app.commands; "
        "print(time.process_time() - before)"
    )
    best = min(
        float(subprocess.run([sys.executable, "-c", measure], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )

    assert best < 0.010


def test_the_app_without_a_backend_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cushion_sdk.cli", "app", "--data", str(tmp_path)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    started = time.process_time()

    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)

    assert time.process_time() - started < 5
    assert done.returncode == 2
    assert "no backend serves" in done.stderr
    assert "Traceback" not in done.stderr
