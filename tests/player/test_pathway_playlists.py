"""Segments of another HLS pathway, by its own playlist."""

from __future__ import annotations

import asyncio

import pytest

from cushion_player.driving.asker import Asker
from cushion_player.driving.pathway_playlists import MIN_AGE_US, PathwayPlaylists
from cushion_player.errors import HttpStatusError, ManifestError, SegmentNotListed
from cushion_player.manifest import read, resolve
from cushion_player.manifest.hls_pathways import read_at, read_elsewhere
from cushion_player.model import Presentation, Representation
from cushion_player.planning.places import sources_of
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Status
from cushion_player.testing.transport import FakeTransport
from tests.player.manifest_files import sets

MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.64001f",PATHWAY-ID="a"
http://a/v.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.64001f",PATHWAY-ID="b"
http://b/v.m3u8
"""
B = "http://b/v.m3u8"


def playlist(first: int, count: int, name: str, *, ends: bool = False, dates: bool = False, kind: str = "") -> bytes:
    """`count` segments of 4 s from media sequence `first`; dates count from sequence number 0."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", f"#EXT-X-MEDIA-SEQUENCE:{first}", f'#EXT-X-MAP:URI="{name}.mp4"']
    if kind:
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{kind}")
    for number in range(first, first + count):
        if dates:
            seconds = number % 100 * 4
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}Z")
        lines += ["#EXTINF:4,", f"{name}{number}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if ends else lines).encode()


def presented(body: bytes) -> Presentation:
    result = read(MASTER, "http://a/m.m3u8")
    return resolve(result, result.needs[0], body, result.needs[0].url).presentation


def home(body: bytes) -> Representation:
    return sets(presented(body))[0].representations[0]


class Elsewhere:
    """Playlists of pathway b, answered by `content`."""

    def __init__(self, *bodies: bytes) -> None:
        self.clock = FakeClock()
        answers = iter(bodies)
        self.transport = FakeTransport(self.clock, {B: lambda _: next(answers)})
        self.playlists = PathwayPlaylists(Asker(self.transport, self.clock), self.clock, ())

    async def find(self, here: Representation, index: int) -> str:
        place = sources_of(here)["b"]
        _, found = await self.playlists.find(here, place, here.segments[index], "the playlist at b")
        return found.address.url

    def found(self, here: Representation, index: int) -> str:
        return self.clock.run(self.find(here, index))


def test_segments_may_be_named_otherwise_and_counted_otherwise() -> None:
    here = home(playlist(0, 10, "s", ends=True, kind="VOD"))
    elsewhere = Elsewhere(playlist(500, 10, "other", ends=True, kind="VOD"))

    assert [elsewhere.found(here, index) for index in (0, 9)] == ["http://b/other500.m4s", "http://b/other509.m4s"]
    assert len(elsewhere.transport.requests) == 1, "what has ended is read once"


def test_a_live_pathway_that_counts_otherwise_is_aligned_by_its_dates() -> None:
    here = home(playlist(20, 6, "s", dates=True))
    elsewhere = Elsewhere(playlist(117, 8, "x", dates=True))

    assert elsewhere.found(here, 2) == "http://b/x122.m4s"


def test_without_dates_the_numbers_count() -> None:
    here = home(playlist(20, 6, "s"))

    assert Elsewhere(playlist(18, 8, "x")).found(here, 0) == "http://b/x20.m4s"


def test_a_live_playlist_is_read_again_for_what_it_does_not_list_yet_but_not_at_once() -> None:
    here = home(playlist(20, 6, "s"))
    elsewhere = Elsewhere(playlist(18, 6, "x"), playlist(20, 6, "x"))

    async def main() -> list[str]:
        first = await elsewhere.find(here, 3)
        with pytest.raises(SegmentNotListed, match=r"does not list segment 25 \(http://b/v.m3u8\)"):
            await elsewhere.find(here, 5)
        await elsewhere.clock.sleep_until(MIN_AGE_US)
        return [first, await elsewhere.find(here, 5)]

    assert elsewhere.clock.run(main()) == ["http://b/x23.m4s", "http://b/x25.m4s"]
    assert len(elsewhere.transport.requests) == 2


def test_requests_at_once_read_it_once() -> None:
    here = home(playlist(0, 10, "s", ends=True))
    elsewhere = Elsewhere(playlist(0, 10, "x", ends=True))

    async def main() -> list[str]:
        return await asyncio.gather(*(elsewhere.find(here, index) for index in range(4)))

    assert elsewhere.clock.run(main()) == [f"http://b/x{index}.m4s" for index in range(4)]
    assert len(elsewhere.transport.requests) == 1


def test_what_the_other_pathway_does_not_have_is_an_error_of_its_own() -> None:
    here = home(playlist(0, 10, "s", ends=True, kind="VOD"))

    with pytest.raises(SegmentNotListed):
        Elsewhere(playlist(0, 5, "x", ends=True, kind="VOD")).found(here, 7)
    with pytest.raises(ManifestError):
        Elsewhere(b"<html>").found(here, 7)
    with pytest.raises(SegmentNotListed):
        Elsewhere(playlist(900, 5, "x")).found(home(playlist(0, 10, "s")), 7)


def test_a_playlist_that_cannot_be_had_is_asked_for_once_for_each_request() -> None:
    here, elsewhere = home(playlist(0, 10, "s", ends=True)), Elsewhere()
    elsewhere.transport.faults.always(B, Status(503))

    with pytest.raises(HttpStatusError):
        elsewhere.found(here, 0)

    assert len(elsewhere.transport.requests) == 1


def test_a_redirect_to_a_file_is_refused() -> None:
    with pytest.raises(ManifestError, match="may not point at local files"):
        read_elsewhere(home(playlist(0, 2, "s", ends=True)), playlist(0, 2, "x", ends=True), "file:///x.m3u8", (), "it")


def test_what_was_read_elsewhere_lies_there_and_stays_a_second_choice() -> None:
    result = read(MASTER, "http://a/m.m3u8")
    (need,) = result.needs
    filled = resolve(result, need, playlist(0, 2, "x", ends=True), B).presentation

    moved = read_at(filled, need.representation, B)

    (item,) = sets(moved)[0].representations
    assert item.segments[0].address.url == "http://b/x0.m4s"
    assert item.bases[0].url == B
    assert list(sources_of(item)) == ["a", "b"]
    assert read_at(moved, need.representation, "http://unknown/") is moved
