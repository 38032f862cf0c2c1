"""Reads a live MPD again for a driver: as a patch while that lasts, else whole, at the places it may be had from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from cushion_player import manifest
from cushion_player.driving.asker import Asker
from cushion_player.driving.loading import complete
from cushion_player.errors import CushionError
from cushion_player.manifest import ReadResult
from cushion_player.model import Location, PatchLocation, Presentation
from cushion_player.transport.base import FetchRequest, FetchResult, FetchTimeouts

BODY_S = 5.0
"""So long all of it may take behind its first byte: what drips is out of date when it is there."""
LABEL = "the manifest"

P = TypeVar("P", Location, PatchLocation)


class MpdReader:
    """Where the MPD of one live presentation was had, and where it is asked for next. Reads one version at a time."""

    def __init__(self, asker: Asker, timeouts: FetchTimeouts, others: Sequence[str]) -> None:
        """others: addresses that it may also be had at, after those it names itself."""
        self._asker = asker
        self._timeouts = timeouts
        self._others = tuple(others)
        self._sources: tuple[str, ...] = ()
        """In the order in which they are to be asked, as far as there is one."""
        self._good: tuple[tuple[Location, ...], str] = ((), "")
        """Where the whole of it was had last, and which places were offered then, in that order."""

    async def read(self, presentation: Presentation, sources: tuple[str, ...], utc: Fraction) -> Presentation:
        """The newest version; the very same presentation when nothing has changed.

        sources: those to ask first, preferred first. utc: now, in seconds since 1970. Raises FetchError and
        ManifestError kinds.
        """
        self._sources = sources
        ordered = replace(presentation, patch_locations=self._ordered(presentation.patch_locations))
        wanted, whole_urls = manifest.reload_url(ordered, now=utc), self._whole_urls(presentation)
        if wanted in whole_urls:
            refreshed = await self._refreshed(presentation, whole_urls, LABEL)
        else:
            try:
                refreshed = await self._refreshed(presentation, [wanted], LABEL)
            except CushionError:  # a patch that cannot be had is no loss
                refreshed = await self._refreshed(presentation, whole_urls, LABEL)
        whole = next((need for need in refreshed.needs if need.kind is manifest.NeedKind.MANIFEST), None)
        if whole is not None:
            urls = list(dict.fromkeys((whole.url, *whole_urls)))
            refreshed = await self._refreshed(presentation, urls, whole.label)
        return await complete(self._asker, ReadResult(refreshed.presentation, refreshed.needs))

    def _whole_urls(self, presentation: Presentation) -> list[str]:
        """Where the whole MPD may be had: first where it was had last, as long as it offers the same places."""
        places = self._ordered(presentation.locations)
        urls = [*(place.url for place in places), presentation.url, *self._others]
        offered, good_url = self._good
        if offered == places and good_url in urls:
            urls.insert(0, good_url)
        return list(dict.fromkeys(urls))

    def _ordered(self, places: tuple[P, ...]) -> tuple[P, ...]:
        """Places in the order of their sources; those it does not name stay where they are, behind."""
        rank = {name: number for number, name in enumerate(self._sources)}
        return tuple(sorted(places, key=lambda place: rank.get(place.service_location, len(rank))))

    async def _refreshed(self, presentation: Presentation, urls: Sequence[str], label: str) -> manifest.Refresh:
        """What the first of these addresses that can be had and read brings."""

        def read(fetched: FetchResult, url: str) -> manifest.Refresh:
            refreshed = manifest.refresh(presentation, fetched.body, fetched.url)
            if url in self._whole_urls(presentation):
                self._good = self._ordered(refreshed.presentation.locations), url
            return refreshed

        request = FetchRequest(urls[0], label=label, timeouts=self._timeouts)
        limit_s = self._timeouts.first_byte_s + BODY_S
        return await self._asker.ask(request, read, others=urls[1:], is_once=True, limit_s=limit_s)
