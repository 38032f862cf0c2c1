"""Several hosts and a steering server over real sockets: moved by the server, and back when a host dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.notices import Notice, PlaybackEnded, SourceChanged
from cushion_player.player import Player
from cushion_player.testing.live import LiveConfig, LiveSite, Pathway, Programme, Steering, made_up_asset
from cushion_player.testing.origin import Origin
from cushion_player.testing.reading_output import ReadingOutput
from cushion_player.transport.http import HttpTransport

SECOND = 1_000_000
TITLE = LiveConfig((Programme(made_up_asset(bitrates_bps=(100_000,))),), is_vod=True, end_us=120 * SECOND)


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
async def test_a_steering_server_moves_a_viewer_and_a_host_that_dies_sends_them_back(path: str) -> None:
    clock = MonotonicClock()
    heard: list[Notice] = []
    transport = HttpTransport()
    async with Origin({}) as one, Origin({}) as two:
        pathways = (Pathway("a", one.url("/")), Pathway("b", two.url("/")))
        config = replace(TITLE, pathways=pathways, steering=Steering(((0, ("a", "b")),)))
        one.site = two.site = LiveSite(config)
        one.content["/steering.json"] = b'{"VERSION":1,"TTL":300,"PATHWAY-PRIORITY":["b","a"]}'
        player = Player(transport=transport, clock=clock, output=ReadingOutput(clock))
        player.subscribe(heard.append)
        async with player:
            await player.load(one.url(path))
            player.set_rate(4.0)
            player.play()
            while not any(entry.path.endswith("12.m4s") for entry in two.log):
                await two.asked(len(two.log) + 1)
            await two.close()
            player.seek(110 * SECOND)
            ended = await player.wait_finished()
    await transport.close()

    changes = [(change.from_source, change.to_source) for change in heard if isinstance(change, SourceChanged)]
    assert isinstance(ended, PlaybackEnded)
    assert set(changes) == {("a", "b"), ("b", "a")}
