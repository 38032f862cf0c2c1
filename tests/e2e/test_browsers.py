"""dash.js and hls.js in Chromium play what we publish; and the same judge refuses what is broken."""

from __future__ import annotations

import pytest

from cushion_sdk.contracts import Title
from tests.e2e.judging import Player, Spoil, faults, watch
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.engine("chromium", "node", "browser-players"), pytest.mark.slow]

SECONDS = 4.0


def address(stack: Stack, title: Title, player: Player) -> str:
    return stack.dash_url(title) if player == "dash" else stack.hls_url(title)


def heights(title: Title) -> list[int]:
    return [rung.height_px for rung in title.ladder.video]


@pytest.mark.parametrize("player", ["dash", "hls"])
def test_browser_player_plays_the_title_from_0(stack: Stack, film_title: Title, player: Player) -> None:
    report = watch(player, address(stack, film_title, player), seconds=SECONDS)

    assert faults(report, seconds=SECONDS, heights_px=heights(film_title)) == []


@pytest.mark.parametrize("player", ["dash", "hls"])
@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [("manifest-404", "played 0.000 s"), ("audio-noise", "no audio byte was decoded")],
)
def test_judge_refuses_what_is_broken(
    stack: Stack, film_title: Title, player: Player, spoil: Spoil, complaint: str
) -> None:
    audio = "|".join(stack.audio_objects(film_title))

    report = watch(player, address(stack, film_title, player), seconds=SECONDS, spoil=spoil, audio_pattern=audio)

    found = faults(report, seconds=SECONDS, heights_px=heights(film_title))

    assert any(complaint in fault for fault in found), found
