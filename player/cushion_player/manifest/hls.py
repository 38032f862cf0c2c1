"""HLS: a multivariant playlist, or a media playlist alone, becomes a presentation (RFC 8216bis).

Variants become the representations of one video set, EXT-X-MEDIA renditions those of audio and text sets. Their
segments come from media playlists (`hls_media`), each a need; reloads of these are in `hls_refresh`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base, Notation, check_text
from cushion_player.manifest.hls_interstitials import asset_list_need, interstitials_of, read_asset_list
from cushion_player.manifest.hls_lines import clean_lines
from cushion_player.manifest.hls_media import TIMESCALE, read_media_playlist
from cushion_player.manifest.hls_playlist import MediaPlaylist
from cushion_player.manifest.hls_sets import audio_groups, audio_rates, sets_of
from cushion_player.manifest.hls_variants import read_multivariant, without_copies
from cushion_player.manifest.reading import (
    MAX_REPAIRS,
    Need,
    NeedKind,
    Notes,
    ReadResult,
    edit_representation,
    with_durations,
    without_need,
)
from cushion_player.model import (
    AdaptationSet,
    Container,
    ContentKind,
    Latency,
    LiveWindow,
    Period,
    PlaylistInfo,
    Presentation,
    Repair,
    Representation,
    ServiceDescription,
)
from cushion_player.planning.alignment import align

_MEDIA_TAGS = ("#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-PART")
_MULTIVARIANT_TAGS = ("#EXT-X-STREAM-INF", "#EXT-X-MEDIA:", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF")
_FIRST_TARGETS = 3
"""HOLD-BACK, in target durations, where nothing is said (4.4.3.8)."""


@dataclass(frozen=True, slots=True)
class HlsState:
    """What is kept beside a presentation to read on. Never changed, only replaced.

    audio: by video playlist, the audio playlists its bandwidth may count in. audio_rates: those that are declared.
    playlists: by id of the representation, what was read last, and the body it was read from.
    measured: ids of representations whose bitrate is that of their segments.
    """

    audio: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    audio_rates: Mapping[str, int] = field(default_factory=dict[str, int])
    playlists: Mapping[str, MediaPlaylist] = field(default_factory=dict[str, MediaPlaylist])
    bodies: Mapping[str, bytes | str] = field(default_factory=dict[str, bytes | str])
    measured: frozenset[str] = frozenset()


def read(text: str, url: str, body: bytes | str | None = None) -> ReadResult:
    """Read a playlist that `guard` let in; `body` is what it was before. Raises ManifestError kinds with the line."""
    notes = Notes()
    text = clean_lines(text)
    if not text.lstrip().startswith("#EXTM3U"):
        notes.repair("a playlist that does not begin with #EXTM3U was read", "line 1", "its other tags are HLS")
    if any(tag in text for tag in _MULTIVARIANT_TAGS):
        return _read_multivariant(text, url, notes)
    if any(tag in text for tag in _MEDIA_TAGS):
        return _read_alone(text, url, notes, body if body is not None else text)
    raise ManifestSyntaxError("the playlist lists neither variants nor segments", location=url)


def _read_alone(text: str, url: str, notes: Notes, body: bytes | str) -> ReadResult:
    """A media playlist alone is a presentation with one rung."""
    playlist = read_media_playlist(text, url, notes)
    kinds = {
        Container.PACKED_AUDIO: ContentKind.AUDIO,
        Container.TEXT: ContentKind.TEXT,
        Container.IMAGE: ContentKind.IMAGE,
    }
    kind = kinds.get(playlist.container, ContentKind.VIDEO)
    representation = filled(Representation("0", source=url), playlist)
    one = AdaptationSet(kind.value, kind, (representation,), is_muxed=kind is ContentKind.VIDEO)
    presentation = Presentation("hls", url, playlist.is_live, None, (Period("0", Fraction(0), None, (one,)),))
    state = HlsState(playlists={"0": playlist}, bodies={"0": body})
    presentation = replace(presentation, repairs=tuple(notes.repairs), state=state)
    return ReadResult(with_durations(described(presentation)))


def _read_multivariant(text: str, url: str, notes: Notes) -> ReadResult:
    listed = read_multivariant(text, url, notes)
    distinct = without_copies(listed)
    sets = sets_of(distinct, notes)
    played = [item for item in sets if _is_played(item)]
    if not any(item.kind in (ContentKind.VIDEO, ContentKind.AUDIO) for item in sets):
        raise ManifestSyntaxError("the playlist lists no variant", location=url)
    needs = tuple(playlist_need(item) for adaptation_set in played for item in adaptation_set.representations)
    presentation = Presentation(
        "hls",
        url,
        False,
        None,
        (Period("0", Fraction(0), None, tuple(sets)),),
        tuple(notes.repairs),
        steering=listed.steering,
        start=listed.start,
        session_data=tuple(listed.session_data),
        session_keys=tuple(listed.session_keys),
        variables=tuple(listed.variables.items()),
        has_independent_segments=listed.has_independent_segments,
        extra=tuple(listed.extra),
        state=HlsState(audio_groups(distinct), audio_rates(listed)),
    )
    return ReadResult(presentation, needs)


def _is_played(adaptation_set: AdaptationSet) -> bool:
    """Whether its playlists are wanted at once; text, other angles, I-frames and images wait until they are."""
    if adaptation_set.trick_of:
        return False
    if adaptation_set.kind is ContentKind.VIDEO:
        return "main" in adaptation_set.roles
    return adaptation_set.kind is ContentKind.AUDIO


def playlist_need(representation: Representation) -> Need:
    """What to fetch for a representation whose playlist has not been read yet."""
    label = f"the media playlist of {representation.id}"
    url = representation.bases[0].url if representation.bases else representation.source
    return Need(NeedKind.PLAYLIST, url, None, label, 0, representation.id)


def later_needs(presentation: Presentation) -> tuple[Need, ...]:
    """What is read only when it is wanted: playlists of text, other angles, I-frames and images, and asset lists."""
    playlists = [
        playlist_need(item)
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
        if item.playlist is None and not _is_played(adaptation_set)
    ]
    lists = [asset_list_need(item) for item in presentation.interstitials if item.asset_list_url and not item.assets]
    return (*playlists, *lists)


# --------------------------------------------------------------------------- what was fetched


def resolve(result: ReadResult, need: Need, body: bytes, url: str) -> ReadResult:
    """Put in what was asked for: the segments of a media playlist, or the assets of an interstitial."""
    Base(need.url).resolve(url, need.label)  # a redirect may not lead where a manifest may not point
    if need.kind is NeedKind.ASSETS:
        presentation = read_asset_list(result.presentation, need, body, url)
        return without_need(presentation, result, need)
    text = playlist_text(body, url, need.label)
    notes = Notes()
    variables = dict(result.presentation.variables)
    before = state_of(result.presentation).playlists.get(need.representation)
    playlist = read_media_playlist(text, url, notes, variables, before)
    if not playlist.segments and not (playlist.is_live and playlist.info.target_duration):
        raise ManifestSyntaxError(f"{need.label} has no segments", location=url)
    presentation = result.presentation
    if before is None:
        presentation = aligned(presentation, need.representation, playlist)
    presentation = with_playlist(presentation, need.representation, playlist, body, keep_bitrate=before is not None)
    presentation = with_repairs(presentation, notes, url)
    return without_need(with_video_bitrates(presentation), result, need)


def playlist_text(body: bytes | str, url: str, label: str) -> str:
    """A media playlist's text with LF line ends. Raises ManifestSyntaxError when it is none."""
    notation, text = check_text(body, url)
    if notation is not Notation.HLS:
        raise ManifestSyntaxError(f"{label} is no playlist", location=url)
    text = clean_lines(text)
    if "#EXT-X-STREAM-INF" in text:
        raise ManifestSyntaxError(f"{label} is a multivariant playlist", location=url)
    return text


def aligned(presentation: Presentation, identity: str, playlist: MediaPlaylist) -> Presentation:
    """Move a live playlist's times to where the newest of those that were read before it has them."""
    others = [item for item in representations_of(presentation) if item.segments and item.id != identity]
    reference = max(others, key=lambda item: item.segments[-1].number, default=None)
    if reference is None or not playlist.is_live or not playlist.segments:
        return presentation
    tie = align(reference, filled(Representation(identity), playlist))
    if tie is not None:
        shift = tie.shift * TIMESCALE
        playlist.segments.shift(round(shift))
        return presentation
    repair = Repair(
        "times of a playlist were left to begin with its first segment", playlist.url, "nothing ties it to the others"
    )
    return replace(presentation, repairs=(*presentation.repairs, repair))


def representations_of(presentation: Presentation) -> list[Representation]:
    """Every representation, in order."""
    return [
        item
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
    ]


def with_playlist(
    presentation: Presentation,
    identity: str,
    playlist: MediaPlaylist,
    body: bytes | str,
    *,
    keep_bitrate: bool = False,
) -> Presentation:
    """The presentation with a representation's media playlist put in.

    keep_bitrate: a reload does not measure anew, because a ladder stays as it is while it is played.
    """

    def edit(item: Representation) -> Representation:
        made = filled(item, playlist)
        return replace(made, bitrate_bps=item.bitrate_bps) if keep_bitrate and item.bitrate_bps else made

    need = Need(NeedKind.PLAYLIST, "", None, "", 0, identity)
    presentation = edit_representation(presentation, need, edit)
    state = state_of(presentation)
    is_measured = playlist.segments.mean_bitrate_bps() is not None
    state = replace(
        state,
        playlists={**state.playlists, identity: playlist},
        bodies={**state.bodies, identity: body},
        measured=state.measured | {identity} if is_measured else state.measured - {identity},
    )
    return described(replace(presentation, state=state))


def with_repairs(presentation: Presentation, notes: Notes, url: str) -> Presentation:
    """The presentation with what was tolerated in the playlist at `url`; what was said before is not said again."""
    known = {(item.what, item.where.partition(" ")[0]) for item in presentation.repairs}
    new = [
        Repair(item.what, f"{url} {item.where}", item.why) for item in notes.repairs if (item.what, url) not in known
    ]
    if not new:
        return presentation
    return replace(presentation, repairs=(*presentation.repairs, *new)[:MAX_REPAIRS])


def state_of(presentation: Presentation) -> HlsState:
    return presentation.state if isinstance(presentation.state, HlsState) else HlsState()


def filled(representation: Representation, playlist: MediaPlaylist) -> Representation:
    """A representation with what its media playlist tells."""
    is_image = representation.container is Container.IMAGE
    return replace(
        representation,
        bitrate_bps=playlist.segments.mean_bitrate_bps() or representation.bitrate_bps,
        timescale=TIMESCALE,
        segments=playlist.segments,
        init=playlist.segments.init,
        protection=playlist.protection,
        protections=playlist.protections,
        container=Container.IMAGE if is_image else playlist.container,
        tiles=playlist.tiles or representation.tiles,
        playlist=playlist.info,
        extra=(*(item for item in representation.extra if item not in playlist.extra), *playlist.extra),
    )


def described(presentation: Presentation) -> Presentation:
    """The presentation with what its media playlists say of the whole."""
    playlists = state_of(presentation).playlists.values()
    infos = [item.info for item in playlists]
    targets = [info.target_duration for info in infos if info.target_duration]
    ranges = {item.id: item for info in infos for item in info.date_ranges}
    is_live = any(not info.has_ended for info in infos)
    hold_back = _hold_back(infos) if is_live else None
    return replace(
        presentation,
        is_live=is_live,
        live=LiveWindow(
            target_duration=max(targets, default=None),
            max_segment_duration=max(targets, default=None),
            playlist_type=next((info.playlist_type for info in infos if info.playlist_type), ""),
            suggested_presentation_delay=hold_back,
        ),
        service_descriptions=(
            (ServiceDescription(latency=Latency(round(hold_back * 1000))),) if hold_back is not None else ()
        ),
        start=presentation.start or next((info.start for info in infos if info.start is not None), None),
        has_independent_segments=presentation.has_independent_segments
        or any(item.has_independent_segments for item in playlists),
        date_ranges=tuple(ranges.values()),
        interstitials=interstitials_of(presentation, [(item.url, item.info.date_ranges) for item in playlists]),
    )


def _hold_back(infos: list[PlaylistInfo]) -> Fraction | None:
    """How far from the live edge to stay: of the playlist that asks for most (4.4.3.8)."""
    wanted: list[Fraction] = []
    for info in infos:
        control = info.server_control
        if info.part_target is not None and control.part_hold_back is not None:
            wanted.append(control.part_hold_back)
        elif control.hold_back is not None:
            wanted.append(control.hold_back)
        elif info.target_duration:
            wanted.append(_FIRST_TARGETS * info.target_duration)
    return max(wanted, default=None)


def with_video_bitrates(presentation: Presentation) -> Presentation:
    """Rungs with the bitrate of their video alone, where it can be known.

    Declared bandwidths count the dearest rendition of the audio group in (4.4.6.2); its real or declared bitrate is
    taken off. What was measured from segment sizes is left as it is.
    """
    state = state_of(presentation)
    rates = dict(state.audio_rates)
    for adaptation_set in presentation.periods[0].adaptation_sets:
        if adaptation_set.kind is ContentKind.AUDIO:
            rates.update({item.source: item.bitrate_bps for item in adaptation_set.representations if item.bitrate_bps})

    def edit(item: Representation) -> Representation:
        if item.id in state.measured or (item.declared_bitrate_bps and item.source not in state.audio):
            return item
        if not item.declared_bitrate_bps:
            return replace(item, bitrate_bps=rates.get(item.source, 0))
        audio = max((rates.get(url, 0) for url in state.audio.get(item.source, ())), default=0)
        video = item.declared_bitrate_bps - audio
        return replace(item, bitrate_bps=video if video > 0 else item.declared_bitrate_bps)

    periods = tuple(
        replace(
            period,
            adaptation_sets=tuple(
                replace(item, representations=tuple(map(edit, item.representations))) for item in period.adaptation_sets
            ),
        )
        for period in presentation.periods
    )
    return replace(presentation, periods=periods)
