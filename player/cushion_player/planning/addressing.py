"""From a presentation to what an engine schedules: a timeline, and the addresses behind it.

`choosing` says what is played, `layout` where it lies; here they come together. What was left out on the way is in
`repairs`. Pure: nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.model import (
    Address,
    Container,
    Key,
    PathwayClone,
    Period,
    Presentation,
    Repair,
    Representation,
    Segment,
)
from cushion_player.planning.choosing import Chooser, Line, has_sound, key_frame_line, track_key, why_not
from cushion_player.planning.layout import Encryption, Names, PlannedTrack, TrackLayout, settle_holes
from cushion_player.planning.places import address_at
from cushion_player.timeline import SteeringHint, Timeline, Track, TrackKind


@dataclass(frozen=True, slots=True)
class SegmentFormat:
    """How the segments of a stretch are read at one rung, as far as the manifest says."""

    container: Container
    codecs: str
    discontinuity: int
    has_key_frames_only: bool = False


@dataclass(frozen=True, slots=True)
class PlaybackPlan:
    """A timeline for the engine, and the addresses behind it for its driver. Tracks go by their keys."""

    timeline: Timeline
    repairs: tuple[Repair, ...]
    """What was left out, besides the presentation's own repairs."""
    has_muxed_audio: bool
    """Whether the video's segments are the audio's too: what is fed to one is fed to both."""
    _tracks: dict[str, PlannedTrack]
    names: Names = field(default_factory=Names, compare=False, repr=False)
    """Of initialisation segments and encryptions: what is laid out later must use the same."""
    beside: frozenset[str] = frozenset()
    """Keys of tracks that are not in the timeline: key frames."""

    def init_address(
        self, key: str, index: int, rung: int, source: str = "", clones: Sequence[PathwayClone] = ()
    ) -> Address | None:
        """The initialisation segment that segment `index` needs, at a source; None when it needs none."""
        init = self._tracks[key].init(index, rung)
        if init is None:
            return None
        return address_at(init.address, self.representation(key, index, rung), source, clones)

    def init_name(self, key: str, index: int, rung: int) -> str:
        """What the timeline calls that initialisation segment; "" when there is none."""
        return self._tracks[key].track.stretch_of(index).init_of(rung)

    def segment_address(
        self, key: str, index: int, rung: int, source: str = "", clones: Sequence[PathwayClone] = ()
    ) -> Address:
        """Where the segment is at a source. clones: sources that a steering server has made."""
        return address_at(self.segment(key, index, rung).address, self.representation(key, index, rung), source, clones)

    def segment(self, key: str, index: int, rung: int) -> Segment:
        """The segment as its home lists it."""
        return self._tracks[key].stretch(index).segment(index, rung)

    def representation(self, key: str, index: int, rung: int) -> Representation:
        """What segment `index` is a part of at this rung."""
        return self._tracks[key].stretch(index).choice.rungs[rung]

    def encryption(self, key: str, index: int, rung: int) -> Encryption:
        """What the segment is encrypted with; empty in the clear."""
        return self._tracks[key].encryption(index, rung)

    def comes_in_chunks(self, key: str, index: int, rung: int) -> bool:
        """Whether a segment can be played while it is arriving."""
        planned, live = self._tracks[key], self.timeline.live
        if live is None or not live.chunk_us or planned.track.kind is TrackKind.TEXT:
            return False
        return self.format(key, index, rung).container is Container.MP4

    def key_name(self, key: str, index: int, rung: int) -> str:
        """What the timeline calls that encryption; "" in the clear."""
        return self._tracks[key].track.stretch_of(index).key_of(rung)

    def init_keys(self, key: str, index: int, rung: int) -> tuple[Key, ...]:
        """What the initialisation segment itself is encrypted with (HLS)."""
        init = self._tracks[key].init(index, rung)
        return init.keys if init is not None else ()

    def sequence_number(self, key: str, index: int, rung: int) -> int:
        """$Number$ in DASH, the media sequence number in HLS."""
        return self._tracks[key].stretch(index).segment(index, rung).number

    def format(self, key: str, index: int, rung: int) -> SegmentFormat:
        planned = self._tracks[key]
        representation = planned.stretch(index).choice.rungs[rung]
        return SegmentFormat(
            representation.container,
            representation.codecs,
            planned.track.stretch_of(index).discontinuity,
            has_key_frames_only=key in self.beside,
        )

    def track(self, key: str) -> Track:
        """A track of the timeline, or one beside it."""
        return self._tracks[key].track

    def label(self, key: str, index: int, rung: int, what: str = "") -> str:
        """What a request is, for messages: `segment 412 of video/1080p`, `the key of audio/en`."""
        name = self._tracks[key].track.stretch_of(index).rungs[rung].key
        return f"{what or f'segment {index}'} of {name}"

    def offset_us(self, key: str, index: int) -> int | None:
        """Media time minus timeline time of a segment; None when the manifest does not say (HLS)."""
        return self._tracks[key].stretch(index).offset_us


def plan_playback(presentation: Presentation, *, language: str | None = None) -> PlaybackPlan:
    """Choose what to play of a complete presentation (no open needs).

    language: the audio wanted (BCP 47; `en` also takes `en-GB`); None, or one that is not there, takes the default.
    Raises UnsupportedManifestFeature, in one sentence, when nothing of it can be played.
    """
    if presentation.is_live:
        message = "a live presentation is planned by the time of day, by a LivePlanner"
        raise UnsupportedManifestFeature(message, location=presentation.url)
    periods = [period for period in presentation.periods if period.adaptation_sets]
    if not periods:
        raise UnsupportedManifestFeature("the presentation has no media", location=presentation.url)
    chooser = Chooser(presentation, periods, language)
    video, text = chooser.video(), chooser.text()
    audio = chooser.audio(video)
    layouts = _Layouts(presentation, periods)
    main = layouts.lay_out(TrackKind.VIDEO, [video] if video is not None else [])
    sound = layouts.lay_out(TrackKind.AUDIO, audio)
    played = settle_holes([*main, *sound[:1]]) + sound[1:]
    if not played:
        raise UnsupportedManifestFeature(why_not(presentation, periods), location=presentation.url)
    tracks = played + layouts.lay_out(TrackKind.TEXT, text)
    timeline = Timeline(
        tuple(planned.track for planned in tracks),
        max(each.track.end_us() for each in played),
        steering=steering_hint(presentation),
    )
    return PlaybackPlan(
        timeline,
        (*chooser.repairs, *layouts.repairs),
        has_muxed_audio=bool(main) and not sound and video is not None and has_sound(video),
        _tracks={planned.track.key: planned for planned in tracks},
        names=layouts.names,
    )


def plan_key_frames(presentation: Presentation, plan: PlaybackPlan) -> tuple[PlaybackPlan, str] | None:
    """The plan with a track of the main video's key frames beside its timeline, and that track's key; None without."""
    periods = [period for period in presentation.periods if period.adaptation_sets]
    line = key_frame_line(periods)
    if line is None or plan.timeline.is_live:
        return None
    layouts = _Layouts(presentation, periods, plan.names, {track.key for track in plan.timeline.tracks})
    found = layouts.lay_out(TrackKind.VIDEO, [line])
    if not found:
        return None
    planned = found[0]
    key = planned.track.key
    return replace(plan, beside=plan.beside | {key}, _tracks={**plan._tracks, key: planned}), key


def steering_hint(presentation: Presentation) -> SteeringHint | None:
    """What an engine is told of a presentation's steering server."""
    steering = presentation.steering
    return SteeringHint(steering.default, steering.query_before_start) if steering is not None else None


class _Layouts:
    """Lays out lines of one presentation on one timeline, which starts with the first period."""

    def __init__(
        self,
        presentation: Presentation,
        periods: Sequence[Period],
        names: Names | None = None,
        keys: Collection[str] = (),
    ) -> None:
        """names, keys: those that are taken already."""
        self.repairs: list[Repair] = []
        self.names = names or Names()
        self._presentation = presentation
        self._periods = periods
        self._keys = set(keys)

    def lay_out(self, kind: TrackKind, lines: Sequence[Line]) -> list[PlannedTrack]:
        """The tracks of these lines; a line without a single segment gives none."""
        tracks: list[PlannedTrack] = []
        for line in lines:
            origin = self._presentation.periods[0].start
            layout = TrackLayout(kind, track_key(kind, line, self._keys), line.lead.adaptation_set, origin, self.names)
            for period, choice in zip(self._periods, line.choices, strict=True):
                layout.add_period(period, choice, is_last=period is self._periods[-1])
            planned = layout.finish()
            self.repairs += layout.repairs
            if planned is not None:
                tracks.append(planned)
        return tracks
