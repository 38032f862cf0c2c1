"""Asks a content steering server for a driver. When to ask, and what its answers are worth, is the engine's to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cushion_player.driving.asker import Asker
from cushion_player.driving.failures import failure_of
from cushion_player.effects import AskSteering
from cushion_player.engine.config import FetchFailure, SteeringAnswer
from cushion_player.errors import CushionError
from cushion_player.manifest.steering import SourceUse, asking_url, read_steering
from cushion_player.model import ContentSteering, PathwayClone, SteeringManifest
from cushion_player.transport.base import FetchRequest, FetchResult, FetchTimeouts

LIMIT_BYTES = 256 * 1024
"""Steering manifests have some hundred bytes; a hundred clones with their own addresses fit."""
LIMIT_S = 10.0
"""For all of an answer: a drip is no answer."""
TIMEOUTS = FetchTimeouts(5.0, 5.0, 5.0)
LABEL = "the steering manifest"

OnAnswer = Callable[[SteeringAnswer, tuple[PathwayClone, ...]], None]
"""Told what the engine is to know, and how its new sources differ from what they were made from."""


class SteeringServer:
    """One steering server. It is asked once at a time."""

    def __init__(self, asker: Asker, steering: ContentSteering, kind: str) -> None:
        """kind: of the presentation, `dash` or `hls`."""
        self._asker = asker
        self._steering = steering
        self._kind = kind
        self._reload_url = ""
        self._task: asyncio.Task[None] | None = None

    def ask(
        self,
        effect: AskSteering,
        group: asyncio.TaskGroup,
        on_answer: OnAnswer,
        on_failure: Callable[[FetchFailure], None],
    ) -> None:
        """Find out what it answers now, and say so by one of the two."""
        self._task = group.create_task(self._ask(effect, on_answer, on_failure))

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _ask(
        self,
        effect: AskSteering,
        on_answer: OnAnswer,
        on_failure: Callable[[FetchFailure], None],
    ) -> None:
        try:
            found = await self._answer(effect)
        except CushionError as exc:
            on_failure(failure_of(exc))
        else:
            on_answer(_answer_of(found), found.clones)

    async def _answer(self, effect: AskSteering) -> SteeringManifest:
        uses = tuple(map(SourceUse, effect.sources, effect.throughputs_bps))
        url = asking_url(self._steering, self._kind, uses, self._reload_url)
        request = FetchRequest(url, timeouts=TIMEOUTS, label=LABEL)
        found = await self._asker.ask(request, _read, is_once=True, limit_bytes=LIMIT_BYTES, limit_s=LIMIT_S)
        self._reload_url = found.reload_url
        return found


def _read(fetched: FetchResult, _: str) -> SteeringManifest:
    return read_steering(fetched.body, fetched.url)


def _answer_of(found: SteeringManifest) -> SteeringAnswer:
    """What an engine is told of an answer."""
    clones = tuple((clone.base_id, clone.id) for clone in found.clones)
    return SteeringAnswer(found.priority, found.ttl_s * 1_000_000, clones)
