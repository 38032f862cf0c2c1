"""From what a multivariant playlist lists to adaptation sets: which playlists are rungs of what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from cushion_player.manifest.hls_lines import NS_PER_S, parse_seconds, parse_yes
from cushion_player.manifest.hls_variants import Multivariant, Rendition, Variant
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.values import container_of_url, parse_decimal, parse_frame_rate, split_codecs
from cushion_player.model import (
    AdaptationSet,
    BaseUrl,
    Container,
    ContentKind,
    Descriptor,
    Extra,
    Label,
    Representation,
)

CHARACTERISTICS = "public.accessibility"
_CEA_608, _CEA_708 = "urn:scte:dash:cc:cea-608:2015", "urn:scte:dash:cc:cea-708:2015"
_ROLES = {
    "public.accessibility.describes-video": "description",
    "public.accessibility.describes-music-and-sound": "caption",
    "public.easy-to-read": "easyreader",
}
_VARIANT_NAMES = {
    "BANDWIDTH", "AVERAGE-BANDWIDTH", "SCORE", "CODECS", "SUPPLEMENTAL-CODECS", "RESOLUTION", "FRAME-RATE",
    "VIDEO-RANGE", "STABLE-VARIANT-ID", "PATHWAY-ID", "AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS", "URI",
}  # fmt: skip
_RENDITION_NAMES = {
    "TYPE", "URI", "GROUP-ID", "LANGUAGE", "NAME", "STABLE-RENDITION-ID", "DEFAULT", "AUTOSELECT", "FORCED",
    "INSTREAM-ID", "SAMPLE-RATE", "CHARACTERISTICS", "CHANNELS", "PATHWAY-ID",
}  # fmt: skip
_SIZE = re.compile(r"\s*(\d{1,6})\s*[xX]\s*(\d{1,6})\s*")


def sets_of(listed: Multivariant, notes: Notes) -> list[AdaptationSet]:
    """The video set (apart, those that carry their own audio), audio, text, other angles, I-frames and images."""
    variants = _distinct(listed)
    main = _variant_sets(variants, listed, notes)
    taken = {item.url for item in variants}
    others = [item for item in listed.renditions if item.url and item.url not in taken and not item.is_captions]
    videos = tuple(item.id for item in main if item.kind is ContentKind.VIDEO)
    return [
        *main,
        *_rendition_sets(others, listed.variants, notes),
        *_variant_lists(listed.iframes, "video-iframes", ContentKind.VIDEO, videos, notes),
        *_variant_lists(listed.images, "image", ContentKind.IMAGE, (), notes),
    ]


def audio_groups(listed: Multivariant) -> dict[str, tuple[str, ...]]:
    """By video playlist, the audio playlists that may be played with it, as its bandwidth counts one of them in."""
    groups: dict[str, list[str]] = {}
    for item in listed.renditions:
        if item.kind is ContentKind.AUDIO and item.url:
            groups.setdefault(item.group, []).append(item.url)
    return {item.url: tuple(groups.get(item.attributes.get("AUDIO", ""), ())) for item in reversed(listed.variants)}


def audio_rates(listed: Multivariant) -> dict[str, int]:
    """Bitrates of audio playlists that are listed as variants of their own too."""
    urls = {item.url for item in listed.renditions if item.kind is ContentKind.AUDIO}
    return {
        item.url: _rate(item, "AVERAGE-BANDWIDTH") or _rate(item, "BANDWIDTH")
        for item in listed.variants
        if item.url in urls
    }


def _distinct(listed: Multivariant) -> list[Variant]:
    """One variant a playlist: the same video with another audio group counts once, with its lowest bitrate's group."""
    audio_urls = {item.url for item in listed.renditions if item.kind is ContentKind.AUDIO and item.url}
    kept: dict[str, Variant] = {}
    for variant in listed.variants:
        if variant.url not in audio_urls:
            kept.setdefault(variant.url, variant)
    return list(kept.values())


# --------------------------------------------------------------------------- variants


def _variant_sets(variants: list[Variant], listed: Multivariant, notes: Notes) -> list[AdaptationSet]:
    apart = {item.group for item in listed.renditions if item.kind is ContentKind.AUDIO and item.url}
    inside = {item.group: item for item in listed.renditions if item.kind is ContentKind.AUDIO and not item.url}
    sets: dict[tuple[ContentKind, bool], list[Representation]] = {}
    members: dict[tuple[ContentKind, bool], list[Variant]] = {}
    for number, variant in enumerate(variants):
        video, audio, _ = split_codecs(variant.attributes.get("CODECS", ""))
        has_picture = bool(video) or "RESOLUTION" in variant.attributes or not audio
        kind = ContentKind.VIDEO if has_picture else ContentKind.AUDIO
        group = variant.attributes.get("AUDIO", "")
        is_muxed = has_picture and (group not in apart or group in inside) and (bool(audio) or not video)
        codecs = ",".join(video + audio if is_muxed or not has_picture else video)
        made = _representation(variant, f"variant-{number}", codecs, notes)
        sets.setdefault((kind, is_muxed), []).append(made)
        members.setdefault((kind, is_muxed), []).append(variant)
    made_sets: list[AdaptationSet] = []
    for (kind, is_muxed), items in sets.items():
        of = members[kind, is_muxed]
        spoken = next((inside[name] for item in of if (name := item.attributes.get("AUDIO", "")) in inside), None)
        made_sets.append(
            AdaptationSet(
                f"{kind}-muxed" if is_muxed else kind.value,
                kind,
                tuple(items),
                language=spoken.attributes.get("LANGUAGE", "") if spoken is not None and is_muxed else "",
                roles=("main",),
                is_muxed=is_muxed,
                captions_in_video=_captions(of, listed.renditions),
            )
        )
    return made_sets


def _variant_lists(
    variants: list[Variant], identity: str, kind: ContentKind, trick_of: tuple[str, ...], notes: Notes
) -> list[AdaptationSet]:
    """A set of variants that are listed with their URI: I-frames or images."""
    distinct = {variant.url: variant for variant in reversed(variants)}
    items = tuple(
        _representation(variant, f"{identity}-{number}", variant.attributes.get("CODECS", ""), notes)
        for number, variant in enumerate(reversed(distinct.values()))
    )
    if kind is ContentKind.IMAGE:
        items = tuple(replace(item, container=Container.IMAGE) for item in items)
    return [AdaptationSet(identity, kind, items, trick_of=trick_of)] if items else []


def _representation(variant: Variant, identity: str, codecs: str, notes: Notes) -> Representation:
    found = variant.attributes
    peak, average = _rate(variant, "BANDWIDTH", notes), _rate(variant, "AVERAGE-BANDWIDTH", notes)
    if not peak and not average:
        notes.repair("a variant without BANDWIDTH was kept", variant.where, "its segments may tell its bitrate")
    size = _SIZE.fullmatch(found.get("RESOLUTION", ""))
    if size is None and "RESOLUTION" in found:
        notes.repair(f"RESOLUTION {found['RESOLUTION']!r:.40} was left out", variant.where, "it is no size")
    frame_rate = found.get("FRAME-RATE")
    return Representation(
        id=identity,
        bitrate_bps=average or peak,
        declared_bitrate_bps=average or peak,
        peak_bitrate_bps=peak,
        width_px=int(size.group(1)) if size else 0,
        height_px=int(size.group(2)) if size else 0,
        frame_rate=parse_frame_rate(frame_rate) if frame_rate else None,
        codecs=codecs,
        timescale=NS_PER_S,
        source=variant.url,
        supplemental_codecs=found.get("SUPPLEMENTAL-CODECS", ""),
        video_range=found.get("VIDEO-RANGE", "").upper(),
        score=parse_seconds(found.get("SCORE")),
        stable_id=found.get("STABLE-VARIANT-ID", ""),
        pathway=variant.pathway,
        alternatives=tuple(item.url for item in variant.alternatives),
        bases=_bases((variant.url, variant.pathway), *((item.url, item.pathway) for item in variant.alternatives)),
        extra=tuple(Extra(name, text) for name, text in found.items() if name not in _VARIANT_NAMES),
    )


def _bases(*places: tuple[str, str]) -> tuple[BaseUrl, ...]:
    """Where the playlist is, with its pathway, when there is a choice or a name for it."""
    if len(places) == 1 and not places[0][1]:
        return ()
    return tuple(BaseUrl(url, pathway, number + 1) for number, (url, pathway) in enumerate(places))


def _rate(variant: Variant, name: str, notes: Notes | None = None) -> int:
    text = variant.attributes.get(name, "0")
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    value = parse_decimal(text)
    if value is None or value >= 10**15:
        if notes is not None:
            notes.repair(f"{name} {text!r:.40} was read as 0", variant.where, "it is no number")
        return 0
    return int(value)


def _captions(variants: Iterable[Variant], renditions: Iterable[Rendition]) -> tuple[Descriptor, ...]:
    """CEA-608/708 services in the video, in the words DASH has for them."""
    groups = {item.attributes.get("CLOSED-CAPTIONS", "") for item in variants}
    found: dict[Descriptor, None] = {}
    for item in renditions:
        service = item.attributes.get("INSTREAM-ID", "").upper()
        if not (item.is_captions and item.group in groups and service):
            continue
        language, name = item.attributes.get("LANGUAGE", ""), item.attributes.get("NAME", "")
        if service.startswith("SERVICE"):
            found[Descriptor(_CEA_708, f"{service.removeprefix('SERVICE')}=lang:{language}", name)] = None
        else:
            found[Descriptor(_CEA_608, f"{service}={language}", name)] = None
    return tuple(found)


# --------------------------------------------------------------------------- renditions


def _rendition_sets(renditions: list[Rendition], variants: list[Variant], notes: Notes) -> list[AdaptationSet]:
    """One set a language and name: the same rendition in several groups is the same content in several qualities."""
    codecs = _group_codecs(variants)
    sets: dict[tuple[ContentKind, str, str, bool], list[Rendition]] = {}
    known: set[tuple[object, str]] = set()
    for item in renditions:
        found = item.attributes
        key = (item.kind, found.get("LANGUAGE", ""), found.get("NAME", ""), parse_yes(found.get("FORCED")))
        if (key, item.url) not in known:
            known.add((key, item.url))
            sets.setdefault(key, []).append(item)
    made: list[AdaptationSet] = []
    for (kind, language, name, is_forced), items in sets.items():
        identity = f"{kind}-{len(made)}"
        characteristics = dict.fromkeys(word for item in items for word in _characteristics(item))
        is_default = any(parse_yes(item.attributes.get("DEFAULT")) for item in items) and kind is not ContentKind.VIDEO
        made.append(
            AdaptationSet(
                identity,
                kind,
                tuple(_from_rendition(item, f"{identity}-{at}", codecs) for at, item in enumerate(items)),
                language,
                _roles(is_default, is_forced, characteristics),
                name,
                labels=(Label(name, language),) if name else (),
                accessibility=tuple(Descriptor("characteristics", word) for word in characteristics),
                group=",".join(dict.fromkeys(item.group for item in items)),
                is_forced=is_forced,
                is_autoselect=is_default or any(parse_yes(item.attributes.get("AUTOSELECT")) for item in items),
            )
        )
    return made


def _group_codecs(variants: list[Variant]) -> dict[str, str]:
    """What the audio groups are coded in, as far as the variants that use them say."""
    codecs: dict[str, str] = {}
    for variant in variants:
        audio = split_codecs(variant.attributes.get("CODECS", ""))[1]
        if audio:
            codecs.setdefault(variant.attributes.get("AUDIO", ""), ",".join(audio))
    return codecs


def _characteristics(rendition: Rendition) -> list[str]:
    return [word.strip() for word in rendition.attributes.get("CHARACTERISTICS", "").split(",") if word.strip()]


def _roles(is_default: bool, is_forced: bool, characteristics: Iterable[str]) -> tuple[str, ...]:
    roles = ["main" if is_default else "alternate"]
    if is_forced:
        roles.append("forced-subtitle")
    roles += [_ROLES[word] for word in characteristics if word in _ROLES]
    return tuple(dict.fromkeys(roles))


def _from_rendition(rendition: Rendition, identity: str, codecs: dict[str, str]) -> Representation:
    found = rendition.attributes
    rate = found.get("SAMPLE-RATE", "")
    places = [(item.url, item.attributes.get("PATHWAY-ID", "")) for item in (rendition, *rendition.alternatives)]
    return Representation(
        identity,
        codecs=codecs.get(rendition.group, "") if rendition.kind is ContentKind.AUDIO else "",
        timescale=NS_PER_S,
        source=rendition.url,
        container=container_of_url(rendition.url) if rendition.kind is ContentKind.TEXT else Container.UNKNOWN,
        channels=found.get("CHANNELS", ""),
        sample_rate_hz=int(rate) if rate.isascii() and rate.isdigit() and len(rate) < 8 else 0,
        stable_id=found.get("STABLE-RENDITION-ID", ""),
        pathway=found.get("PATHWAY-ID", ""),
        alternatives=tuple(url for url, _ in places[1:]),
        bases=_bases(*places),
        extra=tuple(Extra(name, text) for name, text in found.items() if name not in _RENDITION_NAMES),
    )
