"""The sources of a representation: every place that has it, by the name a timeline gives it. Pure.

DASH lists base URLs, HLS lists media playlists; both have a name for who serves them, which steering servers use too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from posixpath import relpath
from urllib.parse import urlsplit, urlunsplit

from cushion_player.model import Address, BaseUrl, Representation

DEFAULT_PATHWAY = "."
"""Of variants without PATHWAY-ID (RFC 8216bis 4.4.6.2)."""


def sources_of(representation: Representation) -> dict[str, BaseUrl]:
    """Its places by name, preferred first; one of each service location, whose places fail together (DVB-DASH 10.8.2).

    Places without a name are numbered: an address is nothing for a journal.
    """
    found: dict[str, BaseUrl] = {}
    for number, base in enumerate(representation.bases, start=1):
        name = base.service_location
        if not name and representation.source and number == 1:
            name = DEFAULT_PATHWAY
        if not name or "://" in name:
            name = f"place {number}"
        found.setdefault(name, base)
    return found


def common_sources(rungs: Sequence[Representation]) -> tuple[str, ...]:
    """The sources that have all of these, in the order of the first; () when there are fewer than two."""
    named = [sources_of(rung) for rung in rungs]
    common = tuple(name for name in named[0] if all(name in each for each in named[1:]))
    return common if len(common) > 1 else ()


def address_at(address: Address, representation: Representation, source: str) -> Address:
    """Where a DASH representation's address is at a source; as it stands where the source makes no difference."""
    places: Mapping[str, BaseUrl] = sources_of(representation)
    if source not in places or not representation.bases:
        return address
    return address._replace(url=rebased(address.url, representation.bases[0].url, places[source].url))


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
