"""Where a source has what an engine wants: below another base URL (DASH), or as another pathway's playlist says (HLS).

Which source is asked is the engine's to say.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from cushion_player.clock import Clock
from cushion_player.driving.asker import Asker
from cushion_player.driving.unlocking import Locks
from cushion_player.effects import AcquireKey, FetchInit, FetchSegment
from cushion_player.engine.sources import MAX_CLONES
from cushion_player.errors import FetchError, ManifestError, SegmentNotListed
from cushion_player.model import Address, PathwayClone, Representation, Segment
from cushion_player.planning.addressing import PlaybackPlan
from cushion_player.planning.places import place_at, sources_of

if TYPE_CHECKING:
    from cushion_player.driving.pathway_playlists import PathwayPlaylists


class Sourcing:
    """Addresses by source, for one playback."""

    def __init__(self, asker: Asker, clock: Clock) -> None:
        self.clones: tuple[PathwayClone, ...] = ()
        """Sources that a steering server has made, each after its base."""
        self.variables: tuple[tuple[str, str], ...] = ()
        """Of the multivariant playlist."""
        self._asker = asker
        self._clock = clock
        self._playlists: PathwayPlaylists | None = None

    def add_clones(self, clones: Sequence[PathwayClone]) -> None:
        """Know further sources from now on; those known already stay as they are."""
        known = {clone.id for clone in self.clones}
        self.clones = (*self.clones, *(clone for clone in clones if clone.id not in known))[:MAX_CLONES]

    async def segment_address(self, effect: FetchSegment, plan: PlaybackPlan) -> Address:
        """Raises FetchError and ManifestError kinds when another pathway's playlist is needed and does not do."""
        place = effect.key, effect.index, effect.rung
        found = await self._elsewhere(effect, plan)
        if found is None:
            return plan.segment_address(*place, effect.source, self.clones)
        return found[1].address

    async def init_address(self, effect: FetchInit, plan: PlaybackPlan) -> Address | None:
        """As `segment_address`; None when there is no initialisation segment."""
        place = effect.key, effect.index, effect.rung
        address = plan.init_address(*place, effect.source, self.clones)
        if address is None:
            return None
        found = await self._elsewhere(effect, plan)
        if found is None:
            return address
        there, segment = found
        init = segment.init or there.init
        if init is None:
            raise SegmentNotListed(f"{plan.label(*place, 'the initialisation segment')}: {effect.source} lists none")
        return init.address

    async def locks_elsewhere(self, effect: AcquireKey, plan: PlaybackPlan) -> AsyncGenerator[Locks]:
        """The keys of a segment as the playlists of other pathways name them, as far as those can be had."""
        place = effect.key, effect.index, effect.rung
        here = plan.representation(*place)
        known = {key.uri for key in plan.encryption(*place).keys}
        if here.playlist is None or not known:
            return
        for source in sources_of(here, self.clones):
            with contextlib.suppress(FetchError, ManifestError):
                found = await self._at(source, here, plan, place)
                if found is not None and {key.uri for key in found[1].keys} - known:
                    init = found[1].init or found[0].init
                    yield Locks(found[1].keys, init.keys if init is not None else ())

    async def _elsewhere(
        self, effect: FetchSegment | FetchInit, plan: PlaybackPlan
    ) -> tuple[Representation, Segment] | None:
        """The segment as another pathway's playlist has it; None where the home's own address leads there."""
        place = effect.key, effect.index, effect.rung
        here = plan.representation(*place)
        return await self._at(effect.source, here, plan, place) if here.playlist is not None else None

    async def _at(
        self, source: str, here: Representation, plan: PlaybackPlan, place: tuple[str, int, int]
    ) -> tuple[Representation, Segment] | None:
        """As a source's own playlist has it; None at home."""
        other = place_at(here, source, self.clones)
        if other is None:
            return None
        if self._playlists is None:
            from cushion_player.driving.pathway_playlists import PathwayPlaylists  # few sessions need its readers

            self._playlists = PathwayPlaylists(self._asker, self._clock, self.variables)
        label = plan.label(*place, "the media playlist")
        return await self._playlists.find(here, other, plan.segment(*place), f"{label} at {source}")
