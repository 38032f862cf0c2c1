"""Which sets and representations of each period are played, and which belong together as one track. Pure.

A track goes through all periods: in each it has the set that is most like what it had, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cushion_player.manifest.values import codec_family, split_codecs
from cushion_player.model import (
    AdaptationSet,
    Container,
    ContentKind,
    Period,
    Presentation,
    Repair,
    Representation,
    ticks_to_us,
)
from cushion_player.planning.lookup import segment
from cushion_player.timeline import TrackKind

ALIGNMENT_US = 50_000
"""Rungs whose segment boundaries differ by more cannot be switched between (a frame at 24 fps is 42 ms)."""

_VIDEO_FAMILIES = ("avc", "hevc", "vp9", "av1")
_AUDIO_FAMILIES = ("aac", "opus", "ac-3", "ec-3", "flac", "mp3")
"""Preferred first: what decodes at the least cost everywhere."""
_CONTAINERS = (Container.MP4, Container.MPEG_TS, Container.PACKED_AUDIO, Container.WEBM, Container.PACKETS)
_TEXT_CONTAINERS = (Container.MP4, Container.TEXT)
_METHODS = ("cenc", "cbcs", "cens", "cbc1", "AES-128", "AES-256", "SAMPLE-AES", "SAMPLE-AES-CTR")
"""Encryptions that can be undone when the key is there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The rungs chosen in one period, ascending."""

    period: Period
    adaptation_set: AdaptationSet
    rungs: tuple[Representation, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One track to be: its choice in each period, None where it has nothing. `lead` is what it is named after."""

    lead: Choice
    choices: tuple[Choice | None, ...]


@dataclass(frozen=True, slots=True)
class _Likeness:
    """By what a listener or reader tells one track from another."""

    language: str
    roles: tuple[str, ...]
    is_forced: bool
    label: str

    def distance(self, other: _Likeness) -> tuple[bool, bool, bool, bool]:
        return (
            self.is_forced != other.is_forced,
            self.language != other.language,
            set(self.roles) != set(other.roles),
            self.label != other.label,
        )


class Chooser:
    """Chooses among the sets of a presentation. What is left out on the way is added to `repairs`."""

    def __init__(self, presentation: Presentation, periods: Sequence[Period], language: str | None) -> None:
        self.repairs: list[Repair] = []
        self._presentation = presentation
        self._periods = periods
        self._language = language

    def video(self) -> Line | None:
        """The main video; None when there is none."""
        return _line([self._choose_video(period) for period in self._periods])

    def audio(self, video: Line | None) -> list[Line]:
        """Every audio track: the wanted language first, else the default one."""
        options = [self._audio_options(period, video) for period in self._periods]
        return [Line(*_follow(lead, options)) for lead in self._leads(options)]

    def text(self) -> list[Line]:
        """Every subtitle track, the wanted language first."""
        options = [
            [
                Choice(period, item, (representations[-1],))
                for item in period.adaptation_sets
                if item.kind is ContentKind.TEXT and not item.essential and (representations := _readable(item))
            ]
            for period in self._periods
        ]
        return [Line(*_follow(lead, options, exactly=True)) for lead in self._leads(options)]

    def _leads(self, options: list[list[Choice]]) -> list[Choice]:
        """The first choice of each kind there is over all periods, preferred first."""
        leads: dict[_Likeness, Choice] = {}
        for choices in options:
            for choice in choices:
                leads.setdefault(_likeness(choice.adaptation_set), choice)
        return sorted(leads.values(), key=lambda choice: self._preference(choice.adaptation_set))

    def _preference(self, item: AdaptationSet) -> tuple[bool, bool, bool]:
        return not self._speaks(item), "main" not in item.roles, item.roles != ()

    def _speaks(self, item: AdaptationSet) -> bool:
        if self._language is None:
            return False
        wanted, offered = self._language.lower(), item.language.lower()
        return offered == wanted or offered.split("-")[0] == wanted

    def _choose_video(self, period: Period) -> Choice | None:
        """The main set with the preferred codec family, then with the most rungs."""
        choices: list[Choice] = []
        for item in period.adaptation_sets:
            if item.kind is ContentKind.VIDEO and not item.essential and not item.trick_of:
                choices += [Choice(period, item, rungs) for rungs in _by_family(_playable(item))]
        if not choices:
            return None
        with_main = [choice for choice in choices if "main" in choice.adaptation_set.roles]
        pool = with_main or [choice for choice in choices if not choice.adaptation_set.roles] or choices
        best = min(pool, key=lambda choice: (_rank(choice.rungs, _VIDEO_FAMILIES), -len(choice.rungs)))
        return Choice(best.period, best.adaptation_set, self._aligned(best.rungs))

    def _audio_options(self, period: Period, video: Line | None) -> list[Choice]:
        taken = {choice.adaptation_set.id for choice in video.choices if choice is not None} if video else set[str]()
        options: list[Choice] = []
        for item in period.adaptation_sets:
            if item.kind is not ContentKind.AUDIO or item.essential or item.id in taken:
                continue
            families = _by_family(_playable(item))
            if families:
                rungs = min(families, key=lambda rungs: (_rank(rungs, _AUDIO_FAMILIES), -len(rungs)))
                options.append(Choice(period, item, self._aligned(rungs)))
        return options

    def _aligned(self, rungs: tuple[Representation, ...]) -> tuple[Representation, ...]:
        """The largest group of rungs whose segments line up; what does not is left out and noted."""
        if self._presentation.is_live and self._presentation.kind == "hls":
            return rungs  # their playlists are of different ages; they were aligned when they were read
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
                source = representation.source or self._presentation.url
                self.repairs.append(Repair(what, source, "no clean switch"))
        return tuple(best)


KEY_FRAME_HEIGHT_PX = 360
"""High enough to find a place by."""


def key_frames_of(period: Period, *, only_read: bool = True) -> Choice | None:
    """Key frames of the main video, at one quality: the smallest that is high enough, else the highest; None without.

    only_read: leaves out those in playlists that were not read yet.
    """
    found = [
        Choice(period, adaptation_set, (item,))
        for adaptation_set in period.adaptation_sets
        if adaptation_set.kind is ContentKind.VIDEO and adaptation_set.trick_of and not adaptation_set.excluded
        for item in (_playable(adaptation_set) if only_read else adaptation_set.representations)
        if not item.excluded
    ]
    enough = [choice for choice in found if choice.rungs[0].height_px >= KEY_FRAME_HEIGHT_PX]
    if enough:
        return min(enough, key=lambda choice: choice.rungs[0].height_px)
    return max(found, key=lambda choice: choice.rungs[0].height_px, default=None)


def key_frame_line(periods: Sequence[Period]) -> Line | None:
    """The key frames of every period that has them; None when none has."""
    return _line([key_frames_of(period) for period in periods])


def has_sound(video: Line) -> bool:
    """Whether the video's own segments carry audio too; where nothing is said of codecs, they may."""
    return any(
        choice.adaptation_set.is_muxed and (not choice.rungs[0].codecs or bool(split_codecs(choice.rungs[0].codecs)[1]))
        for choice in video.choices
        if choice is not None
    )


def why_not(presentation: Presentation, periods: Sequence[Period]) -> str:
    """Why nothing of a presentation can be played, in one sentence."""
    every = [item for period in periods for found in period.adaptation_sets for item in found.representations]
    methods = sorted({method for item in every for method in _methods(item)} - set(_METHODS))
    containers = sorted({item.container.value for item in every if item.container not in _CONTAINERS})
    if methods:
        return f"the presentation is encrypted by {' and '.join(methods)}, which cannot be played"
    if containers:
        return f"{' and '.join(containers)} segments cannot be played"
    return "the presentation has neither video nor audio that can be played"


def continue_line(lead: Choice, lines: Sequence[Line], *, exactly: bool) -> Choice | None:
    """What a track that began with `lead` plays in a later period, whose lines these are; None when nothing does.

    exactly: none rather than one of another language.
    """
    options = [choice for line in lines for choice in line.choices[:1] if choice is not None]
    return _follow(lead, [options], exactly=exactly)[1][0]


def _line(choices: list[Choice | None]) -> Line | None:
    lead = next((choice for choice in choices if choice is not None), None)
    return Line(lead, tuple(choices)) if lead is not None else None


def _follow(
    lead: Choice, options: list[list[Choice]], *, exactly: bool = False
) -> tuple[Choice, tuple[Choice | None, ...]]:
    """In each period the choice most like `lead`; with `exactly`, none rather than one of another language."""
    wanted = _likeness(lead.adaptation_set)
    followed: list[Choice | None] = []
    for choices in options:
        best = min(choices, key=lambda choice: _likeness(choice.adaptation_set).distance(wanted), default=None)
        if exactly and best is not None and any(_likeness(best.adaptation_set).distance(wanted)[:2]):
            best = None
        followed.append(best)
    return lead, tuple(followed)


def _likeness(item: AdaptationSet) -> _Likeness:
    return _Likeness(item.language, item.roles, item.is_forced, item.label)


def _methods(item: Representation) -> set[str]:
    """The encryptions in force: a DRM system's own scheme says nothing of the method where mp4protection is said."""
    schemes = {protection.value for protection in item.protections if protection.value in _METHODS}
    return schemes or set(item.protection)


def _playable(adaptation_set: AdaptationSet) -> list[Representation]:
    """What could be decoded: whole, in the clear or by methods we know, and in containers we read."""
    return [
        item
        for item in adaptation_set.representations
        if (item.segments or item.pattern is not None)
        and _methods(item) <= set(_METHODS)
        and not item.excluded
        and not item.tiles
        and item.container in _CONTAINERS
    ]


def _readable(adaptation_set: AdaptationSet) -> list[Representation]:
    """Text that could be read."""
    return [
        item
        for item in adaptation_set.representations
        if (item.segments or item.pattern is not None) and not item.excluded and item.container in _TEXT_CONTAINERS
    ]


def _by_family(representations: Iterable[Representation]) -> list[tuple[Representation, ...]]:
    """Representations by container and codec family, each ascending by bitrate."""
    families: dict[tuple[str, str], list[Representation]] = {}
    for item in representations:
        families.setdefault((item.container, codec_family(item.codecs)), []).append(item)
    return [tuple(sorted(items, key=lambda item: (item.bitrate_bps, item.height_px))) for items in families.values()]


def _rank(rungs: tuple[Representation, ...], preferred: tuple[str, ...]) -> int:
    family = codec_family(rungs[0].codecs)
    return preferred.index(family) if family in preferred else len(preferred)


def _boundaries_us(representation: Representation) -> list[int]:
    """Every segment's start, and the last one's end; period-relative. Of a pattern, its duration says all."""
    timescale = representation.timescale
    if representation.pattern is not None:
        first = segment(representation, 0)
        return [ticks_to_us(first.start, timescale), ticks_to_us(first.end, timescale)]
    starts = [ticks_to_us(found.start, timescale) for found in representation.segments]
    return [*starts, ticks_to_us(representation.segments[-1].end, timescale)]


def track_key(kind: TrackKind, line: Line, taken: set[str]) -> str:
    """What a line's track is called: after its set, and unlike those that are `taken`, to which it is added."""
    wanted = f"{kind}/{line.lead.adaptation_set.id}"
    key, number = wanted, 2
    while key in taken:
        key, number = f"{wanted}/{number}", number + 1
    taken.add(key)
    return key
