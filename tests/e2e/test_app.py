"""The desktop app in a real window under Xvfb: what is on the screen is what the clock says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cushion_player.media.film import read_frame_code
from cushion_sdk.contracts import Title
from tests.e2e.conftest import FILM
from tests.e2e.stack import CUSHION, Stack, cushion
from tests.e2e.test_commands import stored_position

pytestmark = [pytest.mark.engine("Xvfb"), pytest.mark.slow]

FRAME_US = round(1e6 / FILM.frame_rate)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen on a free number."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    try:
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def on_screen(display: str) -> dict[str, str]:
    return {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}


def pixels(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a PNG."""
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), dtype=np.uint8)


def photograph(
    stack: Stack, title: Title, at_s: float, picture: Path, env: dict[str, str], *options: str
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The video's rectangle on the screen when the clock passed `at_s`, and what the app says about that moment."""
    stack.rewind(title)
    done = cushion(
        "app", "--data", str(picture.parent / "device-data"), "--server", stack.url, "--title", title.title_id,
        "--screenshot-at", str(at_s), "--screenshot", str(picture), *options, env=env, timeout_s=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    facts = json.loads(picture.with_suffix(".json").read_text())
    left, top, width, height = facts["picture_box_px"]
    return pixels(picture)[top : top + height, left : left + width], facts


def test_picture_on_the_screen_is_the_frame_the_clock_asks_for(
    stack: Stack, film_title: Title, tmp_path: Path, on_screen: dict[str, str]
) -> None:
    seen, facts = photograph(stack, film_title, 5.0, tmp_path / "window.png", on_screen)

    assert seen.shape[0] >= 300
    code = read_frame_code(seen)
    assert code == round(facts["frame_time_us"] / FRAME_US)
    assert abs(facts["clock_us"] - facts["frame_time_us"]) <= FRAME_US + facts["frame_duration_us"]
    assert 5_000_000 <= facts["clock_us"] < 6_000_000


def test_picture_by_way_of_opengl_is_the_film_too(
    stack: Stack, film_title: Title, tmp_path: Path, on_screen: dict[str, str]
) -> None:
    """Drawn by the processor here, in the place of a card: slow, and a few frames behind what was handed over."""
    seen, facts = photograph(stack, film_title, 4.0, tmp_path / "window.png", on_screen, "--renderer", "gpu")
    if not facts["is_on_gpu"]:
        pytest.skip("there is no OpenGL under this display")

    code = read_frame_code(seen)
    assert code is not None
    assert -1 <= round(facts["frame_time_us"] / FRAME_US) - code <= FILM.frame_rate


def test_killed_app_resumes_within_a_second(
    stack: Stack, film_title: Title, tmp_path: Path, on_screen: dict[str, str]
) -> None:
    data = tmp_path / "device-data"
    stack.rewind(film_title)
    command = [str(CUSHION), "app", "--data", str(data), "--server", stack.url, "--title", film_title.title_id]
    process = subprocess.Popen(
        command, env=on_screen, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while ((stored := stored_position(data)) is None or stored.position_s < 2.5) and time.monotonic() < deadline:
        assert process.poll() is None, "the app ended by itself"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    killed_ms = time.time() * 1000
    process.wait(10)
    assert stored is not None
    was_at_s = stored.position_s + (killed_ms - stored.reported_ms) / 1000

    done = cushion(
        "play", stack.dash_url(film_title), "--server", stack.url, "--headless", "--seconds", "1", "--json", "-",
        "--data", str(data),
    )  # fmt: skip

    assert done.stdout, done.stderr
    assert json.loads(done.stdout)["resume_from_s"] == pytest.approx(was_at_s, abs=1.0)
