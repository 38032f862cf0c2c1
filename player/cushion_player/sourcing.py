"""Where a source has what an engine wants: below another base URL (DASH), or as another pathway's playlist says (HLS).

Which source is asked is the engine's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cushion_player.addressing import PlaybackPlan
from cushion_player.asking import Asker
from cushion_player.clock import Clock
from cushion_player.engine.sources import MAX_CLONES
from cushion_player.errors import SegmentNotListed
from cushion_player.events import FetchInit, FetchSegment
from cushion_player.model import Address, PathwayClone, Representation, Segment
from cushion_player.places import place_at

if TYPE_CHECKING:
    from cushion_player.pathway_playlists import PathwayPlaylists


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

    async def _elsewhere(
        self, effect: FetchSegment | FetchInit, plan: PlaybackPlan
    ) -> tuple[Representation, Segment] | None:
        """The segment as another pathway's playlist has it; None where the home's own address leads there."""
        place = effect.key, effect.index, effect.rung
        here = plan.representation(*place)
        other = place_at(here, effect.source, self.clones) if here.playlist is not None else None
        if other is None:
            return None
        if self._playlists is None:
            from cushion_player.pathway_playlists import PathwayPlaylists  # few sessions need its readers

            self._playlists = PathwayPlaylists(self._asker, self._clock, self.variables)
        label = plan.label(*place, "the media playlist")
        return await self._playlists.find(here, other, plan.segment(*place), f"{label} at {effect.source}")
