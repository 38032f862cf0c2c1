"""The real backend as a process of its own, and plain requests to it: what end-to-end tests stand on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import msgspec

from cushion_sdk.contracts import PositionReport, Title, TitlePage
from cushion_sdk.contracts.resume import DEFAULT_PROFILE_ID

CUSHION = Path(sys.executable).with_name("cushion")
START_LIMIT_S = 30.0
INGEST_LIMIT_S = 240.0
STOP_LIMIT_S = 10.0

T = TypeVar("T")


def cushion(*arguments: str, timeout_s: float = 60.0, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; its output is captured, and it has no standard input."""
    return subprocess.run(
        [CUSHION, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        check=False,
        **options,
    )


def fetch(url: str, headers: dict[str, str] | None = None) -> bytes:
    """The body of a GET. Raises urllib's errors."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=10) as response:
        return bytes(response.read())


@dataclass
class Stack:
    """A running `cushion serve` over a data directory."""

    data: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str, kind: type[T]) -> T:
        return msgspec.json.decode(fetch(urljoin(self.url, path)), type=kind)

    def titles(self) -> list[Title]:
        return self.get("/v1/titles", TitlePage).titles

    def ingest(self, path: Path, name: str) -> Title:
        """Ingest a file by the command and return its published title."""
        done = cushion("ingest", str(path), "--title", name, "--data", str(self.data), timeout_s=INGEST_LIMIT_S)
        assert done.returncode == 0, f"ingest failed:\n{done.stdout}\n{done.stderr}\n{self.log.read_text()[-2000:]}"
        return next(title for title in self.titles() if title.name == name)

    def dash_url(self, title: Title) -> str:
        return urljoin(self.url, title.dash_path)

    def hls_url(self, title: Title) -> str:
        return urljoin(self.url, title.hls_path)

    def rewind(self, title: Title) -> None:
        """Say that the default profile stands at 0, as of now: tests share this backend."""
        now_ms = round(time.time() * 1000)
        report = PositionReport(
            device_id="tests",
            session_id=uuid.uuid4().hex,
            session_started_ms=now_ms,
            sequence=1,
            position_s=0.0,
            duration_s=title.duration_s,
            reported_ms=now_ms,
        )
        path = f"/v1/profiles/{DEFAULT_PROFILE_ID}/positions/{title.title_id}"
        request = urllib.request.Request(urljoin(self.url, path), msgspec.json.encode(report), method="PUT")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.status == 200

    def audio_objects(self, title: Title) -> list[str]:
        """File names of the title's audio segments, read off its HLS playlists line by line."""
        master = self.hls_url(title)
        line = next(line for line in fetch(master).decode().splitlines() if line.startswith("#EXT-X-MEDIA"))
        playlist = urljoin(master, line.partition('URI="')[2].partition('"')[0])
        entries = [entry for entry in fetch(playlist).decode().splitlines() if entry and not entry.startswith("#")]
        return [entry.rpartition("/")[2] for entry in entries]

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_LIMIT_S)


def start_stack(data: Path) -> Stack:
    """Start `cushion serve` on a free port and wait until it answers."""
    data.mkdir(parents=True, exist_ok=True)
    log = data / "serve.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [CUSHION, "serve", "--data", str(data), "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    address = data / "server" / "address.json"
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"cushion serve ended by itself:\n{log.read_text()}"
        if address.exists():
            url = str(json.loads(address.read_text())["url"])
            fetch(urljoin(url, "/healthz"))
            return Stack(data, url, process, log)
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError(f"cushion serve did not answer within {START_LIMIT_S} s:\n{log.read_text()}")
