"""A short reference film as a ladder, made once a test run."""

from __future__ import annotations

import pytest

from cushion_player.media.film import FilmSpec
from tests.player.media.film_ladder import FilmLadder, make_ladder


@pytest.fixture(scope="session")
def ladder() -> FilmLadder:
    return make_ladder(FilmSpec(width_px=854, height_px=480, seconds=6.0))
