"""A short reference film as a ladder, made once a test run."""

from __future__ import annotations

import pytest

from tests.player.media.film_ladder import SHORT_FILM, FilmLadder, make_ladder


@pytest.fixture(scope="session")
def ladder() -> FilmLadder:
    return make_ladder(SHORT_FILM)
