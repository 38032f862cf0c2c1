"""One asset of a break: a player of its own, loaded ahead, started when its turn comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cushion_player.errors import CushionError
from cushion_player.interstitials.output_switch import OutputHandle, OutputSwitch
from cushion_player.notices import PlaybackFailed
from cushion_player.outputs import MediaOutput
from cushion_player.player import Player

MakePlayer = Callable[[MediaOutput], Player]


@dataclass(frozen=True, slots=True)
class AssetOutcome:
    """What came of an asset. code, message: of its failure; "" when it played."""

    played_us: int
    code: str = ""
    message: str = ""


class Asset:
    """Runs in a task of its owner: loads at once, plays from `begin` until it ends or `stop` is called."""

    def __init__(self, url: str, make: MakePlayer, switch: OutputSwitch) -> None:
        self._url = url
        self._switch = switch
        self._handle: OutputHandle = switch.handle()
        self._player = make(self._handle)
        self._begun = asyncio.Event()
        self._stopped = asyncio.Event()
        self._wants_play = True
        self._outcome: asyncio.Future[AssetOutcome] = asyncio.get_running_loop().create_future()

    @property
    def player(self) -> Player:
        return self._player

    async def run(self) -> None:
        """Play the asset when its turn comes; what fails is its outcome."""
        try:
            outcome = await self._run()
        except CushionError as exc:
            outcome = AssetOutcome(0, exc.code, str(exc))
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def _run(self) -> AssetOutcome:
        async with self._player as player:
            await player.load(self._url)
            await _first(self._begun.wait(), self._stopped.wait())
            if self._stopped.is_set():
                return AssetOutcome(0)
            self._switch.give_to(self._handle)
            if self._wants_play:
                player.play()
            await _first(player.wait_finished(), self._stopped.wait())
            position_us = player.snapshot().engine.position_us
            finished = player.failure
        if isinstance(finished, PlaybackFailed):
            return AssetOutcome(position_us, finished.code, finished.message)
        return AssetOutcome(position_us)

    def begin(self, *, wants_play: bool) -> None:
        """Its turn has come."""
        self._wants_play = wants_play
        self._begun.set()

    def stop(self) -> None:
        """Enough of it."""
        self._stopped.set()

    async def outcome(self) -> AssetOutcome:
        return await asyncio.shield(self._outcome)


async def _first(*waits: Awaitable[object]) -> None:
    """Wait until one of them is done; the others are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
