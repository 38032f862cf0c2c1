"""The backend as a process of its own: find the one that serves a data directory, or start one and end it again."""

from __future__ import annotations

import http.client
import json
import logging
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from cushion_player.errors import ServiceUnavailable

log = logging.getLogger(__name__)

READY_TIMEOUT_S = 30.0
MAX_REVIVALS = 3
_END_TIMEOUT_S = 8.0
_HEALTH_TIMEOUT_S = 1.0
SERVE_COMMAND = (sys.executable, "-c", "from cushion_sdk.cli import main; main()", "serve")
"""`cushion serve` of this very installation, whatever PATH says."""


def live_url(data_dir: Path) -> str | None:
    """The URL of the backend that serves `data_dir`, when one answers."""
    try:
        said = json.loads((data_dir / "server" / "address.json").read_text(encoding="utf-8"))
        url = str(said["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _is_healthy(url) else None


def serve_advice(data_dir: Path) -> str:
    """How to start the backend of a data directory, as a sentence."""
    return f"Start it with “cushion serve --data {shlex.quote(str(data_dir))}”."


def _is_healthy(url: str) -> bool:
    host = urlsplit(url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port or 80, timeout=_HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class BackendProcess:
    """The backend for a data directory. As a context manager: `url` answers inside; what it started has ended after.

    A backend that served the directory already is used, and left running.
    Raises ServiceUnavailable on entry, in one sentence, when none can be started.
    """

    def __init__(self, data_dir: Path, command: tuple[str, ...] = SERVE_COMMAND) -> None:
        self._data_dir = data_dir
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._revivals_left = MAX_REVIVALS
        self.url = ""

    @property
    def is_ours(self) -> bool:
        """Whether this object started it."""
        return self._process is not None

    @property
    def log_path(self) -> Path:
        """Where a backend that we started writes what it has to say."""
        return self._data_dir / "server.log"

    def __enter__(self) -> Self:
        found = live_url(self._data_dir)
        if found is not None:
            self.url = found
            return self
        try:
            self.url = self._start(port=0)
        except BaseException:
            self.end()
            raise
        return self

    def revive(self) -> bool:
        """Start what we started again at the same URL if it has died; whether that was done. From any thread; blocks.

        Not more than `MAX_REVIVALS` times: what dies again and again is not helped by that.
        """
        with self._lock:
            process = self._process
            if process is None or process.poll() is None or not self._revivals_left:
                return False
            self._revivals_left -= 1
            log.info("the backend ended with status %s and is started again", process.returncode)
            _close_pipes(process)
            try:
                self._start(port=urlsplit(self.url).port or 0)
            except ServiceUnavailable as exc:
                log.info("%s", exc)
                return False
            return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def _start(self, *, port: int) -> str:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            with self.log_path.open("a" if port else "w", encoding="utf-8") as says:
                self._process = subprocess.Popen(
                    [*self._command, "--data", str(self._data_dir), "--port", str(port), "--json", "--until-eof"],
                    stdin=subprocess.PIPE,  # its end tells the backend of ours, though we be killed
                    stdout=subprocess.PIPE,
                    stderr=says,
                    text=True,
                    start_new_session=True,  # Ctrl-C is for us: the backend ends last, when the position is saved
                )
        except OSError as exc:
            raise ServiceUnavailable(f"the backend could not be started in {self._data_dir}: {exc}") from exc
        return self._wait_ready(self._process)

    def _wait_ready(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        watchdog = threading.Timer(READY_TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
            watchdog.join()
        try:
            return str(json.loads(line)["url"])
        except (ValueError, KeyError, TypeError):
            process.wait(_END_TIMEOUT_S)
            raise ServiceUnavailable(f"the backend did not start: {self._last_words()}") from None

    def _last_words(self) -> str:
        try:
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return (
            f"{lines[-1].removeprefix('cushion serve: ')} (all of it: {self.log_path})" if lines else "it said nothing"
        )

    def end(self) -> None:
        """End what was started, by its process id; harder when it does not listen. Does nothing the second time."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            log.warning("the backend did not end in %.0f s: killed", _END_TIMEOUT_S)
            process.kill()
            process.wait()
        _close_pipes(process)


def _close_pipes(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
