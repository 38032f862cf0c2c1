"""Laying the chosen representations out on one timeline: boundaries, stretches, gaps, and where the bytes are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cushion_player.manifest.values import split_codecs
from cushion_player.model import (
    AdaptationSet,
    InitSegment,
    Key,
    Period,
    Protection,
    Repair,
    Representation,
    Segment,
    seconds_to_us,
    ticks_to_us,
)
from cushion_player.planning.choosing import Choice
from cushion_player.planning.lookup import segment
from cushion_player.planning.places import common_sources
from cushion_player.timeline import Stretch, Track, TrackKind, TrackRung

ASSUMED_AUDIO_BPS = 128_000
"""For audio of unknown rate (HLS renditions declare none): what stereo AAC usually has."""
ASSUMED_VIDEO_BPS = 2_000_000
"""For a media playlist that stands alone, which declares none either: about 720p."""
ASSUMED_TEXT_BPS = 1_000
_ASSUMED_BPS = {
    TrackKind.VIDEO: ASSUMED_VIDEO_BPS,
    TrackKind.AUDIO: ASSUMED_AUDIO_BPS,
    TrackKind.TEXT: ASSUMED_TEXT_BPS,
}
HOLE_US = 500_000
"""A shorter hole between two segments is played over: a picture held so long is less than a jump costs."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """What a segment is encrypted with, as far as the manifest says: HLS keys, or DASH protections."""

    keys: tuple[Key, ...] = ()
    protections: tuple[Protection, ...] = ()


@dataclass(slots=True)
class Names:
    """Names for initialisation segments and encryptions: the same for the same thing, also after a refresh."""

    inits: dict[InitSegment, str] = field(default_factory=dict)
    encryptions: dict[str, str] = field(default_factory=dict)

    def init(self, init: InitSegment | None) -> str:
        return "" if init is None else self.inits.setdefault(init, f"init {len(self.inits)}")

    def encryption(self, found: Encryption) -> str:
        """Vectors do not count: keys of one address are one."""
        if found.keys:
            mark = repr([(key.method, key.uri, key.key_format) for key in found.keys])
        elif found.protections:
            mark = repr(sorted({item.key_ids or (item.scheme,) for item in found.protections}))
        else:
            return ""
        return self.encryptions.setdefault(mark, f"key {len(self.encryptions)}")


@dataclass(frozen=True, slots=True)
class PlannedStretch:
    """Where the bytes of a stretch are. Segment i of the track is segment i - shift of each representation."""

    choice: Choice
    shift: int
    offset_us: int | None
    """Media time minus timeline time; None when the manifest does not say (HLS)."""

    def segment(self, index: int, rung: int) -> Segment:
        return segment(self.choice.rungs[rung], index - self.shift)


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """A track for the engine, and where its bytes are: `planned` by number of stretch."""

    track: Track
    planned: tuple[PlannedStretch, ...]

    def stretch(self, index: int) -> PlannedStretch:
        return self.planned[self.track.stretch_number(index)]

    def init(self, index: int, rung: int) -> InitSegment | None:
        stretch = self.stretch(index)
        return stretch.segment(index, rung).init or stretch.choice.rungs[rung].init

    def encryption(self, index: int, rung: int) -> Encryption:
        stretch = self.stretch(index)
        return encryption_of(stretch.segment(index, rung), stretch.choice.rungs[rung])


class TrackLayout:
    """Lays out one track, period by period."""

    def __init__(self, kind: TrackKind, key: str, lead: AdaptationSet, origin: Fraction, names: Names) -> None:
        """lead: what the track is called after. origin: where the timeline starts, in seconds of the presentation."""
        self.kind = kind
        self.repairs: list[Repair] = []
        self._key = key
        self._lead = lead
        self._origin = origin
        self._names = names
        self._starts: list[int] = []
        self._sizes: list[tuple[int, ...]] = []
        self._stretches: list[Stretch] = []
        self._planned: list[PlannedStretch] = []
        self._rungs: dict[int, tuple[TrackRung, ...]] = {}
        self._holes: list[int] = []
        self._gaps: list[int] = []
        self._end_us = 0
        self._has_media = False

    def add_period(self, period: Period, choice: Choice | None, *, is_last: bool) -> None:
        """The next period. Without a choice, nothing is played over it."""
        start_us = seconds_to_us(period.start - self._origin)
        duration = period.duration
        end_us = None if duration is None else seconds_to_us(period.start + duration - self._origin)
        if choice is None:
            if end_us is not None and self._stretches:
                self._absent(end_us)
            return
        self._add(choice, start_us, None if is_last else end_us)

    def finish(self) -> PlannedTrack | None:
        """The track; None when it has no segments. Holes are blanks until `settle_holes` makes gaps of them."""
        if not self._has_media:
            return None
        lead = self._lead
        track = Track(
            kind=self.kind,
            key=self._key,
            language=lead.language,
            rungs=self._stretches[0].rungs,
            start_us=(*self._starts, self._end_us),
            sizes_bytes=tuple(self._sizes) if all(self._sizes) else (),
            stretches=tuple(self._stretches),
            gaps=frozenset(self._gaps),
            blanks=frozenset(self._holes),
            label=lead.label,
            roles=lead.roles,
            is_forced=lead.is_forced,
        )
        return PlannedTrack(track, tuple(self._planned))

    # ----------------------------------------------------------------------- segments

    def _add(self, choice: Choice, shift_us: int, limit_us: int | None) -> None:
        reference = choice.rungs[0]
        pattern = reference.pattern
        count = len(reference.segments) if pattern is None else pattern.limit or 0
        offset_us = None
        if reference.time_offset is not None:
            offset_us = ticks_to_us(reference.time_offset, reference.timescale) - shift_us
        before: Segment | None = None
        for local in range(count):
            found = segment(reference, local)
            start_us = ticks_to_us(found.start, reference.timescale) + shift_us
            end_us = ticks_to_us(found.end, reference.timescale) + shift_us
            floor_us = max(shift_us, self._end_us) if self._starts else shift_us
            if end_us <= floor_us or (limit_us is not None and start_us >= limit_us):
                continue
            if self._starts and start_us - self._end_us > HOLE_US:
                self._absent(start_us)
                before = None
            if before is None or differ(before, found):
                self._begin_stretch(choice, local, offset_us, found)
            before = found
            if found.is_gap:
                self._gaps.append(len(self._starts))
            self._starts.append(max(start_us, self._end_us if self._starts else 0))
            self._sizes.append(_sizes(choice.rungs, local, found))
            self._end_us = end_us if limit_us is None else min(end_us, limit_us)
            self._has_media = True

    def _absent(self, end_us: int) -> None:
        """Nothing to play up to `end_us`: a pseudo-segment of the stretch before."""
        if end_us <= self._end_us:
            return
        self._holes.append(len(self._starts))
        self._starts.append(self._end_us)
        self._sizes.append(tuple(1 for _ in self._stretches[-1].rungs) if self._stretches else ())
        self._end_us = end_us

    def _begin_stretch(self, choice: Choice, local: int, offset_us: int | None, found: Segment) -> None:
        first = len(self._starts)
        rungs = self._rungs.get(id(choice))
        if rungs is None:
            rungs = self._rungs[id(choice)] = describe_rungs(self.kind, choice, self.repairs)
        segments = [segment(item, local) for item in choice.rungs]
        inits = tuple(
            self._names.init(each.init or item.init) for each, item in zip(segments, choice.rungs, strict=True)
        )
        keys = tuple(
            self._names.encryption(encryption_of(each, item)) for each, item in zip(segments, choice.rungs, strict=True)
        )
        self._stretches.append(
            Stretch(
                first_index=first,
                rungs=rungs,
                inits=inits if any(inits) else (),
                keys=keys if any(keys) else (),
                discontinuity=found.discontinuity,
                sources=common_sources(choice.rungs),
            )
        )
        self._planned.append(PlannedStretch(choice, first - local, offset_us))


def describe_rungs(kind: TrackKind, choice: Choice, repairs: list[Repair]) -> tuple[TrackRung, ...]:
    """The rungs of a choice as the engine sees them; what had to be assumed is added to `repairs`."""
    names = [_rung_name(kind, rung, choice.adaptation_set.language) for rung in choice.rungs]
    rungs: list[TrackRung] = []
    for name, rung in zip(names, choice.rungs, strict=True):
        unique = name if names.count(name) == 1 else f"{name}/{rung.id}"
        codecs = split_codecs(rung.codecs)[1 if kind is TrackKind.AUDIO else 0]
        bitrate_bps = rung.bitrate_bps
        if not bitrate_bps:
            bitrate_bps = _ASSUMED_BPS[kind]
            if kind is not TrackKind.TEXT:
                what = f"{unique}: {bitrate_bps} bit/s were assumed"
                repairs.append(Repair(what, rung.source, "the manifest declares no bitrate"))
        frame_us = round(1_000_000 / rung.frame_rate) if rung.frame_rate else 0
        shown = ",".join(codecs) or rung.codecs
        rungs.append(TrackRung(unique, bitrate_bps, rung.width_px, rung.height_px, shown, frame_us))
    return tuple(rungs)


def settle_holes(tracks: Sequence[PlannedTrack]) -> list[PlannedTrack]:
    """What no other video or audio track plays either is a gap, to be jumped over; other holes stay blank."""
    settled: list[PlannedTrack] = []
    for planned in tracks:
        others = [other.track for other in tracks if other is not planned]
        track = planned.track
        nowhere = [hole for hole in track.blanks if not any(_plays(other, track, hole) for other in others)]
        if nowhere:
            planned = PlannedTrack(_with_gaps(track, frozenset(nowhere)), planned.planned)
        settled.append(planned)
    return settled


def _with_gaps(track: Track, gaps: frozenset[int]) -> Track:
    return replace(track, gaps=track.gaps | gaps, blanks=track.blanks - gaps)


def _plays(other: Track, track: Track, hole: int) -> bool:
    """Whether `other` has media for a good part of a hole."""
    start_us, end_us = track.segment_start_us(hole), track.segment_start_us(hole + 1)
    first, last = other.segment_at(start_us), other.segment_at(end_us - 1)
    covered = 0
    for index in range(first, last + 1):
        if other.is_there(index):
            overlap = min(end_us, other.segment_start_us(index + 1)) - max(start_us, other.segment_start_us(index))
            covered += max(0, overlap)
    return covered > HOLE_US


def differ(before: Segment, now: Segment) -> bool:
    """Whether a new stretch begins: the decoder or the key must change, or media time starts anew."""
    if before.discontinuity != now.discontinuity or before.init != now.init:
        return True
    if before.keys == now.keys:
        return False
    return [key[:2] + key[3:4] for key in before.keys] != [key[:2] + key[3:4] for key in now.keys]


def encryption_of(found: Segment, representation: Representation) -> Encryption:
    if found.keys:
        return Encryption(keys=found.keys)
    if representation.playlist is not None:  # HLS says it of every segment
        return Encryption()
    return Encryption(protections=representation.protections)


def _sizes(rungs: tuple[Representation, ...], local: int, reference: Segment) -> tuple[int, ...]:
    """Sizes by rung when every one is known, else ()."""
    first = reference.address.size_bytes
    if first is None:
        return ()
    sizes = [first]
    for rung in rungs[1:]:
        size = segment(rung, local).address.size_bytes
        if size is None:
            return ()
        sizes.append(size)
    return tuple(sizes)


def _rung_name(kind: TrackKind, rung: Representation, language: str) -> str:
    if kind is TrackKind.VIDEO:
        return f"video/{rung.height_px}p" if rung.height_px else f"video/{rung.id}"
    return f"{kind}/{language or rung.id}"
