"""What a viewer can choose: the audio and subtitle tracks of a title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cushion_player.timeline import Track, TrackKind


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
