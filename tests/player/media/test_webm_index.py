"""A WebM presentation of single files: cues become segments, and these decode."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cushion_player.boxes.cues import read_cues
from cushion_player.boxes.ebml import elements
from cushion_player.clock import MonotonicClock
from cushion_player.driving.loading import load_presentation
from cushion_player.errors import DecodeError, FetchError, ManifestError
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.model import Container, Representation
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from cushion_player.transport.base import FetchRequest, fetch_bytes
from cushion_player.transport.file import FileTransport
from tests.player.media.samples import SPEC, code_of, encode_video, mux

MPD = """<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static"
 mediaPresentationDuration="PT2S" minBufferTime="PT2S"><Period><AdaptationSet mimeType="video/webm" codecs="vp9">
<Representation id="1" bandwidth="100000" width="426" height="240"><BaseURL>film.webm</BaseURL>
<SegmentBase indexRange="{first}-{last}" timescale="1000000"><Initialization range="0-{before}"/></SegmentBase>
</Representation></AdaptationSet></Period></MPD>"""
CUES = 0x1C53BB6B


@pytest.fixture(scope="module")
def film() -> bytes:
    """Cues before clusters of a second each."""
    encoded = encode_video("libvpx-vp9")
    options = {"reserve_index_space": "200", "cluster_time_limit": "1000", "cluster_size_limit": "100000000"}
    return mux("webm", [(encoded, encoded.packets)], Fraction(0), **options)


def cues_of(data: bytes) -> tuple[int, int]:
    found = elements(memoryview(data), 0, len(data), frozenset({0x18538067}))
    return next((element.start, element.end) for element in found if element.id == CUES)


async def loaded(folder: Path, film: bytes, first: int, last: int) -> tuple[Representation, FileTransport]:
    (folder / "film.webm").write_bytes(film)
    (folder / "film.mpd").write_text(MPD.format(first=first, last=last, before=first - 1))
    transport = FileTransport()
    parts = await load_presentation(transport, (folder / "film.mpd").as_uri(), MonotonicClock())
    return parts.presentation.periods[0].adaptation_sets[0].representations[0], transport


async def test_cues_become_segments_that_decode_to_every_frame(film: bytes, tmp_path: Path) -> None:
    first, end = cues_of(film)

    representation, transport = await loaded(tmp_path, film, first, end - 1)

    assert (representation.container, representation.timescale) == (Container.WEBM, 1_000_000_000)
    assert [segment.start for segment in representation.segments] == [0, 1_000_000_000]
    assert float(representation.duration()) == pytest.approx(2.0, abs=0.04)
    assert representation.init is not None
    decoder, frames = TrackDecoder(TrackKind.VIDEO), list[Frame]()
    bodies = [
        (await fetch_bytes(transport, FetchRequest(address.url, byte_range=address.byte_range), MonotonicClock())).body
        for address in (representation.init.address, *(segment.address for segment in representation.segments))
    ]
    decoder.switch(MediaFormat(0, Container.WEBM, bodies[0]))
    for body in bodies[1:]:
        frames += decoder.decode(body, 0, 0)
    frames += decoder.drain()
    assert [code_of(frame) for frame in frames] == list(range(SPEC.n_frames))


async def test_cues_far_into_a_large_file_are_refused_in_words(film: bytes, tmp_path: Path) -> None:
    first, end = cues_of(film)
    gap = 5_000_000
    moved = film[:first] + bytes(gap) + film[first:]

    with pytest.raises((ManifestError, FetchError), match="cues of a WebM file beyond"):
        await loaded(tmp_path, moved, first + gap, end + gap - 1)


def test_references_follow_one_another_to_the_end(film: bytes) -> None:
    references = read_cues(film)

    assert [reference.time_ns for reference in references] == [0, 1_000_000_000]
    assert references[0].end == references[1].start
    assert references[1].end == len(film)
    assert film[references[1].start :][:4] == b"\x1f\x43\xb6\x75"


def test_files_of_another_packager(shared_path: Callable[[str], Path]) -> None:
    path = shared_path("corpus/media/rx-player/DASH_static_SegmentBase/media/v-0144p-0100k-vp9.webm")

    references = read_cues(path.read_bytes()[:536])

    assert (references[0].start, references[1].start) == (536, 33083)
    assert references[-1].end == path.stat().st_size
    assert sum(reference.duration_ns for reference in references) / 1e9 == pytest.approx(60, abs=10)


def test_damaged_cues_raise_nothing_but_decode_errors(film: bytes) -> None:
    rng = np.random.default_rng(8)
    head = film[: cues_of(film)[1]]

    for _ in range(300):
        data = bytearray(head)
        for _ in range(int(rng.integers(1, 10))):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        try:
            references = read_cues(bytes(data[: int(rng.integers(1, len(data) + 1))]))
        except DecodeError:
            continue
        assert all(reference.duration_ns > 0 for reference in references)
