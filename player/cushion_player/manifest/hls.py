"""HLS: a multivariant playlist, or a media playlist alone, becomes a presentation (RFC 8216bis).

Variants become the representations of one video set, EXT-X-MEDIA renditions those of audio and text sets. Their
segments come from media playlists (`hls_media`), each a need.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base, Notation, check_text
from cushion_player.manifest.hls_lines import attributes, lines
from cushion_player.manifest.hls_media import TIMESCALE, MediaPlaylist, read_media_playlist
from cushion_player.manifest.reading import (
    Need,
    NeedKind,
    Notes,
    ReadResult,
    edit_representation,
    with_durations,
    with_real_bitrate,
    without_need,
)
from cushion_player.manifest.values import container_of_url, parse_decimal, parse_frame_rate, split_codecs
from cushion_player.model import (
    AdaptationSet,
    Container,
    ContentKind,
    Period,
    Presentation,
    Representation,
)

_MEDIA_TAGS = ("#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-PART")
_KINDS = {"AUDIO": ContentKind.AUDIO, "SUBTITLES": ContentKind.TEXT, "VIDEO": ContentKind.VIDEO}


def read(text: str, url: str) -> ReadResult:
    """Read a playlist that `guard` let in. Raises ManifestError kinds with the line."""
    notes = Notes()
    if not text.lstrip().startswith("#EXTM3U"):
        notes.repair("a playlist that does not begin with #EXTM3U was read", "line 1", "its other tags are HLS")
    if "#EXT-X-STREAM-INF" in text or "#EXT-X-MEDIA:" in text:
        return _read_multivariant(text, url, notes)
    if any(tag in text for tag in _MEDIA_TAGS):
        return _read_alone(text, url, notes)
    raise ManifestSyntaxError("the playlist lists neither variants nor segments", location=url)


def _read_alone(text: str, url: str, notes: Notes) -> ReadResult:
    """A media playlist alone is a presentation with one rung."""
    playlist = read_media_playlist(text, url, notes)
    is_audio = playlist.container is Container.PACKED_AUDIO
    kind = (
        ContentKind.AUDIO
        if is_audio
        else ContentKind.TEXT
        if playlist.container is Container.TEXT
        else ContentKind.VIDEO
    )
    representation = _filled(Representation("0", source=url), playlist)
    one = AdaptationSet(kind.value, kind, (representation,), is_muxed=kind is ContentKind.VIDEO)
    presentation = Presentation("hls", url, playlist.is_live, None, (Period("0", Fraction(0), None, (one,)),))
    return ReadResult(with_durations(replace(presentation, repairs=tuple(notes.repairs))))


# --------------------------------------------------------------------------- the multivariant playlist


@dataclass(frozen=True, slots=True)
class _Variant:
    attributes: dict[str, str]
    url: str
    where: str


@dataclass(frozen=True, slots=True)
class _Rendition:
    attributes: dict[str, str]
    kind: ContentKind
    url: str
    """"" when the variant's own segments carry it."""
    where: str


@dataclass(slots=True)
class _Multivariant:
    variants: list[_Variant] = field(default_factory=list[_Variant])
    renditions: list[_Rendition] = field(default_factory=list[_Rendition])


def _read_multivariant(text: str, url: str, notes: Notes) -> ReadResult:
    listed = _list(text, Base(url), notes)
    audio_groups = {
        item.attributes.get("GROUP-ID", "") for item in listed.renditions if item.kind is ContentKind.AUDIO and item.url
    }
    audio_urls = {item.url for item in listed.renditions if item.kind is ContentKind.AUDIO}
    variants = _distinct(listed.variants, audio_urls)
    sets = [
        *_variant_sets(variants, audio_groups, notes),
        *_rendition_sets(
            [item for item in listed.renditions if item.url and item.kind is not ContentKind.VIDEO],
            _group_codecs(listed.variants),
        ),
    ]
    if not any(item.kind in (ContentKind.VIDEO, ContentKind.AUDIO) for item in sets):
        raise ManifestSyntaxError("the playlist lists no variant", location=url)
    needs = tuple(
        Need(NeedKind.PLAYLIST, item.source, None, f"the media playlist of {item.id}", 0, item.id)
        for adaptation_set in sets
        if adaptation_set.kind is not ContentKind.TEXT
        for item in adaptation_set.representations
    )
    period = Period("0", Fraction(0), None, tuple(sets))
    presentation = Presentation("hls", url, False, None, (period,), tuple(notes.repairs))
    return ReadResult(presentation, needs)


def _list(text: str, base: Base, notes: Notes) -> _Multivariant:
    listed = _Multivariant()
    pending: dict[str, str] | None = None
    for at, name, value in lines(text):
        where = f"line {at}"
        if name == "EXT-X-STREAM-INF":
            pending = attributes(value)
        elif not name:
            if pending is None:
                notes.repair("a URI without EXT-X-STREAM-INF was left out", where, "4.4.6.2: nothing says what it is")
                continue
            listed.variants.append(_Variant(pending, base.resolve(value, where), where))
            pending = None
        elif name == "EXT-X-MEDIA":
            found = attributes(value)
            kind = _KINDS.get(found.get("TYPE", "").upper())
            if kind is not None:
                uri = found.get("URI", "")
                listed.renditions.append(_Rendition(found, kind, base.resolve(uri, where) if uri else "", where))
    return listed


def _distinct(variants: list[_Variant], audio_urls: set[str]) -> list[_Variant]:
    """One variant a playlist: the same video with another audio group, and redundant copies, are left out."""
    kept: dict[str, _Variant] = {}
    signatures: set[tuple[tuple[str, str], ...]] = set()
    for variant in variants:
        signature = tuple(sorted(item for item in variant.attributes.items() if item[0] != "PATHWAY-ID"))
        if variant.url in kept or signature in signatures or variant.url in audio_urls:
            continue
        kept[variant.url] = variant
        signatures.add(signature)
    return list(kept.values())


def _variant_sets(variants: list[_Variant], audio_groups: set[str], notes: Notes) -> list[AdaptationSet]:
    """The video set (apart, those that carry their own audio) and variants of audio alone."""
    sets: dict[tuple[ContentKind, bool], list[Representation]] = {}
    for number, variant in enumerate(variants):
        video, audio, _ = split_codecs(variant.attributes.get("CODECS", ""))
        has_picture = bool(video) or "RESOLUTION" in variant.attributes or not audio
        kind = ContentKind.VIDEO if has_picture else ContentKind.AUDIO
        has_group = variant.attributes.get("AUDIO", "") in audio_groups
        is_muxed = has_picture and not has_group and (bool(audio) or not video)
        codecs = ",".join(video + audio if is_muxed or not has_picture else video)
        representation = _variant_representation(variant, f"variant-{number}", codecs, notes)
        sets.setdefault((kind, is_muxed), []).append(representation)
    return [
        AdaptationSet(
            f"{kind}-muxed" if is_muxed else kind.value, kind, tuple(items), roles=("main",), is_muxed=is_muxed
        )
        for (kind, is_muxed), items in sets.items()
    ]


def _variant_representation(variant: _Variant, identity: str, codecs: str, notes: Notes) -> Representation:
    def rate(name: str) -> int:
        text = variant.attributes.get(name)
        value = parse_decimal(text) if text is not None else Fraction(0)
        if value is None or value >= 10**15:
            notes.repair(f"{name} {text!r:.40} was read as 0", variant.where, "it is no number")
            return 0
        return int(value)

    peak, average = rate("BANDWIDTH"), rate("AVERAGE-BANDWIDTH")
    if not peak and not average:
        notes.repair("a variant without BANDWIDTH was kept", variant.where, "its segments may tell its bitrate")
    width, _, height = variant.attributes.get("RESOLUTION", "").lower().partition("x")
    sizes = [
        int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
        for text in (width.strip(), height.strip())
    ]
    frame_rate = variant.attributes.get("FRAME-RATE")
    return Representation(
        id=identity,
        bitrate_bps=average or peak,
        declared_bitrate_bps=average or peak,
        peak_bitrate_bps=peak,
        width_px=sizes[0],
        height_px=sizes[1],
        frame_rate=parse_frame_rate(frame_rate) if frame_rate else None,
        codecs=codecs,
        timescale=TIMESCALE,
        source=variant.url,
    )


def _group_codecs(variants: list[_Variant]) -> dict[str, str]:
    """What the audio groups are coded in, as far as the variants that use them say."""
    codecs: dict[str, str] = {}
    for variant in variants:
        audio = split_codecs(variant.attributes.get("CODECS", ""))[1]
        if audio:
            codecs.setdefault(variant.attributes.get("AUDIO", ""), ",".join(audio))
    return codecs


def _rendition_sets(renditions: list[_Rendition], group_codecs: dict[str, str]) -> list[AdaptationSet]:
    """One set a language and name: the same rendition in several groups is the same content in several qualities."""
    sets: dict[tuple[ContentKind, str, str], list[_Rendition]] = {}
    for item in renditions:
        key = (item.kind, item.attributes.get("LANGUAGE", ""), item.attributes.get("NAME", ""))
        known = sets.setdefault(key, [])
        if all(item.url != other.url for other in known):
            known.append(item)
    made: list[AdaptationSet] = []
    for (kind, language, name), items in sets.items():
        identity = f"{kind}-{len(made)}"
        representations = tuple(
            Representation(
                f"{identity}-{number}",
                codecs=group_codecs.get(item.attributes.get("GROUP-ID", ""), "") if kind is ContentKind.AUDIO else "",
                timescale=TIMESCALE,
                source=item.url,
                container=container_of_url(item.url) if kind is ContentKind.TEXT else Container.UNKNOWN,
            )
            for number, item in enumerate(items)
        )
        is_default = any(item.attributes.get("DEFAULT", "").upper() == "YES" for item in items)
        made.append(
            AdaptationSet(identity, kind, representations, language, ("main",) if is_default else ("alternate",), name)
        )
    return made


# --------------------------------------------------------------------------- media playlists


def resolve(result: ReadResult, need: Need, body: bytes, url: str) -> ReadResult:
    """Put in the segments of a media playlist that was asked for."""
    notation, text = check_text(body, url)
    if notation is not Notation.HLS:
        raise ManifestSyntaxError(f"{need.label} is no playlist", location=url)
    if "#EXT-X-STREAM-INF" in text:
        raise ManifestSyntaxError(f"{need.label} is a multivariant playlist", location=url)
    notes = Notes()
    playlist = read_media_playlist(text, url, notes)
    if not playlist.segments:
        raise ManifestSyntaxError(f"{need.label} has no segments", location=url)
    presentation = edit_representation(result.presentation, need, lambda item: _filled(item, playlist))
    presentation = replace(
        presentation,
        is_live=presentation.is_live or playlist.is_live,
        repairs=(*presentation.repairs, *(replace(item, where=f"{url} {item.where}") for item in notes.repairs)),
    )
    return without_need(presentation, result, need)


def _filled(representation: Representation, playlist: MediaPlaylist) -> Representation:
    return with_real_bitrate(
        replace(
            representation,
            timescale=TIMESCALE,
            segments=playlist.segments,
            init=playlist.init,
            protection=playlist.protection,
            container=playlist.container,
        )
    )
