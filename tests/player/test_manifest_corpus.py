"""The readers over manifests of other projects, where they are at hand: a model, or an error with its place."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urljoin

import pytest

from cushion_player.addressing import plan_playback
from cushion_player.boxes import read_init, read_segment, read_tracks
from cushion_player.errors import ManifestError, MediaError, UnsupportedManifestFeature
from cushion_player.inspection import inspect
from cushion_player.manifest import read

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
URL = "https://example.com/a/x"
MANIFESTS = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".mpd", ".m3u8"))

DIFFERENT = {
    "multipleTargetDurations.m3u8",  # a segment before any duration is refused, not left without one
    "zeroDuration.m3u8",  # 0 stays 0 and does not become 0.01
}


def segment_lists() -> list[Path]:
    """Playlists whose expected parse lists segments, but for those we read differently on purpose."""
    files = sorted((CORPUS / "playlists" / "m3u8-parser").rglob("*.m3u8"))
    with_json = [path for path in files if path.name not in DIFFERENT and path.with_suffix(".expected.json").exists()]
    return [path for path in with_json if json.loads(path.with_suffix(".expected.json").read_text()).get("segments")]


LISTED = segment_lists()

pytestmark = pytest.mark.skipif(
    not MANIFESTS, reason="the corpus of other projects' manifests is not at ../shared/corpus"
)


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
        json.dumps(inspect(result.presentation, segments=True))
        try:
            plan_playback(result.presentation)
        except UnsupportedManifestFeature as error:
            unlocated += [path.name] * (not error.location)

    assert not unlocated
    assert len(refused) <= 0.07 * len(MANIFESTS), refused


@pytest.mark.parametrize("path", LISTED, ids=[path.name for path in LISTED])
def test_segments_agree_with_m3u8_parser(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text())["segments"]

    single = read(path.read_bytes(), URL).presentation.periods[0].adaptation_sets[0].representations[0]

    ours = [
        (segment.address.url, round(segment.duration / single.timescale, 6), segment.address.byte_range)
        for segment in single.segments
    ]
    theirs = [
        (urljoin(URL, item["uri"]), round(item["duration"], 6), _range(item.get("byterange")))
        for item in expected
        if "uri" in item
    ]
    assert ours == theirs


def _range(item: dict[str, int] | None) -> tuple[int, int] | None:
    return (item["offset"], item["offset"] + item["length"] - 1) if item else None


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
