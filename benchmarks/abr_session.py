"""One session of our player over HTTP, decoded and shown to nobody; prints when each frame was painted, as JSON.

python -m benchmarks.abr_session URL RULE
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys

from cushion_player.clock import MonotonicClock
from cushion_player.engine import EngineConfig
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.notices import Notice, PlaybackStarted, RebufferEnded
from cushion_player.outputs import VideoFrame
from cushion_player.player import Player
from cushion_player.testing.origin import Origin
from cushion_player.transport.base import FetchRequest, fetch_bytes
from cushion_player.transport.http import HttpTransport

LIMIT_S = 240.0


async def watch(url: str, rule: str) -> dict[str, object]:
    """Play to the end; times in seconds since the player was asked."""
    clock = MonotonicClock()
    frames: list[tuple[float, float, int]] = []
    began_us = clock.now_us()
    stalls: list[float] = []
    startup: list[float] = []

    def painted(frame: VideoFrame) -> None:
        frames.append(((clock.now_us() - began_us) / 1e6, frame.time_us / 1e6, frame.height_px))

    def hear(notice: Notice) -> None:
        if isinstance(notice, RebufferEnded):
            stalls.append(notice.duration_us / 1e6)
        elif isinstance(notice, PlaybackStarted):
            startup.append((clock.now_us() - began_us) / 1e6)

    transport = HttpTransport()
    await warm_up(transport, clock)
    output = DecodedOutput(HeadlessRenderer(clock, painted), NullAudioOutput(clock), clock)
    try:
        async with Player(transport=transport, clock=clock, output=output, config=EngineConfig(), rule=rule) as player:
            player.subscribe(hear)
            began_us = clock.now_us()
            await player.load(url)
            player.play()
            async with asyncio.timeout(LIMIT_S):
                finished = await player.wait_finished()
    finally:
        await transport.close()
    return {
        "frames": frames,
        "stalled_s": sum(stalls),
        "clock_started_s": startup[0] if startup else None,
        "outcome": type(finished).__name__,
        "version": rule,
    }


async def warm_up(transport: HttpTransport, clock: MonotonicClock) -> None:
    """Have loaded what a running program has loaded, as a browser has its page and its player when it is asked."""
    for module in ("manifest.dash", "manifest.hls", "media.demux.mp4"):
        importlib.import_module(f"cushion_player.{module}")
    async with Origin({"/nothing": b"-"}) as origin:
        await fetch_bytes(transport, FetchRequest(origin.url("/nothing")), clock)


def main() -> int:
    url, rule = sys.argv[1:]
    json.dump(asyncio.run(watch(url, rule)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
