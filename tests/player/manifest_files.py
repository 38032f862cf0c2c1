"""The manifests of tests/golden/manifests, read as if they came from https://example.com/title/."""

from __future__ import annotations

import struct
from pathlib import Path

from cushion_player.manifest import Need, NeedKind, ReadResult, read, resolve
from cushion_player.model import AdaptationSet, Presentation, Representation

FOLDER = Path(__file__).parents[1] / "golden" / "manifests"
PLAYLISTS = Path(__file__).parents[1] / "golden" / "playlists"
"""Those that name playlists which are not at hand, or need the query of their URL."""
URL = "https://example.com/title/"


def open_manifest(name: str) -> ReadResult:
    return read((FOLDER / name).read_bytes(), URL + name)


def load(name: str) -> Presentation:
    """A manifest with all its needs resolved: playlists from the folder, indexes of two segments of 2 s."""
    result = open_manifest(name)
    while result.needs:
        result = resolve(result, result.needs[-1], body_of(result.needs[-1]), result.needs[-1].url)
    return result.presentation


def body_of(need: Need) -> bytes:
    if need.kind is NeedKind.PLAYLIST:
        return (FOLDER / need.url.removeprefix(URL)).read_bytes()
    if need.kind is NeedKind.XLINK:
        return b'<Period id="ad" duration="PT2S"/>'
    return sidx(1000, 0, (5000, 2000), (6000, 2000))


def sidx(timescale: int, earliest: int, *references: tuple[int, int], of_indexes: bool = False) -> bytes:
    """A segment index of (size, duration) references, to media or to further indexes."""
    body = struct.pack(">IIIIIHH", 0, 1, timescale, earliest, 0, 0, len(references))
    body += b"".join(struct.pack(">III", of_indexes << 31 | size, duration, 1 << 31) for size, duration in references)
    return struct.pack(">I4s", 8 + len(body), b"sidx") + body


def sets(presentation: Presentation) -> tuple[AdaptationSet, ...]:
    return presentation.periods[0].adaptation_sets


def representation(presentation: Presentation, identity: str) -> Representation:
    return next(
        item
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
        if item.id == identity
    )


def names(of: Representation) -> list[str]:
    return [segment.address.url.removeprefix(URL) for segment in of.segments]
