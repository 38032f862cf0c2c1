"""Places of one priority in an order that is drawn by their weights (DVB-DASH 10.8.2.1). Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from math import log

from cushion_player.model import BaseUrl, Presentation, Representation


def by_weight(presentation: Presentation, seed: int) -> Presentation:
    """The presentation with every place at a priority of its own; the very same one where nothing has a weight.

    Of the places that share a priority one is drawn by weight, of the others another one, and so on. A seed draws the
    same for a service location in every representation, and in every version of a live manifest.
    """

    if not _has_weights(presentation):
        return presentation

    def edit(item: Representation) -> Representation:
        return replace(item, bases=_drawn(item.bases, seed)) if any(base.weight for base in item.bases) else item

    made = tuple(
        replace(
            period,
            adaptation_sets=tuple(
                replace(found, representations=tuple(map(edit, found.representations)))
                for found in period.adaptation_sets
            ),
        )
        for period in presentation.periods
    )
    return replace(presentation, periods=made)


def _has_weights(presentation: Presentation) -> bool:
    return any(
        base.weight
        for period in presentation.periods
        for found in period.adaptation_sets
        for item in found.representations
        for base in item.bases
    )


def _drawn(bases: tuple[BaseUrl, ...], seed: int) -> tuple[BaseUrl, ...]:
    """The same places in the same order, with priorities that no two share."""
    weighty = Counter(base.priority for base in bases if base.weight)

    def key(number: int) -> tuple[int, float, int]:
        base = bases[number]
        return base.priority, _draw(base, seed) if weighty[base.priority] else 0.0, number

    rank = {number: at for at, number in enumerate(sorted(range(len(bases)), key=key), start=1)}
    return tuple(base._replace(priority=rank[number]) for number, base in enumerate(bases))


def _draw(base: BaseUrl, seed: int) -> float:
    """Ascending, these give a draw by weight without putting back (Efraimidis and Spirakis 2006)."""
    mixed = int.from_bytes(sha256(f"{seed} {base.service_location or base.url}".encode()).digest()[:8], "big")
    return -log((mixed + 1) / (1 << 64)) / max(base.weight, 1)
