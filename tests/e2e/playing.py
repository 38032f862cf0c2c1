"""Plays a URL with the real player, transport and decoders in real time, and writes down what came out when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cushion_player.clock import MonotonicClock
from cushion_player.driving.loading import load_presentation
from cushion_player.engine import EngineSnapshot
from cushion_player.keys import KeyProvider
from cushion_player.media.film import beep_onsets, is_flash, onsets, read_frame_code
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.media.pixels import luma
from cushion_player.outputs import OutputStats, VideoFrame
from cushion_player.planning.addressing import PlaybackPlan, plan_playback
from cushion_player.player import Player
from cushion_player.transport.dispatch import transport_for
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import Link


@dataclass(frozen=True)
class Shown:
    """A frame as it was shown: when by the clock, its timestamp, what its picture says."""

    clock_us: int
    time_us: int
    code: int | None
    is_lit: bool
    height_px: int


@dataclass
class Watched:
    """What reached the outputs, and how things stood at the end."""

    frames: list[Shown] = field(default_factory=list)
    sound: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)
    end: EngineSnapshot | None = None
    output: OutputStats | None = None
    heights_px: list[int] = field(default_factory=list)

    def flash_times_us(self) -> list[int]:
        """Clock times at which a flash was first shown."""
        lit = onsets([frame.clock_us / 1e6 for frame in self.frames], [frame.is_lit for frame in self.frames])
        return [round(time_s * 1e6) for time_s in lit]

    def beep_times_us(self, sample_rate_hz: int = 48_000) -> list[int]:
        """Clock times at which a beep was first heard. The sound must have played without a break."""
        pcm = np.concatenate([part for _, part in self.sound])
        return [self.sound[0][0] + round(onset_s * 1e6) for onset_s in beep_onsets(pcm, sample_rate_hz)]


async def read_plan(url: str) -> PlaybackPlan:
    """The playback plan of a manifest, by our own readers."""
    transport = transport_for(url)
    try:
        return plan_playback((await load_presentation(transport, url, MonotonicClock())).presentation)
    finally:
        await transport.close()


async def watch_url(
    url: str,
    *,
    seconds: float,
    start_s: float = 0.0,
    rung: int | None = None,
    link: Link | None = None,
    key_provider: KeyProvider | None = None,
) -> Watched:
    """Play until the position is `start_s + seconds`; always at `rung`, or by BBA-2 when it is None."""
    clock = MonotonicClock()
    seen = Watched()

    def on_frame(frame: VideoFrame) -> None:
        now_us = clock.now_us()
        picture = luma(frame)
        seen.frames.append(Shown(now_us, frame.time_us, read_frame_code(picture), is_flash(picture), frame.height_px))

    audio = NullAudioOutput(clock, on_play=lambda pcm, at_us: seen.sound.append((at_us, pcm.copy())))
    output = DecodedOutput(HeadlessRenderer(clock, on_frame), audio, clock)
    transport = ShapedTransport(transport_for(url), clock, link)
    rule, params = ("bba2", {}) if rung is None else ("fixed", {"rung": float(rung)})
    making = Player(
        transport=transport, clock=clock, output=output, rule=rule, rule_params=params, key_provider=key_provider
    )
    try:
        async with making as player, asyncio.timeout(seconds + 30):
            await player.load(url, round(start_s * 1e6))
            player.play()
            while player.snapshot().engine.position_us < (start_s + seconds) * 1e6:  # noqa: ASYNC110 (real time is what is tested)
                await asyncio.sleep(0.02)
            seen.end, seen.output = player.snapshot().engine, player.snapshot().output
    finally:
        await transport.close()
    seen.heights_px = [frame.height_px for frame in seen.frames]
    return seen
