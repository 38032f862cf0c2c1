"""A subtitle file, or captions, that somebody asked for reach the output before anything plays."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from cushion_player.errors import UsageError
from cushion_player.testing.outputs import FakeMediaOutput
from cushion_sdk.cli.play import play
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.subtitles import read_subtitle_file, show_text_options

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "film.srt"
    path.write_text(SRT, encoding="utf-8")
    return path


async def test_file_is_shown_with_its_offset(file: Path) -> None:
    output = FakeMediaOutput()

    await show_text_options(SessionOptions(subtitles_path=file, subtitle_offset_s=-0.25), output)

    assert [(cue.text, cue.start_us) for cue in output.subtitles] == [("Hello", 750_000)]


@pytest.mark.parametrize(("name", "service"), [("cc3", "CC3"), ("2", "SERVICE2"), ("SERVICE6", "SERVICE6")])
async def test_captions_are_chosen_by_any_of_their_names(name: str, service: str) -> None:
    output = FakeMediaOutput()

    await show_text_options(SessionOptions(captions=name), output)

    assert output.captions == service


async def test_nothing_is_touched_unasked() -> None:
    output = FakeMediaOutput()

    await show_text_options(SessionOptions(), output)

    assert output.calls == []


async def test_captions_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="CC9"):
        await show_text_options(SessionOptions(captions="CC9"), FakeMediaOutput())


@pytest.mark.parametrize(("name", "content"), [("missing.srt", None), ("page.srt", b"<html>"), ("film", b"\0\1\2")])
def test_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=name):
        read_subtitle_file(tmp_path / name)


def test_offset_must_be_a_number_of_seconds() -> None:
    with pytest.raises(ValueError, match="subtitle_offset_s"):
        dataclasses.replace(SessionOptions(), subtitle_offset_s=math.nan)


@pytest.mark.parametrize("asked", [{"subtitles": Path("film.srt")}, {"captions": "CC1"}])
def test_headless_says_that_it_shows_nothing(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--headless shows nothing"):
        play("film.mpd", headless=True, **asked)
