"""What all end-to-end tests share: one short reference film, one backend with it published, for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cushion_player.media.film import FilmSpec, write_film
from cushion_sdk.contracts import Title
from tests.e2e.stack import Stack, start_stack

FILM = FilmSpec(width_px=640, height_px=360, seconds=12.0)


@pytest.fixture(scope="session")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short reference film: small, so that its ingest is quick."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_film(path, FILM)
    return path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A backend process of its own, stopped at the end; it must end cleanly."""
    running = start_stack(tmp_path_factory.mktemp("stack"))
    try:
        yield running
    finally:
        status = running.stop()
    assert status in (0, 130), f"cushion serve ended with status {status}:\n{running.log.read_text()[-2000:]}"


@pytest.fixture(scope="session")
def film_title(stack: Stack, film_file: Path) -> Title:
    """The film, published."""
    return stack.ingest(film_file, "Reference film")
