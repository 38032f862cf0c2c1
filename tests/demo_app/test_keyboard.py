from __future__ import annotations

import pytest

from cushion_demo_app.keyboard import Action, KeyCommand, command_for
from cushion_demo_app.qt import QtCore

Key = QtCore.Qt.Key


@pytest.mark.parametrize(
    ("key", "action", "amount"),
    [
        (Key.Key_Space, Action.TOGGLE_PLAY, 0),
        (Key.Key_K, Action.TOGGLE_PLAY, 0),
        (Key.Key_Left, Action.SEEK_BY, -5),
        (Key.Key_Right, Action.SEEK_BY, 5),
        (Key.Key_J, Action.SEEK_BY, -10),
        (Key.Key_L, Action.SEEK_BY, 10),
        (Key.Key_M, Action.TOGGLE_MUTE, 0),
        (Key.Key_F, Action.TOGGLE_FULL_SCREEN, 0),
        (Key.Key_Up, Action.VOLUME_BY, 0.05),
        (Key.Key_Down, Action.VOLUME_BY, -0.05),
        (Key.Key_C, Action.NEXT_SUBTITLES, 0),
        (Key.Key_A, Action.NEXT_SOUND, 0),
        (Key.Key_I, Action.TOGGLE_STATS, 0),
        (Key.Key_S, Action.TOGGLE_STATS, 0),
        (Key.Key_Escape, Action.LEAVE, 0),
        (Key.Key_Home, Action.SEEK_TO_SHARE, 0),
        (Key.Key_End, Action.SEEK_TO_SHARE, 1),
        (Key.Key_0, Action.SEEK_TO_SHARE, 0),
        (Key.Key_7, Action.SEEK_TO_SHARE, 0.7),
    ],
)
def test_each_key_has_its_command(key: int, action: Action, amount: float) -> None:
    assert command_for(key) == KeyCommand(action, amount)


def test_shift_doubles_the_arrows() -> None:
    assert command_for(Key.Key_Left, shift=True) == KeyCommand(Action.SEEK_BY, -10)


def test_keys_with_ctrl_are_the_systems() -> None:
    assert command_for(Key.Key_F, other_modifier=True) is None


def test_other_keys_mean_nothing() -> None:
    assert command_for(Key.Key_W) is None
