"""From a URL to a presentation: fetch the manifest and whatever else its reader needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.errors import FetchError, ManifestError
from cushion_player.manifest import Need, ReadResult
from cushion_player.model import Presentation
from cushion_player.transport.base import MANIFEST_LIMIT_BYTES, FetchRequest, FetchResult, Transport, fetch_bytes

MAX_ROUNDS = 8
"""Needs may lead to further needs (hierarchical indexes); a manifest that never settles is refused."""
MAX_AT_ONCE = 16
"""Requests in flight for one presentation: a title with a hundred playlists is not a flood for its server."""


@dataclass(frozen=True, slots=True)
class MissingPart:
    """A part of a presentation that could not be fetched or read, and why, in one sentence."""

    need: Need
    reason: str


@dataclass(frozen=True, slots=True)
class LoadedParts:
    """A presentation as far as its parts could be had."""

    presentation: Presentation
    missing: tuple[MissingPart, ...]


async def load_presentation(
    transport: Transport, url: str, clock: Clock, *, limit_bytes: int = MANIFEST_LIMIT_BYTES
) -> Presentation:
    """Read the manifest at `url` and everything needed to play it.

    limit_bytes: of the manifest and of each of its parts; what is longer is refused without being read to its end.
    Raises FetchError kinds when the manifest or all of its parts cannot be fetched, ManifestError when it cannot be
    read. A part that cannot be fetched is dropped while others remain; the presentation's repairs say so.
    """
    result = await _read(transport, url, clock, limit_bytes)
    for _ in range(MAX_ROUNDS):
        if not result.needs:
            return result.presentation
        result, failed = await _resolve(transport, result, result.needs, clock, limit_bytes)
        for part in failed:
            result = manifest.drop(result, part.need, part.reason)
    raise ManifestError(f"{url}: the manifest still needs more after {MAX_ROUNDS} rounds", location=url)


async def load_parts(
    transport: Transport, url: str, clock: Clock, *, limit_bytes: int = MANIFEST_LIMIT_BYTES
) -> LoadedParts:
    """Read the manifest at `url` and those of its parts that can be had, leaving out nothing of what it says.

    For looking at a manifest rather than playing it. Raises FetchError kinds and ManifestError for the manifest alone.
    """
    result = await _read(transport, url, clock, limit_bytes)
    missing: dict[Need, MissingPart] = {}
    for _ in range(MAX_ROUNDS):
        needs = [need for need in result.needs if need not in missing]
        if not needs:
            break
        result, failed = await _resolve(transport, result, needs, clock, limit_bytes)
        missing |= {part.need: part for part in failed}
    for need in result.needs:
        missing.setdefault(need, MissingPart(need, f"not read within {MAX_ROUNDS} rounds"))
    return LoadedParts(result.presentation, tuple(missing.values()))


async def _read(transport: Transport, url: str, clock: Clock, limit_bytes: int) -> ReadResult:
    fetched = await fetch_bytes(transport, FetchRequest(url, label="manifest"), clock, limit_bytes=limit_bytes)
    return manifest.read(fetched.body, fetched.url)


async def _resolve(
    transport: Transport, result: ReadResult, needs: Sequence[Need], clock: Clock, limit_bytes: int
) -> tuple[ReadResult, list[MissingPart]]:
    """The result with what could be fetched of `needs` put in, and what could not."""
    gate = asyncio.Semaphore(MAX_AT_ONCE)
    answers = await asyncio.gather(*(_fetch_need(transport, need, clock, gate, limit_bytes) for need in needs))
    failed: list[MissingPart] = []
    for need, answer in zip(needs, answers, strict=True):
        if isinstance(answer, FetchError):
            failed.append(MissingPart(need, str(answer)))
            continue
        try:
            result = manifest.resolve(result, need, answer.body, answer.url)
        except ManifestError as exc:
            failed.append(MissingPart(need, str(exc)))
    return result, failed


async def _fetch_need(
    transport: Transport, need: Need, clock: Clock, gate: asyncio.Semaphore, limit_bytes: int
) -> FetchResult | FetchError:
    request = FetchRequest(need.url, byte_range=need.byte_range, label=need.label)
    try:
        async with gate:
            return await fetch_bytes(transport, request, clock, limit_bytes=limit_bytes)
    except FetchError as exc:
        return exc
