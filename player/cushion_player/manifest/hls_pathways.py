"""The same segments in the media playlist of another pathway (RFC 8216bis 7.4: pathways have the same content)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls import filled, playlist_text, representations_of
from cushion_player.manifest.hls_media import read_media_playlist
from cushion_player.manifest.reading import Need, NeedKind, Notes, edit_representation
from cushion_player.model import BaseUrl, Presentation, Representation, Segment, segment_index_at
from cushion_player.planning.places import with_home


def read_elsewhere(
    representation: Representation, body: bytes, url: str, variables: tuple[tuple[str, str], ...], label: str
) -> Representation:
    """The representation as another pathway's playlist lists it. Raises ManifestError kinds when that is none."""
    Base(representation.source).resolve(url, label)  # a redirect may not lead where a manifest may not point
    playlist = read_media_playlist(playlist_text(body, url, label), url, Notes(), dict(variables))
    if not playlist.segments:
        raise ManifestSyntaxError(f"{label} has no segments", location=url)
    return filled(replace(representation, source=url), playlist)


def read_at(presentation: Presentation, identity: str, url: str) -> Presentation:
    """The presentation once a representation's playlist was read at `url`: its addresses lie there now."""
    item = next((item for item in representations_of(presentation) if item.id == identity), None)
    place = next((base for base in item.bases if base.url == url), None) if item is not None else None
    return presentation if place is None else read_at_place(presentation, identity, place)


def read_at_place(presentation: Presentation, identity: str, place: BaseUrl) -> Presentation:
    """The same, for a place that the playlist need not know (a clone)."""
    item = next(item for item in representations_of(presentation) if item.id == identity)
    moved = with_home(item, place)
    if moved is item:
        return presentation
    return edit_representation(presentation, Need(NeedKind.PLAYLIST, "", None, "", 0, identity), lambda _: moved)


def counterpart(wanted: Segment, here: Representation, there: Representation, shift: Fraction) -> Segment | None:
    """The segment of another pathway's playlist that has the content of `wanted`; None when it is not listed.

    shift: what to add to the times of `there` to have those of `here`, in seconds.
    """
    middle = (Fraction(2 * wanted.start + wanted.duration, 2 * here.timescale) - shift) * there.timescale
    index = segment_index_at(there.segments, int(middle))
    if index < 0:
        return None
    found = there.segments[index]
    return found if found.start <= middle < found.end else None
