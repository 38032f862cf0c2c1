"""Laying a live track out as it goes on: only what is new is looked at, however long the window is. Pure.

Segments are found again by their time: a window slides, playlists of one track are of different ages, and only the
timeline's own indices keep their meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cushion_player.errors import SegmentNotListed
from cushion_player.manifest.hls_parts import open_segment, parts_end
from cushion_player.model import (
    US_PER_S,
    AdaptationSet,
    InitSegment,
    Period,
    Repair,
    Representation,
    Segment,
    seconds_to_us,
    segment_index_at,
    ticks_to_us,
)
from cushion_player.planning.availability import Available
from cushion_player.planning.choosing import Choice
from cushion_player.planning.layout import (
    HOLE_US,
    Encryption,
    Names,
    PlannedStretch,
    PlannedTrack,
    describe_rungs,
    differ,
    encryption_of,
)
from cushion_player.planning.lookup import segment, segment_at
from cushion_player.planning.places import common_sources
from cushion_player.timeline import Stretch, Timeline, Track, TrackKind
from cushion_player.timeline_update import TrackUpdate

KEPT_US = 60_000_000
"""Segments stay on the timeline so long after they have left the window: what was received of them may be in use."""


@dataclass(frozen=True, slots=True)
class LiveStretch(PlannedStretch):
    """Where the bytes of a stretch are, now. `shift` means nothing here: segments are found by their time."""

    layout: LiveLayout = field(kw_only=True)
    period: str = field(kw_only=True)
    shift_us: int = field(kw_only=True)
    """What to add to a time of the period for the timeline's."""

    def local(self, index: int, rung: int) -> int | None:
        """The segment's place in its representation as last read; None when that does not have it."""
        span = self.layout.span_us(index)
        if span is None:
            return None
        middle_us = (span[0] + span[1]) // 2 - self.shift_us
        return segment_at(self.choice.rungs[rung], Fraction(middle_us, US_PER_S))

    def in_the_making(self, index: int, rung: int) -> Segment | None:
        """The segment, when parts of it come and it is not listed yet."""
        span, representation = self.layout.span_us(index), self.choice.rungs[rung]
        found = open_segment(representation)
        if span is None or found is None:
            return None
        start_us = ticks_to_us(found.start, representation.timescale) + self.shift_us
        return found if abs(start_us - span[0]) < (span[1] - span[0]) // 2 else None

    def segment(self, index: int, rung: int) -> Segment:
        local = self.local(index, rung)
        representation = self.choice.rungs[rung]
        if local is None:
            made = self.in_the_making(index, rung)
            if made is not None:
                return made
            raise SegmentNotListed(f"segment {index} of {representation.id} is not listed", url=representation.source)
        return segment(representation, local)


class LiveLayout:
    """One track of a live presentation."""

    def __init__(self, kind: TrackKind, key: str, lead: AdaptationSet, origin: Fraction, names: Names) -> None:
        """lead: what the track is called after. origin: where the timeline starts, in seconds of the presentation."""
        self.kind = kind
        self.key = key
        self.lead = lead
        self.repairs: list[Repair] = []
        self.period = ""
        """The id of the period laid out last."""
        self._origin = origin
        self._names = names
        self._first = 0
        self._bounds: list[int] = []
        """Where each segment starts, and where the last one ends."""
        self._stretches: list[Stretch] = []
        self._planned: list[LiveStretch] = []
        self._gaps: set[int] = set()
        self._blanks: set[int] = set()
        self._before: tuple[int, Segment] | None = None
        """The rung that was read last and its last segment laid out."""
        self._changed_from = 0
        self._foreseen = False
        """Whether the last segment is being made, and its length foreseen."""
        self._parts_end_us = 0

    # ------------------------------------------------------------------ what is laid out

    @property
    def stop(self) -> int:
        """One past the last segment."""
        return self._first + max(0, len(self._bounds) - 1)

    @property
    def end_us(self) -> int:
        return self._bounds[-1] if self._bounds else 0

    @property
    def has_media(self) -> bool:
        return len(self._bounds) > 1

    def span_us(self, index: int) -> tuple[int, int] | None:
        """Where a segment starts and ends; None for one that was forgotten."""
        if not self._first <= index < self.stop:
            return None
        return self._bounds[index - self._first], self._bounds[index - self._first + 1]

    def track(self) -> Track:
        """All of it, as it is first told."""
        lead = self.lead
        self._changed_from = self.stop
        return Track(
            kind=self.kind,
            key=self.key,
            language=lead.language,
            rungs=self._stretches[0].rungs,
            start_us=tuple(self._bounds),
            stretches=tuple(self._stretches),
            first_index=self._first,
            gaps=frozenset(self._gaps),
            blanks=frozenset(self._blanks),
            label=lead.label,
            roles=lead.roles,
            is_forced=lead.is_forced,
        )

    def planned(self, track: Track) -> PlannedTrack:
        return PlannedTrack(track, tuple(self._planned))

    def take_update(self, window_start_us: int) -> TrackUpdate | None:
        """What changed since it was taken last; None when nothing did. Forgets what has left the window long ago."""
        first = self._first
        oldest_us = window_start_us - KEPT_US
        count = 0
        while count < len(self._bounds) - 2 and self._bounds[count + 1] <= oldest_us:
            count += 1
        if count:
            del self._bounds[:count]
            self._first += count
            self._gaps = {each for each in self._gaps if each >= self._first}
            self._blanks = {each for each in self._blanks if each >= self._first}
        from_index = min(max(self._changed_from, self._first), self.stop)
        is_same = self._changed_from == self.stop and self._first == first
        self._changed_from = self.stop
        if is_same:
            return None
        return TrackUpdate(
            key=self.key,
            first_index=self._first,
            from_index=from_index,
            start_us=tuple(self._bounds[from_index - self._first :]),
            stretches=tuple(each for each in self._stretches if each.first_index >= from_index),
            gaps=tuple(sorted(each for each in self._gaps if each >= from_index)),
            blanks=tuple(sorted(each for each in self._blanks if each >= from_index)),
        )

    def as_gaps(self, holes: frozenset[int]) -> None:
        """What nothing else plays either is to be jumped over."""
        self._blanks -= holes
        self._gaps |= holes

    def planned_at(self, index: int, timeline: Timeline) -> LiveStretch:
        """Where the bytes of a segment are."""
        track = timeline.find(self.key)
        assert track is not None, "its own timeline"
        return self._planned[track.stretch_number(index)]

    def newest_rungs(self) -> tuple[Representation, ...]:
        """The rungs that are laid out last."""
        return self._planned[-1].choice.rungs

    @property
    def listed_us(self) -> int:
        """Where what is listed ends, parts of a segment that is being made included."""
        return max(self._parts_end_us, self._bounds[-2]) if self._foreseen else self.end_us

    def last_us(self) -> int:
        """How long the last segment plays."""
        return self._bounds[-1] - self._bounds[-2]

    # ------------------------------------------------------------------ going on

    def choice_in(self, period: Period) -> Choice | None:
        """What was chosen in a period before, as its manifest describes it now; None when nothing was."""
        known = next((each.choice for each in reversed(self._planned) if each.period == period.id), None)
        return None if known is None else renewed(known, period)

    def renew(self, periods: dict[str, Period]) -> None:
        """Look segments up in the newest manifest from now on."""
        choices: dict[str, Choice] = {}
        for at, stretch in enumerate(self._planned):
            period = periods.get(stretch.period)
            if period is not None:
                choice = choices.get(period.id) or renewed(stretch.choice, period)
                choices[period.id] = choice
                self._planned[at] = replace(stretch, choice=choice)

    def lay(
        self,
        period: Period,
        choice: Choice | None,
        listed: Callable[[Representation], Available],
    ) -> None:
        """Lay out what is new of a period: from where the track ends. Without a choice nothing is played over it."""
        shift_us = seconds_to_us(period.start - self._origin)
        limit_us = None
        if period.duration is not None:
            limit_us = seconds_to_us(period.start + period.duration - self._origin)
            if period.id == self.period:
                self._cut(limit_us)
        if choice is None:
            if limit_us is not None and self.has_media:
                self._absent(limit_us)
            return
        if period.id != self.period:
            self.period, self._before = period.id, None
            if self.has_media and shift_us < self.end_us:
                self._cut(max(shift_us, self._bounds[0] + 1))
        rung = max(range(len(choice.rungs)), key=lambda each: (_end_us(choice.rungs[each]), -each))
        representation = choice.rungs[rung]
        if self._foreseen and _end_us(representation) + shift_us > self._bounds[-2] + HOLE_US:
            self._settle_foreseen(representation, rung, shift_us)
        available = listed(representation)
        local = max(available.first, _index_after(representation, self.end_us - shift_us) if self.has_media else 0)
        if self._before is not None and self._before[0] != rung:
            self._before = (rung, segment(representation, local - 1)) if local > 0 else None
        if not self._foreseen:
            for at in range(local, available.stop):
                self._lay_one(period.id, choice, rung, segment(representation, at), shift_us, limit_us)
            self._foresee(period.id, choice, shift_us)
        if self._foreseen:
            self._parts_end_us = seconds_to_us(max(parts_end(item) for item in choice.rungs)) + shift_us

    def _foresee(self, period: str, choice: Choice, shift_us: int) -> None:
        """Lay out the segment that is being made, where its parts can be played."""
        made_at = [
            rung for rung, item in enumerate(choice.rungs) if item.playlist is not None and item.playlist.partial
        ]
        if not made_at or not self.has_media:
            return
        rung = max(made_at, key=lambda each: (parts_end(choice.rungs[each]), -each))
        made = open_segment(choice.rungs[rung])
        before, stop = self._before, self.stop
        if made is None:
            return
        self._lay_one(period, choice, rung, made, shift_us, None)
        self._before, self._foreseen = before, self.stop > stop

    def _settle_foreseen(self, representation: Representation, rung: int, shift_us: int) -> None:
        """What was foreseen is listed by now: it ends where it does, or was another one."""
        self._foreseen = False
        middle = Fraction((self._bounds[-2] + self._bounds[-1]) // 2 - shift_us, US_PER_S)
        at = segment_at(representation, middle)
        found = segment(representation, at) if at is not None else None
        if found is not None and found.discontinuity == self._stretches[-1].discontinuity:
            end_us = ticks_to_us(found.end, representation.timescale) + shift_us
            if end_us != self._bounds[-1]:
                self._bounds[-1] = end_us
                self._changed_from = min(self._changed_from, self.stop - 1)
            if found.is_gap:
                self._gaps.add(self.stop - 1)
                self._changed_from = min(self._changed_from, self.stop - 1)
            self._before = rung, found
            return
        del self._bounds[-1]
        self._changed_from = min(self._changed_from, self.stop)
        while len(self._stretches) > 1 and self._stretches[-1].first_index >= self.stop:
            del self._stretches[-1], self._planned[-1]

    def _lay_one(
        self, period: str, choice: Choice, rung: int, found: Segment, shift_us: int, limit_us: int | None
    ) -> None:
        representation = choice.rungs[rung]
        start_us = ticks_to_us(found.start, representation.timescale) + shift_us
        end_us = ticks_to_us(found.end, representation.timescale) + shift_us
        floor_us = max(shift_us, self.end_us) if self.has_media else shift_us
        if end_us - floor_us <= (end_us - start_us) // 2 or (limit_us is not None and start_us >= limit_us):
            return  # most of it is there already, or it is another period's
        if self.has_media and start_us - self.end_us > HOLE_US:
            self._absent(start_us)
            self._before = None
        if not self.has_media:
            self._bounds = [max(start_us, shift_us)]
        index = self.stop
        if self._before is None or differ(self._before[1], found):
            self._begin_stretch(index, period, choice, shift_us, found, rung)
        self._before = rung, found
        if found.is_gap:
            self._gaps.add(index)
        self._bounds.append(end_us if limit_us is None else min(end_us, limit_us))
        if len(self._planned) == len(self._stretches) - 1:
            self._plan_stretch(period, choice, shift_us)
            self._name_stretch(index, rung, found)

    def _begin_stretch(self, index: int, period: str, choice: Choice, shift_us: int, found: Segment, rung: int) -> None:
        rungs = next((each.rungs for each in self._stretches[-1:] if self._planned[-1].period == period), None)
        rungs = rungs or describe_rungs(self.kind, choice, self.repairs)
        self._stretches.append(Stretch(index, rungs, discontinuity=found.discontinuity))

    def _plan_stretch(self, period: str, choice: Choice, shift_us: int) -> None:
        reference = choice.rungs[0]
        offset_us = None
        if reference.time_offset is not None:
            offset_us = ticks_to_us(reference.time_offset, reference.timescale) - shift_us
        self._planned.append(LiveStretch(choice, 0, offset_us, layout=self, period=period, shift_us=shift_us))

    def _name_stretch(self, index: int, rung: int, found: Segment) -> None:
        """Name the initialisation segments and keys of the new stretch, whose first segment `found` is at `rung`."""
        planned = self._planned[-1]
        inits: list[str] = []
        keys: list[str] = []
        for number, representation in enumerate(planned.choice.rungs):
            local = planned.local(index, number) if number != rung else None
            first = found if number == rung else segment(representation, local) if local is not None else None
            init, encryption = _needs(first, representation)
            is_known = first is not None or len(self._stretches) == 1
            own = f"{self.key} {index}/{number}"  # what an older playlist does not tell yet is named by its place
            inits.append(self._names.init(init) if is_known or init is None else f"init {own}")
            keys.append(self._names.encryption(encryption) if is_known else (f"key {own}" if encryption.keys else ""))
        self._stretches[-1] = replace(
            self._stretches[-1],
            inits=tuple(inits) if any(inits) else (),
            keys=tuple(keys) if any(keys) else (),
            sources=common_sources(planned.choice.rungs),
        )

    def _absent(self, end_us: int) -> None:
        """Nothing to play up to `end_us`: a pseudo-segment of the stretch before."""
        if end_us > self.end_us:
            self._blanks.add(self.stop)
            self._bounds.append(end_us)

    def _cut(self, limit_us: int) -> None:
        """The track ends here: forget what was foreseen beyond."""
        while len(self._bounds) > 2 and self._bounds[-2] >= limit_us:
            del self._bounds[-1]
            self._changed_from = min(self._changed_from, self.stop)
        if self._bounds[-1] > limit_us > self._bounds[-2]:
            self._bounds[-1] = limit_us
            self._changed_from = min(self._changed_from, self.stop - 1)
        while len(self._stretches) > 1 and self._stretches[-1].first_index >= self.stop:
            del self._stretches[-1], self._planned[-1]
        self._gaps = {each for each in self._gaps if each < self.stop}
        self._blanks = {each for each in self._blanks if each < self.stop}


def renewed(choice: Choice, period: Period) -> Choice:
    """The same choice out of a newer version of its period; a rung that is no longer described stays as it was."""
    described = {item.id: item for found in period.adaptation_sets for item in found.representations}
    rungs = tuple(described.get(rung.id, rung) for rung in choice.rungs)
    own = next((found for found in period.adaptation_sets if found.id == choice.adaptation_set.id), None)
    return Choice(period, own or choice.adaptation_set, rungs)


def _needs(first: Segment | None, representation: Representation) -> tuple[InitSegment | None, Encryption]:
    if first is None:
        last = representation.segments[-1] if representation.segments else None
        encryption = encryption_of(last, representation) if last is not None else Encryption()
        return representation.init, encryption
    return first.init or representation.init, encryption_of(first, representation)


def _end_us(representation: Representation) -> int:
    """Where what is listed of it ends; patterns and what is read at once are all alike."""
    if representation.playlist is None or not representation.segments:
        return 0
    return ticks_to_us(representation.segments[-1].end, representation.timescale)


def _index_after(representation: Representation, time_us: int) -> int:
    """The segment that covers a time of the period, or is the first one after."""
    ticks = time_us * representation.timescale // US_PER_S
    if representation.pattern is not None:
        return max(0, (ticks - representation.pattern.start) // representation.pattern.duration)
    return max(0, segment_index_at(representation.segments, ticks))
