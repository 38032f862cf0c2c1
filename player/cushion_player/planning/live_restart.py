"""An encoder that begins anew under the same address: its MPD counts from another instant, with the same names."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from cushion_player.model import Period, Presentation

DRIFT_S: Final = Fraction(1)
"""An availabilityStartTime that moves by less is the same one, told inexactly."""


def going_on(before: Presentation, now: Presentation) -> Presentation:
    """A newer version of a live MPD, told in the time of the version before.

    Where availabilityStartTime has moved, its periods move by as much, so that all stays where it is by the clock. A
    period that then begins elsewhere than the one of its name began is another period.
    """
    was, begins = before.live.availability_start, now.live.availability_start
    if now is before or was is None or begins is None or abs(begins - was) < DRIFT_S:
        return now
    known = {(period.id, period.start) for period in before.periods}

    def moved(period: Period) -> Period:
        start = period.start + (begins - was)
        return replace(period, id=period.id if (period.id, start) in known else f"{period.id} @{begins}", start=start)

    live = replace(now.live, availability_start=was)
    return replace(now, live=live, periods=tuple(moved(period) for period in now.periods))
