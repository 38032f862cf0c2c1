"""From a URL to a presentation: fetch the manifest and whatever else its reader needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.driving.asker import Asker, list_attempts
from cushion_player.errors import FetchError, FetchTimeout, ManifestError
from cushion_player.manifest import Need, NeedKind, ReadResult
from cushion_player.model import ContentKind, Presentation
from cushion_player.planning.places import other_urls
from cushion_player.transport.base import MANIFEST_LIMIT_BYTES, FetchRequest, FetchResult, Transport
from cushion_player.transport.wording import public_url

MAX_ROUNDS = 8
"""Needs may lead to further needs (hierarchical indexes); a manifest that never settles is refused."""
LOAD_LIMIT_S = 25.0
"""For the manifest and all its parts together: a server that drips a byte a second is as bad as one that hangs."""
MAX_TEXT_PLAYLISTS = 40
"""Subtitle tracks beyond so many are not offered."""
TEXT_PATIENCE_S = 4.0
"""A film starts without the subtitles whose playlist takes longer."""
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
    date: str = ""
    """The Date header that the manifest came with."""
    date_us: int = 0
    """When that was, by the caller's clock."""


async def load_presentation(
    transport: Transport,
    url: str,
    clock: Clock,
    *,
    others: Sequence[str] = (),
    asker: Asker | None = None,
    limit_bytes: int = MANIFEST_LIMIT_BYTES,
    limit_s: float = LOAD_LIMIT_S,
) -> LoadedParts:
    """Read the manifest at `url` and everything needed to play it, subtitles included.

    others: further addresses of the same manifest, tried in turn where `url` does not do. asker: how often.
    limit_bytes: of the manifest and of each of its parts; what is longer is refused without being read to its end.
    limit_s: for everything together, by the event loop's time.
    Raises FetchError kinds when the manifest, all of its parts or all of its video cannot be fetched, ManifestError
    when it cannot be read. A part that cannot be fetched is dropped while others remain, and is in `missing`; so is
    text that does not come at once.
    """
    asker = asker or Asker(transport, clock)
    async with _limited(url, limit_s) as tried:
        fetched, result = await _read(asker, url, others, limit_bytes, tried)
        has_video = _has_video(result.presentation)
        missing: list[MissingPart] = []
        asked: set[Need] = set()
        """Playlists of text, which are wanted but never waited for long, nor asked for twice."""
        for _ in range(MAX_ROUNDS):
            if not result.needs:
                break
            text = [need for need in _text_needs(result.presentation) if need not in asked][:MAX_TEXT_PLAYLISTS]
            asked.update(text)
            result, failed = await _resolve(asker, result, [*result.needs, *text], limit_bytes, asked)
            for part in failed:
                if part.need not in asked:
                    result = manifest.drop(result, part.need, part.reason)
            missing += failed
        else:
            raise ManifestError(f"the manifest still needs more after {MAX_ROUNDS} rounds", location=url)
    if missing and has_video and not _has_video(result.presentation):
        raise FetchError(f"none of the video could be had; first of {len(missing)}: {missing[0].reason}", url=url)
    return LoadedParts(result.presentation, tuple(missing), fetched.headers.get("date", ""), fetched.first_byte_us)


async def load_parts(
    transport: Transport,
    url: str,
    clock: Clock,
    *,
    limit_bytes: int = MANIFEST_LIMIT_BYTES,
    limit_s: float = LOAD_LIMIT_S,
) -> LoadedParts:
    """Read the manifest at `url` and those of its parts that can be had, leaving out nothing of what it says.

    For looking at a manifest rather than playing it. Raises FetchError kinds and ManifestError for the manifest alone.
    """
    async with _limited(url, limit_s) as tried:
        return await _load_parts(Asker(transport, clock), url, limit_bytes, tried)


async def _load_parts(asker: Asker, url: str, limit_bytes: int, tried: list[str]) -> LoadedParts:
    _, result = await _read(asker, url, (), limit_bytes, tried)
    missing: dict[Need, MissingPart] = {}
    for _ in range(MAX_ROUNDS):
        needs = [need for need in result.needs if need not in missing]
        if not needs:
            break
        result, failed = await _resolve(asker, result, needs, limit_bytes)
        missing |= {part.need: part for part in failed}
    for need in result.needs:
        missing.setdefault(need, MissingPart(need, f"not read within {MAX_ROUNDS} rounds"))
    return LoadedParts(result.presentation, tuple(missing.values()))


@asynccontextmanager
async def _limited(url: str, limit_s: float) -> AsyncGenerator[list[str], None]:
    """Gives the list in which the tries for the manifest are gathered."""
    tried: list[str] = []
    try:
        async with asyncio.timeout(limit_s):
            yield tried
    except TimeoutError as exc:
        late = FetchTimeout(f"{public_url(url)}: not all of the manifest came within {limit_s:g} s", url=url)
        list_attempts(late, tried)
        raise late from exc


def _has_video(presentation: Presentation) -> bool:
    return any(
        adaptation_set.kind is ContentKind.VIDEO and adaptation_set.representations
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
    )


async def complete(asker: Asker, result: ReadResult) -> Presentation:
    """A presentation with what it still needs after a refresh; parts that cannot be had are left out.

    Raises ManifestError when nothing would be left, FetchError when the whole manifest is needed and cannot be had.
    """
    for _ in range(MAX_ROUNDS):
        if not result.needs:
            return result.presentation
        result, failed = await _resolve(asker, result, result.needs, MANIFEST_LIMIT_BYTES)
        for part in failed:
            result = manifest.drop(result, part.need, part.reason)
    raise ManifestError(f"the manifest still needs more after {MAX_ROUNDS} rounds", location=result.presentation.url)


async def _read(
    asker: Asker, url: str, others: Sequence[str], limit_bytes: int, tried: list[str]
) -> tuple[FetchResult, ReadResult]:
    """The manifest, from the first address where it can be had and read."""

    def read(fetched: FetchResult, _: str) -> tuple[FetchResult, ReadResult]:
        return fetched, manifest.read(fetched.body, fetched.url)

    request = FetchRequest(url, label="manifest")
    asyncio.get_running_loop().call_soon(manifest.prepare, url)  # while the connection is made
    return await asker.ask(request, read, others=others, limit_bytes=limit_bytes, tried=tried)


def _text_needs(presentation: Presentation) -> list[Need]:
    """The playlists of text that were not read yet."""
    text = {
        item.id
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        if adaptation_set.kind is ContentKind.TEXT
        for item in adaptation_set.representations
    }
    return [need for need in manifest.later_needs(presentation) if need.representation in text] if text else []


def _elsewhere(presentation: Presentation, needs: Sequence[Need]) -> dict[Need, tuple[str, ...]]:
    """Where else the same is to be had."""
    items = {
        (number, item.id): item
        for number, period in enumerate(presentation.periods)
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
        if len(item.bases) > 1 or item.alternatives
    }
    found = {need: items.get((need.period, need.representation)) for need in needs} if items else {}
    return {need: other_urls(item, need.url) for need, item in found.items() if item is not None}


async def _resolve(
    asker: Asker,
    result: ReadResult,
    needs: Sequence[Need],
    limit_bytes: int,
    hasty: Container[Need] = (),
) -> tuple[ReadResult, list[MissingPart]]:
    """The result with what could be fetched of `needs` put in, and what could not. hasty: those not waited for long."""
    gate = asyncio.Semaphore(MAX_AT_ONCE)
    places = _elsewhere(result.presentation, needs)
    answers = await asyncio.gather(
        *(_fetch_need(asker, need, places.get(need, ()), gate, limit_bytes, is_hasty=need in hasty) for need in needs)
    )
    failed: list[MissingPart] = []
    for need, answer in zip(needs, answers, strict=True):
        if isinstance(answer, FetchError):
            failed.append(MissingPart(need, str(answer)))
            continue
        fetched, asked_url = answer
        try:
            result = _resolved(result, need, fetched, asked_url)
        except ManifestError as exc:
            urls = [url for url in (need.url, *places.get(need, ())) if url != asked_url]
            try:
                result = await _from_elsewhere(asker, result, need, urls, limit_bytes, exc)
            except (FetchError, ManifestError) as error:
                failed.append(MissingPart(need, str(error)))
    return result, failed


def _resolved(result: ReadResult, need: Need, fetched: FetchResult, asked_url: str) -> ReadResult:
    """The result with what was fetched for a need put in. Raises ManifestError kinds."""
    result = manifest.resolve(result, need, fetched.body, fetched.url)
    if need.kind is not NeedKind.PLAYLIST or asked_url == need.url:
        return result
    from cushion_player.manifest.hls_pathways import read_at

    return replace(result, presentation=read_at(result.presentation, need.representation, asked_url))


async def _from_elsewhere(
    asker: Asker, result: ReadResult, need: Need, urls: Sequence[str], limit_bytes: int, error: ManifestError
) -> ReadResult:
    """What the first of these addresses brings whose body can be read; `error` is what another one brought."""
    if not urls:
        raise error

    def read(fetched: FetchResult, url: str) -> ReadResult:
        return _resolved(result, need, fetched, url)

    request = FetchRequest(urls[0], byte_range=need.byte_range, label=need.label)
    tried = [str(error)]
    return await asker.ask(request, read, others=urls[1:], is_once=True, limit_bytes=limit_bytes, tried=tried)


async def _fetch_need(
    asker: Asker, need: Need, others: Sequence[str], gate: asyncio.Semaphore, limit_bytes: int, *, is_hasty: bool
) -> tuple[FetchResult, str] | FetchError:
    """The body and the address it was asked for at."""
    request = FetchRequest(need.url, byte_range=need.byte_range, label=need.label)
    try:
        async with asyncio.timeout(TEXT_PATIENCE_S if is_hasty else None), gate:
            return await asker.ask(request, lambda fetched, url: (fetched, url), others=others, limit_bytes=limit_bytes)
    except FetchError as exc:
        return exc
    except TimeoutError:
        return FetchTimeout(f"{need.label}: not there within {TEXT_PATIENCE_S:g} s", url=need.url)
