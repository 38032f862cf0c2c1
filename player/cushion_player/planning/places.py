"""The sources of a representation: every place that has it, by the name a timeline gives it. Pure.

DASH lists base URLs, HLS lists media playlists; both have a name for who serves them, which steering servers use too,
also to make new ones (clones). The addresses of a representation lie at its home, the first of its bases; which one is
preferred is said by their priority.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from posixpath import relpath
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cushion_player.errors import ManifestError
from cushion_player.manifest.guard import Base
from cushion_player.model import Address, BaseUrl, PathwayClone, Representation

DEFAULT_PATHWAY = "."
"""Of variants without PATHWAY-ID (RFC 8216bis 4.4.6.2)."""
UNNAMED = "place "


def sources_of(representation: Representation, clones: Sequence[PathwayClone] = ()) -> dict[str, BaseUrl]:
    """Its places by name, preferred first; one of each service location, whose places fail together (DVB-DASH 10.8.2).

    Places without a name are numbered: an address is nothing for a journal. A clone of a clone comes after its base.
    """
    found: dict[str, BaseUrl] = {}
    for number, base in enumerate(sorted(representation.bases, key=lambda base: base.priority), start=1):
        name = base.service_location
        if not name and representation.source and number == 1:
            name = DEFAULT_PATHWAY
        if not name or "://" in name:
            name = f"{UNNAMED}{number}"
        found.setdefault(name, base)
    for clone in clones:
        made = _cloned(representation, found[clone.base_id], clone) if clone.base_id in found else None
        if made is not None:
            found.setdefault(clone.id, made)
    return found


def common_sources(rungs: Sequence[Representation]) -> tuple[str, ...]:
    """The sources that have all of these, in the order of the first.

    () when there is one without a name: then there is one place only. One with a name may be cloned.
    """
    named = [sources_of(rung) for rung in rungs]
    common = tuple(name for name in named[0] if all(name in each for each in named[1:]))
    has_choice = len(common) > 1 or (common and not common[0].startswith(UNNAMED) and common[0] != DEFAULT_PATHWAY)
    return common if has_choice else ()


def place_at(representation: Representation, source: str, clones: Sequence[PathwayClone] = ()) -> BaseUrl | None:
    """Where it is at a source, when that is not its home."""
    place = sources_of(representation, clones).get(source)
    if place is None or not representation.bases or place.url == representation.bases[0].url:
        return None
    return place


def address_at(
    address: Address, representation: Representation, source: str, clones: Sequence[PathwayClone] = ()
) -> Address:
    """Where a DASH representation's address is at a source; as it stands where the source makes no difference."""
    place = place_at(representation, source, clones)
    if place is None:
        return address
    url = rebased(address.url, representation.bases[0].url, place.url)
    return address._replace(url=_with_params(url, place.params))


def other_urls(representation: Representation, url: str) -> tuple[str, ...]:
    """Where else its playlist is (HLS), or what lies at `url` of it (DASH), preferred first."""
    if representation.alternatives or not representation.bases:
        return representation.alternatives
    others = sorted(representation.bases[1:], key=lambda base: base.priority)
    found = (rebased(url, representation.bases[0].url, base.url) for base in others)
    return tuple(dict.fromkeys(other for other in found if other != url))


def with_home(representation: Representation, place: BaseUrl) -> Representation:
    """The representation once its addresses were read at `place`."""
    bases = representation.bases
    if not bases or bases[0].url == place.url:
        return representation
    return replace(representation, bases=(place, *(base for base in bases if base.url != place.url)))


def _cloned(representation: Representation, base: BaseUrl, clone: PathwayClone) -> BaseUrl | None:
    """The place of a clone (RFC 8216bis 7.1); None when it would lead where a manifest may not point.

    HLS replaces the URIs of playlists; below a base URL of DASH every URL gets the parameters.
    """
    is_playlist = bool(representation.pathway) or representation.playlist is not None
    uris = clone.per_variant_uris if representation.id.startswith("variant-") else clone.per_rendition_uris
    own = dict(uris).get(representation.stable_id) if representation.stable_id else None
    where = f"pathway clone {clone.id}"
    try:
        url = Base(base.url).resolve(own if own is not None else base.url, where)
        parts = urlsplit(url)
        if clone.host and own is None:
            url = urlunsplit(parts._replace(netloc=clone.host))
        if is_playlist:
            url = _with_params(url, clone.params)
        url = Base(base.url).resolve(url, where)
    except (ManifestError, ValueError):
        return None
    priority = max(place.priority for place in representation.bases) + 1
    return base._replace(
        url=url, service_location=clone.id, priority=priority, params=() if is_playlist else clone.params
    )


def _with_params(url: str, params: Sequence[tuple[str, str]]) -> str:
    if not params:
        return url
    parts, replaced = urlsplit(url), dict(params)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in replaced]
    return urlunsplit(parts._replace(query=urlencode([*query, *sorted(replaced.items())])))


def rebased(url: str, base: str, other: str) -> str:
    """What was resolved against `base`, resolved against `other`. What is on another host is absolute, and stays."""
    if url == base:
        return other
    parts, old, new = urlsplit(url), urlsplit(base), urlsplit(other)
    if (parts.scheme, parts.netloc) != (old.scheme, old.netloc):
        return url
    folder, target = _folder(old.path), _folder(new.path)
    if parts.path.startswith(folder):
        path = target + parts.path[len(folder) :]
    else:
        steps = relpath(parts.path or "/", folder).split("/")
        while steps[0] == "..":
            target, steps = _folder(target.rstrip("/")), steps[1:]
        path = target + "/".join(steps)
    return urlunsplit((new.scheme, new.netloc, path, parts.query, parts.fragment))


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1] or "/"
