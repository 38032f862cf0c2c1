"""Which key does what while a title plays. Pure: a key and its text in, a command out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cushion_demo_app.menus import SHIFT_S
from cushion_demo_app.qt import QtCore

Key = QtCore.Qt.Key


class Action(StrEnum):
    """What a key asks the player page to do."""

    TOGGLE_PLAY = "toggle_play"
    SEEK_BY = "seek_by"
    SEEK_TO_SHARE = "seek_to_share"
    TOGGLE_MUTE = "toggle_mute"
    TOGGLE_FULL_SCREEN = "toggle_full_screen"
    VOLUME_BY = "volume_by"
    TOGGLE_STATS = "toggle_stats"
    NEXT_SUBTITLES = "next_subtitles"
    NEXT_SOUND = "next_sound"
    OPEN_SUBTITLES = "open_subtitles"
    SHIFT_SUBTITLES = "shift_subtitles"
    OPEN_QUALITY = "open_quality"
    SPEED_STEP = "speed_step"
    TEXT_SIZE_STEP = "text_size_step"
    STEP = "step"
    TOGGLE_LOOP = "toggle_loop"
    SKIP = "skip"
    TOGGLE_HELP = "toggle_help"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """`amount`: seconds for SEEK_BY and SHIFT_SUBTITLES, a share (0 to 1) of the title for SEEK_TO_SHARE.

    Of full volume for VOLUME_BY, frames for STEP, 1 or -1 for SPEED_STEP and TEXT_SIZE_STEP.
    """

    action: Action
    amount: float = 0.0


_FIXED: dict[Key, KeyCommand] = {
    Key.Key_Space: KeyCommand(Action.TOGGLE_PLAY),
    Key.Key_K: KeyCommand(Action.TOGGLE_PLAY),
    Key.Key_MediaTogglePlayPause: KeyCommand(Action.TOGGLE_PLAY),
    Key.Key_J: KeyCommand(Action.SEEK_BY, -10.0),
    Key.Key_L: KeyCommand(Action.SEEK_BY, 10.0),
    Key.Key_M: KeyCommand(Action.TOGGLE_MUTE),
    Key.Key_F: KeyCommand(Action.TOGGLE_FULL_SCREEN),
    Key.Key_F11: KeyCommand(Action.TOGGLE_FULL_SCREEN),
    Key.Key_Up: KeyCommand(Action.VOLUME_BY, 0.05),
    Key.Key_Down: KeyCommand(Action.VOLUME_BY, -0.05),
    Key.Key_C: KeyCommand(Action.NEXT_SUBTITLES),
    Key.Key_A: KeyCommand(Action.NEXT_SOUND),
    Key.Key_O: KeyCommand(Action.OPEN_SUBTITLES),
    Key.Key_G: KeyCommand(Action.SHIFT_SUBTITLES, -SHIFT_S),
    Key.Key_H: KeyCommand(Action.SHIFT_SUBTITLES, SHIFT_S),
    Key.Key_Q: KeyCommand(Action.OPEN_QUALITY),
    Key.Key_BracketLeft: KeyCommand(Action.SPEED_STEP, -1),
    Key.Key_BracketRight: KeyCommand(Action.SPEED_STEP, 1),
    Key.Key_Plus: KeyCommand(Action.TEXT_SIZE_STEP, 1),
    Key.Key_Equal: KeyCommand(Action.TEXT_SIZE_STEP, 1),
    Key.Key_Minus: KeyCommand(Action.TEXT_SIZE_STEP, -1),
    Key.Key_Comma: KeyCommand(Action.STEP, -1),
    Key.Key_Period: KeyCommand(Action.STEP, 1),
    Key.Key_R: KeyCommand(Action.TOGGLE_LOOP),
    Key.Key_N: KeyCommand(Action.SKIP),
    Key.Key_Question: KeyCommand(Action.TOGGLE_HELP),
    Key.Key_F1: KeyCommand(Action.TOGGLE_HELP),
    Key.Key_I: KeyCommand(Action.TOGGLE_STATS),
    Key.Key_S: KeyCommand(Action.TOGGLE_STATS),
    Key.Key_Escape: KeyCommand(Action.LEAVE),
    Key.Key_Back: KeyCommand(Action.LEAVE),
    Key.Key_Home: KeyCommand(Action.SEEK_TO_SHARE, 0.0),
    Key.Key_End: KeyCommand(Action.SEEK_TO_SHARE, 1.0),
}

KEYS_HELP = (
    ("Space, K", "Play or pause"),
    ("← →", "5 seconds back or forward (with Shift: 10)"),
    ("J, L", "10 seconds back or forward"),
    ("↑ ↓", "Volume"),
    ("M", "Mute"),
    ("Q", "Quality"),
    ("A", "Other sound"),
    ("C", "Other subtitles, or none"),
    ("O", "Subtitles of a file"),
    ("G, H", "These 0.1 seconds earlier or later"),
    ("+ −", "Subtitles larger or smaller"),
    ("[ ]", "Slower or faster"),
    (", .", "One picture back or forward"),
    ("R", "Play over and over"),
    ("N", "Skip what plays in between"),
    ("F", "Full screen"),
    ("I, S", "Stats"),
    ("0 to 9, Home, End", "Jump to a tenth of the title; End, in a live one, to live"),
    ("?, F1", "This list"),
    ("Esc", "Leave full screen, then the title"),
)
"""For people, in the order they are likely to need them."""


def command_for(key: int, *, shift: bool = False, other_modifier: bool = False) -> KeyCommand | None:
    """What a key press means, None for nothing.

    key: a Qt key code. shift: makes the arrow seeks twice as long. other_modifier: Ctrl, Alt or Meta is held, which
    belongs to the window system, never to us.
    """
    if other_modifier:
        return None
    if key in (Key.Key_Left, Key.Key_Right):
        seconds = 10.0 if shift else 5.0
        return KeyCommand(Action.SEEK_BY, -seconds if key == Key.Key_Left else seconds)
    if Key.Key_0 <= key <= Key.Key_9:
        return KeyCommand(Action.SEEK_TO_SHARE, (key - Key.Key_0) / 10)
    return _FIXED.get(Key(key)) if key in _KNOWN else None


_KNOWN = frozenset(int(key) for key in _FIXED)
