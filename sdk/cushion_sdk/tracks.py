"""What a viewer can choose: qualities, sound, subtitles and captions of a title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cushion_player.timeline import Track, TrackKind

if TYPE_CHECKING:
    from cushion_player.model import Descriptor, Presentation


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """One track. `key` is what `select_audio` and `select_text` take; language is BCP 47, "" when not said."""

    key: str
    kind: TrackKind
    language: str
    label: str
    roles: tuple[str, ...]
    """DASH role values: `main`, `commentary`, `caption`, `description` …"""
    is_forced: bool
    """Subtitles for speech in another language than the audio's: shown when no others are."""
    is_selected: bool


@dataclass(frozen=True, slots=True)
class RungInfo:
    """One quality of the picture. `rung` is what `Limits.pinned_rung` takes, 0 the lowest."""

    rung: int
    width_px: int
    height_px: int
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class RungCap:
    """Qualities above `rung` are not used for now, because of `reason`. height_px: of that rung, 0 when not known."""

    rung: int
    height_px: int
    reason: str


@dataclass(frozen=True, slots=True)
class CaptionInfo:
    """Captions inside the picture. `service` is what `select_captions` takes; language is "" when not said."""

    service: str
    language: str
    label: str = ""


class HasTracks(Protocol):
    """An engine's snapshot, as far as this needs it."""

    @property
    def audio_key(self) -> str: ...
    @property
    def text_key(self) -> str: ...


def list_tracks(tracks: Iterable[Track], playing: HasTracks) -> tuple[TrackInfo, ...]:
    """Audio and text, the preferred of each first."""
    selected = {playing.audio_key, playing.text_key}
    return tuple(
        TrackInfo(
            track.key,
            track.kind,
            track.language,
            track.label,
            track.roles,
            track.is_forced,
            is_selected=track.key in selected,
        )
        for track in tracks
        if track.kind is not TrackKind.VIDEO
    )


def list_rungs(tracks: Iterable[Track], position_us: int) -> tuple[RungInfo, ...]:
    """The qualities of the picture at a position, the lowest first; () without a picture."""
    video = next((track for track in tracks if track.kind is TrackKind.VIDEO), None)
    if video is None:
        return ()
    rungs = video.stretch_of(video.segment_at(position_us)).rungs
    return tuple(RungInfo(index, each.width_px, each.height_px, each.bitrate_bps) for index, each in enumerate(rungs))


def list_captions(presentation: Presentation) -> tuple[CaptionInfo, ...]:
    """The captions that a manifest says are inside the picture, each service once."""
    found: dict[str, CaptionInfo] = {}
    for period in presentation.periods:
        for adaptation_set in period.adaptation_sets:
            for descriptor in adaptation_set.captions_in_video:
                for each in _captions_of(descriptor, has_names=presentation.kind == "hls"):
                    found.setdefault(each.service, each)
    return tuple(found.values())


def _captions_of(descriptor: Descriptor, *, has_names: bool) -> Iterable[CaptionInfo]:
    """One by one: `CC1=eng;CC3=swe` (CEA-608), `1=lang:eng;2=lang:deu,war:1` (CEA-708), or languages alone.

    Languages alone are those of CC1 and CC3, in order (SCTE 214-1 7.3).
    """
    from cushion_player.text.captions import caption_service

    is_708 = "708" in descriptor.scheme
    entries = [entry for entry in descriptor.value.split(";") if entry.strip()] or [""]
    for number, entry in enumerate(entries):
        name, equals, said = entry.partition("=")
        if not equals:
            name, said = "1" if is_708 else ("CC1", "CC3")[min(number, 1)], entry
        service = caption_service(name)
        if service is not None:
            yield CaptionInfo(
                service, said.split(",")[0].strip().removeprefix("lang:"), descriptor.id if has_names else ""
            )


def choose_text(tracks: Sequence[Track], language: str | None) -> str:
    """The key of the subtitles to begin with: of the wanted language, else the forced ones that go with the sound.

    language: None when nobody asked for any. "" when there are none.
    """
    text = [track for track in tracks if track.kind is TrackKind.TEXT]
    audio_language = next((track.language for track in tracks if track.kind is TrackKind.AUDIO), "")
    if language is not None:
        spoken = [track for track in text if speaks(track.language, language) and not track.is_forced]
        if spoken:
            return spoken[0].key
    forced = [track for track in text if track.is_forced and speaks(track.language, audio_language)]
    return forced[0].key if forced else ""


def speaks(offered: str, wanted: str) -> bool:
    """Whether a language is the one that is wanted: `en` also takes `en-GB`."""
    offered, wanted = offered.lower(), wanted.lower()
    return bool(wanted) and (offered == wanted or offered.split("-")[0] == wanted)
