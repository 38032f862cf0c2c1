from __future__ import annotations

from pathlib import Path

import pytest

from cushion_player.timeline import TrackKind
from cushion_simulator.movie import Movie, MovieError, nominal_movie, parse_movie, read_movie

DATASETS = Path(__file__).parents[3] / "shared" / "datasets"
SABRE = '{"segment_duration_ms": 3000, "bitrates_kbps": [230, 331], "segment_sizes_bits": [[886360, 1180512], [7, 9]]}'


def test_a_sabre_movie_is_read_with_sizes_rounded_up_to_bytes() -> None:
    assert parse_movie(SABRE) == Movie(3_000_000, (230_000, 331_000), ((110_795, 147_564), (1, 2)))


def test_a_timeline_carries_the_sizes_and_the_ladder() -> None:
    timeline = parse_movie(SABRE).timeline(audio_bps=96_000)

    video, audio = timeline.tracks
    assert (video.size_bytes(0, 1), video.sizes_exact, video.n_segments) == (147_564, True, 2)
    assert [rung.bitrate_bps for rung in video.rungs] == [230_000, 331_000]
    assert (audio.kind, audio.size_bytes(0, 0)) == (TrackKind.AUDIO, 36_000)
    assert timeline.duration_us == 6_000_000


def test_a_nominal_movie_has_bitrate_times_duration() -> None:
    movie = nominal_movie(5, (800_000, 1_600_000))

    assert movie.sizes_bytes == ((200_000, 400_000),) * 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a Sabre movie"),
        ("[]", "not an object"),
        ("{}", "segment_duration_ms"),
        ('{"segment_duration_ms": 3000}', "bitrates_kbps"),
        ('{"segment_duration_ms": 3000, "bitrates_kbps": [1]}', "segment_sizes_bits"),
        ('{"segment_duration_ms": 3000, "bitrates_kbps": [1], "segment_sizes_bits": []}', "at least one segment"),
        ('{"segment_duration_ms": 3000, "bitrates_kbps": [2, 1], "segment_sizes_bits": [[8, 8]]}', "ascend"),
        ('{"segment_duration_ms": 3000, "bitrates_kbps": [1, 2], "segment_sizes_bits": [[8, 8], [8]]}', "segment 1"),
        ('{"segment_duration_ms": 3000, "bitrates_kbps": [1], "segment_sizes_bits": [[8], ["8"]]}', "segment 1"),
        ('{"segment_duration_ms": 3000, "bitrates_kbps": [1], "segment_sizes_bits": [8]}', "segment 0"),
        ('{"segment_duration_ms": NaN, "bitrates_kbps": [1], "segment_sizes_bits": [[8]]}', "segment_duration_ms"),
    ],
)
def test_a_broken_movie_is_an_error_that_says_where(text: str, says: str) -> None:
    with pytest.raises(MovieError, match=says):
        parse_movie(text)


@pytest.mark.parametrize("seconds", [0.0, float("nan"), 1e9])
def test_an_impossible_length_is_refused(seconds: float) -> None:
    with pytest.raises(MovieError, match="at most a day"):
        nominal_movie(seconds)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MovieError, match=r"gone\.json: cannot be read: No such file"):
        read_movie(tmp_path / "gone.json")


def test_the_movies_of_the_field_are_read() -> None:
    if not DATASETS.is_dir():
        pytest.skip(f"no movies at {DATASETS}")
    movie = read_movie(DATASETS / "sabre_movies" / "bbb.json")

    assert (len(movie.bitrates_bps), len(movie.sizes_bytes), movie.segment_us) == (10, 199, 3_000_000)
