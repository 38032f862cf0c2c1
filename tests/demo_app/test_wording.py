from __future__ import annotations

import pytest

from cushion_demo_app.wording import (
    clock_text,
    duration_text,
    initials,
    ladder_badge,
    problem_text,
    rate_text,
    speed_text,
    spoken_time,
    track_name,
)
from cushion_player.timeline import TrackKind
from cushion_sdk.tracks import TrackInfo


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (42.9, "0:42"), (725, "12:05"), (3723, "1:02:03"), (-3, "0:00")]
)
def test_clock_text(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_times_are_spoken_in_words() -> None:
    assert spoken_time(1) == "1 second"
    assert spoken_time(65) == "1 minute 5 seconds"


@pytest.mark.parametrize(("seconds", "text"), [(12.4, "12 s"), (60, "1 min"), (4320, "1 h 12 min")])
def test_duration_text(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("bps", "text"), [(0, "–"), (800_000, "800 kb/s"), (999_900, "1.0 Mb/s"), (2_440_000, "2.4 Mb/s")]
)
def test_rate_text(bps: float, text: str) -> None:
    assert rate_text(bps) == text


def test_badge_names_the_best_quality_and_how_many_there_are() -> None:
    assert ladder_badge([240, 720, 360], 3) == "720p · 3 qualities"
    assert ladder_badge([240], 1) == "240p · 1 quality"
    assert ladder_badge([], 0) == ""


def test_initials_stand_for_a_title_without_a_poster() -> None:
    assert initials("Big Buck Bunny, 1080p") == "BB"
    assert initials("bikes") == "B"
    assert initials("…") == "▶"


def test_speed_text() -> None:
    assert [speed_text(speed) for speed in (0.5, 1.0, 1.25)] == ["0.5×", "1×", "1.25×"]


@pytest.mark.parametrize("code", ["connection_lost", "http_status", "manifest", "decode", "service_unavailable", ""])
def test_problems_are_said_without_technical_words(code: str) -> None:
    for has_played in (False, True):
        text = problem_text(code, has_played=has_played)
        assert not any(word in f"{text}".lower() for word in ("http", "segment", "connection", "://"))
        assert ("Your position is saved." in text.advice) <= has_played


@pytest.mark.parametrize(
    ("language", "label", "roles", "name"),
    [
        ("de", "Deutsch", ("caption",), "Deutsch"),
        ("en", "", ("main",), "en"),
        ("en", "", ("caption",), "en (caption)"),
        ("", "", (), "without a name"),
    ],
)
def test_tracks_are_called_by_label_or_language(language: str, label: str, roles: tuple[str, ...], name: str) -> None:
    track = TrackInfo("key", TrackKind.TEXT, language, label, roles, is_forced=False, is_selected=False)

    assert track_name(track) == name
