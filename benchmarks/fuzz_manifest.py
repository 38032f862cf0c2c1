"""Bytes at the manifest readers, guided by coverage (atheris): no exception but ours, no input far too dear.

    python -m benchmarks.fuzz_manifest SECONDS

An input is a manifest, and behind two zero bytes what a first need, or a refresh, gets for an answer.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import fuzz
from benchmarks.hostile import CASES
from benchmarks.manifests import mpd, mpd_patch, multivariant, playlist

atheris: Any = import_module("atheris")  # not installed everywhere, and without types

with atheris.instrument_imports(include=["cushion_player.manifest", "cushion_player.model", "cushion_player.boxes"]):
    from cushion_player import manifest
    from cushion_player.errors import ManifestError
    from cushion_player.inspection import inspect
    from cushion_player.planning.availability import window_at

URL = "https://example.com/a/manifest"
LATER = Fraction(1_800_000_000)
MAX_INPUT_BYTES = 16 * 1024
DEAR_S = 1.0
"""CPU time that no input of MAX_INPUT_BYTES may take; instrumentation makes the readers some ten times slower."""
GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "manifests"
SEPARATOR = b"\0\0"
WORDS = """
    <MPD <Period <AdaptationSet <Representation <SegmentTemplate <SegmentTimeline <S <SegmentList <SegmentBase
    <BaseURL> <EventStream <ContentProtection indexRange= presentationTimeOffset= $Number%05d$ $Time$ t= d= k=
    n= r="-1" type="dynamic" PT1S xlink:href= <Patch sel="/MPD" #EXTM3U #EXTINF: #EXT-X-KEY: #EXT-X-MAP:URI=
    #EXT-X-BYTERANGE: #EXT-X-STREAM-INF: #EXT-X-MEDIA:TYPE=AUDIO #EXT-X-PART: #EXT-X-SKIP: #EXT-X-DATERANGE:
    #EXT-X-DEFINE: {$v} IV=0x #EXT-X-PROGRAM-DATE-TIME: #EXT-X-DISCONTINUITY #EXT-X-MEDIA-SEQUENCE:
    METHOD=AES-128
"""
"""What manifests are made of, separated by spaces: hints for the fuzzer."""


def one_input(data: bytes) -> None:
    """Read it, answer its first need, refresh it, look at the result."""
    started_s = time.process_time()
    try:
        examine(data)
    except ManifestError as error:
        if not error.location:
            raise AssertionError(f"an error without a place: {error}") from error
    taken_s = time.process_time() - started_s
    assert taken_s < DEAR_S, f"{len(data)} bytes took {taken_s:.2f} s"


def examine(data: bytes) -> None:
    text, _, answer = data.partition(SEPARATOR)
    result = manifest.read(text, URL)
    if result.needs:
        result = manifest.resolve(result, result.needs[0], answer, result.needs[0].url)
    window_at(result.presentation, LATER)
    inspect(result.presentation, now=LATER)
    if answer:
        manifest.refresh(result.presentation, answer, URL)


def seeds() -> list[bytes]:
    """What to begin with: our own fixtures, and the structures that cost most."""
    whole = [path.read_bytes() for path in sorted(GOLDEN.iterdir())]
    generated = [
        mpd(5).encode(),
        mpd(5, is_live=True).encode() + SEPARATOR + mpd_patch(5).encode(),
        mpd(5, is_live=True).encode() + SEPARATOR + mpd(5, is_live=True, first=1).encode(),
        playlist(5, with_dates=True).encode(),
        playlist(5, is_live=True).encode() + SEPARATOR + playlist(5, is_live=True, first=1).encode(),
        multivariant(2, 2).encode() + SEPARATOR + playlist(3).encode(),
    ]
    return [text for text in whole + generated + [case.text(300) for case in CASES] if len(text) <= MAX_INPUT_BYTES]


def main(seconds: int) -> None:
    """Never returns: the fuzzer ends the process, with status 0 when nothing broke."""
    fuzz(one_input, seconds, seeds=seeds(), words=WORDS, max_input_bytes=MAX_INPUT_BYTES)


if __name__ == "__main__":
    main(int(sys.argv[1]))
