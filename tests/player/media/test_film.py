"""The reference film shows and sounds what it says, at any size and rate."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from cushion_player.media.film import (
    FilmSpec,
    beep_onsets,
    beep_samples,
    film_audio,
    film_frame,
    is_flash,
    onsets,
    read_frame_code,
    render_frame,
    write_film,
)
from cushion_player.media.film_picture import FilmPainter

SMALL = FilmSpec(width_px=426, height_px=240, seconds=2.0)


def test_the_same_spec_gives_the_same_pictures() -> None:
    again = FilmPainter(426, 240, 30, 0, "CUSHION REFERENCE FILM  426X240  30 FPS  SEED 0")

    assert np.array_equal(render_frame(SMALL, 17), again.paint(17))
    assert not np.array_equal(render_frame(SMALL, 17), render_frame(SMALL, 18))
    assert not np.array_equal(render_frame(SMALL, 17), render_frame(FilmSpec(426, 240, seed=1), 17))


@pytest.mark.parametrize("size", [(160, 90), (320, 180), (426, 240), (640, 360), (854, 480), (1280, 720), (720, 720)])
def test_codes_and_flashes_are_readable_at_every_size(size: tuple[int, int]) -> None:
    spec = FilmSpec(*size)

    for number in (0, 1, 2, 3, 29, 30, 1799, 123_456, (1 << 24) - 2):
        picture = render_frame(spec, number)[: spec.height_px]
        assert read_frame_code(picture) == number
        assert is_flash(picture) == (number % 30 < 3)


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(60)])
def test_each_beep_starts_with_its_flash(rate: Fraction) -> None:
    spec = FilmSpec(width_px=320, height_px=180, frame_rate=rate, seconds=3.5)
    lit = [is_flash(render_frame(spec, number)[:180]) for number in range(spec.n_frames)]
    flashes = onsets([spec.frame_time_s(number) for number in range(spec.n_frames)], lit)

    beeps = beep_onsets(film_audio(spec), 48_000)

    assert len(flashes) == len(beeps) == 4
    assert beeps == pytest.approx(flashes, abs=0.001)
    assert [sample / 48_000 for sample in beep_samples(spec)] == pytest.approx(flashes, abs=1 / 48_000)


def test_audio_made_in_pieces_is_the_same_as_in_one() -> None:
    whole = film_audio(SMALL)
    edges = [0, 5, 1024, 3841, 47_999, 48_001, 50_000, 96_000]

    pieces = [film_audio(SMALL, start, stop) for start, stop in pairwise(edges)]

    assert np.array_equal(np.concatenate(pieces), whole)


def test_timecode_counts_nominal_frames() -> None:
    painter = FilmPainter(320, 180, 25, 0, "")

    assert painter.timecode(0) == "00:00:00:00"
    assert painter.timecode(25 * 3661 + 24) == "01:01:01:24"


def test_written_film_has_every_frame_and_its_beeps_in_time(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    steps: list[tuple[int, int]] = []

    write_film(path, SMALL, lambda done, total: steps.append((done, total)))

    assert steps == [(30, 60), (60, 60)]
    with av.open(str(path)) as film:
        pictures = list(film.decode(video=0))
        assert film.streams.video[0].average_rate == 30
    codes = [read_frame_code(np.asarray(picture.to_ndarray(format="gray8"), dtype=np.uint8)) for picture in pictures]
    assert codes == list(range(60))
    assert [picture.colorspace for picture in pictures[:1]] == [1]
    with av.open(str(path)) as film:
        sound = np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1).T
    assert beep_onsets(np.asarray(sound, dtype=np.float32), 48_000) == pytest.approx([0.0, 1.0], abs=0.003)
    assert list(tmp_path.iterdir()) == [path]


def test_a_film_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(tmp_path / "film.mp4", SMALL, stop)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("width_px", "height_px", "rate", "seconds"),
    [(100, 100, 30, 1.0), (1281, 720, 30, 1.0), (1280, 720, 0, 1.0), (1280, 720, 30, 0.0), (1280, 720, 30, 1e9)],
)
def test_a_film_that_cannot_be_made_says_so(width_px: int, height_px: int, rate: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="cannot be made"):
        FilmSpec(width_px, height_px, Fraction(rate), seconds)


def test_a_film_frame_carries_its_colour_tags() -> None:
    picture = film_frame(SMALL, 3)

    assert (picture.pts, picture.time_base) == (3, Fraction(1, 30))
    assert (picture.colorspace, picture.color_range) == (1, 1)
