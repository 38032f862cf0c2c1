"""From a URL to a presentation: fetch the manifest and whatever else its reader needs."""

from __future__ import annotations

import asyncio

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.errors import FetchError, ManifestError
from cushion_player.manifest import Need
from cushion_player.model import Presentation
from cushion_player.transport.base import MANIFEST_LIMIT_BYTES, FetchRequest, FetchResult, Transport, fetch_bytes

MAX_ROUNDS = 8
"""Needs may lead to further needs (hierarchical indexes); a manifest that never settles is refused."""


async def load_presentation(transport: Transport, url: str, clock: Clock) -> Presentation:
    """Read the manifest at `url` and everything needed to play it.

    Raises FetchError kinds when the manifest or all of its parts cannot be fetched, ManifestError when it cannot be
    read. A part that cannot be fetched is dropped while others remain; the presentation's repairs say so.
    """
    fetched = await fetch_bytes(transport, FetchRequest(url, label="manifest"), clock, limit_bytes=MANIFEST_LIMIT_BYTES)
    result = manifest.read(fetched.body, fetched.url)
    for _ in range(MAX_ROUNDS):
        if not result.needs:
            return result.presentation
        needs = result.needs
        answers = await asyncio.gather(*(_fetch_need(transport, need, clock) for need in needs))
        for need, answer in zip(needs, answers, strict=True):
            if isinstance(answer, FetchError):
                result = manifest.drop(result, need, str(answer))
                continue
            try:
                result = manifest.resolve(result, need, answer.body, answer.url)
            except ManifestError as exc:
                result = manifest.drop(result, need, str(exc))
    raise ManifestError(f"{url}: the manifest still needs more after {MAX_ROUNDS} rounds", location=url)


async def _fetch_need(transport: Transport, need: Need, clock: Clock) -> FetchResult | FetchError:
    request = FetchRequest(need.url, byte_range=need.byte_range, label=need.label)
    try:
        return await fetch_bytes(transport, request, clock, limit_bytes=MANIFEST_LIMIT_BYTES)
    except FetchError as exc:
        return exc
