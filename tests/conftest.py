"""House rules for every test: engines are named, warnings are expected or fail, and nothing is left running.

- `@pytest.mark.engine("chromium", …)` names commands a test needs. A missing one skips the test with the reason, or
  fails it when CUSHION_REQUIRE_ENGINES=1 (CI sets it). `"browser-players"` is the npm part under tests/e2e/browser.
- A WARNING or worse logged by a cushion_* module fails the test, unless it is marked `logs_warnings` or asks for
  `caplog` (then it looks at the logs itself).
- A thread or an asyncio task that outlives its test fails it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("abr", "traces", "player", "sdk", "simulator", "demo_app", "servers")
BROWSER_PLAYERS = "browser-players"
THREAD_GRACE_S = 2.0


def pytest_configure() -> None:
    """Let Ctrl-C be tested also where the tests run in the background of a script, which ignores it for them.

    Hypothesis may take its time: wall time on a busy machine says nothing about us.
    """
    hypothesis.settings.register_profile("house", deadline=None)
    hypothesis.settings.load_profile("house")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def missing_engines(names: tuple[str, ...]) -> list[str]:
    """Which of the named engines this machine does not have."""
    return [name for name in names if not has_engine(name)]


def has_engine(name: str) -> bool:
    if name == BROWSER_PLAYERS:
        return (ROOT / "tests/e2e/browser/node_modules/playwright-core").is_dir()
    return shutil.which(name) is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("engine"):
        missing = missing_engines(marker.args)
        if not missing:
            continue
        reason = f"not on this machine: {', '.join(missing)} (scripts/install --dev brings them)"
        if os.environ.get("CUSHION_REQUIRE_ENGINES") == "1":
            pytest.fail(f"CUSHION_REQUIRE_ENGINES=1, and {reason}", pytrace=False)
        pytest.skip(reason)


class _Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_unexpected_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which one of our modules logs a warning nobody asked for."""
    node = request.node
    if node.get_closest_marker("logs_warnings") or "caplog" in request.fixturenames:
        yield
        return
    records = _Records()
    loggers = [logging.getLogger(f"cushion_{room}") for room in ROOMS]
    for logger in loggers:
        logger.addHandler(records)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(records)
    if records.lines:
        pytest.fail("unexpected log records:\n" + "\n".join(records.lines), pytrace=False)


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running; threads of wider fixtures started before it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_GRACE_S
    for thread in set(threading.enumerate()) - before:
        if _is_ours_to_end(thread):
            thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in set(threading.enumerate()) - before if _is_ours_to_end(thread)]
    if left:
        pytest.fail(f"threads left running: {', '.join(sorted(left))}", pytrace=False)


def _is_ours_to_end(thread: threading.Thread) -> bool:
    """Not a foreign thread, nor a loop's default executor: that one ends with its loop, maybe a wider fixture's."""
    return (
        thread.is_alive() and not isinstance(thread, threading._DummyThread) and not thread.name.startswith("asyncio_")
    )


@pytest.fixture(autouse=True)
def _no_leaked_tasks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an asynchronous test that leaves a task on its loop, once its fixtures are torn down."""
    runner: asyncio.Runner | None = None
    if "_function_scoped_runner" in request.fixturenames:  # pytest-asyncio's loop for this test
        runner = request.getfixturevalue("_function_scoped_runner")
    yield
    if runner is None:
        return
    runner.run(_a_few_turns())
    left = [task.get_name() + " " + repr(task.get_coro()) for task in asyncio.all_tasks(runner.get_loop())]
    if left:
        pytest.fail("tasks left running:\n" + "\n".join(left), pytrace=False)


async def _a_few_turns() -> None:
    """Let what was cancelled or closed in the last moment come to its end."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def shared_path() -> Callable[[str], Path]:
    """Find a file or folder of the material that may lie beside the repository (`../shared`), or skip the test."""

    def find(relative: str) -> Path:
        path = ROOT.parent / "shared" / relative
        if not path.exists():
            pytest.skip(f"needs ../shared/{relative}, which is not beside this checkout")
        return path

    return find
