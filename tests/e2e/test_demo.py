"""`cushion demo --headless`, from an empty directory to a summary, and once more: everything in one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import cushion

pytestmark = pytest.mark.slow

SECONDS = 30
FILM = ("--film-only", "--film-seconds", "36", "--film-size", "1280x720")
SUMMARY_KEYS = {
    "startup_s", "rebuffer_s", "rebuffer_count", "frames_shown", "frames_dropped", "rungs", "mean_bitrate_bps",
    "switches", "resume_from_s", "telemetry_events_acked", "errors",
}  # fmt: skip


def demo(data: Path, *more: str, timeout_s: float) -> tuple[dict[str, Any], str, int]:
    """Run the demo headless; returns the summary, what it said meanwhile, and its exit status."""
    done = cushion("demo", "--headless", "--json", "-", "--data", str(data), *FILM, *more, timeout_s=timeout_s)
    return (json.loads(done.stdout) if done.stdout.strip() else {}), done.stderr, done.returncode


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first_run(data: Path) -> tuple[dict[str, Any], str, int]:
    """From nothing: the film is made, transcoded, published and played over the link that goes 6, 1, 6 Mb/s."""
    return demo(data, "--seconds", str(SECONDS), timeout_s=400)


def test_first_run_adapts_without_a_stall(first_run: tuple[dict[str, Any], str, int]) -> None:
    summary, said, status = first_run

    assert status == 0, said
    assert set(summary) >= SUMMARY_KEYS
    assert summary["rebuffer_count"] == 0
    assert summary["rebuffer_s"] == 0.0
    assert len({span["rung"] for span in summary["rungs"]}) >= 3
    assert summary["errors"] == []
    assert summary["resume_from_s"] == 0.0
    assert summary["telemetry_events_acked"] > 0
    assert summary["frames_shown"] >= 0.9 * SECONDS * 30


def test_first_run_leaves_no_backend_behind(first_run: object, data: Path) -> None:
    assert not (data / "server" / "address.json").exists()


def test_second_run_starts_at_once_where_the_first_stopped(
    first_run: tuple[dict[str, Any], str, int], data: Path
) -> None:
    summary, said, status = demo(data, "--seconds", "5", timeout_s=40)

    assert status == 0, said
    assert summary["resume_from_s"] == pytest.approx(SECONDS, abs=1.0)
    assert "Traceback" not in said
