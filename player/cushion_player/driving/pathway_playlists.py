"""Media playlists of other pathways than the one that a presentation was read from (HLS), read when they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cushion_player.clock import Clock
from cushion_player.driving.asker import Asker
from cushion_player.errors import SegmentNotListed
from cushion_player.manifest.hls_pathways import counterpart, read_elsewhere
from cushion_player.model import BaseUrl, Representation, Segment
from cushion_player.planning.alignment import align
from cushion_player.public_url import public_url
from cushion_player.transport.base import FetchRequest, FetchResult, FetchTimeouts

ANSWER_S = 5.0
"""A playlist that is silent for longer does not come in time."""
MIN_AGE_US = 500_000
"""A playlist is not read again sooner, however much is not listed in it yet."""


@dataclass(slots=True)
class _Elsewhere:
    """A representation as another pathway lists it."""

    there: Representation
    read_us: int
    here: Sequence[Segment] | None = None
    """The home's segments that `shift` was found for."""
    shift: Fraction | None = None
    """What its times lack of the home's; None where nothing ties the two together."""


class PathwayPlaylists:
    """Reads each playlist once, and a live one again when it does not list what is wanted."""

    def __init__(self, asker: Asker, clock: Clock, variables: tuple[tuple[str, str], ...]) -> None:
        """variables: of the multivariant playlist."""
        self._asker = asker
        self._clock = clock
        self._variables = variables
        self._read: dict[str, _Elsewhere] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def find(
        self, here: Representation, place: BaseUrl, wanted: Segment, label: str
    ) -> tuple[Representation, Segment]:
        """The representation as it is listed at `place`, and its segment with the content of `wanted`.

        here: as its home lists it, `wanted` too. label: what the playlist is, for messages.
        Raises FetchError and ManifestError kinds.
        """
        async with self._locks.setdefault(place.url, asyncio.Lock()):
            listed = self._read.get(place.url)
            found = _counterpart(wanted, here, listed) if listed is not None else None
            if found is None and (listed is None or self._may_have_grown(listed)):
                listed = self._read[place.url] = await self._ask(here, place.url, label)
                found = _counterpart(wanted, here, listed)
        if found is None or listed is None:
            raise SegmentNotListed(f"{label} does not list segment {wanted.number} ({public_url(place.url)})")
        return listed.there, found

    def _may_have_grown(self, listed: _Elsewhere) -> bool:
        playlist = listed.there.playlist
        has_ended = playlist is None or playlist.has_ended
        return not has_ended and self._clock.now_us() - listed.read_us >= MIN_AGE_US

    async def _ask(self, here: Representation, url: str, label: str) -> _Elsewhere:
        def read(fetched: FetchResult, _: str) -> _Elsewhere:
            there = read_elsewhere(here, fetched.body, fetched.url, self._variables, label)
            return _Elsewhere(there, self._clock.now_us())

        timeouts = FetchTimeouts(ANSWER_S, ANSWER_S, ANSWER_S)
        return await self._asker.ask(FetchRequest(url, timeouts=timeouts, label=label), read, is_once=True)


def _counterpart(wanted: Segment, here: Representation, listed: _Elsewhere) -> Segment | None:
    if listed.here is not here.segments:
        tie = align(here, listed.there)
        listed.here, listed.shift = here.segments, tie.shift if tie is not None else None
    return counterpart(wanted, here, listed.there, listed.shift) if listed.shift is not None else None
