"""Reloads of HLS media playlists: put into the presentation, and where and when to ask next (6.2.5, 6.3.4)."""

from __future__ import annotations

from fractions import Fraction
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest.guard import Base
from cushion_player.manifest.hls import (
    aligned,
    playlist_need,
    playlist_text,
    representations_of,
    state_of,
    with_playlist,
    with_repairs,
)
from cushion_player.manifest.hls_media import read_media_playlist
from cushion_player.manifest.hls_playlist import MediaPlaylist, MissingSegments
from cushion_player.manifest.reading import Change, Notes, Refresh, with_durations
from cushion_player.model import PlaylistInfo, Presentation, Representation

_DIRECTIVES = ("_HLS_msn", "_HLS_part", "_HLS_skip")


def refresh(previous: Presentation, body: bytes | str, url: str, representation: str = "") -> Refresh:
    """Read a media playlist again and put it in.

    url: where the body came from, after redirects. representation: the id of the one it belongs to; "" finds it by
        its URL, delivery directives apart.
    Times go on: a segment keeps its place on the timeline. A delta update that skips more than is known gives the
    presentation as it was, and the whole playlist as a need; `resolve` then goes on from there.
    Raises ManifestError kinds when the body is no media playlist.
    """
    state = state_of(previous)
    item = _representation(previous, url, representation)
    before = state.playlists.get(item.id)
    if before is not None and state.bodies[item.id] == body:
        return Refresh(previous)
    Base(item.source).resolve(url, item.id)
    text = playlist_text(body, url, f"the media playlist of {item.id}")
    notes = Notes()
    base_url = before.url if before is not None and _plain(before.url) == _plain(url) else url
    try:
        playlist = read_media_playlist(text, base_url, notes, dict(previous.variables), before)
    except MissingSegments:
        return Refresh(previous, (playlist_need(item),))
    if not playlist.segments:
        raise ManifestSyntaxError(f"the media playlist of {item.id} has no segments any more", location=url)
    if before is not None and playlist.segments.number > before.segments.end:
        previous = aligned(previous, item.id, playlist)  # too old to say where the new one lies
    presentation = with_playlist(previous, item.id, playlist, body, keep_bitrate=before is not None)
    presentation = with_repairs(presentation, notes, _plain(url))
    return Refresh(with_durations(presentation), changes=(_change(previous, item, before, playlist),))


def _change(
    presentation: Presentation, item: Representation, before: MediaPlaylist | None, now: MediaPlaylist
) -> Change:
    period = presentation.periods[0].id
    if before is None or now.segments.number < before.segments.number:
        return Change(period, item.id, len(now.segments), len(before.segments) if before is not None else 0)
    old, new = before.segments, now.segments
    return Change(period, item.id, max(new.end - max(old.end, new.number), 0), min(new.number, old.end) - old.number)


def _representation(presentation: Presentation, url: str, identity: str) -> Representation:
    items = representations_of(presentation)
    if identity:
        found = [item for item in items if item.id == identity]
    else:
        state, plain = state_of(presentation), _plain(url)
        read = {key: _plain(playlist.url) for key, playlist in state.playlists.items()}
        found = [item for item in items if plain in (_plain(item.source), read.get(item.id))]
        if not found and len(items) == 1:
            found = items
    if not found:
        raise ManifestError("no representation has this media playlist", location=url)
    return found[0]


def _plain(url: str) -> str:
    """The URL without delivery directives."""
    if "_HLS_" not in url:
        return url
    parts = urlsplit(url)
    kept = [piece for piece in parts.query.split("&") if piece.partition("=")[0] not in _DIRECTIVES]
    return urlunsplit(parts._replace(query="&".join(kept)))


# --------------------------------------------------------------------------- where and when


def reload_url(
    representation: Representation,
    *,
    at: str = "",
    age: Fraction = Fraction(0),
    may_block: bool = True,
    may_skip: bool = True,
) -> str:
    """Where to ask for the next version of a media playlist; "" when it has ended.

    at: its address, where that is another one than the representation's own.
    age: seconds since the last version was received; a delta update may only be asked for while that is at most half
        of CAN-SKIP-UNTIL (6.2.5.1).
    may_block: ask for the answer to wait until the next segment or part is there, where the server can do that.
    """
    url = at or representation.source
    info = representation.playlist
    if info is None:
        return url
    if info.has_ended:
        return ""
    control = info.server_control
    directives: list[tuple[str, str]] = []
    if may_block and control.can_block_reload:
        directives.append(("_HLS_msn", str(_next_number(representation, info))))
        if info.part_target is not None:
            directives.append(("_HLS_part", str(len(info.partial))))
    if may_skip and control.can_skip_until is not None and age <= control.can_skip_until / 2:
        directives.append(("_HLS_skip", "v2" if control.can_skip_dateranges else "YES"))
    return with_directives(url, directives)


def _next_number(representation: Representation, info: PlaylistInfo) -> int:
    segments = representation.segments
    return segments[-1].number + 1 if segments else info.media_sequence


def joining_url(representation: Representation, current: Representation, at: str = "") -> str:
    """Where to ask first for the playlist of a representation to switch to, by the report of the current one.

    at: its address, where that is another one than the representation's own.
    The answer is the version that is as new as the current playlist (EXT-X-RENDITION-REPORT, 6.2.5.2).
    """
    url = at or representation.source
    info = current.playlist
    if info is None or not info.server_control.can_block_reload:
        return url
    report = next((item for item in info.rendition_reports if _plain(item.url) == url), None)
    if report is None:
        return url
    number = report.last_sequence
    if number is None:  # 4.4.5.4: then it is that of the playlist with the report
        number = _next_number(current, info) - (0 if info.partial else 1)
    directives = [("_HLS_msn", str(number))]
    if report.last_part is not None:
        directives.append(("_HLS_part", str(report.last_part)))
    return with_directives(url, directives)


def with_directives(url: str, directives: list[tuple[str, str]]) -> str:
    """The URL with delivery directives, sorted by name after what its query already has (6.2.5)."""
    if not directives:
        return url
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name in _DIRECTIVES]
    query = parts.query if not kept else urlsplit(_plain(url)).query
    added = urlencode(sorted(directives))
    return urlunsplit(parts._replace(query=f"{query}&{added}" if query else added))


def reload_delay(representation: Representation, *, has_changed: bool) -> Fraction | None:
    """Seconds from one reload's request to the next without blocking; None when it has ended (6.3.4).

    One target duration after a version that brought something, half of one after a version that did not.
    """
    info = representation.playlist
    if info is None or info.has_ended:
        return None
    target = info.part_target if info.part_target is not None and info.partial else info.target_duration
    return target if has_changed else target / 2
