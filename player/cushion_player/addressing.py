"""From a presentation to what an engine schedules: which representations are the rungs, and where their bytes are.

The one place that chooses: the sets to play, one codec family, the rungs whose segments line up. What was left
out on the way is in `repairs`. Pure: nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.manifest.values import codec_family, split_codecs
from cushion_player.model import (
    AdaptationSet,
    Address,
    Container,
    ContentKind,
    Period,
    Presentation,
    Repair,
    Representation,
    seconds_to_us,
    ticks_to_us,
)
from cushion_player.timeline import Timeline, Track, TrackKind, TrackRung

ALIGNMENT_US = 50_000
"""Rungs whose segment boundaries differ by more cannot be switched between (a frame at 24 fps is 42 ms)."""
ASSUMED_AUDIO_BPS = 128_000
"""For audio of unknown rate (HLS renditions declare none): what stereo AAC usually has."""

_VIDEO_FAMILIES = ("avc", "hevc", "vp9", "av1")
_AUDIO_FAMILIES = ("aac", "opus", "ac-3", "ec-3", "flac", "mp3")
"""Preferred first: what decodes at the least cost everywhere."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """One segment of a track on the presentation timeline, at every rung."""

    addresses: tuple[Address, ...]
    offset_us: int | None


@dataclass(frozen=True, slots=True)
class _PlannedTrack:
    track: Track
    inits: tuple[Address | None, ...]
    slots: tuple[_Slot, ...]


@dataclass(frozen=True, slots=True)
class PlaybackPlan:
    """A timeline for the engine, and the addresses behind it for its driver."""

    timeline: Timeline
    repairs: tuple[Repair, ...]
    """What was left out, besides the presentation's own repairs."""
    _tracks: dict[TrackKind, _PlannedTrack]

    def init_address(self, kind: TrackKind, rung: int) -> Address | None:
        """The initialisation segment of a rung; None when its segments need none."""
        return self._tracks[kind].inits[rung]

    def segment_address(self, kind: TrackKind, rung: int, index: int) -> Address:
        return self._tracks[kind].slots[index].addresses[rung]

    def label(self, kind: TrackKind, rung: int, index: int) -> str:
        """What a request is, for messages: `segment 412 of video/1080p`; index -1 is the initialisation segment."""
        key = self._tracks[kind].track.rungs[rung].key
        return f"segment {index} of {key}" if index >= 0 else f"the initialisation segment of {key}"

    def offset_us(self, kind: TrackKind, index: int) -> int | None:
        """Media time minus timeline time of a segment; None when the manifest does not say (HLS)."""
        return self._tracks[kind].slots[index].offset_us


def plan_playback(presentation: Presentation, *, language: str | None = None) -> PlaybackPlan:
    """Choose what to play of a complete presentation (no open needs).

    language: the audio wanted (BCP 47; `en` also takes `en-GB`); None, or one that is not there, takes the default.
    Raises UnsupportedManifestFeature, in one sentence, when nothing of it can be played yet.
    """
    if presentation.is_live:
        raise UnsupportedManifestFeature("live presentations cannot be played yet", location=presentation.url)
    planner = _Planner(presentation, language)
    tracks = planner.tracks()
    timeline = Timeline(
        tuple(planned.track for planned in tracks.values()),
        max(planned.track.end_us() for planned in tracks.values()),
    )
    return PlaybackPlan(timeline, tuple(planner.repairs), tracks)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The rungs chosen in one period, ascending."""

    period: Period
    adaptation_set: AdaptationSet
    rungs: tuple[Representation, ...]


class _Planner:
    def __init__(self, presentation: Presentation, language: str | None) -> None:
        self.presentation = presentation
        self.language = language
        self.repairs: list[Repair] = []
        self.origin = presentation.periods[0].start
        """The engine's time starts with the first period."""

    def tracks(self) -> dict[TrackKind, _PlannedTrack]:
        periods = [period for period in self.presentation.periods if period.adaptation_sets]
        if not periods:
            raise UnsupportedManifestFeature("the presentation has no media", location=self.presentation.url)
        video = [self._choose_video(period) for period in periods]
        audio = [self._choose_audio(period, chosen) for period, chosen in zip(periods, video, strict=True)]
        tracks: dict[TrackKind, _PlannedTrack] = {}
        for kind, choices in ((TrackKind.VIDEO, video), (TrackKind.AUDIO, audio)):
            present = [choice for choice in choices if choice is not None]
            if present and len(present) < len(choices):
                raise UnsupportedManifestFeature(
                    f"periods with and without {kind} cannot be played in one go yet", location=self.presentation.url
                )
            if present:
                tracks[kind] = self._track(kind, present)
        if not tracks:
            self._refuse([item for period in periods for item in period.adaptation_sets])
        return tracks

    def _refuse(self, sets: Sequence[AdaptationSet]) -> None:
        """Say why nothing can be played."""
        every = [item for adaptation_set in sets for item in adaptation_set.representations]
        containers = sorted({item.container.value for item in every if item.container is not Container.MP4})
        if any(item.protection for item in every):
            reason = "the presentation is encrypted, which cannot be played yet"
        elif Container.MPEG_TS in (item.container for item in every):
            reason = "MPEG-TS segments cannot be played yet, only fragmented MP4"
        elif containers:
            reason = f"{' and '.join(containers)} segments cannot be played yet, only fragmented MP4"
        else:
            reason = "the presentation has neither video nor audio that can be played"
        raise UnsupportedManifestFeature(reason, location=self.presentation.url)

    # ----------------------------------------------------------------------- choosing

    def _choose_video(self, period: Period) -> _Choice | None:
        """The main set with the preferred codec family, then with the most rungs."""
        choices: list[_Choice] = []
        for adaptation_set in period.adaptation_sets:
            if adaptation_set.kind is ContentKind.VIDEO and not adaptation_set.essential:
                families = _by_family(_playable(adaptation_set))
                choices += [_Choice(period, adaptation_set, rungs) for rungs in families]
        if not choices:
            return None
        with_main = [choice for choice in choices if "main" in choice.adaptation_set.roles]
        pool = with_main or [choice for choice in choices if not choice.adaptation_set.roles] or choices
        best = min(pool, key=lambda choice: (_rank(choice.rungs, _VIDEO_FAMILIES), -len(choice.rungs)))
        return _Choice(best.period, best.adaptation_set, self._aligned(best.rungs))

    def _choose_audio(self, period: Period, video: _Choice | None) -> _Choice | None:
        """The set of the wanted language, else the default one; of muxed video, its lowest rung."""
        sets = [
            adaptation_set
            for adaptation_set in period.adaptation_sets
            if adaptation_set.kind is ContentKind.AUDIO
            and not adaptation_set.essential
            and _playable(adaptation_set)
            and (video is None or video.adaptation_set.id != adaptation_set.id)
        ]
        if not sets:
            if video is not None and video.adaptation_set.is_muxed and split_codecs(video.rungs[0].codecs)[1]:
                return _Choice(period, video.adaptation_set, video.rungs[:1])
            return None
        best = min(sets, key=lambda item: (not self._speaks(item), "main" not in item.roles, item.roles != ()))
        families = _by_family(_playable(best))
        rungs = min(families, key=lambda rungs: (_rank(rungs, _AUDIO_FAMILIES), -len(rungs)))
        return _Choice(period, best, self._aligned(rungs))

    def _speaks(self, adaptation_set: AdaptationSet) -> bool:
        if self.language is None:
            return False
        wanted, offered = self.language.lower(), adaptation_set.language.lower()
        return offered == wanted or offered.split("-")[0] == wanted

    def _aligned(self, rungs: tuple[Representation, ...]) -> tuple[Representation, ...]:
        """The largest group of rungs whose segments line up; what does not is left out and noted."""
        groups: list[tuple[list[int], list[Representation]]] = []
        for representation in rungs:
            boundaries = _boundaries_us(representation)
            for reference, members in groups:
                if len(reference) == len(boundaries) and all(
                    abs(ours - theirs) <= ALIGNMENT_US for ours, theirs in zip(boundaries, reference, strict=True)
                ):
                    members.append(representation)
                    break
            else:
                groups.append((boundaries, [representation]))
        best = max(groups, key=lambda group: len(group[1]))[1]
        for representation in rungs:
            if representation not in best:
                what = f"representation {representation.id!r} was left out: its segments do not line up with the others"
                self.repairs.append(Repair(what, representation.source or self.presentation.url, "no clean switch"))
        return tuple(best)

    # ----------------------------------------------------------------------- laying out

    def _track(self, kind: TrackKind, choices: list[_Choice]) -> _PlannedTrack:
        first = choices[0]
        self._check_joinable(kind, choices)
        starts: list[int] = []
        slots: list[_Slot] = []
        end_us = 0
        for choice in choices:
            reference = choice.rungs[0]
            shift_us = seconds_to_us(choice.period.start - self.origin)
            limit_us = None
            if choice is not choices[-1] and choice.period.duration is not None:
                limit_us = shift_us + seconds_to_us(choice.period.duration)
            offset_us = None
            if reference.time_offset is not None:
                offset_us = ticks_to_us(reference.time_offset, reference.timescale) - shift_us
            for index, segment in enumerate(reference.segments):
                start_us = ticks_to_us(segment.start, reference.timescale) + shift_us
                segment_end_us = ticks_to_us(segment.end, reference.timescale) + shift_us
                if segment_end_us <= max(shift_us, end_us) or (limit_us is not None and start_us >= limit_us):
                    continue
                starts.append(max(start_us, end_us if starts else 0))
                slots.append(_Slot(tuple(rung.segments[index].address for rung in choice.rungs), offset_us))
                end_us = segment_end_us if limit_us is None else min(segment_end_us, limit_us)
        if not slots:
            raise UnsupportedManifestFeature(f"the {kind} has no segments", location=self.presentation.url)
        track = Track(
            kind=kind,
            key=f"{kind}/{first.adaptation_set.id}",
            language=first.adaptation_set.language,
            rungs=self._rungs(kind, first),
            start_us=(*starts, end_us),
            sizes_bytes=_sizes(slots),
        )
        inits = tuple(rung.init.address if rung.init is not None else None for rung in first.rungs)
        return _PlannedTrack(track, inits, tuple(slots))

    def _check_joinable(self, kind: TrackKind, choices: list[_Choice]) -> None:
        """One set of initialisation segments and one media timeline per period are what can be played now."""
        inits = [rung.init for rung in choices[0].rungs]
        for choice in choices:
            if [rung.init for rung in choice.rungs] != inits:
                raise UnsupportedManifestFeature(
                    f"periods with different {kind} encodings cannot be played in one go yet",
                    location=self.presentation.url,
                )
            for rung in choice.rungs:
                first = rung.segments[0].discontinuity
                if any(segment.init is not None or segment.discontinuity != first for segment in rung.segments):
                    raise UnsupportedManifestFeature(
                        "playlists with discontinuities cannot be played yet", location=self.presentation.url
                    )

    def _rungs(self, kind: TrackKind, choice: _Choice) -> tuple[TrackRung, ...]:
        names = [_rung_name(kind, rung, choice.adaptation_set.language) for rung in choice.rungs]
        rungs: list[TrackRung] = []
        for name, rung in zip(names, choice.rungs, strict=True):
            unique = name if names.count(name) == 1 else f"{name}/{rung.id}"
            codecs = split_codecs(rung.codecs)[1 if kind is TrackKind.AUDIO else 0]
            bitrate_bps = rung.bitrate_bps
            if not bitrate_bps:
                bitrate_bps = ASSUMED_AUDIO_BPS
                what = f"{unique}: {ASSUMED_AUDIO_BPS} bit/s were assumed"
                self.repairs.append(Repair(what, rung.source, "the manifest declares no bitrate"))
            rungs.append(TrackRung(unique, bitrate_bps, rung.width_px, rung.height_px, ",".join(codecs) or rung.codecs))
        return tuple(rungs)


def _playable(adaptation_set: AdaptationSet) -> list[Representation]:
    """What could be decoded: whole, in the clear, and in fragmented MP4."""
    return [
        item
        for item in adaptation_set.representations
        if item.segments
        and not item.protection
        and not item.excluded
        and not item.tiles
        and item.container is Container.MP4
    ]


def _by_family(representations: Iterable[Representation]) -> list[tuple[Representation, ...]]:
    """Representations by codec family, each ascending by bitrate."""
    families: dict[str, list[Representation]] = {}
    for item in representations:
        families.setdefault(codec_family(item.codecs), []).append(item)
    return [tuple(sorted(items, key=lambda item: (item.bitrate_bps, item.height_px))) for items in families.values()]


def _rank(rungs: tuple[Representation, ...], preferred: tuple[str, ...]) -> int:
    family = codec_family(rungs[0].codecs)
    return preferred.index(family) if family in preferred else len(preferred)


def _boundaries_us(representation: Representation) -> list[int]:
    """Every segment's start, and the last one's end; period-relative."""
    timescale = representation.timescale
    starts = [ticks_to_us(segment.start, timescale) for segment in representation.segments]
    return [*starts, ticks_to_us(representation.segments[-1].end, timescale)]


def _sizes(slots: list[_Slot]) -> tuple[tuple[int, ...], ...]:
    """Sizes by segment and rung when every one is known, else ()."""
    sizes: list[tuple[int, ...]] = []
    for slot in slots:
        known = tuple(size for address in slot.addresses if (size := address.size_bytes) is not None)
        if len(known) < len(slot.addresses):
            return ()
        sizes.append(known)
    return tuple(sizes)


def _rung_name(kind: TrackKind, rung: Representation, language: str) -> str:
    if kind is TrackKind.VIDEO:
        return f"video/{rung.height_px}p" if rung.height_px else f"video/{rung.id}"
    return f"audio/{language or rung.id}"
