"""What the menus offer for what plays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cushion_demo_app.caption_look import CaptionLook
from cushion_demo_app.menus import (
    LINE,
    Entry,
    SubtitleFile,
    next_sound,
    next_speed,
    next_text,
    quality_menu,
    sound_menu,
    text_menu,
)
from cushion_demo_app.wishes import (
    FileChoice,
    LookChoice,
    NoFile,
    QualityChoice,
    ShiftFile,
    SoundChoice,
    TextChoice,
    Wishes,
)
from cushion_player.timeline import TrackKind
from cushion_sdk.session_types import SessionSnapshot
from cushion_sdk.tracks import CaptionInfo, RungCap, RungInfo, TrackInfo

RUNGS = (RungInfo(0, 426, 240, 400_000), RungInfo(1, 640, 360, 900_000), RungInfo(2, 640, 360, 1_600_000))


def track(key: str, kind: TrackKind, *, is_selected: bool = False, is_forced: bool = False) -> TrackInfo:
    return TrackInfo(key, kind, key, "", (), is_forced=is_forced, is_selected=is_selected)


TEXTS = (track("en", TrackKind.TEXT), track("de", TrackKind.TEXT, is_selected=True, is_forced=True))


def test_quality_offers_each_height_once_as_a_cap_and_each_rung_to_pin() -> None:
    menu = quality_menu(SessionSnapshot(rungs=RUNGS), Wishes(pinned_rung=1), (1080,), 360)

    assert [entry.text for entry in menu.entries] == [
        "Automatic",
        "Up to 360p",
        "Up to 240p",
        "",
        "Always 360p · 1.6 Mb/s",
        "Always 360p · 900 kb/s",
        "Always 240p · 400 kb/s",
    ]
    assert [entry.choice for entry in menu.entries if entry.holds] == [QualityChoice(0, 1)]
    assert menu.label == "Always · 360p"


def test_a_cap_that_is_in_force_is_told_with_its_reason() -> None:
    capped = SessionSnapshot(rungs=RUNGS, cap=RungCap(0, 240, "30 frames were dropped"))

    menu = quality_menu(capped, Wishes(height_cap_px=360), (), 0)

    assert menu.entries[-2:] == (LINE, Entry("At most 240p for now: 30 frames were dropped"))
    assert menu.label == "≤ 360p"
    assert menu.spoken == "Quality (Q): ≤ 360p; at most 240p for now, 30 frames were dropped"


def test_sound_is_offered_only_when_there_is_a_choice() -> None:
    one = SessionSnapshot(tracks=(track("en", TrackKind.AUDIO, is_selected=True), *TEXTS))
    two = replace(one, tracks=(*one.tracks, track("de", TrackKind.AUDIO)))

    assert sound_menu(one) is None
    assert next_sound(one) is None
    menu = sound_menu(two)
    assert menu is not None
    assert menu.entries == (Entry("en", SoundChoice("en"), holds=True), Entry("de", SoundChoice("de")))
    assert next_sound(two) == SoundChoice("de")


def test_subtitles_captions_and_a_file_are_in_one_menu() -> None:
    now = SessionSnapshot(tracks=TEXTS, captions=(CaptionInfo("CC1", "eng"), CaptionInfo("SERVICE1", "", "English")))
    file = SubtitleFile(Path("/a/film.srt"), -0.2)

    menu = text_menu(now, file, CaptionLook())

    assert menu.entries[:-4] == (
        Entry("Off", TextChoice()),
        Entry("en", TextChoice(key="en")),
        Entry("de (forced)", TextChoice(key="de"), holds=True),
        Entry("In the picture: eng", TextChoice(service="CC1")),
        Entry("In the picture: English", TextChoice(service="SERVICE1")),
        LINE,
        Entry("Of a file … (O)", FileChoice()),
        Entry("film.srt, -0.2 s", FileChoice(file.path, -0.2), holds=True),
        Entry("Later (H)", ShiftFile(0.1)),
        Entry("Earlier (G)", ShiftFile(-0.1)),
        Entry("Without the file", NoFile()),
    )
    assert (menu.label, menu.spoken) == ("CC de", "Subtitles (C): de (forced), film.srt")


def test_how_text_looks_is_chosen_one_thing_at_a_time() -> None:
    look = CaptionLook(size=1.4, colour="yellow")

    menu = text_menu(SessionSnapshot(), None, look)
    sizes, colours, backgrounds = (entry.below for entry in menu.entries[-3:])

    assert [entry.choice for entry in (*sizes, *colours, *backgrounds) if entry.holds] == [LookChoice(look)] * 3
    assert sizes[0].choice == LookChoice(CaptionLook(0.75, "yellow"))
    assert backgrounds[2].choice == LookChoice(CaptionLook(1.4, "yellow", "black"))


def test_captions_that_no_manifest_names_are_in_the_menu_once_they_are_shown() -> None:
    menu = text_menu(SessionSnapshot(captions_shown="CC3"), None, CaptionLook())

    assert [entry.text for entry in menu.entries if entry.holds] == ["In the picture: CC3"]
    assert menu.label == "CC CC3"


@pytest.mark.parametrize(
    ("selected", "following"), [("", TextChoice("a")), ("a", TextChoice("b")), ("b", TextChoice())]
)
def test_after_the_last_subtitles_come_none(selected: str, following: TextChoice) -> None:
    tracks = tuple(track(key, TrackKind.TEXT, is_selected=key == selected) for key in "ab")

    assert next_text(SessionSnapshot(tracks=tracks)) == following
    assert next_text(SessionSnapshot()) is None


def test_speed_goes_by_steps_and_stops_at_both_ends() -> None:
    assert [next_speed(1.0, 1), next_speed(1.0, -1)] == [1.25, 0.75]
    assert [next_speed(4.0, 1), next_speed(0.25, -1)] == [4.0, 0.25]
