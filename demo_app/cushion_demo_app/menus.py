"""What the menus of the control bar offer, and what holds of it. Pure functions of a session's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cushion_demo_app.caption_look import BACKGROUNDS, COLOURS, SIZES, CaptionLook
from cushion_demo_app.wishes import (
    Choice,
    FileChoice,
    LinkChoice,
    LookChoice,
    NoFile,
    QualityChoice,
    ShiftFile,
    SoundChoice,
    SpeedChoice,
    TextChoice,
    Wishes,
)
from cushion_demo_app.wording import link_text, rate_text, speed_text, track_name
from cushion_player.timeline import TrackKind
from cushion_sdk.session_types import SessionSnapshot
from cushion_sdk.tracks import RungInfo, TrackInfo

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0)
SHIFT_S = 0.1
"""One step of the file's subtitles."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a menu; without a choice it only says something, without a text it is a line between others."""

    text: str = ""
    choice: Choice | None = None
    holds: bool = False
    below: tuple[Entry, ...] = ()
    """What a menu of its own offers, instead of a choice."""


LINE = Entry()


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu, and what its button says: in short, and for the tool tip and screen readers."""

    label: str
    spoken: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SubtitleFile:
    """A file whose subtitles are shown."""

    path: Path
    offset_s: float = 0.0


def quality_menu(now: SessionSnapshot, wishes: Wishes, heights_px: Sequence[int], shown_px: int) -> Menu:
    """Automatic, up to a height, or always one rung; and what the player keeps below just now.

    heights_px: of the ladder, while the session does not know it yet. shown_px: of the picture on screen, 0 for none.
    """
    rungs = now.rungs
    heights = sorted({rung.height_px for rung in rungs if rung.height_px} or set(heights_px), reverse=True)
    is_free = wishes.pinned_rung is None
    entries = [Entry("Automatic", QualityChoice(), is_free and not wishes.height_cap_px)]
    entries += [
        Entry(f"Up to {height}p", QualityChoice(height), is_free and wishes.height_cap_px == height)
        for height in heights
    ]
    if len(rungs) > 1:
        entries.append(LINE)
        entries += [
            Entry(f"Always {_rung_text(rung)}", QualityChoice(0, rung.rung), wishes.pinned_rung == rung.rung)
            for rung in reversed(rungs)
        ]
    if now.cap is not None:
        entries += [LINE, Entry(f"At most {now.cap.height_px}p for now: {now.cap.reason}")]
    limit = "Auto"
    if wishes.pinned_rung is not None:
        limit = "Always"
    elif wishes.height_cap_px:
        limit = f"≤ {wishes.height_cap_px}p"
    label = f"{limit} · {shown_px}p" if shown_px else limit
    why = f"; at most {now.cap.height_px}p for now, {now.cap.reason}" if now.cap is not None else ""
    return Menu(label, f"Quality (Q): {label}{why}", tuple(entries))


def _rung_text(rung: RungInfo) -> str:
    rate = rate_text(rung.bitrate_bps)
    return f"{rung.height_px}p · {rate}" if rung.height_px else rate


def sound_menu(now: SessionSnapshot) -> Menu | None:
    """Languages and commentaries; None when there is nothing to choose."""
    sounds = [track for track in now.tracks if track.kind is TrackKind.AUDIO]
    if len(sounds) < 2:
        return None
    chosen = next((track for track in sounds if track.is_selected), None)
    entries = tuple(Entry(track_name(track), SoundChoice(track.key), track.is_selected) for track in sounds)
    name = track_name(chosen) if chosen is not None else "none"
    return Menu(_short(chosen, "Sound"), f"Sound (A): {name}", entries)


def text_menu(now: SessionSnapshot, file: SubtitleFile | None, look: CaptionLook) -> Menu:
    """Subtitles, captions inside the picture, those of a file with their offset, and how text looks."""
    texts = [track for track in now.tracks if track.kind is TrackKind.TEXT]
    chosen = next((track for track in texts if track.is_selected), None)
    entries = [Entry("Off", TextChoice(), chosen is None and not now.captions_shown)]
    entries += [Entry(track_name(track), TextChoice(key=track.key), track.is_selected) for track in texts]
    services = {each.service: each.label or each.language for each in now.captions}
    if now.captions_shown:
        services.setdefault(now.captions_shown, "")
    entries += [
        Entry(f"In the picture: {name or service}", TextChoice(service=service), service == now.captions_shown)
        for service, name in services.items()
    ]
    entries += [LINE, Entry("Of a file … (O)", FileChoice())]
    if file is not None:
        entries += [
            Entry(f"{file.path.name}, {file.offset_s:+.1f} s", FileChoice(file.path, file.offset_s), holds=True),
            Entry("Later (H)", ShiftFile(SHIFT_S)),
            Entry("Earlier (G)", ShiftFile(-SHIFT_S)),
            Entry("Without the file", NoFile()),
        ]
    entries += [LINE, *_look_entries(look)]
    shown = [track_name(chosen)] if chosen is not None else []
    shown += [now.captions_shown] if now.captions_shown else []
    shown += [file.path.name] if file is not None else []
    short = _short(chosen, "") if chosen is not None else now.captions_shown or ("file" if file is not None else "off")
    return Menu(f"CC {short}", f"Subtitles (C): {', '.join(shown) or 'off'}", tuple(entries))


def _look_entries(look: CaptionLook) -> list[Entry]:
    sizes = [Entry(name, LookChoice(replace(look, size=size)), look.size == size) for name, size in SIZES]
    colours = [
        Entry(text, LookChoice(replace(look, colour=name)), look.colour == name) for name, text in COLOURS.items()
    ]
    backgrounds = [
        Entry(text, LookChoice(replace(look, background=name)), look.background == name)
        for name, text in BACKGROUNDS.items()
    ]
    return [
        Entry("Size (+, −)", below=tuple(sizes)),
        Entry("Colour", below=tuple(colours)),
        Entry("Background", below=tuple(backgrounds)),
    ]


def speed_menu(speed: float) -> Menu:
    """From a quarter to four times."""
    entries = tuple(Entry(speed_text(each), SpeedChoice(each), each == speed) for each in SPEEDS)
    return Menu(speed_text(speed), f"Speed ([, ]): {speed_text(speed)}", entries)


def link_menu(names: Sequence[str], name: str) -> Menu:
    """The link that is played over: the real one, or one that a trace makes of it."""
    entries = tuple(Entry(link_text(each), LinkChoice(each), each == name) for each in names)
    return Menu(link_text(name), f"Simulated link: {link_text(name)}", entries)


def next_speed(speed: float, step: int) -> float:
    """The speed one step faster or slower; the same at either end."""
    others = [each for each in SPEEDS if (each > speed if step > 0 else each < speed)]
    return speed if not others else min(others) if step > 0 else max(others)


def _short(track: TrackInfo | None, name: str) -> str:
    """A language as its code, else the beginning of the label."""
    if track is None:
        return name
    return track.language or track.label[:10] or name or "on"


def next_text(now: SessionSnapshot) -> TextChoice | None:
    """The next subtitles, after the last none; None when there are none at all."""
    texts = [track for track in now.tracks if track.kind is TrackKind.TEXT]
    at = next((index for index, track in enumerate(texts) if track.is_selected), -1) + 1
    if not texts:
        return None
    return TextChoice(key=texts[at].key) if at < len(texts) else TextChoice()


def next_sound(now: SessionSnapshot) -> SoundChoice | None:
    """The next language or commentary, after the last the first; None when there is no other."""
    sounds = [track for track in now.tracks if track.kind is TrackKind.AUDIO]
    at = next((index for index, track in enumerate(sounds) if track.is_selected), -1)
    return SoundChoice(sounds[(at + 1) % len(sounds)].key) if len(sounds) > 1 else None
