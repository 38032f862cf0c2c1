"""Breaks: what a manifest wants to be played in between, placed on the timeline. Pure.

Source: RFC 8216bis Appendix D (HLS interstitials), ISO/IEC 23009-1 alternative MPD events (read as the same).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from cushion_player.model import Cue, Interstitial, Presentation, seconds_to_us
from cushion_player.timed.listing import wall_clock_of
from cushion_player.timeline import Track

SNAP_US = 10_000_000
"""A break snaps to a boundary no further away than this; segments are hardly ever longer."""


@dataclass(frozen=True, slots=True)
class Break:
    """Assets to play at `start_us`, and where to go on.

    resume_offset_us: from the start; None: after as much as was played. duration_us: how long it should take, if that
    is said. assets, asset_list_url: one or the other; a list is read when the break comes near.
    may_skip, may_jump: whether a viewer may leave it, and may seek over it.
    """

    id: str
    start_us: int
    assets: tuple[str, ...] = ()
    asset_list_url: str = ""
    resume_offset_us: int | None = None
    duration_us: int | None = None
    playout_limit_us: int | None = None
    may_skip: bool = True
    may_jump: bool = True
    plays_once: bool = False
    is_preroll: bool = False
    is_postroll: bool = False
    snaps_out: bool = False
    snaps_in: bool = False

    def resume_us(self, played_us: int) -> int:
        """Where the main presentation goes on after `played_us` of assets."""
        return self.start_us + (played_us if self.resume_offset_us is None else self.resume_offset_us)


def breaks_of(presentation: Presentation, origin: Fraction) -> tuple[Break, ...]:
    """Every break a manifest announces, by start.

    origin: where the timeline begins, in seconds of the presentation. Those whose place cannot be told (wall-clock
    times in a playlist without dates) are left out, but for pre- and postrolls, which need none.
    """
    place = wall_clock_of(presentation, origin)
    found = [made for item in presentation.interstitials if (made := _from_hls(item, place)) is not None]
    for period in presentation.periods:
        shift_us = seconds_to_us(period.start - origin)
        found += [
            _break(item, shift_us + seconds_to_us(item.start), f"{period.id}/{item.id or number}")
            for number, item in enumerate(period.interstitials)
        ]
    return tuple(sorted(found, key=lambda item: item.start_us))


def snapped(item: Break, track: Track) -> Break:
    """The break moved to the nearest segment boundary of the main track, where it asks for that."""
    start_us = _nearest(track, item.start_us) if item.snaps_out else item.start_us
    offset_us = item.resume_offset_us
    if item.snaps_in and offset_us is not None:
        offset_us = _nearest(track, start_us + offset_us) - start_us
    return replace(item, start_us=start_us, resume_offset_us=offset_us)


def _nearest(track: Track, position_us: int) -> int:
    best: int = min(track.start_us, key=lambda boundary: abs(boundary - position_us))
    return best if abs(best - position_us) <= SNAP_US else position_us


def _from_hls(item: Interstitial, place: Callable[[Fraction], int] | None) -> Break | None:
    needs_no_place = Cue.PRE in item.cues or Cue.POST in item.cues
    if place is None and not needs_no_place:
        return None
    return _break(item, 0 if place is None else place(item.start), item.id)


def _break(item: Interstitial, start_us: int, identity: str) -> Break:
    assets = tuple(asset.url for asset in item.assets) or ((item.asset_url,) if item.asset_url else ())
    resume = item.resume_offset
    return Break(
        id=identity,
        start_us=start_us,
        assets=assets,
        asset_list_url="" if assets else item.asset_list_url,
        resume_offset_us=None if resume is None else seconds_to_us(resume),
        duration_us=None if item.duration is None else seconds_to_us(item.duration),
        playout_limit_us=None if item.playout_limit is None else seconds_to_us(item.playout_limit),
        may_skip="SKIP" not in item.restrict,
        may_jump="JUMP" not in item.restrict,
        plays_once=item.plays_once,
        is_preroll=Cue.PRE in item.cues,
        is_postroll=Cue.POST in item.cues,
        snaps_out="OUT" in item.snap,
        snaps_in="IN" in item.snap,
    )
