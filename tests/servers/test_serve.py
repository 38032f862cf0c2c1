from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from cushion_servers.address import ServerAddress, live_address, read_address, remove_address, write_address

KINDS = ("video", "audio")

PROGRAM = """
import typer
from cushion_servers.cli import ingest, serve
app = typer.Typer()
app.command()(serve)
app.command()(ingest)
if __name__ == "__main__":
    app()
"""


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """The two commands alone, as a program."""
    (tmp_path / "program.py").write_text(PROGRAM)
    return [sys.executable, str(tmp_path / "program.py")]


class Served:
    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any], data: Path) -> None:
        self.process, self.ready, self.data = process, ready, data


@pytest.fixture
def served(program: list[str], tmp_path: Path) -> Generator[Served, None, None]:
    data = tmp_path / "data"
    command = [*program, "serve", "--data", str(data), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Served(process, json.loads(process.stdout.readline()), data)
        process.kill()


def test_a_signal_from_before_readiness_is_not_lost(tmp_path: Path) -> None:
    script = tmp_path / "early.py"
    script.write_text(
        "import signal\n"
        "from pathlib import Path\n"
        "from cushion_servers import serve\n"
        "from cushion_servers.config import BackendConfig\n"
        "opened = serve.open_backend\n"
        "def open_backend(config):\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    return opened(config)\n"
        "serve.open_backend = open_backend\n"
        f"serve.serve(BackendConfig(data_dir=Path({str(tmp_path / 'data')!r})), print)\n"
    )

    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=20, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_server_announces_itself_and_ends_cleanly(served: Served, number: signal.Signals) -> None:
    address = json.loads((served.data / "server" / "address.json").read_text())
    with urllib.request.urlopen(served.ready["url"] + "/healthz", timeout=5) as response:
        health = json.load(response)
    served.process.send_signal(number)
    _, errors = served.process.communicate(timeout=20)

    assert address == {"url": served.ready["url"], "pid": served.process.pid}
    assert health == {"status": "ok"}
    assert (served.process.returncode, errors) == (0, "")
    assert not (served.data / "server" / "address.json").exists()


def test_server_ends_with_the_process_that_started_it(program: list[str], tmp_path: Path) -> None:
    command = [*program, "serve", "--data", str(tmp_path / "data"), "--json", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.close()

        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_the_next_server_is_where_the_last_one_was(served: Served, program: list[str]) -> None:
    served.process.kill()
    served.process.wait()

    command = [*program, "serve", "--data", str(served.data), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.kill()

    assert ready["url"] == served.ready["url"]


def test_busy_port_and_busy_data_are_one_sentence_and_status_two(served: Served, program: list[str]) -> None:
    port = served.ready["url"].rpartition(":")[2]

    other = served.data.parent / "other"
    busy_port = subprocess.run([*program, "serve", "--data", other, "--port", port], capture_output=True, text=True)
    busy_data = subprocess.run([*program, "serve", "--data", served.data], capture_output=True, text=True)

    assert (busy_port.returncode, busy_data.returncode) == (2, 2)
    assert busy_port.stderr == f"cushion serve: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    assert busy_data.stderr.startswith(f"cushion serve: {served.data} is already served at {served.ready['url']}")
    assert busy_data.stderr.count("\n") == 1


def test_ingest_uses_the_server_of_the_data_directory(served: Served, program: list[str], clip: Path) -> None:
    done = subprocess.run(
        [*program, "ingest", clip, "--data", served.data, "--json"], capture_output=True, text=True, timeout=60
    )

    job = json.loads(done.stdout)
    with urllib.request.urlopen(served.ready["url"] + "/v1/titles", timeout=5) as response:
        titles = json.load(response)["titles"]
    assert (done.returncode, job["state"]) == (0, "published")
    assert [title["title_id"] for title in titles] == [job["title_id"]]


@pytest.mark.engine
@pytest.mark.parametrize("manifest", ["dash_path", "hls_path"])
def test_ffmpeg_and_mpv_play_both_manifests_from_zero(
    served: Served, program: list[str], clip: Path, manifest: str
) -> None:
    for tool in ("ffprobe", "mpv"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (scripts/install --dev)")
    command = [*program, "ingest", str(clip), "--data", str(served.data), "--min-duration", "9"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with urllib.request.urlopen(served.ready["url"] + "/v1/titles", timeout=5) as response:
        (title,) = json.load(response)["titles"]
    url = served.ready["url"] + title[manifest]

    entries = "stream=codec_type,start_time:format=duration"
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", url],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    played = subprocess.run(
        ["mpv", "--no-config", "--vo=null", "--ao=null", "--untimed", "--msg-level=all=error", url],
        capture_output=True,
        text=True,
        timeout=60,
    )

    facts = json.loads(probed.stdout)
    starts = {kind: {float(s["start_time"]) for s in facts["streams"] if s["codec_type"] == kind} for kind in KINDS}
    assert (probed.stderr, played.stdout + played.stderr, played.returncode) == ("", "", 0)
    assert starts["video"] == {0.0}
    assert all(abs(start) <= 1024 / 48_000 + 1e-6 for start in starts["audio"])
    assert starts["audio"]
    assert float(facts["format"]["duration"]) >= 9.0


def test_ingest_without_a_server_says_what_is_wrong_with_the_file(program: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*program, "ingest", tmp_path / "none.mp4", "--data", tmp_path / "d"], capture_output=True, text=True
    )

    assert done.returncode == 1
    assert f"cushion ingest: {tmp_path / 'none.mp4'} cannot be read (No such file or directory).\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_ingest_by_a_server_out_of_reach_is_one_sentence(program: list[str], clip: Path) -> None:
    done = subprocess.run([*program, "ingest", clip, "--server", "http://127.0.0.1:9"], capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith("cushion ingest: The backend at http://127.0.0.1:9 cannot be used")


def test_a_stale_address_is_no_server(tmp_path: Path) -> None:
    path = tmp_path / "address.json"
    write_address(path, "http://127.0.0.1:9")

    assert read_address(path) == ServerAddress("http://127.0.0.1:9", os.getpid())
    assert live_address(path) is None
    remove_address(path)
    assert not path.exists()


def test_commands_load_without_the_heavy_parts() -> None:
    heavy = "{'av', 'litestar', 'uvicorn', 'sqlalchemy', 'obstore', 'numpy', 'mpegdash', 'm3u8', 'msgspec', 'asyncio'}"
    code = (
        "import typer, sys; before = set(sys.modules); import cushion_servers.cli; "
        f"print(sorted({heavy} & (set(sys.modules) - before)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_server_starts_without_codecs_and_manifest_writers() -> None:
    code = "import sys, cushion_servers.serve; print(sorted({'av', 'numpy', 'mpegdash', 'm3u8'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
