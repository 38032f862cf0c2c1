"""Bodies that break off: what has come is kept, the rest is asked for, and only of the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cushion_player.driving.receiving import Body, Receiver, kept_after
from cushion_player.driving.spoilt import what_is_wrong
from cushion_player.errors import ConnectionLost, ResponseTooLarge
from cushion_player.model import ByteRange, Container
from cushion_player.testing.answers import Answer
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Fault, IgnoreRange, Truncate
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest

DATA = bytes(range(256)) * 400
URL = "http://a/1.m4s"


@dataclass
class TaggedSite:
    """Any path gives the same bytes under the same tag."""

    body: bytes
    etag: str = ""

    def response(self, path: str, query: str, now_us: int) -> Answer:
        return Answer(200, self.body, headers={"etag": self.etag} if self.etag else {})


@dataclass
class Seen:
    """What became of one request."""

    body: Body
    error: Exception | None
    refused: int
    progress: list[int] = field(default_factory=list[int])
    ranges: list[ByteRange | None] = field(default_factory=list[ByteRange | None])


def receive(
    site: TaggedSite, fault: Fault | None = None, kept: Body | None = None, byte_range: ByteRange | None = None,
    limit_bytes: int = 1 << 20,
) -> Seen:  # fmt: skip
    clock = FakeClock()
    transport = FakeTransport(clock, {}, sites={"http://a": site}, latency_us=20_000)
    if fault is not None:
        transport.faults.once(URL, fault)
    seen = Seen(Body(), None, 0)

    def refused() -> None:
        seen.refused += 1

    receiver = Receiver(
        transport,
        clock,
        FetchRequest(URL, byte_range),
        kept=kept,
        on_progress=lambda n_bytes, _: seen.progress.append(n_bytes),
        on_refused=refused,
        limit_bytes=limit_bytes,
    )

    async def run() -> None:
        try:
            await receiver.receive()
        except (ConnectionLost, ResponseTooLarge) as error:
            seen.error = error

    clock.run(run())
    seen.body = receiver.body
    seen.ranges = [request.byte_range for request in transport.requests]
    assert transport.open_streams == 0
    return seen


def half(site: TaggedSite, byte_range: ByteRange | None = None) -> Body:
    seen = receive(site, Truncate(30_000), byte_range=byte_range)
    assert isinstance(seen.error, ConnectionLost)
    kept = kept_after(seen.error, seen.body)
    assert kept is not None
    return kept


def test_the_rest_is_asked_for_and_progress_counts_on() -> None:
    site = TaggedSite(DATA)

    seen = receive(site, kept=half(site))

    assert bytes(seen.body.data) == DATA
    assert seen.ranges == [(30_000, None)]
    assert seen.progress[0] > 30_000
    assert seen.refused == 0


def test_the_rest_of_a_part_stays_within_the_part() -> None:
    site = TaggedSite(DATA)

    seen = receive(site, kept=half(site, (100, 60_099)), byte_range=(100, 60_099))

    assert bytes(seen.body.data) == DATA[100:60_100]
    assert seen.ranges == [(30_100, 60_099)]


def test_a_body_that_breaks_off_again_keeps_what_has_come_of_both() -> None:
    site = TaggedSite(DATA)

    seen = receive(site, Truncate(20_000), kept=half(site))

    assert isinstance(seen.error, ConnectionLost)
    assert bytes(seen.body.data) == DATA[:50_000]


@pytest.mark.parametrize(
    "other", [TaggedSite(DATA + b"x", '"1"'), TaggedSite(bytes(len(DATA)), '"2"'), TaggedSite(DATA[:20_000], '"1"')]
)
def test_what_is_not_of_the_same_is_fetched_anew(other: TaggedSite) -> None:
    seen = receive(other, kept=half(TaggedSite(DATA, '"1"')))

    assert bytes(seen.body.data) == other.body
    assert seen.refused == 1


def test_a_server_without_ranges_gives_the_rest_all_the_same() -> None:
    site = TaggedSite(DATA)

    seen = receive(site, IgnoreRange(), kept=half(site))

    assert len(seen.body.data) >= len(DATA)
    assert bytes(seen.body.data[:30_000]) == DATA[:30_000]


def test_nothing_is_asked_for_where_all_has_come() -> None:
    site = TaggedSite(DATA)
    kept = half(site, (0, 60_000))
    kept.data[:] = DATA[:60_001]

    assert receive(site, kept=kept, byte_range=(0, 60_000)).ranges == []


def test_fewer_bytes_than_a_range_has_are_a_broken_body() -> None:
    seen = receive(TaggedSite(DATA[:1000]), byte_range=(0, 1999))

    assert isinstance(seen.error, ConnectionLost)
    assert "1000 of 2000 bytes" in str(seen.error)


def test_what_is_too_large_is_not_kept() -> None:
    seen = receive(TaggedSite(DATA), limit_bytes=10_000)

    assert isinstance(seen.error, ResponseTooLarge)
    assert kept_after(seen.error, seen.body) is None


def box(kind: bytes, n_bytes: int) -> bytes:
    return (8 + n_bytes).to_bytes(4, "big") + kind + bytes(n_bytes)


@pytest.mark.parametrize(
    ("data", "container", "wrong"),
    [
        (box(b"moof", 8) + box(b"mdat", 90), Container.MP4, ""),
        (box(b"moof", 8) + b"\0\0\0\0mdat" + bytes(90), Container.MP4, ""),
        (box(b"moof", 8) + b"\0\0\0\1mdat" + (116).to_bytes(8, "big") + bytes(100), Container.MP4, ""),
        (box(b"moof", 8) + box(b"mdat", 90)[:-7], Container.MP4, "it ends 7 bytes early"),
        (bytes(64) + box(b"mdat", 90), Container.MP4, "it has no box at byte 0"),
        (b"", Container.MP4, "it is empty"),
        (b"\n<!DOCTYPE html><html>", Container.MPEG_TS, "it is a web page"),
        (b"\x47" + bytes(187) + b"\x47", Container.MPEG_TS, ""),
        (b"\x48" + bytes(300), Container.MPEG_TS, "it is no transport stream"),
        (b"\x1f\x43\xb6\x75" + bytes(9), Container.WEBM, ""),
        (bytes(9), Container.WEBM, "it is no WebM"),
        (b"ID3", Container.PACKED_AUDIO, ""),
    ],
)
def test_the_frame_of_a_segment_tells_whether_it_is_one(data: bytes, container: Container, wrong: str) -> None:
    assert what_is_wrong(data, container) == wrong


def test_a_key_frame_may_be_cut_off_within_its_media_data_and_nowhere_else() -> None:
    head = (16).to_bytes(4, "big") + b"moof" + bytes(8)
    cut = head + (1000).to_bytes(4, "big") + b"mdat" + bytes(20)

    assert what_is_wrong(cut, Container.MP4, may_be_cut=True) == ""
    assert what_is_wrong(cut, Container.MP4) == "it ends 972 bytes early"
    assert what_is_wrong(head[:12], Container.MP4, may_be_cut=True) == "it ends 4 bytes early"
