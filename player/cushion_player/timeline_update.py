"""How a live timeline goes on: what came at its end, what left at its head. Small however long the window is.

An update holds only what changed, so that a journal of hours stays small; `updated` puts it into a timeline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cushion_player.timeline import LiveEdge, Stretch, Timeline, Track


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """What changed on one track. From `from_index` on, everything is as said here; before it, as it was.

    first_index: the first segment still listed. start_us: boundaries, that of `from_index` first, the end last; one
    alone when nothing follows. stretches, gaps, blanks: those that begin at or after `from_index`.
    """

    key: str
    first_index: int
    from_index: int
    start_us: tuple[int, ...]
    stretches: tuple[Stretch, ...] = ()
    gaps: tuple[int, ...] = ()
    blanks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        assert self.start_us, "an update says at least where the track ends"
        assert self.first_index < self.from_index + len(self.start_us) - 1, "a segment stays listed"


@dataclass(frozen=True, slots=True)
class TimelineUpdate:
    """A newer version of a live timeline. `live`: None once it has ended; tracks that did not change are left out."""

    live: LiveEdge | None
    duration_us: int
    tracks: tuple[TrackUpdate, ...] = ()


def updated(timeline: Timeline, update: TimelineUpdate) -> Timeline:
    """The timeline after an update. Segments that both have keep their index."""
    changes = {change.key: change for change in update.tracks}
    tracks = tuple(
        updated_track(track, changes[track.key]) if track.key in changes else track for track in timeline.tracks
    )
    return replace(timeline, tracks=tracks, duration_us=update.duration_us, live=update.live)


def updated_track(track: Track, change: TrackUpdate) -> Track:
    """The track after a change. Old stretches stay: what was received of them may still be played."""
    assert track.first_index <= change.first_index, "what has left a window does not come back"
    assert track.first_index <= change.from_index <= track.stop_index, "what goes on does so without a hole"
    at = change.from_index - track.first_index
    low = change.first_index - track.first_index
    start_us = (*track.start_us[:at], *change.start_us)[low:]
    stretches = track.stretches
    if change.stretches or stretches[-1].first_index >= change.from_index:
        stretches = (
            *(each for each in stretches if each.first_index < change.from_index),
            *change.stretches,
        )
    return replace(
        track,
        start_us=start_us,
        sizes_bytes=(),
        stretches=stretches,
        rungs=stretches[0].rungs,
        first_index=change.first_index,
        gaps=_changed(track.gaps, change, change.gaps),
        blanks=_changed(track.blanks, change, change.blanks),
    )


def _changed(numbers: frozenset[int], change: TrackUpdate, added: tuple[int, ...]) -> frozenset[int]:
    if not numbers and not added:
        return numbers
    return frozenset(each for each in numbers if change.first_index <= each < change.from_index) | frozenset(added)
