"""The readers over manifests of other projects, where they are at hand: a model or an error with its place, and the
same reading as the parsers they come from, but for the differences that docs/manifest-differences.md lists.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cushion_player.boxes import read_init, read_segment, read_tracks
from cushion_player.errors import ManifestError, MediaError, UnsupportedManifestFeature
from cushion_player.inspection import inspect
from cushion_player.manifest import read
from cushion_player.planning.addressing import plan_playback
from tests.player.corpus_views import (
    CORPUS,
    URL,
    differing,
    expected_media_playlist,
    expected_multivariant,
    expected_of,
    media_playlist_of,
    multivariant_of,
    with_expected,
)
from tests.player.corpus_views_dash import expected_mpd, expected_rx, mpd_of, rx_of

DIFFERENCES = Path(__file__).parents[2] / "docs" / "manifest-differences.md"
MANIFESTS = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".mpd", ".m3u8"))
MPD_URL = "https://www.example.com/x.mpd"
RX_PLAYER = CORPUS / "media" / "rx-player"

pytestmark = pytest.mark.skipif(
    not MANIFESTS, reason="the corpus of other projects' manifests is not at ../shared/corpus"
)


def listed_differences(project: str) -> set[tuple[str, str]]:
    """(manifest, fact) of each row of a project's table in docs/manifest-differences.md."""
    text = DIFFERENCES.read_text(encoding="utf-8")
    section = text.split(f"\n## {project}\n", 1)[1].split("\n## ", 1)[0]
    return {
        (name, fact)
        for names, facts in re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", section, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", names)
        for fact in facts.split(", ")
    }


def test_every_manifest_gives_a_model_or_a_located_error() -> None:
    refused: list[str] = []
    unlocated: list[str] = []

    for path in MANIFESTS:
        try:
            result = read(path.read_bytes(), URL)
        except ManifestError as error:
            refused.append(path.name)
            unlocated += [path.name] * (not error.location)
            continue
        json.dumps(inspect(result.presentation))
        try:
            plan_playback(result.presentation)
        except UnsupportedManifestFeature as error:
            unlocated += [path.name] * (not error.location)

    assert not unlocated
    assert len(refused) <= 0.04 * len(MANIFESTS), refused


def test_playlists_are_read_as_m3u8_parser_reads_them() -> None:
    found: set[tuple[str, str]] = set()

    for path in with_expected("playlists/m3u8-parser", ".m3u8"):
        expected = expected_of(path)
        try:
            presentation = read(path.read_bytes(), URL).presentation
        except ManifestError:
            found.add((path.name, "refused"))
            continue
        if expected.get("playlists"):
            different = differing(multivariant_of(presentation), expected_multivariant(expected))
        else:
            representation = presentation.periods[0].adaptation_sets[0].representations[0]
            different = differing(media_playlist_of(representation), expected_media_playlist(expected))
        found |= {(path.name, fact) for fact in different}

    assert found == listed_differences("m3u8-parser")


def test_mpds_are_read_as_mpd_parser_reads_them() -> None:
    found: set[tuple[str, str]] = set()

    for path in with_expected("mpds/mpd-parser", ".mpd"):
        result = read(path.read_bytes(), MPD_URL)
        found |= {(path.name, fact) for fact in differing(mpd_of(result), expected_mpd(expected_of(path)))}

    assert found == listed_differences("mpd-parser")


def test_mpds_are_read_as_rx_player_reads_them() -> None:
    found: set[tuple[str, str]] = set()
    compared = 0

    for path in sorted(RX_PLAYER.rglob("*.expected.json")):
        expected = json.loads(path.read_text())
        if not expected["url"].endswith(".mpd"):
            continue
        manifest = RX_PLAYER / expected["url"].split("/", 3)[3]
        compared += 1
        try:
            result = read(manifest.read_bytes(), expected["url"])
        except ManifestError:
            found.add((manifest.name, "refused"))
            continue
        different = differing(rx_of(result.presentation, expected), expected_rx(expected))
        found |= {(manifest.name, fact) for fact in different}

    assert compared >= 20
    assert found == listed_differences("rx-player")


def test_every_media_file_gives_samples_or_a_media_error() -> None:
    files = [path for path in CORPUS.rglob("*") if path.suffix in (".mp4", ".m4s", ".dash")]
    read_whole = 0

    for path in files:
        data = path.read_bytes()
        try:
            infos = read_tracks(data)
            if b"moof" in data:
                read_whole += bool(read_segment(data, infos[0]).samples) if infos else 0
        except MediaError:
            continue
    inits = [path for path in files if b"moov" in path.read_bytes()]

    assert inits
    assert read_whole
    assert any(read_init(path.read_bytes()).timescale for path in inits if b"avc1" in path.read_bytes())
